"""Photos, slips and logs: what is copied is what was given, what is recorded is on disk, nothing forbidden is kept."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from techtool.domain.evidence import EvidenceFile, EvidenceKind
from techtool.domain.outcome import Outcome
from techtool.domain.sign_off import SignOff, SignOffWay
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.errors import BadEvidence, NoSuchVisit, NotFoundError, SignedOff
from techtool.paths import Disk
from techtool.visit.attach import attach
from techtool.visit.evidence import take_in
from techtool.visit.evidence_read import MAX_BYTES, read_evidence
from techtool.visit.log import VisitLog, first_documents, read_visit
from tests.factories import at
from tests.visit.conftest import Shop

PAN = "4111111111111111"


def photo(*, comment: str = "", colour: int = 90) -> bytes:
    """A JPEG as a telephone makes it: time, place and camera in it, written by a library that is not ours."""
    picture = Image.new("RGB", (16, 12), (colour, 20, 20))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Huawei", "P60"
    if comment:
        exif[0x010E] = comment
    exif.get_ifd(0x8769)[0x9003] = "2026:03:14 09:12:31"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (31.0, 13.0, 49.44), "E", (121.0, 28.0, 25.32)
    data = io.BytesIO()
    picture.save(data, "JPEG", exif=exif)
    return data.getvalue()


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def kept(shop: Shop, visit: str) -> dict[str, bytes]:
    folder = shop.world.paths.evidence(visit)
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


async def test_a_photo_of_the_terminal_is_kept_with_what_the_camera_said(shop: Shop, tmp_path: Path) -> None:
    data = photo()
    path = write(tmp_path, "机身 1.jpg", data)
    shop.changed = {"inspect.photo": f"'{path}'"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    lane = shop.lane()
    assert finished.outcome is Outcome.SUCCESS
    (file,) = lane.evidence
    digest = hashlib.sha256(data).hexdigest()
    assert (file.sha256, file.name, file.suffix, file.size_bytes) == (digest, "机身 1.jpg", ".jpg", len(data))
    assert (file.kind, file.about) == (EvidenceKind.DEVICE, "inspect.SE-02")
    assert (file.taken_at, file.camera) == ("2026-03-14 09:12:31", "Huawei P60")
    assert file.geo == "31.230400,121.473700"
    assert kept(shop, finished.visit) == {f"{digest}.jpg": data}
    assert next(c for c in lane.checks if c.id == "SE-02").evidence == (digest,)
    assert all(str(path) not in answer.answer for answer in lane.answers)


async def test_an_anomaly_closes_the_gate_and_keeps_its_photo(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "slot.jpg", photo())
    shop.changed = {
        "inspect.SE-02": "fail: card-slot; a foil in it",
        "inspect.photo": str(path),
        "inspect.incident.reported_to": "the acquirer, 10:20",
        "inspect.incident.removed_from_use": True,
    }
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    lane = shop.lane()
    assert (finished.exit_code, lane.outcome) == (23, Outcome.REFUSED)
    (incident,) = lane.incidents
    assert (incident.what, incident.reported_to) == ("SE-02.card-slot", "the acquirer, 10:20")
    assert (incident.removed_from_use, incident.secured) == (True, True)
    assert incident.evidence == (lane.evidence[0].sha256,)
    assert lane.evidence[0].kind is EvidenceKind.ANOMALY
    assert {c.id: c.result for c in lane.checks}["SE-02.card-slot"] == "fail"
    assert sum(c.id.startswith("SE-02.") for c in lane.checks) == 12


@pytest.mark.slow
async def test_an_open_anomaly_is_asked_again_on_resume(shop: Shop) -> None:
    shop.changed = {"inspect.SE-02": "fail: casing; cracked", "problem.inspect": "later"}
    async with shop.terminals() as simulation:
        stopped = await shop.run(*simulation.addresses)
        assert not stopped.sealed
        shop.changed = {"problem.inspect": "later"}
        assert not (await shop.resume()).sealed, "a pass does not undo an anomaly"
        assert shop.lane().confirmed_at is None
        shop.changed = {"inspect.incident.closed": "Li, acquirer: a scratch, photo compared"}
        finished = await shop.resume()
    lane = shop.lane()
    assert finished.outcome is Outcome.SUCCESS
    assert [c.result for c in lane.checks if c.id == "SE-02"] == ["fail", "pass"]
    (incident,) = lane.incidents
    assert (incident.what, incident.is_open) == ("SE-02.casing", False)
    assert incident.closed_because == "Li, acquirer: a scratch, photo compared"


@pytest.mark.slow
async def test_single_items_in_an_answers_file(shop: Shop) -> None:
    shop.changed = {"inspect.SE-02.cables": "not-applicable: has none"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    checks = {c.id: (c.result, c.reason) for c in shop.lane().checks}
    assert finished.outcome is Outcome.SUCCESS
    assert checks["SE-02.cables"] == ("not-applicable", "has none")
    assert checks["SE-02"] == ("pass", "cables=not-applicable: has none")


async def test_a_file_that_cannot_be_taken_stops_a_script_and_loses_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.changed = {"inspect.photo": str(tmp_path / "none.jpg")}
    async with shop.terminals() as simulation:
        stopped = await shop.run(*simulation.addresses)
        assert (stopped.exit_code, stopped.sealed) == (5, False)
        assert shop.lane().evidence == ()
        shop.changed = {"inspect.photo": str(write(tmp_path, "there.jpg", photo()))}
        finished = await shop.resume()
    assert finished.outcome is Outcome.SUCCESS
    assert len(shop.lane().evidence) == 1
    asked = [a for a in shop.lane().answers if a.question_id == "inspect.SE-02"]
    assert len(asked) == 1


@dataclass
class OpenVisit:
    log: VisitLog
    shop: Shop

    def record(self) -> VisitRecord:
        return read_visit(self.log.db)


@pytest.fixture
def visit(shop: Shop) -> OpenVisit:
    services = shop.services
    record = VisitRecord("V1", at(0), None, "Zhang Wei", "0", "en", "", "", "", (LaneRecord("1", "adb://h:1", "SN1"),))
    with services.home.lock("test"):
        services.home.create_visit(record.id, first_documents(record)).close()
    return OpenVisit(VisitLog(services.home.open_visit("V1", write=False), services.clock, "V1"), shop)


def attached(visit: OpenVisit, *paths: Path, lane: str = "1", note: str = "") -> tuple[EvidenceFile, ...]:
    return attach(visit.shop.services, "V1", paths, EvidenceKind.OTHER, "test.TX-02", lane, note)


def journal(visit: OpenVisit) -> VisitRecord:
    db = visit.shop.services.home.open_visit("V1", write=False)
    try:
        return read_visit(db)
    finally:
        db.close()


def test_attaching_to_an_open_visit(visit: OpenVisit, tmp_path: Path) -> None:
    first = write(tmp_path, "a.jpg", photo())
    second = write(tmp_path, "b.jpg", photo(colour=200))
    attached(visit, first, second)
    attached(visit, first)
    attached(visit, first, lane="")
    record = journal(visit)
    assert [file.name for file in record.lanes[0].evidence] == ["a.jpg", "b.jpg"]
    assert [file.name for file in record.evidence] == ["a.jpg"]
    assert len(kept(visit.shop, "V1")) == 2
    with pytest.raises(NotFoundError):
        attached(visit, first, lane="SN9")
    with pytest.raises(NoSuchVisit):
        attach(visit.shop.services, "V9", (first,), EvidenceKind.OTHER, "x")


def test_what_the_merchant_confirmed_takes_nothing_more(visit: OpenVisit, tmp_path: Path) -> None:
    """A stop between sign-off and seal leaves the visit open."""
    services = visit.shop.services
    with services.home.lock("test"):
        db = services.home.open_visit("V1", write=True)
        VisitLog(db, services.clock, "V1").signed_off(SignOff(SignOffWay.TYPED, at(0), "Li", "Owner"))
        db.close()
    with pytest.raises(SignedOff):
        attached(visit, write(tmp_path, "late.jpg", photo()))
    assert (journal(visit).evidence, kept(visit.shop, "V1")) == ((), {})


async def test_a_closed_visit_takes_nothing_more(shop: Shop, tmp_path: Path) -> None:
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    path = write(tmp_path, "late.jpg", photo())
    with pytest.raises(NoSuchVisit):
        attach(shop.services, finished.visit, (path,), EvidenceKind.OTHER, "x")
    assert kept(shop, finished.visit) == {}


def test_card_numbers_in_a_text_are_masked_before_anything_is_written(visit: OpenVisit, tmp_path: Path) -> None:
    grouped = " ".join(PAN[i : i + 4] for i in range(0, 16, 4))
    path = write(tmp_path, f"slip {PAN}.log", f"卡号 {PAN}\nand {grouped}\n终端 1\n".encode("gb18030"))
    (file,) = attached(visit, path, note=f"note {PAN}")
    assert file.masked
    home = b"".join(p.read_bytes() for p in visit.shop.world.paths.home.rglob("*") if p.is_file())
    assert PAN.encode() not in home
    assert grouped.encode() not in home
    (text,) = kept(visit.shop, "V1").values()
    assert "终端 1" in text.decode()
    assert hashlib.sha256(text).hexdigest() == file.sha256


def test_terminal_and_merchant_numbers_in_a_text_are_masked_as_the_rest_of_the_laptop_is(
    visit: OpenVisit, tmp_path: Path
) -> None:
    home = visit.shop.services.home
    with home.lock("test"):
        home.open_visit("V1", write=True).table("notes").insert(
            {"lane": "1", "tid": "10203040", "mid": "898310112345678"}
        )
    path = write(tmp_path, "slip.txt", "商户 898310112345678\n终端 10203040 / 1020 3040\n批次 000123\n".encode())
    (file,) = attached(visit, path)
    assert file.masked
    (text,) = kept(visit.shop, "V1").values()
    assert text.decode() == "商户 ****5678\n终端 ****3040 / ****3040\n批次 000123\n"
    assert hashlib.sha256(text).hexdigest() == file.sha256


BAD = {
    "a card number in a picture's words": ("a.jpg", photo(comment=f"card {PAN}"), "card number"),
    "a program": ("a.jpg", b"MZ\x90\0" * 100, "JPEG"),
    "an empty file": ("a.jpg", b"", "empty"),
    "a text of another name": ("a.csv", b"x,y", "JPEG"),
    "bytes that are no text": ("a.txt", b"\0\1\2\xff\xfe", "text"),
    "too large": ("a.jpg", b"\xff\xd8\xff" + bytes(MAX_BYTES), "larger"),
    "a text too large": ("a.log", b"a" * 5_000_001, "larger"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_taken(visit: OpenVisit, tmp_path: Path, name: str) -> None:
    file, data, word = BAD[name]
    with pytest.raises(BadEvidence, match=word):
        attached(visit, write(tmp_path, file, data))
    assert journal(visit).lanes[0].evidence == ()
    assert kept(visit.shop, "V1") == {}


def test_folders_pipes_and_missing_files_are_not_taken(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.jpg", Path("/dev/zero")):
        with pytest.raises(BadEvidence):
            read_evidence(path)


def test_a_broken_note_in_a_picture_is_no_reason_to_refuse_it(tmp_path: Path) -> None:
    data = bytearray(photo())
    place = data.index(b"Exif") + 14
    data[place : place + 40] = bytes(255 - b for b in data[place : place + 40])
    found = read_evidence(write(tmp_path, "a.jpg", bytes(data)))
    assert found.data == bytes(data)
    assert found.geo == ""


class Cut(Exception):
    """The power goes off here."""


class CutDisk(Disk):
    """Stops before effect number ``left``; ``renamed``: names that were in place by then."""

    def __init__(self, left: int) -> None:
        self.left = left

    def _count(self) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self._count()
        super().write(fd, data, path)

    def fsync(self, fd: int, path: Path) -> None:
        self._count()
        super().fsync(fd, path)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)


def test_a_stop_at_any_moment_leaves_no_record_without_its_file(visit: OpenVisit, tmp_path: Path) -> None:
    path = write(tmp_path, "a.jpg", photo())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    seen = set()
    for left in range(40):
        services = visit.shop.services
        try:
            with services.home.lock("test"):
                db = services.home.open_visit("V1", write=True)
                visit.shop.disk = CutDisk(left)
                cut = visit.shop.services
                log = VisitLog(db, services.clock, "V1")
                take_in(cut, log, "1", path, EvidenceKind.OTHER, f"test.{left}")
        except Cut:
            pass
        finally:
            visit.shop.disk = Disk()
        recorded = [file for file in journal(visit).lanes[0].evidence if file.about == f"test.{left}"]
        names = kept(visit.shop, "V1")
        seen.add(bool(recorded))
        for file in recorded:
            assert hashlib.sha256(names[f"{file.sha256}{file.suffix}"]).hexdigest() == digest
        for leftover in visit.shop.world.paths.evidence("V1").glob("*"):
            leftover.unlink()
        if recorded:
            break
    assert seen == {False, True}


async def test_a_home_folder_that_there_is_not_is_one_clear_message(shop: Shop) -> None:
    shop.changed = {"inspect.photo": "~nobody-of-this-name/slot.jpg"}
    async with shop.terminals() as simulation:
        stopped = await shop.run(*simulation.addresses)
    assert (stopped.exit_code, stopped.sealed) == (5, False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only here a name may be any bytes")
async def test_a_file_name_in_another_encoding(shop: Shop, tmp_path: Path) -> None:
    """As a stick shows its Chinese names where it was mounted without saying how they are written."""
    name = os.fsdecode("机身.jpg".encode("gbk"))
    write(tmp_path, name, photo())
    shop.changed = {"inspect.photo": str(tmp_path / name)}
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).outcome is Outcome.SUCCESS
    (file,) = shop.lane().evidence
    assert file.name == "????.jpg"
    with pytest.raises(BadEvidence) as refused:
        read_evidence(tmp_path / f"not {name}")
    assert str(refused.value).isprintable()
