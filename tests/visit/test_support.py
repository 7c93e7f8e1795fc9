"""The support bundle: everything the support desk needs, nothing it may not have, and one changed byte is found."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from techtool.catalogue.contacts import vendor_contacts
from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.terminal import Address
from techtool.errors import BadCaseCode, DiskFull, Exit, SupportDamaged, SupportRefused
from techtool.paths import Disk
from techtool.reports.support import SUMS, Known, check, fitting, numbers_masked, pack
from techtool.settings import read_settings, write_settings
from techtool.visit.rescue import House
from techtool.visit.services import VisitRequest
from techtool.visit.support import make_bundle
from tests.visit.conftest import Shop, fault

CARD = "4111 1111 1111 1111"
TOKEN = "maker-handshake-token-7731"
PASSWORD = "correct-horse-5512"


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


@dataclass
class Done:
    """A visit that went wrong on its second terminal, with a card number typed wherever a person types."""

    shop: Shop
    visit: str
    tids: tuple[str, ...]

    def make(self, folder: Path, lane: str = "") -> dict[str, bytes]:
        house = House.at(self.shop.world.paths, SystemClock())
        return opened(make_bundle(house, self.visit, folder, lane).path)


def opened(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
async def done(at_home: Shop, shelf: Path) -> Done:
    """Worked once; every test has a copy of the laptop."""
    kept, home = shelf / "support", at_home.world.paths.home
    if not kept.exists():
        await work(at_home)
        shutil.copytree(home, kept)
    else:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
    record = at_home.visit()
    tids = tuple(n for lane in record.lanes if lane.before for n in (lane.before.tid, lane.before.mid) if n)
    assert tids
    return Done(at_home, record.id, tids)


async def work(at_home: Shop) -> None:
    """The visit to both terminals."""
    settings = read_settings(at_home.world.paths.settings)
    object.__setattr__(settings.links, "pax", {"handshake_token": TOKEN})
    object.__setattr__(settings.office, "url", f"https://anna:{PASSWORD}@office.example/techtool")
    object.__setattr__(settings, "contacts", {"Office": "+86 10 5555 0100"})
    write_settings(at_home.world.paths.settings, settings)
    at_home.changed = {"sign_off.name": f"Wang {CARD}"}
    faults = (*fault(), *fault(install=["INSTALL_FAILED_INVALID_APK"] * 9))
    async with at_home.terminals("sunmi-p2", "sunmi-p2", faults=faults) as simulation:
        request = VisitRequest(
            tuple(Address.parse(a) for a in simulation.addresses), at_home.world.stick, merchant=f"Shop {CARD}"
        )
        await at_home._follow(lambda engine: engine.run(request), None)


async def test_what_is_in_it(done: Done, tmp_path: Path) -> None:
    files = done.make(tmp_path)
    assert {"README.txt", "journal.jsonl", "journal-facts.json", "environment.json", "findings.json", SUMS} <= set(
        files
    )
    journal = done.shop.world.paths.visits / f"{done.visit}.jnl"
    facts = json.loads(files["journal-facts.json"])
    lines = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    assert facts["size_bytes"] == journal.stat().st_size
    assert [line["line"] for line in lines] == list(range(1, facts["whole_lines"] + 1))
    assert lines[-1]["chain"] == facts["last_chain"]
    environment = json.loads(files["environment.json"])
    assert environment["packages"]["tinydb"]
    readme = files["README.txt"].decode()
    assert done.visit in readme
    assert json.loads(files["trust.json"])["1"]["publisher"]
    assert json.loads(files["catalogue.json"])["models.toml"]["sha256"]


async def test_the_log_tells_what_was_done_and_nothing_of_anybody(done: Done, tmp_path: Path) -> None:
    files = done.make(tmp_path)
    log = files["logs/techtool.log"].decode()
    assert f"visit {done.visit} started" in log
    assert "lane 2 finished success exit 0" in log
    assert f"visit {done.visit} sealed" in log
    lanes = done.shop.visit().lanes
    said = [lane.serial for lane in lanes] + ["Wang", "Shop", "127.0.0.1", "INSTALL_FAILED", "com.example"]
    assert not [word for word in said if word in log]
    written = (done.shop.world.paths.logs / "techtool.log").read_text("utf-8")
    assert not [word for word in said if word in written], "not in the file either, before any redaction"


def test_what_is_too_large_is_shortened_or_left_out_and_named() -> None:
    lines = b"".join(b'{"line": %d}\n' % number for number in range(4_000))
    files = {"journal.jsonl": lines, "report/V1.json": b"r" * 30_000, "errors.json": b"[]", "logs/a.log": b"x" * 9_000}
    assert fitting(files) == (files, ())
    kept, left = fitting(files, 30_000)
    assert kept["errors.json"] == b"[]"
    assert sum(map(len, kept.values())) <= 30_000
    assert lines.endswith(kept["journal.jsonl"])
    assert kept["journal.jsonl"].startswith(b'{"line"')
    assert "report/V1.json" not in kept
    assert [(part.name, part.kept_bytes > 0) for part in left] == [("journal.jsonl", True), ("report/V1.json", False)]
    assert left[0].sha256 == hashlib.sha256(lines).hexdigest()
    assert fitting({"a.jsonl": b"z" * 99}, 10)[0] == {}


@pytest.mark.slow
async def test_a_bundle_of_a_very_large_visit_passes_its_own_check(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = len(done.make(tmp_path)["journal.jsonl"])
    monkeypatch.setattr("techtool.reports.support.MAX_BYTES", whole)
    monkeypatch.setattr("techtool.visit.support.MOST_BYTES", whole - 4_000)
    assert run(["support", done.visit, "--to", str(tmp_path / "small"), "--json"]) == Exit.DONE
    made = json.loads(capsys.readouterr().out)
    assert "journal.jsonl" in made["left_out"]
    assert run(["support", "--check", made["file"]]) == Exit.DONE
    left = {part["name"]: part for part in json.loads(opened(Path(made["file"]))["left-out.json"])}
    assert left["journal.jsonl"]["size_bytes"] == whole


async def test_nothing_is_in_it_that_may_not_leave(done: Done, tmp_path: Path) -> None:
    keys = [path.read_text().strip() for path in done.shop.world.paths.visit_keys.glob("*.agekey")]
    report_key = done.shop.world.paths.report_key.read_text().splitlines()[1]
    files = done.make(tmp_path)
    passphrase = str(done.shop.answers().values.get("visit.passphrase", ""))
    forbidden = [
        CARD,
        CARD.replace(" ", ""),
        TOKEN,
        report_key,
        *done.tids,
        *keys,
        *([passphrase] if passphrase else []),
    ]
    assert len(forbidden) >= 6
    for name, content in files.items():
        for word in forbidden:
            assert word.encode() not in content, (name, word)
    assert json.loads(files["settings.json"])["links"]["pax"] == {"handshake_token": "set"}
    assert not [name for name, data in files.items() if PASSWORD.encode() in data]


async def test_one_terminal_only(done: Done, tmp_path: Path) -> None:
    first, second = done.shop.visit().lanes
    files = done.make(tmp_path, "2")
    assert second.serial.encode() in files["journal.jsonl"]
    assert not any(first.serial.encode() in content for content in files.values())
    assert run(["support", done.visit, "--to", str(tmp_path), "--lane", "7"]) == Exit.USAGE


@pytest.mark.slow
async def test_the_same_visit_gives_the_same_bytes_and_so_the_same_code(done: Done, tmp_path: Path) -> None:
    house = House.at(done.shop.world.paths, SystemClock())
    one, two = (make_bundle(house, done.visit, tmp_path / name) for name in "ab")
    assert one.path.name == two.path.name
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.opened.code in one.path.name
    assert check(one.path).code == one.opened.code


async def test_checked_by_the_command(done: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["support", done.visit, "--to", str(tmp_path), "--json"]) == Exit.DONE
    made = json.loads(capsys.readouterr().out)
    code, path = made["case_code"], Path(made["file"])
    assert made["office"] == {"Office": "+86 10 5555 0100"}
    assert run(["support", "--check", str(path)]) == Exit.DONE
    assert code in capsys.readouterr().out
    assert run(["support", "--check", str(path), "--check", code.lower()]) == Exit.DONE
    assert run(["support", "--check", code]) == Exit.DONE
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    assert run(["support", "--check", wrong]) == Exit.USAGE
    renamed = path.with_name("mail-attachment.zip")
    path.rename(renamed)
    assert run(["support", "--check", str(renamed)]) == Exit.DONE
    capsys.readouterr()
    assert run(["support", done.visit, "--to", str(tmp_path), "--lane", "1", "--json"]) == Exit.DONE
    other = json.loads(capsys.readouterr().out)["case_code"]
    assert other != code
    assert run(["support", "--check", str(renamed), "--check", other]) == Exit.DAMAGED_BUNDLE


async def test_every_changed_byte_is_found(done: Done, tmp_path: Path) -> None:
    house = House.at(done.shop.world.paths, SystemClock())
    path = make_bundle(house, done.visit, tmp_path).path
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert run(["support", "--check", str(path)]) == Exit.DAMAGED_BUNDLE, place
    for short in (b"", whole[:100], whole[:-1]):
        path.write_bytes(short)
        assert run(["support", "--check", str(path)]) == Exit.DAMAGED_BUNDLE


@pytest.mark.slow
async def test_a_damaged_record_and_broken_settings_keep_nobody_from_making_one(done: Done, tmp_path: Path) -> None:
    paths = done.shop.world.paths
    journal = paths.visits / f"{done.visit}.jnl"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    paths.index.write_bytes(b"rubbish")
    paths.settings.write_text("language = 7")
    (paths.logs / "techtool.log").unlink()
    (paths.logs / "techtool.log").mkdir()
    files = done.make(tmp_path)
    facts = json.loads(files["journal-facts.json"])
    assert facts["problem"]["code"] == "TT-506"
    assert any("damaged" in finding["what"]["en"] for finding in json.loads(files["findings.json"]))
    for content in files.values():
        assert CARD.encode() not in content
        assert not any(tid.encode() in content for tid in done.tids)


async def test_a_full_disk_is_one_error_and_leaves_nothing(done: Done, tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, fd: int, data: bytes, path: Path) -> None:
            os.write(fd, data[: len(data) // 2])
            raise DiskFull(path=str(path))

    with pytest.raises(DiskFull):
        make_bundle(House.at(done.shop.world.paths, SystemClock(), Full()), done.visit, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.slow
async def test_a_stop_in_the_middle_leaves_no_half_bundle(done: Done, tmp_path: Path) -> None:
    class Stopped(BaseException):
        pass

    class Stops(Disk):
        def fsync(self, fd: int, path: Path) -> None:
            raise Stopped

        def unlink(self, path: Path) -> None:
            if path.exists():
                raise Stopped

    with pytest.raises(Stopped):
        make_bundle(House.at(done.shop.world.paths, SystemClock(), Stops()), done.visit, tmp_path)
    (left,) = tmp_path.glob("*techtool-support*")
    assert left.suffix == ".part"
    done.make(tmp_path)
    assert [path.suffix for path in tmp_path.glob("*techtool-support*")] == [".zip"]


@pytest.mark.parametrize(
    "content",
    [
        f"note {CARD}",
        '{"pan": "4111111111111111"}',
        "AGE-SECRET-KEY-1QQQ",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "age-encryption.org/v1\n-> X25519",
        "the TID is 20010001!",
        f"token={TOKEN}",
        ";4111111111111111=29121010000000000000?",
    ],
)
def test_the_finished_file_is_searched_and_not_kept(content: str) -> None:
    known = Known(frozenset({"4222222222222"}), frozenset({"20010001"}), frozenset({TOKEN}))
    with pytest.raises(SupportRefused) as refused:
        pack({"fine.txt": b"fine", "logs/techtool.log": content.encode()}, known)
    assert refused.value.params["item"] == "logs/techtool.log"
    assert CARD not in str(refused.value)


def test_a_serial_number_that_looks_like_a_card_number_stands() -> None:
    known = Known(serials=frozenset({"4111111111111111"}))
    assert pack({"a.json": b'{"serial": "4111111111111111"}'}, known)


def test_numbers_are_masked_wherever_they_stand_and_digests_are_not() -> None:
    digest = "a" * 20 + "20010001" + "b" * 36
    text = numbers_masked(f"TID20010001, 20010001; 120010001 {digest}", {"20010001"})
    assert text == f"TID****0001, ****0001; 120010001 {digest}"


def crafted(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"a.txt": b"a"},
        {"a.txt": b"a", SUMS: b""},
        {"a.txt": b"a", SUMS: b"0" * 64 + b"  a.txt\n"},
        {
            "a.txt": b"a",
            "b.txt": b"b",
            SUMS: b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.txt\n",
        },
    ],
    ids=["empty", "no list", "empty list", "another digest", "one too many"],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = tmp_path / "one.zip"
    path.write_bytes(crafted(files))
    with pytest.raises(SupportDamaged):
        check(path)


def test_contacts_say_where_they_come_from_and_invent_nothing(
    at_home: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert all(contact.source and contact.page.startswith("https://") for contact in vendor_contacts())
    assert all({"en", "zh"} <= set(contact.region) for contact in vendor_contacts())
    assert run(["support", "--contacts", "nobody-knows"]) == Exit.DONE
    assert "no public support contact is known" in capsys.readouterr().err
    assert run(["support", "--contacts", "pax"]) == Exit.DONE
    said = capsys.readouterr()
    assert "PAX" in said.out
    assert "SUNMI" not in said.out
    assert run(["support"]) == Exit.USAGE
    assert run(["support", "V1", "--to", "."]) == Exit.NOT_FOUND


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED], ids=["bz2", "lzma", "zip"])
def test_a_broken_stream_of_any_kind_is_no_bundle(tmp_path: Path, way: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", way) as archive:
        archive.writestr("a", b"hello" * 500)
    data = bytearray(buffer.getvalue())
    data[40] ^= 0xFF
    data[41] ^= 0x55
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    with pytest.raises(SupportDamaged):
        check(path)


def test_a_word_too_long_for_a_file_is_no_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["support", "--check", "x" * 5_000]) == BadCaseCode.exit_code
    assert "TT-162" in capsys.readouterr().err
