"""A day of the whole store: every way of writing there is, one step after the other, and what holds after each.

Every step opens what it needs and closes it again, so that the day can be gone on with after any stop: in another
process, on another disk, with what a stop left lying about.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.salvage import SalvageRecord
from techtool.domain.visit_state import VisitState
from techtool.paths import Disk, Paths
from techtool.store.db import JournalDB
from techtool.store.home import Home
from techtool.store.index import Index, VisitSummary
from techtool.store.journal import Header
from techtool.store.salvage import put_in_place, read_saved, salvage_op
from tests.unit.store.disks import QuickDisk
from tests.unit.store.helpers import Content, content

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
Step = Callable[[Home, Index], None]


@dataclass(frozen=True)
class World:
    """All that is kept: of each visit its content and whether it is sealed; the index."""

    visits: dict[str, tuple[Content, bool]]
    index: list[VisitSummary]


def summary(visit: str, state: VisitState = VisitState.OPEN) -> VisitSummary:
    closed = state is not VisitState.OPEN
    return VisitSummary(
        visit,
        AT,
        AT if closed else None,
        "张伟",
        "幸福超市",
        state,
        Outcome.SUCCESS if closed else None,
        ("S1",),
        "ab" * 32,
    )


def _begin(visit: str) -> Step:
    def step(home: Home, _index: Index) -> None:
        home.create_visit(visit, {"visit": {"1": {"id": visit}}}).close()

    return step


def _write(visit: str, what: Callable[[JournalDB], object]) -> Step:
    def step(home: Home, _index: Index) -> None:
        db = home.open_visit(visit, write=True)
        try:
            what(db)
        finally:
            db.close()

    return step


def _both(db: JournalDB) -> None:
    with db.transaction():
        db.table("steps").update({"state": "done"}, doc_ids=[1])
        db.table("backups").insert({"sha256": "ab" * 32, "text": "核对" * 40})


def _salvage(home: Home, _index: Index) -> None:
    """A visit's file is set aside and replaced by what was saved of it (here: all)."""
    path = home.visit_path("v1")
    saved = read_saved(path, Header("visit", "v1", 1))
    record = SalvageRecord(AT, "v1.jnl.damaged-1", saved.sha256, 1, 0, (), closed=False)
    put_in_place(path, saved.data, saved.journal([salvage_op(1, record)]), home.disk)


def _index_put(visit: str, state: VisitState = VisitState.OPEN) -> Step:
    return lambda _home, index: index.put_visit(summary(visit, state))


def _index_rebuild(_home: Home, index: Index) -> None:
    index.rebuild([summary("v0", VisitState.DAMAGED), summary("v1", VisitState.SEALED), summary("v2")])


STEPS: list[Step] = [
    _begin("v1"),
    _write("v1", lambda db: db.table("steps").insert({"step": "identify", "n": 1})),
    _index_put("v1"),
    _write("v1", lambda db: db.table("steps").insert_multiple([{"n": 2}, {"n": 3, "text": "x" * 300}])),
    _write("v1", _both),
    _begin("v2"),
    _write("v2", lambda db: db.table("notes").insert({"text": "中文"})),
    _index_put("v2"),
    _write("v1", lambda db: db.table("steps").remove(doc_ids=[2])),
    _write("v1", lambda db: db.drop_table("backups")),
    _salvage,
    _write("v1", lambda db: db.seal({"signature": "s"})),
    _index_put("v1", VisitState.SEALED),
    _write("v2", lambda db: db.table("notes").upsert({"text": "再"}, lambda d: d["text"] == "中文")),
    _index_rebuild,
    _index_put("v2", VisitState.ABANDONED),
    _write("v2", lambda db: db.table("notes").truncate()),
]


def home_at(folder: Path, disk: Disk) -> Home:
    return Home(Paths(folder / "home"), disk, FixedClock(AT))


def do(folder: Path, disk: Disk, number: int) -> None:
    """One step, as a process of its own would do it."""
    home = home_at(folder, disk)
    with home.lock("script"):
        STEPS[number](home, Index(home))


def observe(folder: Path) -> World:
    """What is there; every reader's error is let out."""
    home = home_at(folder, QuickDisk())
    visits = {}
    for visit in home.visit_ids():
        db = home.open_visit(visit)
        visits[visit] = content(db), db.sealed
    return World(visits, Index(home).visits())


def worlds(folder: Path) -> list[World]:
    """What holds before the first step and after each."""
    found = [observe(folder)]
    for number in range(len(STEPS)):
        do(folder, QuickDisk(), number)
        found.append(observe(folder))
    assert all(before != after for before, after in itertools.pairwise(found)), "a step that does nothing"
    return found


def write_on(folder: Path) -> None:
    """Work goes on from here on a good disk: every open visit and the index take a write."""
    home = home_at(folder, QuickDisk())
    with home.lock("after"):
        index = Index(home)
        for visit in home.visit_ids():
            db = home.open_visit(visit, write=True)
            if not db.sealed:
                before = len(db.table("after"))
                db.table("after").insert({"n": before})
                db.close()
                assert len(home.open_visit(visit).table("after")) == before + 1
        index.put_visit(replace(summary("v9"), technician="after"))
    assert any(found.id == "v9" for found in Index(home_at(folder, QuickDisk())).visits())


def fresh(folder: Path) -> Path:
    """An empty folder of that name."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    folder.mkdir()
    return folder
