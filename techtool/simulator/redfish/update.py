"""Updates of a simulated gateway: tasks, and what they leave installed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from techtool.simulator.device import Device
from techtool.simulator.faults import TaskFault
from techtool.simulator.redfish.image import Image, ImageRefused, read_image
from techtool.simulator.state import Package

TASKS: Final = "/redfish/v1/TaskService/Tasks"
_TICK_S: Final = 0.02
_STUCK_PERCENT: Final = 40
_ENDED: Final = ("Completed", "Exception", "Cancelled")


@dataclass(slots=True)
class Task:
    """One update."""

    number: int
    state: str = "Starting"
    status: str = "OK"
    percent: int = 0
    messages: list[tuple[str, str]] = field(default_factory=list)
    """Key of the Update registry and text."""

    @property
    def path(self) -> str:
        """Of its resource."""
        return f"{TASKS}/{self.number}"

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in _ENDED

    def say(self, key: str, text: str) -> None:
        """Note what happened."""
        self.messages.append((f"Update.1.0.{key}", text))


class Updates:
    """The update service of one gateway; tasks live as long as it is on."""

    def __init__(self, device: Device, restart: Callable[[], None]) -> None:
        self._device = device
        self._restart = restart
        self._next = 1
        self._running: set[asyncio.Task[None]] = set()
        self._at_reset: list[tuple[Task, Image]] = []
        self.tasks: dict[int, Task] = {}

    @property
    def begun(self) -> int:
        """How many there were since the simulation began."""
        return self._next - 1

    def begin(self, image: Path, apply_time: str) -> Task:
        """A task for an image that lies in a file of its own."""
        task = Task(self._next)
        self._next += 1
        self.tasks[task.number] = task
        running = asyncio.get_running_loop().create_task(self._run(task, image, apply_time))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return task

    def power_cut(self) -> None:
        """Whatever was running is gone, and nobody remembers it."""
        for running in self._running:
            running.cancel()
        self.tasks.clear()

    def started(self) -> None:
        """After a restart: what waited for it is put in."""
        waiting, self._at_reset = self._at_reset, []
        for task, image in waiting:
            self.tasks[task.number] = task
            self._put_in(task, image)

    async def _run(self, task: Task, image: Path, apply_time: str) -> None:
        try:
            await self._work(task, image, apply_time)
        except ImageRefused as refused:
            task.say(refused.key, refused.text)
            task.state, task.status = "Exception", "Critical"
        finally:
            image.unlink(missing_ok=True)  # noqa: ASYNC240 - a scratch file of the simulator

    async def _work(self, task: Task, path: Path, apply_time: str) -> None:
        faults = self._device.faults
        fault = faults.faults.task or TaskFault()
        task.state = "Running"
        image = await asyncio.to_thread(read_image, path)
        if image.component not in self._device.store.state.packages:
            raise ImageRefused("NoTargetsDetermined", f"There is no component {image.component}.")
        refusal = faults.refuse_install(image.component)
        if refusal is not None:
            raise ImageRefused(refusal.word, refusal.detail or "The image was refused.")
        await self._take_time(task, fault)
        if fault.fails:
            raise ImageRefused(fault.fails, "The update did not succeed.")
        if apply_time == "OnReset":
            task.state = "Pending"
            self._at_reset.append((task, image))
            return
        self._put_in(task, image)

    async def _take_time(self, task: Task, fault: TaskFault) -> None:
        began_s = time.monotonic()
        while (spent_s := time.monotonic() - began_s) < fault.seconds or fault.never_ends:
            share = spent_s / fault.seconds if fault.seconds else 1.0
            task.percent = min(_STUCK_PERCENT if fault.never_ends else 99, int(100 * share))
            if fault.restarts and share > 0.5:
                self._restart()
            await asyncio.sleep(_TICK_S)

    def _put_in(self, task: Task, image: Image) -> None:
        faults, store = self._device.faults, self._device.store
        if not faults.faults.says_ok_and_lies:
            wrong = faults.wrong_version(image.component)
            version = wrong.version if wrong is not None else image.version
            blank = " " if faults.faults.trailing_blank else ""
            package: Package = replace(store.state.packages[image.component], version=version + blank)
            store.commit(replace(store.state, packages={**store.state.packages, package.id: package}))
        task.say("UpdateSuccessful", f"{image.component} {image.version} was installed.")
        task.state, task.percent = "Completed", 100
