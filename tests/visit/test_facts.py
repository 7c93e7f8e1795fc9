"""The office's facts in use: taken in by command, shown with their sources, asked for by the work itself."""

from __future__ import annotations

import hashlib
import html
import io
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from PIL import Image

from techtool.cli.main import run
from techtool.domain.terminal import Address
from techtool.errors import BadFile, Exit
from techtool.events import Asked
from techtool.reports.facts_seal import NAMESPACE, beside
from techtool.visit.engine import Engine
from techtool.visit.facts import add_facts, draft_facts, remove_facts
from techtool.visit.known_facts import known_facts
from techtool.visit.operator import ScriptedOperator
from techtool.visit.services import VisitRequest
from tests.peers.tools import need
from tests.unit.bundles.stops import CutDisk, PowerCut
from tests.unit.catalogue.test_facts import GOOD
from tests.visit.conftest import Shop
from tests.visit.facts_office import NAME, FactsOffice

OFFICE = FactsOffice()


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    OFFICE.enrol(shop.world.paths)
    return shop


def picture(colour: int = 90) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (colour, 9, 9)).save(data, "JPEG")
    return data.getvalue()


def facts_file(folder: Path, *, data: bytes | None = None, signed: bool = True) -> Path:
    """With a reference picture of the P2 beside it, and signed by the office that enrolled the laptop."""
    folder.mkdir(exist_ok=True)
    shown = picture()
    (folder / "p2.jpg").write_bytes(data if data is not None else shown)
    path = folder / "acme.toml"
    path.write_text(
        f"""{GOOD}
[[picture]]
vendor = "sunmi"
model = "P2"
file = "p2.jpg"
sha256 = "{hashlib.sha256(shown).hexdigest()}"
shows = {{ en = "the underside, both seals", zh = "底部，两枚封签" }}
source = "photographed by ACME's workshop"
evidence = "recorded"
""",
        encoding="utf-8",
    )
    return OFFICE.sign(path) if signed else path


def question(shop: Shop, name: str) -> str:
    found = [event.question for event in shop.events if isinstance(event, Asked) and event.question.id == name]
    return found[0].help.text("en") if found and found[0].help else ""


async def test_they_decide_and_are_shown(at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.DONE
    shown = capsys.readouterr().out
    assert f"from ACME, estate office, as of 2026-11-20, signed by {NAME}" in " ".join(shown.split())
    assert "ACME contract 7 (ACME, estate office, 2026-11-20)" in " ".join(shown.split())
    photo = tmp_path / "counter.jpg"
    photo.write_bytes(picture(200))
    at_home.changed = {"inspect.photo": str(photo)}
    async with at_home.terminals() as simulation:
        await at_home.run(*simulation.addresses)
        first = question(at_home, "inspect.SE-02")
        assert "the underside, both seals" in first
        assert "photo of" not in first, "nothing was seen before"
        at_home.events = []
        assert at_home.lane().evidence
        await at_home.run(*simulation.addresses)
    second = question(at_home, "inspect.SE-02")
    assert "photo of" in second
    named = [word for word in second.split() if word.endswith((".jpg", ".png"))]
    assert len(named) == 2
    assert all(Path(word).is_file() for word in named)
    assert run(["due", "--json"]) == Exit.DONE
    (due,) = json.loads(capsys.readouterr().out)["terminals"]
    assert due["end_of_life"] == "2030-01-01"
    assert run(["support", "--contacts", "sunmi"]) == Exit.DONE
    assert "ACME's desk for SUNMI" in capsys.readouterr().out


def test_the_same_facts_under_two_names(at_home: Shop, tmp_path: Path) -> None:
    first = facts_file(tmp_path / "from")
    second = first.with_name("again.toml")
    second.write_bytes(first.read_bytes())
    add_facts(at_home.world.paths, first)
    add_facts(at_home.world.paths, OFFICE.sign(second))
    remove_facts(at_home.world.paths, "acme.toml")
    assert [issued.path.name for issued in known_facts(at_home.world.paths).files] == ["again.toml"]
    remove_facts(at_home.world.paths, "again.toml")
    assert not list(at_home.world.paths.facts.glob("*.sig"))


async def test_record_and_report_name_issuer_and_source_of_what_was_used(at_home: Shop, tmp_path: Path) -> None:
    add_facts(at_home.world.paths, facts_file(tmp_path / "from"))
    async with at_home.terminals() as simulation:
        request = VisitRequest((Address.parse(simulation.addresses[0]),), None, inspection=True)
        async for _event in Engine(at_home.services, ScriptedOperator(at_home.answers())).run(request):
            pass
    issuer = "(ACME, estate office, 2026-11-20)"
    checks = {check.id: check for check in at_home.lane().checks}
    (compared,) = checks["SE-02"].compared
    assert f"photographed by ACME's workshop {issuer}" in compared
    assert not checks["SE-02.seals-screws"].compared
    approval = checks["SE-07"].said
    assert approval is not None
    assert f"our copy of the PCI SSC's list {issuer}" in approval.text("en")
    folder = at_home.world.paths.reports / at_home.visit().id
    page = html.unescape(next(folder.glob("*.en.html")).read_text(encoding="utf-8"))
    assert f"our copy of the PCI SSC's list {issuer}" in page
    assert f"photographed by ACME's workshop {issuer}" in page


def test_a_picture_that_is_another_one_is_refused_and_nothing_is_kept(at_home: Shop, tmp_path: Path) -> None:
    path = facts_file(tmp_path / "from", data=picture(7))
    assert run(["facts", "--add", str(path)]) == Exit.USAGE
    assert not list(at_home.world.paths.facts.glob("*.toml"))
    (path.parent / "p2.jpg").unlink()
    assert run(["facts", "--add", str(path)]) == Exit.USAGE


def test_taken_away_again(at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.DONE
    assert run(["facts", "--remove", "../settings.toml"]) == Exit.NOT_FOUND
    capsys.readouterr()
    assert run(["facts", "--remove", "acme.toml", "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == []
    assert {one["kind"] for one in said["facts"]} == {"cadence", "life", "approval", "contact"}
    assert {one["evidence"] for one in said["facts"]} == {"documented", "simulated"}


def test_a_file_that_rots_is_found_by_the_doctor(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    at_home.world.paths.facts.mkdir()
    (at_home.world.paths.facts / "acme.toml").write_text("rubbish", encoding="utf-8")
    assert run(["facts"]) == Exit.DONE
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert "acme.toml" in capsys.readouterr().err


def test_what_the_office_did_not_sign_is_refused(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = facts_file(tmp_path / "from", signed=False)
    for spoil in (
        lambda: None,
        lambda: FactsOffice("stranger").sign(path),
        lambda: OFFICE.sign(path).write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8"),
        lambda: beside(path).write_bytes(b"\xff" * 5000),
    ):
        spoil()
        assert run(["facts", "--add", str(path)]) == Exit.UNTRUSTED
        assert "TT-219" in capsys.readouterr().err
        assert not list(at_home.world.paths.facts.glob("*"))


def test_a_laptop_that_nobody_enrolled_believes_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.UNTRUSTED
    assert "techtool enrol" in capsys.readouterr().err


def test_what_lies_in_the_home_is_judged_each_time(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Put there by hand, changed there, or signed by a key that the office has replaced: named, and not used."""
    facts = at_home.world.paths.facts
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.DONE
    kept = facts / "acme.toml"
    good = kept.read_bytes()
    (facts / "by-hand.toml").write_bytes(good.replace(b"days = 30", b"days = 31"))
    capsys.readouterr()
    assert run(["facts", "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in said["unusable"]] == ["by-hand.toml"]
    (facts / "by-hand.toml").unlink()
    kept.write_bytes(good.replace(b"2030-01-01", b"2040-01-01"))
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert "acme.toml" in capsys.readouterr().err
    kept.write_bytes(good)
    assert run(["doctor"]) == Exit.DONE
    FactsOffice("office-2").enrol(at_home.world.paths, old=OFFICE)
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert run(["facts", "--add", str(FactsOffice("office-2").sign(tmp_path / "from/acme.toml"))]) == Exit.DONE
    assert run(["doctor"]) == Exit.DONE


def test_an_older_one_of_the_same_name_is_refused(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = facts_file(tmp_path / "from")
    assert run(["facts", "--add", str(path)]) == Exit.DONE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("dated = 2026-11-20", "dated = 2026-11-19"), encoding="utf-8")
    assert run(["facts", "--add", str(OFFICE.sign(path))]) == Exit.UNTRUSTED
    assert "older" in capsys.readouterr().err
    path.write_text(text.replace("dated = 2026-11-20", "dated = 2026-11-21"), encoding="utf-8")
    assert run(["facts", "--add", str(OFFICE.sign(path))]) == Exit.DONE
    assert len(list(at_home.world.paths.facts.glob("*.sig"))) == 1, "the old signature is gone with the old file"


def test_facts_of_a_day_that_is_still_to_come(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the pen would count as new for ever, and keep every correction out as “older”."""
    path = facts_file(tmp_path / "from")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("dated = 2026-11-20", "dated = 2126-11-20"), encoding="utf-8")
    assert run(["facts", "--add", str(OFFICE.sign(path))]) == Exit.USAGE
    assert "2126-11-20" in capsys.readouterr().err
    assert not list(at_home.world.paths.facts.glob("*"))
    with pytest.raises(BadFile, match="2126-11-20"):
        draft_facts(path)


def test_a_picture_in_the_home_is_judged_each_time(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another picture under its name is not what the office signed for, and no inspection compares with it."""
    paths = at_home.world.paths
    add_facts(paths, facts_file(tmp_path / "from"))
    ((_picture, kept),) = known_facts(paths).pictures()
    kept.write_bytes(picture(7))
    assert list(known_facts(paths).pictures()) == []
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert kept.name in "".join(capsys.readouterr().err.split())
    kept.write_bytes(picture())
    assert run(["doctor"]) == Exit.DONE
    assert len(list(known_facts(paths).pictures())) == 1


def test_a_stop_while_a_file_is_replaced_leaves_the_old_or_the_new_one(at_home: Shop, tmp_path: Path) -> None:
    paths = at_home.world.paths
    path = facts_file(tmp_path / "from")
    add_facts(paths, path)
    text = path.read_text(encoding="utf-8").replace("days = 30", "days = 14").replace("11-20", "11-21")
    path.write_text(text, encoding="utf-8")
    OFFICE.sign(path)
    found = set()
    for stop in range(1, 40):
        disk = CutDisk(stop)
        try:
            add_facts(paths, path, disk)
        except PowerCut:
            now = known_facts(paths)
            assert now.unusable == ()
            found.add(now.cycles().cadence[0].days)
            continue
        break
    assert found == {30, 14}


def test_the_offices_side_and_a_stick(at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Signed by command with the office's key file, carried on a stick, taken in whole."""
    facts_folder = tmp_path / "stick" / "facts"
    facts_folder.parent.mkdir()
    path = facts_file(facts_folder, signed=False)
    key, word = tmp_path / "office.key", tmp_path / "word"
    word.write_text("correct horse\n", encoding="utf-8")
    key.write_bytes(
        OFFICE.key.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"correct horse"))
    )
    sign = ["office", "facts", str(path), "--key", str(key), "--passphrase-file", str(word)]
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("days = 30", "days = 0"), encoding="utf-8")
    assert run(sign) == Exit.USAGE, "what a laptop would refuse is not signed"
    path.write_text(good, encoding="utf-8")
    assert run(sign) == Exit.DONE
    assert capsys.readouterr().out.split() == ["acme.toml", "acme.toml.sig", "p2.jpg"]
    assert run(["facts", "--add", str(tmp_path)]) == Exit.NOT_FOUND
    assert run(["facts", "--add", str(tmp_path / "stick")]) == Exit.DONE
    assert [issued.office for issued in known_facts(at_home.world.paths).files] == [NAME]


def test_stock_ssh_keygen_judges_it_the_same_way(tmp_path: Path) -> None:
    need("ssh-keygen")
    path = facts_file(tmp_path / "from")
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f'office namespaces="{NAMESPACE}" {OFFICE.key.public_line()}\n', encoding="ascii")
    command: list[str | Path] = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        allowed,
        "-I",
        "office",
        "-n",
        NAMESPACE,
        "-s",
        beside(path),
    ]

    def verify() -> int:
        return subprocess.run(command, input=path.read_bytes(), capture_output=True, check=False).returncode

    assert verify() == 0
    path.write_bytes(path.read_bytes() + b"\n")
    assert verify() != 0
