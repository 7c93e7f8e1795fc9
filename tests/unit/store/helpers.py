"""A small journal with everything in it, and what it holds after each line."""

from __future__ import annotations

from pathlib import Path

from techtool.store.db import JournalDB
from tests.unit.store.disks import QuickDisk

Content = dict[str, dict[str, dict[str, object]]]


def content(db: JournalDB) -> Content:
    """All of a database in TinyDB's shape."""
    return db._store.read()


def begin(path: Path, disk: QuickDisk | None = None, kind: str = "visit", name: str = "v1") -> JournalDB:
    """A new journal, open for writing."""
    disk = disk or QuickDisk()
    JournalDB.create(path, disk, kind=kind, id=name)
    return JournalDB.open_write(path, disk)


def write_sample(path: Path) -> list[Content]:
    """Write a journal of seven records; its content after each line (index 0: the header alone)."""
    db = begin(path)
    states = [content(db)]
    steps = db.table("steps")

    def note() -> None:
        states.append(content(db))

    steps.insert({"step": "identify", "text": "已识别 A920\n“ok”", "n": 1})
    note()
    steps.insert_multiple([{"step": "backup", "n": 2, "deep": {"list": [1, 2.5, None, True]}}, {"step": "install"}])
    note()
    with db.transaction():
        steps.update({"state": "done"}, doc_ids=[1])
        db.table("backups").insert({"sha256": "ab" * 8})
    note()
    steps.remove(doc_ids=[2])
    note()
    db.table("notes").insert({"text": "x"})
    note()
    db.drop_table("notes")
    note()
    db.table("backups").truncate()
    note()
    db.close()
    return states
