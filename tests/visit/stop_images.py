"""A stop at every effect of a visit, without coming to each of them anew: one visit runs, and before each effect an
image is kept of the laptop's disk and of the terminal. From each image a fresh engine goes on, as after a power cut.

The images of one visit are those that stops at each of its effects would leave: a stop freezes disk and link at that
instant, and what the process would have done afterwards has no effect. The terminal's power does not fail, but its
link does: what it was receiving is thrown away, what is sent and not yet carried out is never carried out. (That it is
carried out and the laptop does not hear of it is what the next images show.) :mod:`tests.visit.stop_trial` stops real
runs, for a part of the effects.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from techtool.cli.demo_world import DemoWorld
from techtool.domain.outcome import Outcome
from techtool.paths import DISK
from techtool.simulator.run import Simulation
from tests.visit.power import Power, WatchedDisk
from tests.visit.stop_trial import Judged, Setting, Stops, Trial, look_after_a_stop, look_at_the_end, quietly


@dataclass(frozen=True)
class Image:
    """What a stop before effect ``number`` leaves."""

    number: int
    folder: Path
    """``home`` is the laptop's, ``terminal`` the terminal's."""
    commits: Counter[str]


@dataclass
class Camera(Power):
    """Power that does not fail, and an image before each effect that is ``wanted``."""

    trial: Trial = field(kw_only=True)
    into: Path = field(kw_only=True)
    wanted: Callable[[int], bool] = field(kw_only=True)
    images: list[Image] = field(default_factory=list)

    def effect(self, kind: str) -> None:
        with self.one:
            number = len(self.kinds)
            if self.wanted(number):
                self.images.append(self._taken(number))
            super().effect(kind)

    @contextlib.contextmanager
    def disk_effect(self) -> Iterator[None]:
        """No other effect, and no image, comes between the counting and the effect."""
        with self.one:
            self.effect("disk")
            yield

    def _taken(self, number: int) -> Image:
        folder = self.into / str(number)
        shutil.copytree(self.trial.world.paths.home, folder / "home")
        shutil.copytree(_terminal(self.trial), folder / "terminal")
        return Image(number, folder, self.trial.commits.copy())


@dataclass(frozen=True)
class Part:
    """What one run of the visit gave."""

    kinds: tuple[str, ...]
    """Of all effects of the visit, also of those that belong to other parts."""
    judged: tuple[Judged, ...]


def every_effect(setting: Setting, part: int = 0, parts: int = 1) -> Part:
    """A stop before each effect whose number leaves ``part`` when divided by ``parts``."""
    with setting.copied() as folder:
        trial = Trial(setting, DemoWorld(folder / "0"), folder / "sim")
        camera = Camera(trial=trial, into=folder / "images", wanted=lambda number: number % parts == part)
        judged = asyncio.run(quietly(_all(trial, camera)))
        return Part(tuple(camera.kinds), tuple(judged))


async def _all(trial: Trial, camera: Camera) -> list[Judged]:
    trial.disk = WatchedDisk(camera.disk_effect)
    stick = _listing(trial.world.stick)
    async with trial.terminal(WatchedDisk(lambda: camera.one)) as simulation:
        finished = await trial.go_on(simulation.addresses[0], camera)
        assert finished is not None
        assert finished.outcome is Outcome.SUCCESS
        trial.disk = DISK
        judged = [await _judged(trial, image, simulation) for image in camera.images]
    assert _listing(trial.world.stick) == stick, "a visit wrote on the stick, which all images share"
    return judged


async def _judged(trial: Trial, image: Image, simulation: Simulation) -> Judged:
    stops = Stops((image.number,))
    try:
        await _lay(trial, image, simulation)
        return Judged(stops, tuple([lie async for lie in _from_here(trial, simulation)]))
    except Exception as error:
        return Judged(stops, (f"it broke: {error!r}",))


async def _from_here(trial: Trial, simulation: Simulation) -> AsyncIterator[str]:
    found = look_after_a_stop(trial, simulation)
    for lie in found.lies:
        yield f"at once: {lie}"
    if found.over:
        return
    finished = await trial.go_on(simulation.addresses[0], Power())
    assert finished is not None
    for lie in look_at_the_end(trial, simulation, finished):
        yield lie


async def _lay(trial: Trial, image: Image, simulation: Simulation) -> None:
    """Make it the present: the terminal is the one that it was, under the same address, without a restart."""
    simulation.kill(1)
    for place, kept in ((trial.world.paths.home, "home"), (_terminal(trial), "terminal")):
        shutil.rmtree(place)
        (image.folder / kept).rename(place)
    trial.commits = image.commits
    await simulation.revive(1)
    trial.count_commits(simulation)
    store = simulation.terminals[0].device.store
    store.commit(replace(store.state, boot_count=store.state.boot_count - 1))


def _terminal(trial: Trial) -> Path:
    (folder,) = (path for path in trial.state.iterdir() if path.is_dir())
    return folder


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
    return [(path.name, stat.st_size, stat.st_mtime_ns) for path, stat in found]
