"""The visit's key for the office: who opens a record when recipients, or the laptop's key, changed on the way."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from techtool.errors import BadFile
from techtool.paths import Paths
from techtool.store.home import Home
from techtool.visit.office_key import TABLE, give_to_office, journal_of, open_file
from tests.unit.store.disks import QuickDisk

VISIT = "V20261122-080000-aaaa"
TID = "10203040"


class Office:
    """An age identity in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        identity = pyrage.x25519.Identity.generate()
        self.file = folder / name
        self.file.write_text(f"# made for a test\n{identity}\n")
        self.recipient = str(identity.to_public())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Paths(tmp_path / "home"), QuickDisk())


def recipients(home: Home, *offices: Office) -> None:
    home.ensure_folder(home.paths.recipients.parent)
    home.paths.recipients.write_text("".join(f"{one.recipient}\n" for one in offices))


def worked_on(home: Home) -> int:
    """Begun, or gone on with, by another process; how many keys its record holds."""
    again = Home(home.paths, QuickDisk())
    with again.lock("test"):
        there = again.visit_path(VISIT).exists()
        db = again.open_visit(VISIT, write=True) if there else again.create_visit(VISIT)
        give_to_office(db, again.keys, again.paths)
        db.table("lanes").insert({"tid": TID})
        return len(db.table(TABLE))


def read(home: Home, office: Office) -> list[object]:
    db = open_file(home.visit_path(VISIT), office.file)
    assert not db.locked
    return [document["tid"] for document in db.table("lanes")]


def test_it_is_given_once_to_each(home: Home, tmp_path: Path) -> None:
    first, spare = Office(tmp_path, "first"), Office(tmp_path, "spare")
    recipients(home, first, spare)
    assert [worked_on(home), worked_on(home)] == [1, 1]
    assert read(home, first) == read(home, spare) == [TID, TID]


def test_who_becomes_a_recipient_later_opens_it_and_who_was_one_still_does(home: Home, tmp_path: Path) -> None:
    first, later = Office(tmp_path, "first"), Office(tmp_path, "later")
    recipients(home, first)
    worked_on(home)
    recipients(home, later)
    assert worked_on(home) == 2
    assert read(home, first) == read(home, later) == [TID, TID]


def test_a_visit_of_two_keys_opens_whole(home: Home, tmp_path: Path) -> None:
    """Begun without recipients; then a new key was begun, and the old one's line added to it."""
    worked_on(home)
    elsewhere = Home(Paths(tmp_path / "elsewhere"), QuickDisk())
    worked_on(elsewhere)
    path = home.paths.store_key
    path.write_bytes(elsewhere.paths.store_key.read_bytes() + path.read_bytes())
    office = Office(tmp_path, "office")
    recipients(home, office)
    assert worked_on(home) == 2
    assert read(home, office) == [TID, TID]


def test_a_stranger_and_a_forged_entry(home: Home, tmp_path: Path) -> None:
    office, stranger = Office(tmp_path, "office"), Office(tmp_path, "stranger")
    recipients(home, office)
    worked_on(home)
    with home.lock("test"):
        table = home.open_visit(VISIT, write=True).table(TABLE)
        for age in ("", "no base64", "QUJD", "x" * 100_000):
            table.insert({"key_id": "AAAAAAAA", "recipients": "none", "age": age})
    assert read(home, office) == [TID]
    with pytest.raises(BadFile, match="does not open"):
        read(home, stranger)


def test_a_laptop_opens_its_own_record_wherever_a_copy_lies(home: Home, tmp_path: Path) -> None:
    worked_on(home)
    copy = tmp_path / "stick" / f"{VISIT}.jnl"
    copy.parent.mkdir()
    copy.write_bytes(home.visit_path(VISIT).read_bytes())
    db = journal_of(Home(home.paths, QuickDisk()), str(copy), None)
    assert [document["tid"] for document in db.table("lanes")] == [TID]
