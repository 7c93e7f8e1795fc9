"""Threads, processes, and processes that are killed."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from techtool.errors import StoreLocked
from techtool.paths import Paths
from techtool.store.db import JournalDB
from techtool.store.home import AtWork, Home
from tests.unit.store.helpers import begin, content

_PREAMBLE = """
import sys
from pathlib import Path
from techtool.paths import Paths
from techtool.store.home import Home
home = Home(Paths(Path(sys.argv[1])))
def say(*words):
    print(*words, flush=True)
"""


def start(home: Path, code: str) -> subprocess.Popen[str]:
    """Another process at work in ``home``."""
    return subprocess.Popen(
        [sys.executable, "-c", _PREAMBLE + code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def in_threads(work: Callable[[int], None], count: int = 4) -> None:
    """Run ``work`` in threads; the first error of any of them is raised here."""
    errors: list[BaseException] = []
    together = threading.Barrier(count)

    def guarded(number: int) -> None:
        together.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_share_a_store(tmp_path: Path) -> None:
    db = begin(tmp_path / "v1.jnl")

    def work(number: int) -> None:
        steps = db.table("steps")
        for n in range(50):
            steps.insert({"thread": number, "n": n})
            with db.transaction():
                pair = db.table("pairs").insert({"thread": number, "n": n})
                db.table("pairs").update({"twice": True}, doc_ids=[pair])
            db.table("counter").upsert({"name": "c"}, lambda document: document["name"] == "c")
            assert len(steps.search(lambda document: document["thread"] == number)) == n + 1
            assert all("n" in document for document in steps)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        in_threads(work)
    finally:
        sys.setswitchinterval(interval)
    for database in (db, JournalDB.open_read(db.path)):
        assert {(d["thread"], d["n"]) for d in database.table("steps")} == {(t, n) for t in range(4) for n in range(50)}
        assert len(database.table("steps")) == len(database.table("pairs")) == 200
        assert all(document["twice"] for document in database.table("pairs"))
        assert len(database.table("counter")) == 1
    assert content(JournalDB.open_read(db.path)) == content(db)


def test_a_second_process_is_locked_out_and_told_by_whom(tmp_path: Path) -> None:
    with start(
        tmp_path / "home", 'with home.lock("techtool visit run"):\n    say("held")\n    sys.stdin.read()'
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked) as caught, Home(Paths(tmp_path / "home")).lock("second"):
            pass
        text = caught.value.what_phrase.text("en")
        assert "techtool visit run" in text
        assert f"process {child.pid} on {platform.node()}, since 20" in text
        child.communicate()
        assert child.returncode == 0
    with Home(Paths(tmp_path / "home")).lock("second"):
        pass


def test_who_is_at_work_is_told_without_waiting(tmp_path: Path) -> None:
    home = Home(Paths(tmp_path / "home"))
    assert home.at_work() is None
    code = 'with home.lock("visit run"):\n    home.working_on("v7")\n    say("held")\n    sys.stdin.read()'
    with start(home.paths.home, code) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert home.at_work() == AtWork(child.pid, "visit run", "v7")
        child.kill()
        child.wait()
    assert home.at_work() is None, "the note of a killed one says nothing"
    with home.lock("mine"):
        assert home.at_work() is None
        assert Home(home.paths).at_work() is None, "this process is nobody else"


def test_the_lock_of_a_killed_process_is_free_and_its_note_blocks_nobody(tmp_path: Path) -> None:
    home = Home(Paths(tmp_path / "home"))
    with start(home.paths.home, 'with home.lock("killed"):\n    say("held")\n    sys.stdin.read()') as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
    note = (home.paths.home / "techtool.lock.holder").read_bytes()
    assert b'"what":"killed"' in note
    assert b'"pid":%d' % child.pid in note
    with home.lock("next"):
        assert b"next" in (home.paths.home / "techtool.lock.holder").read_bytes()
    assert not (home.paths.home / "techtool.lock.holder").exists()


def test_a_reader_reads_while_another_process_writes(tmp_path: Path) -> None:
    code = """
with home.lock("writer"):
    db = home.create_visit("v1")
    say("begun")
    for n in range(600):
        with db.transaction():
            db.table("a").insert({"n": n, "text": "x" * (n % 97) * 50})
            db.table("b").insert({"n": n})
"""
    home = Home(Paths(tmp_path / "home"))
    seen: list[int] = []
    with start(home.paths.home, code) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while child.poll() is None:
            db = home.open_visit("v1")
            numbers = [document["n"] for document in db.table("a")]
            assert numbers == [document["n"] for document in db.table("b")] == list(range(len(numbers)))
            seen.append(len(numbers))
        assert child.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 3, "the reader never saw the writer at work"
    assert len(home.open_visit("v1").table("a")) == 600


def test_reader_threads_see_whole_transactions_only(tmp_path: Path) -> None:
    """Some share the writer's database, some read the file by themselves."""
    db = begin(tmp_path / "v1.jnl")
    rounds = 150
    done = threading.Event()
    seen: list[list[int]] = [[] for _ in range(4)]
    met = threading.Barrier(4, timeout=60)
    """Half of it is written when every reader has looked once: none can come too late to see the writer at work."""

    def pairs(database: JournalDB) -> int:
        if database is db:
            # One moment of both tables, as a screen needs it: the store's lock is for threads.
            with db._store.lock:
                one, two = ([d["n"] for d in database.table(name)] for name in ("a", "b"))
        else:
            one, two = ([d["n"] for d in database.table(name)] for name in ("a", "b"))
        assert one == two == list(range(len(one)))
        return len(one)

    def work(number: int) -> None:
        if number == 0:
            try:
                for n in range(rounds):
                    with db.transaction():
                        db.table("a").insert({"n": n})
                        db.table("b").insert({"n": n})
                    if n == rounds // 2:
                        met.wait()
            finally:
                done.set()
            return
        while True:
            last = done.is_set()
            seen[number].append(pairs(db if number == 1 else JournalDB.open_read(db.path)))
            if len(seen[number]) == 1:
                met.wait()
            if last:
                return

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        in_threads(work)
    finally:
        sys.setswitchinterval(interval)
    assert pairs(db) == pairs(JournalDB.open_read(db.path)) == rounds
    for counts in seen[1:]:
        assert counts == sorted(counts)
        assert len(set(counts)) > 1, "the reader never saw the writer at work"


_WRITER = """
with home.lock("writer"):
    db = home.open_visit("v1", write=True)
    say("open")
    n = len(db.table("a"))
    while True:
        with db.transaction():
            db.table("a").insert({"n": n, "text": "汉" * (n % 211)})
            db.table("b").insert({"n": n})
        say(n)
        n += 1
        if n % 7 == 0:
            db.table("a").update({"seen": n}, doc_ids=[n])
"""


def test_killed_writers_never_lose_an_acknowledged_write(tmp_path: Path) -> None:
    home = Home(Paths(tmp_path / "home"))
    with home.lock("test"):
        home.create_visit("v1")
    recorded = 0
    for round_ in range(10):
        with start(home.paths.home, _WRITER) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "open\n"
            acknowledged = [child.stdout.readline() for _ in range(3 + 17 * round_)]
            child.kill()
            acknowledged += child.stdout.readlines()
        assert child.returncode != 0
        last = int([line for line in acknowledged if line.endswith("\n")][-1])
        with home.lock("test"):
            db = home.open_visit("v1", write=True)
            one, two = ([document["n"] for document in db.table(name)] for name in ("a", "b"))
            assert one == two == list(range(len(one)))
            assert len(one) > last >= recorded
            recorded = len(one)
    assert recorded >= sum(3 + 17 * round_ for round_ in range(10))


def test_the_lock_does_not_outlive_its_block(tmp_path: Path) -> None:
    home = Home(Paths(tmp_path / "home"))
    with pytest.raises(RuntimeError, match="inside"), home.lock("first"):
        raise RuntimeError("inside")
    with start(home.paths.home, 'with home.lock("second"): say("held")') as child:
        assert child.communicate()[0] == "held\n"
