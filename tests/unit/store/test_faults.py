"""When the disk refuses: everything before stays, memory says what the disk says, and work can go on."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from techtool.errors import DiskError, DiskFull, NotFoundError, StoreDamaged, StoreError
from techtool.paths import DISK, Paths
from techtool.store.db import JournalDB
from techtool.store.home import Home
from tests.unit.store.disks import FailingDisk, QuickDisk
from tests.unit.store.helpers import Content, begin, content, write_sample


def work(db: JournalDB, done: list[Content]) -> None:
    """Some writes of every kind; ``done`` gets the content after each that was acknowledged."""
    steps = db.table("steps")
    for n in range(3):
        steps.insert({"n": n})
        done.append(content(db))
        with db.transaction():
            steps.update({"state": "done"}, doc_ids=[n + 1])
            db.table("backups").insert({"of": n})
        done.append(content(db))
    steps.remove(doc_ids=[1])
    done.append(content(db))
    db.drop_table("backups")
    done.append(content(db))


class NotingDisk(QuickDisk):
    """Tells every effect in order."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.note("write")
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        self.note("fsync")

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        self.note("truncate")
        super().truncate(fd, size_bytes, path)

    def fsync_folder(self, folder: Path) -> None:
        self.note("fsync folder")


def test_a_transaction_is_one_write_then_one_fsync_then_memory(tmp_path: Path) -> None:
    path = tmp_path / "v1.jnl"
    effects: list[tuple[str, int]] = []
    journals: list[JournalDB] = []
    disk = NotingDisk(lambda effect: effects.append((effect, len(journals[0]) if journals else -1)))
    JournalDB.create(path, disk, kind="visit", id="v1")
    assert [effect for effect, _ in effects] == ["write", "fsync", "fsync folder"]
    journals.append(JournalDB.open_write(path, disk))
    effects.clear()
    journals[0].insert({"n": 1})
    journals[0].insert_multiple({"n": n} for n in range(100))
    assert effects == [("write", 0), ("fsync", 0), ("write", 1), ("fsync", 1)]
    effects.clear()
    with journals[0].transaction():
        journals[0].truncate()
        journals[0].table("other").insert({"n": 1})
        assert effects == []
    assert [effect for effect, _ in effects] == ["write", "fsync"]


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize(
    ("effect", "code", "keep_bytes", "error"),
    [
        ("write", errno.ENOSPC, 0, DiskFull),
        ("write", errno.ENOSPC, 1, DiskFull),
        ("write", errno.EDQUOT, 90, DiskFull),
        ("write", errno.EROFS, 0, DiskError),
        ("fsync", errno.EIO, 0, DiskError),
        ("fsync", errno.ENOSPC, 0, DiskFull),
    ],
)
def test_a_refused_write_leaves_what_was_there(
    tmp_path: Path, effect: str, code: int, keep_bytes: int, error: type[StoreError], nth: int
) -> None:
    path = tmp_path / "v1.jnl"
    begin(path).close()
    disk = FailingDisk(effect, nth, code, keep_bytes)
    db = JournalDB.open_write(path, disk)
    done = [content(db)]
    with pytest.raises(error) as caught:
        work(db, done)
    assert type(caught.value) is error
    assert content(db) == done[-1]
    assert content(JournalDB.open_read(path)) == done[-1]
    assert JournalDB.open_read(path)._store.tail == b""

    before = len(done)
    db.drop_tables()
    work(db, done)
    assert len(done) > before
    db.close()
    assert content(JournalDB.open_read(path)) == done[-1]


@pytest.mark.parametrize("keep_bytes", [0, 1, 40, 100, 10_000])
def test_where_not_even_the_half_line_can_be_cut_off(tmp_path: Path, keep_bytes: int) -> None:
    path = tmp_path / "v1.jnl"
    begin(path).close()
    write_fails = FailingDisk("write", 2, keep_bytes=keep_bytes)
    db = JournalDB.open_write(path, write_fails)
    db.insert({"n": 1})
    write_fails.truncate = lambda *_: (_ for _ in ()).throw(DiskError(path="x", problem="gone"))  # type: ignore[method-assign]
    with pytest.raises(DiskFull):
        db.insert({"n": 2, "text": "x" * 200})
    assert len(db) == 1
    # The whole line may have reached the disk although it was not acknowledged; a part of it never counts.
    assert len(JournalDB.open_read(path)) == (2 if keep_bytes >= 10_000 else 1)
    with pytest.raises(DiskError):
        db.insert({"n": 3})
    del write_fails.truncate
    db.insert({"n": 4})
    db.close()
    again = JournalDB.open_write(path, QuickDisk())
    assert again.dirty_tail is None
    assert [document["n"] for document in again] == [1, 4]


def test_an_interrupt_in_the_middle_of_a_write_takes_it_back(tmp_path: Path) -> None:
    class Interrupting(QuickDisk):
        armed = False

        def fsync(self, fd: int, path: Path) -> None:
            if self.armed:
                self.armed = False
                raise KeyboardInterrupt

    disk = Interrupting()
    db = begin(tmp_path / "v1.jnl", disk)
    db.insert({"n": 1})
    disk.armed = True
    with pytest.raises(KeyboardInterrupt):
        db.insert({"n": 2})
    db.insert({"n": 3})
    assert [document["n"] for document in db] == [1, 3]
    assert content(JournalDB.open_read(tmp_path / "v1.jnl")) == content(db)


@pytest.mark.parametrize(("effect", "nth"), [("write", 1), ("fsync", 1), ("replace", 1)])
def test_a_journal_that_cannot_be_begun_leaves_none(tmp_path: Path, effect: str, nth: int) -> None:
    path = tmp_path / "v1.jnl"
    with pytest.raises(DiskFull):
        JournalDB.create(path, FailingDisk(effect, nth, keep_bytes=20), kind="visit", id="v1")
    assert not path.exists()
    with pytest.raises(NotFoundError):
        JournalDB.open_read(path)


@pytest.mark.parametrize(
    ("effect", "nth"),
    [("write", 1), ("fsync", 1), ("replace", 1), ("truncate", 1), ("fsync", 2)],
)
def test_a_tail_that_cannot_be_set_aside_is_not_lost(tmp_path: Path, effect: str, nth: int) -> None:
    path = tmp_path / "v1.jnl"
    states = write_sample(path)
    torn = path.read_bytes() + b"a torn tail"
    path.write_bytes(torn)
    with pytest.raises(DiskFull):
        JournalDB.open_write(path, FailingDisk(effect, nth))
    kept = [file.read_bytes() for file in tmp_path.iterdir() if ".torn-" in file.name and file.suffix != ".part"]
    assert path.read_bytes() == torn or b"a torn tail" in kept
    db = JournalDB.open_write(path, QuickDisk())
    assert content(db) == states[-1]


def test_a_real_kernel_limit_cuts_a_real_write_short(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "v1.jnl"
    JournalDB.create(path, DISK, kind="visit", id="v1")
    db = JournalDB.open_write(path, DISK)
    db.insert({"n": 1})
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, hard))
    try:
        with pytest.raises(DiskFull):
            db.insert({"n": 2, "text": "x" * 100_000})
        size_after = path.stat().st_size
        db.insert({"n": 3})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert size_after == size
    db.insert({"n": 4, "text": "x" * 100_000})
    db.close()
    assert [document["n"] for document in JournalDB.open_read(path)] == [1, 3, 4]


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Let the kernel's permissions count, for root as well."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")
def test_a_read_only_home_can_be_read_and_says_so_when_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        home = Home(Paths(root / "home"))
        with home.lock("test"):
            home.create_visit("v1").insert({"n": 1})
        for path in [root, *root.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            with nobody():
                assert home.open_visit("v1").all() == [{"n": 1}]
                assert home.visit_ids() == ["v1"]
                with pytest.raises(DiskError), home.lock("test"):
                    pass
                with pytest.raises(DiskError):
                    JournalDB.open_write(home.visit_path("v1"))
                with pytest.raises(DiskError):
                    JournalDB.create(home.paths.visits / "v2.jnl", kind="visit", id="v2")
        finally:
            for path in [root, *root.rglob("*")]:
                path.chmod(0o755)
        assert sorted(path.name for path in home.paths.visits.iterdir()) == ["v1.jnl"]


def test_a_journal_that_is_a_folder_is_a_disk_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError):
        JournalDB.open_read(tmp_path)


def test_an_empty_file_is_damage_not_an_empty_journal(tmp_path: Path) -> None:
    (tmp_path / "v1.jnl").touch()
    with pytest.raises(StoreDamaged):
        JournalDB.open_write(tmp_path / "v1.jnl")
