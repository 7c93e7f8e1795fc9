"""What lies on a laptop: no terminal's, merchant's or telephone number in any byte of it, and the office reads all."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.domain.question import AnswerKind, Question
from techtool.domain.terminal import Address
from techtool.domain.work_order import ExpectedTerminal, Site, WorkOrder
from techtool.errors import Exit
from techtool.events import Finished
from techtool.office.outbox import write_outbox
from techtool.reports.keys import allowed_signers_line, public_path
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.simulator.faults import InstallRefusal
from techtool.simulator.model import find_model
from techtool.store.home import Home
from techtool.visit.operator import ScriptedOperator
from techtool.visit.rescue import House
from techtool.visit.services import ResumeRequest, VisitRequest
from techtool.visit.support import make_bundle
from techtool.visit.visits import open_record
from tests.peers.tools import need
from tests.visit.conftest import Shop, fault

ORDER_TID, ORDER_MID = "77420613", "998310156781234"
PHONE, CREDIT = "13800138000", "91310000MA1FL0XY99"
PERSON, PLACE = "王秀英联系人", "上海市南门路七号"


def planted_order() -> WorkOrder:
    site = Site("Noodle House", ORDER_MID, PERSON, PHONE, "5812", CREDIT, "SITE-17", PLACE)
    terminals = (
        ExpectedTerminal(find_model("sunmi-p2").serial.serial(1), model="P2"),
        ExpectedTerminal("P2A0000000042", tid=ORDER_TID, mid=ORDER_MID),
    )
    return WorkOrder("WO-7", site=site, terminals=terminals, note=f"ask {PERSON}, {PHONE}")


@dataclass
class Planting:
    """A person who repeats the numbers in every text that is typed."""

    behind: ScriptedOperator
    said: str
    typed: int = 0

    async def ask(self, question: Question) -> str:
        given = await self.behind.ask(question)
        if question.kind is AnswerKind.TEST_RESULT and given == "pass" and question.id.startswith("test."):
            self.typed += 1
            return f"not-applicable: {self.said}"
        if question.kind is not AnswerKind.TEXT or question.id in ("sign_off.code", "identify.label", "bind.label"):
            return given
        self.typed += 1
        return f"{given} {self.said}".strip()


@dataclass
class Laptop:
    """One with a sealed visit, and an open one behind a stop."""

    shop: Shop
    sealed: str
    open: str
    numbers: tuple[str, ...]

    @property
    def home(self) -> Path:
        return self.shop.world.paths.home


async def visited(shop: Shop, stopped: bool) -> tuple[str, Planting]:
    """One visit with the order; ``stopped``: the technician leaves it in the middle."""
    changed = {"problem.install": "later"} if stopped else {}
    shop.changed = {"arrive.merchant": "MISSING", "arrive.work_order": "MISSING", **changed}
    faults = fault(install=InstallRefusal(word="INSTALL_FAILED_USER_RESTRICTED", times=1)) if stopped else ()
    serial = find_model("sunmi-p2").serial.serial(1)
    operator = ScriptedOperator(shop.answers(), (serial[-4:],))
    person = Planting(operator, f"TID20011001 / {ORDER_TID}, MID{ORDER_MID}x tel {PHONE}")
    async with shop.terminals(faults=faults, state=shop.world.folder / f"sim-{stopped}") as simulation:
        addresses = tuple(Address.parse(a) for a in simulation.addresses)
        request = VisitRequest(addresses, shop.world.stick, order=planted_order(), merchant="", work_order="")
        finished = await shop._follow(lambda engine: engine.run(request), person)
    assert person.typed >= (1 if stopped else 8)
    assert finished.sealed is not stopped, finished
    return finished.visit, person


@pytest.fixture
def laptop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    sealed, _person = asyncio.run(visited(shop, stopped=False))
    stopped, _person = asyncio.run(visited(shop, stopped=True))
    numbers = {ORDER_TID, ORDER_MID, PHONE, CREDIT}
    for lane in open_record(shop.services, sealed).lanes:
        assert lane.before is not None
        numbers |= {str(lane.before.tid), str(lane.before.mid)}
    assert len(numbers) == 6, "the terminal told its own"
    return Laptop(shop, sealed, stopped, tuple(sorted(numbers)))


def forms(word: str) -> Iterator[bytes]:
    """A word as it may stand in a file."""
    yield word.encode()
    yield word.encode("utf-16-le")
    yield word.encode("utf-16-be")
    yield json.dumps(word)[1:-1].encode()
    for encoded in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            # Without the characters that what stands before and after has a part in.
            whole = encoded(b"\0" * shift + word.encode())
            yield whole[(8 * shift + 5) // 6 : -4 if (len(word.encode()) + shift) % 3 else None]


def contents(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for member in archive.namelist():
                yield f"{name}!{member}", archive.read(member)


def found_in(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Which words stand in which files; names of files are looked at as well."""
    needles = [(word, form) for word in words for form in forms(word)]
    hits = []
    for path in sorted(folder.rglob("*")):
        hits += [f"{path.name} (its name)" for word in words if word in path.name]
        if path.is_file():
            for name, data in contents(path.read_bytes(), str(path.relative_to(folder))):
                hits += [f"{name}: {word}" for word, form in needles if form in data]
    return sorted(set(hits))


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number, form in enumerate(forms(ORDER_TID)):
        (tmp_path / f"{number}.bin").write_bytes(b"\xff" + form)
    for shift in range(3):
        (tmp_path / f"b{shift}").write_bytes(base64.b64encode(b"x" * shift + ORDER_TID.encode() + b"tail"))
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", f"see {ORDER_TID} " * 40)
    hits = found_in(tmp_path, (ORDER_TID,))
    assert len(hits) == len(list(tmp_path.iterdir()))
    assert any("inside.txt" in hit for hit in hits)


def test_no_byte_of_the_laptop_tells_a_number(laptop: Laptop, tmp_path: Path) -> None:
    """Both visits, index, history, backups, reports, log, the lock's note, an outbox on a stick, support bundles."""
    paths, home = laptop.shop.world.paths, laptop.home
    stick, support = tmp_path / "stick", tmp_path / "support"
    stick.mkdir()
    sent = write_outbox(stick, Home(paths), "", SystemClock(), lambda _step: None)
    assert len(sent.brought) == 1
    for visit in (laptop.sealed, laptop.open):
        make_bundle(House.at(paths, SystemClock()), visit, support)
    assert run(["history", "--json"]) == Exit.DONE
    with Home(paths).lock("test"):
        assert found_in(home, laptop.numbers) == [], "with somebody at work"
    assert run(["doctor", "--rebuild"]) == Exit.DONE
    for folder in (home, stick, support):
        assert any(path.is_file() for path in folder.rglob("*"))
        assert found_in(folder, laptop.numbers) == [], folder
    for folder in (paths.visits, stick):
        assert found_in(folder, (PERSON, PLACE)) == [], folder
    assert (paths.home / "index.jnl").read_bytes().count(b"sealed:1:") == 0, "the list of visits needs no key"


def test_the_technician_reads_all_of_it(laptop: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    services = laptop.shop.services
    record = open_record(services, laptop.sealed)
    assert record.order is not None
    assert record.order == planted_order()
    assert record.sign_off is not None
    assert ORDER_MID in record.sign_off.name
    capsys.readouterr()
    known = {entry.tid for entry in services.index.terminals()} | {entry.mid for entry in services.index.terminals()}
    assert len(known & set(laptop.numbers)) == 2
    assert run(["visit", "show", laptop.sealed, "--tinydb", str(tmp_path / "plain.json"), "--json"]) == Exit.DONE
    assert ORDER_TID in (tmp_path / "plain.json").read_text()
    assert ORDER_TID in capsys.readouterr().out


def test_the_stopped_visit_is_gone_on_with(laptop: Laptop) -> None:
    shop = laptop.shop
    shop.changed = {}

    async def resumed() -> Finished:
        async with shop.terminals(state=shop.world.folder / "sim-True") as simulation:
            (serial,) = [lane.serial for lane in open_record(shop.services, laptop.open).lanes]
            moved = {serial: Address.parse(simulation.addresses[0])}
            return await shop.resume(ResumeRequest(laptop.open, shop.world.stick, moved))

    assert asyncio.run(resumed()).sealed
    assert found_in(laptop.home, laptop.numbers) == []
    assert open_record(shop.services, laptop.open).order == planted_order()


def test_without_the_key_the_rest_of_the_house_works(
    laptop: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paths = laptop.shop.world.paths
    key = paths.store_key.read_bytes()
    paths.store_key.unlink()
    visits = {path: path.read_bytes() for path in paths.visits.glob("*.jnl")}
    capsys.readouterr()
    for command, code in (
        (["visit", "list"], Exit.DONE),
        (["visit", "show", laptop.sealed], Exit.DONE),
        (["history"], Exit.DONE),
        (["due"], Exit.DONE),
        (["backup", "list"], Exit.DONE),
        (["backup", "verify", laptop.sealed], Exit.DONE),
        (["report", laptop.sealed, "--format", "html", "--to", str(tmp_path / "report")], Exit.DONE),
        (["support", laptop.sealed, "--to", str(tmp_path / "support")], Exit.DONE),
        (["doctor"], Exit.DAMAGED_STORE),
    ):
        assert run(command) == code, command
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert not [number for number in laptop.numbers if number in told.out + told.err]
    assert "****" in "".join(path.read_text() for path in (tmp_path / "report").iterdir())
    for command in (["visit", "resume", laptop.open], ["visit", "abandon", laptop.open]):
        assert run(command) == Exit.DAMAGED_STORE
        assert "TT-508" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in visits} == visits
    assert not paths.store_key.exists(), "no key is made for what it could not open"
    paths.store_key.write_bytes(key[:30])
    assert run(["visit", "show", laptop.sealed]) == Exit.DONE
    assert capsys.readouterr().err.count("the key that opens them is not here") == 1
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert "store.key" in capsys.readouterr().err
    assert paths.store_key.read_bytes() == key[:30]
    paths.store_key.write_bytes(key)
    paths.store_key.chmod(0o644)
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert "chmod 600" in capsys.readouterr().err
    paths.store_key.chmod(0o600)
    assert run(["doctor"]) == Exit.DONE


def test_the_first_picture_needs_neither_key_nor_cipher(laptop: Laptop) -> None:
    """With a closed and an open visit behind it: what the home screen shows is in clear, or a mask."""
    code = (
        "import sys; from techtool.paths import Paths; from techtool.tui.doors import HouseDoors; "
        "facts = HouseDoors(Paths.default()).home_facts(); "
        "print(facts.visits, len(facts.unfinished), sorted({'cryptography', 'pyrage'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "2 1 []"


def test_the_office_opens_what_an_age_key_of_its_own_opens(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is made by the ``age-keygen`` command, the visit comes home on a stick, no laptop's key is near."""
    keygen = need("age-keygen")
    identity, wrong = tmp_path / "office.key", tmp_path / "wrong.key"
    for path in (identity, wrong):
        subprocess.run([keygen, "-o", str(path)], check=True, capture_output=True)
    public = subprocess.run([keygen, "-y", str(identity)], check=True, capture_output=True, text=True).stdout
    shop.world.paths.recipients.write_text(public)
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    visit, _person = asyncio.run(visited(shop, stopped=False))
    stick = tmp_path / "stick"
    stick.mkdir()
    write_outbox(stick, Home(shop.world.paths), "", SystemClock(), lambda _step: None)
    (file,) = stick.rglob("*.jnl")
    own = open_record(shop.services, visit)
    signers = tmp_path / "allowed_signers"
    public_line = public_path(shop.world.paths.report_key).read_text()
    signers.write_text(allowed_signers_line(public_line, "anna", (SEAL_NAMESPACE,)) + "\n")
    shutil.rmtree(shop.world.paths.home)
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "office-home"))
    capsys.readouterr()
    assert run(["visit", "show", str(file), "--json", "--identity", str(identity)]) == Exit.DONE
    shown = json.loads(capsys.readouterr().out)["visit"]
    assert own.order is not None
    assert shown["order"]["site"]["mid"] == ORDER_MID
    assert shown["sign_off"]["name"] == (own.sign_off.name if own.sign_off else "")
    assert run(["visit", "show", str(file)]) == Exit.DONE
    told = capsys.readouterr()
    assert "--identity" in told.err
    assert run(["visit", "show", str(file), "--identity", str(wrong)]) == Exit.USAGE
    assert visit in capsys.readouterr().err
    assert run(["visit", "verify", str(file), "--allowed-signers", str(signers)]) == Exit.DONE
    assert run(["report", str(file), "--identity", str(identity), "--to", str(tmp_path / "r")]) == Exit.DONE
