"""What cannot be read or written here: one file keeps nobody from the others, and a folder that only reads is read."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock
import pytest

from techtool.bundles.trust import open_stick
from techtool.cli.main import run
from techtool.clock import FixedClock, SystemClock
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.domain.visit_state import VisitState
from techtool.errors import DiskError, Exit, UsageError
from techtool.paths import Disk, disk_error
from techtool.store.journal import Header, journal_bytes
from techtool.visit.checkup import examine
from techtool.visit.kept_backups import kept_backups, key_path, verify_visit
from techtool.visit.rescue import House
from techtool.visit.retention import prune
from techtool.visit.services import VisitRequest
from techtool.visit.visits import list_visits, open_record, unfinished
from tests.visit.conftest import Shop

BROKEN = "V20260101-000000-aaaa"


@pytest.fixture
def home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


async def backed_up(shop: Shop) -> str:
    async with shop.terminals() as simulation:
        request = VisitRequest((Address.parse(simulation.addresses[0]),), None)
        finished = await shop._follow(lambda engine: engine.run(request), None)
    assert finished.outcome is Outcome.SUCCESS
    return finished.visit


async def test_one_file_that_cannot_be_read(home: Shop) -> None:
    """A bad sector, a folder of that name: the others are listed, and this one is called damaged."""
    visit = await backed_up(home)
    (home.world.paths.visits / f"{BROKEN}.jnl").mkdir()
    states = {summary.id: summary.state for summary in list_visits(home.services)}
    assert states == {visit: VisitState.SEALED, BROKEN: VisitState.DAMAGED}
    assert unfinished(home.services) == []
    assert [backup.visit for backup in kept_backups(home.services)] == [visit]
    assert [f.visit for f in examine(House.at(home.world.paths, SystemClock())).problems] == [BROKEN]
    for command in ("visit", "backup"):
        assert run([command, "list"]) == Exit.DONE


async def test_an_index_that_cannot_be_read(home: Shop) -> None:
    visit = await backed_up(home)
    home.world.paths.index.unlink()
    home.world.paths.index.mkdir()
    assert [summary.id for summary in list_visits(home.services)] == [visit]
    assert [f.path for f in examine(House.at(home.world.paths, SystemClock())).problems] == [home.world.paths.index]


def test_doctor_looks_at_the_log_of_backups(home: Shop) -> None:
    log = home.world.paths.backup_log
    log.parent.mkdir(mode=0o700, exist_ok=True)
    assert examine(House.at(home.world.paths, SystemClock())).problems == ()
    log.write_bytes(b"rubbish\n")
    (finding,) = examine(House.at(home.world.paths, SystemClock())).problems
    assert finding.path == log
    assert finding.actions
    log.rename(log.with_name("log.jnl.damaged-1"))
    (finding,) = examine(House.at(home.world.paths, SystemClock())).findings
    assert not finding.problem


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"AGE-SECRET-KEY-1\n" * 2])
async def test_a_key_of_rubbish(home: Shop, content: bytes) -> None:
    """A backup whose key has rotted is told like every other that cannot be opened."""
    visit = await backed_up(home)
    key_path(home.services, visit).write_bytes(content)
    (result,) = await verify_visit(home.services, visit, "test")
    assert result.error is not None
    assert result.error.code != "TT-900"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("of-next-year", b""),
        ("update", b',["put","salvage","1",{"of-next-year":1}]'),
        ("update", b',["put","lanes","1",{"of-next-year":1}]'),
        ("update", b',["put","lanes","1",{"lane":"1"}],["put","steps","1",{"lane":"1","of-next-year":1}]'),
    ],
    ids=["visit", "salvage", "terminal", "step"],
)
def test_words_of_a_newer_techtool(home: Shop, kind: str, more: bytes) -> None:
    """Whole entries that are not understood are no rot: it says so, and nothing is offered that would change them."""
    head = f'[["clear","visit","",null],["put","visit","1",{{"id":"{BROKEN}","kind":"{kind}"}}]'
    content = head.encode() + more + b"]"
    path = home.services.home.visit_path(BROKEN)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(journal_bytes(Header.new("visit", BROKEN), [content]))
    (finding,) = examine(House.at(home.world.paths, SystemClock())).problems
    assert "a newer techtool may have written them" in finding.what.text("en")
    assert not finding.salvage


# --- a folder that only reads ---------------------------------------------------------------------------------------


@pytest.fixture
def read_only(home: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Every effect in the folder is refused, as by a read-only mount: root may write whatever a folder's mode says."""
    folder = home.world.paths.home
    error = OSError(errno.EROFS, os.strerror(errno.EROFS))

    def guarded(name: str) -> Any:
        real = getattr(Disk, name)

        def effect(disk: Disk, *given: Any, **named: Any) -> Any:
            path = next(value for value in given if isinstance(value, Path))
            if path.is_relative_to(folder):
                raise disk_error(error, path)
            return real(disk, *given, **named)

        return effect

    for name in ("create", "write", "fsync", "truncate", "replace", "unlink", "write_file"):
        monkeypatch.setattr(Disk, name, guarded(name))
    acquire = filelock.FileLock._acquire

    def lock(one: filelock.FileLock) -> None:
        if Path(one.lock_file).is_relative_to(folder):
            raise error
        acquire(one)

    monkeypatch.setattr(filelock.FileLock, "_acquire", lock)
    return home


@pytest.mark.parametrize(
    "args",
    [
        ("visit", "list"),
        ("backup", "list"),
        ("backup", "log"),
        ("backup", "prune", "--dry-run"),
        ("trust", "list"),
        ("doctor",),
        ("bundle", "inspect", "{stick}"),
        ("bundle", "verify", "{stick}"),
    ],
    ids=lambda args: "-".join(args).replace("{stick}", "stick"),
)
def test_what_reads_works(read_only: Shop, args: tuple[str, ...]) -> None:
    assert run([arg.format(stick=read_only.world.stick) for arg in args]) == Exit.DONE


@pytest.mark.parametrize(
    "args",
    [
        ("backup", "prune"),
        ("backup", "verify", BROKEN),
        ("doctor", "--rebuild"),
        ("doctor", "--salvage", BROKEN),
        ("visit", "abandon", BROKEN),
        ("visit", "resume"),
        ("visit", "run", "adb://127.0.0.1:9", "--bundle", "{stick}"),
        ("backup", "create", "adb://127.0.0.1:9"),
    ],
    ids=lambda args: "-".join(args[:2]),
)
def test_what_writes_ends_with_one_clear_error(
    read_only: Shop, args: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([arg.format(stick=read_only.world.stick) for arg in args])
    assert code in (Exit.LOCKED, Exit.DAMAGED_STORE, Exit.DISK_FULL)
    told = capsys.readouterr().err
    assert told.count("TT-") == 1
    assert "on a disk that may only be read" in told
    assert "stdout" not in told


def test_an_installation_that_would_forget_recalls(read_only: Shop) -> None:
    """Who only looks is told; who would install is refused."""
    with pytest.raises(DiskError):
        open_stick(read_only.world.stick, read_only.world.paths, SystemClock())
    stick = open_stick(read_only.world.stick, read_only.world.paths, SystemClock(), to_install=False)
    assert any("remembered" in note.text("en") for note in stick.notes)


# --- a clock that is wrong ------------------------------------------------------------------------------------------


async def test_a_clock_far_ahead_deletes_no_key(home: Shop) -> None:
    visit = await backed_up(home)
    ahead = replace(home.services, clock=FixedClock(datetime.now(UTC) + timedelta(days=365)))
    with pytest.raises(UsageError, match="clock"):
        prune(ahead)
    assert key_path(home.services, visit).is_file()
    assert prune(ahead, clock_is_right=True).keys == (visit,)


async def test_a_laptop_that_lay_still_for_its_time(home: Shop) -> None:
    visit = await backed_up(home)
    later = replace(home.services, clock=FixedClock(datetime.now(UTC) + timedelta(days=40)))
    assert prune(later).keys == (visit,)
    assert open_record(home.services, visit).sealed
