"""Power cuts that lose what was not synced, fsyncs that fail, and disks that fill up: over the whole store."""

from __future__ import annotations

import errno
import os
import random
import shutil
from pathlib import Path

import pytest

from techtool.errors import DiskError, DiskFull, TechtoolError
from techtool.paths import Disk, disk_error
from tests.unit.store.disks import QuickDisk
from tests.unit.store.lossy import LossyDisk, PowerCut
from tests.unit.store.script import STEPS, World, do, fresh, observe, worlds, write_on


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    return worlds(tmp_path_factory.mktemp("worlds"))


def run_to_the_end(folder: Path, disk: Disk, first: int = 0) -> int:
    """Steps from ``first`` on; the number of the one that did not return, or of all."""
    for number in range(first, len(STEPS)):
        try:
            do(folder, disk, number)
        except (PowerCut, TechtoolError):
            return number
    return len(STEPS)


def effects(folder: Path) -> int:
    disk = LossyDisk(fresh(folder))
    assert run_to_the_end(folder, disk) == len(STEPS)
    return disk.count


def test_everything_is_there_when_the_power_fails_after_the_last_step(tmp_path: Path, after: list[World]) -> None:
    disk = LossyDisk(fresh(tmp_path / "day"))
    run_to_the_end(tmp_path / "day", disk)
    disk.image(tmp_path / "image", "nothing")
    assert observe(tmp_path / "image") == after[-1]


def test_the_model_does_lose_what_is_not_synced(tmp_path: Path) -> None:
    """Otherwise the tests below could not fail."""

    class Forgetful(LossyDisk):
        def fsync(self, fd: int, path: Path) -> None:
            pass

    disk = Forgetful(fresh(tmp_path / "day"))
    run_to_the_end(tmp_path / "day", disk)
    disk.image(tmp_path / "image", "nothing")
    with pytest.raises(TechtoolError):
        observe(tmp_path / "image")

    class Nameless(LossyDisk):
        def fsync_folder(self, folder: Path) -> None:
            pass

    nameless = Nameless(fresh(tmp_path / "day"))
    run_to_the_end(tmp_path / "day", nameless)
    nameless.image(tmp_path / "image-2", "nothing")
    assert observe(tmp_path / "image-2").visits == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_power_cut_at_every_effect_keeps_what_was_acknowledged(tmp_path: Path, after: list[World]) -> None:
    tried = 0
    for cut_at in range(1, effects(tmp_path / "count") + 1):
        disk = LossyDisk(fresh(tmp_path / "day"), cut_at)
        reached = run_to_the_end(tmp_path / "day", disk)
        assert reached < len(STEPS)
        for how in ("nothing", "everything", 2 * cut_at, 2 * cut_at + 1):
            image = tmp_path / "image"
            disk.image(image, how)
            found = observe(image)
            assert found in (after[reached], after[reached + 1]), (cut_at, how)
            write_on(image)
            shutil.rmtree(image)
            tried += 1
    assert tried > 400
    print(f"{tried} images after power cuts, 0 with a loss")


@pytest.mark.parametrize("seed", range(25))
def test_five_stops_in_a_row(tmp_path: Path, after: list[World], seed: int) -> None:
    """Each begins where the one before left off, with its torn tails and half-written files; then the day ends well."""
    chance = random.Random(seed)
    folder, step = fresh(tmp_path / "day-0"), 0
    for stop in range(1, 6):
        disk = LossyDisk(folder, chance.randint(1, 60))
        step = run_to_the_end(folder, disk, step)
        image = tmp_path / f"day-{stop}"
        disk.image(image, chance.randint(0, 10**6))
        found = observe(image)
        possible = [number for number in (step, step + 1) if number < len(after) and after[number] == found]
        assert possible, (seed, stop)
        folder, step = image, possible[-1]
    assert run_to_the_end(folder, QuickDisk(), step) == len(STEPS)
    assert observe(folder) == after[-1]


@pytest.mark.slow
def test_an_fsync_that_fails_is_never_followed_by_a_false_success(tmp_path: Path, after: list[World]) -> None:
    """What could not be synced is dropped, and later fsyncs succeed over nothing: what is acknowledged then must be on
    disk all the same."""
    count = LossyDisk(fresh(tmp_path / "count"))
    run_to_the_end(tmp_path / "count", count)
    for gate_at in range(1, count.fsyncs + 1):
        disk = LossyDisk(fresh(tmp_path / "day"), gate_at=gate_at)
        reached = run_to_the_end(tmp_path / "day", disk)
        if reached < len(STEPS):
            seen = observe(tmp_path / "day")
            assert seen in (after[reached], after[reached + 1]), gate_at
            again = reached if seen == after[reached] else reached + 1
            assert run_to_the_end(tmp_path / "day", disk, again) == len(STEPS), gate_at
        disk.image(tmp_path / "image", "nothing")
        # Only the very last step may be seen and yet be lost: it was refused, and nothing was acknowledged after it.
        assert observe(tmp_path / "image") in (after[-2:] if reached == len(STEPS) - 1 else after[-1:]), gate_at
        shutil.rmtree(tmp_path / "image")


class Full(QuickDisk):
    """Takes so many effects that need room, then none until there is room again."""

    def __init__(self, until: int, keep: int) -> None:
        self.until = until
        self.keep = keep
        self.count = 0

    def _room(self, path: Path) -> None:
        self.count += 1
        if self.full:
            raise disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), path)

    @property
    def full(self) -> bool:
        return self.count > self.until

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        if not path.exists():
            self._room(path)
        return super().create(path, exclusive=exclusive)

    def write(self, fd: int, data: bytes, path: Path) -> None:
        try:
            self._room(path)
        except DiskFull:
            super().write(fd, data[: self.keep], path)
            raise
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        self._room(path)

    def replace(self, source: Path, target: Path) -> None:
        self._room(target)
        super().replace(source, target)

    def make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._room(folder)
        super().make_folder(folder)


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0, 50, 1 << 20])
def test_a_disk_that_is_full_at_any_effect(tmp_path: Path, after: list[World], keep: int) -> None:
    roomy = Full(1 << 30, 0)
    run_to_the_end(fresh(tmp_path / "count"), roomy)
    assert roomy.count > 100
    for until in range(roomy.count):
        day = fresh(tmp_path / "day")
        disk = Full(until, keep)
        reached = 0
        while reached < len(STEPS):
            try:
                do(day, disk, reached)
            except DiskFull:
                break
            reached += 1
        if reached == len(STEPS):
            continue  # the note of the lock's holder alone did not fit
        seen = observe(day)
        assert seen in (after[reached], after[reached + 1]), until
        disk.until = 1 << 30
        assert run_to_the_end(day, disk, reached if seen == after[reached] else reached + 1) == len(STEPS), until
        assert observe(day) == after[-1], until


def test_a_disk_that_refuses_everything_is_told_and_changes_nothing(tmp_path: Path, after: list[World]) -> None:
    """As a folder that became read-only in the middle of the day."""

    class ReadOnly(QuickDisk):
        def create(self, path: Path, *, exclusive: bool = False) -> int:
            raise disk_error(OSError(errno.EROFS, os.strerror(errno.EROFS)), path)

        def _refuse(self, path: Path) -> None:
            raise disk_error(OSError(errno.EROFS, os.strerror(errno.EROFS)), path)

        def replace(self, source: Path, target: Path) -> None:
            self._refuse(target)

        def make_folder(self, folder: Path) -> None:
            self._refuse(folder)

        def unlink(self, path: Path) -> None:
            self._refuse(path)

    day = fresh(tmp_path / "day")
    for number in range(len(STEPS)):
        if number:
            with pytest.raises(DiskError):
                do(day, ReadOnly(), number)
        assert observe(day) == after[number]
        do(day, QuickDisk(), number)
