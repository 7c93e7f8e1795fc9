"""A terminal that offers card data: the backup fails with its code, and the number is nowhere on this laptop."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from techtool.catalogue.allow import AllowedFile, AllowList, Privacy
from techtool.catalogue.reader import Catalogue, load_catalogue
from techtool.cli.background import simulated
from techtool.cli.main import run
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address
from techtool.errors import Exit
from techtool.paths import Paths
from techtool.simulator.faults import Faults, FaultScript, InstallRefusal
from techtool.simulator.model import Model, SerialRule, find_model
from techtool.simulator.run import TerminalSpec
from techtool.visit.services import Services
from tests.visit.conftest import Shop

CARD = "4761739001010010"
FILE = "/sdcard/acquirer/config.txt"


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shop:
    """A laptop whose temporary files are its own, and whose allow-list names one file that may be written."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    monkeypatch.setattr("techtool.visit.services.load_catalogue", _catalogue)
    return shop


def _catalogue() -> Catalogue:
    catalogue = load_catalogue()
    allow = catalogue.allow_list("android")
    assert isinstance(allow, AllowList)
    file = AllowedFile(Privacy.CONFIDENTIAL, "acquirer's settings", FILE)
    return replace(catalogue, allow_lists={"android": replace(allow, file=(*allow.file, file))})


def forms(number: str) -> Iterator[bytes]:
    """Every way in which a number may lie on a disk."""
    packed = bytes.fromhex(number)
    swapped = bytes((byte & 0x0F) << 4 | byte >> 4 for byte in packed)
    for text in (number, number[::-1], swapped.hex(), re.sub(r"(....)(?=.)", r"\1 ", number), number.translate(WIDE)):
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            yield text.encode(codec)
    yield packed
    yield swapped


WIDE = {0x30 + digit: 0xFF10 + digit for digit in range(10)}


def traces(shop: Shop, *more: str) -> list[str]:
    """Files (and texts) that hold the number in any form; the stick and the terminals are not this laptop's."""
    root = shop.world.folder.parent
    folders = [shop.world.paths.home, root / "scratch"]
    found = [
        f"{path.relative_to(root)}: {form!r}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for form in forms(CARD)
        if form in path.read_bytes() or form in path.name.encode()
    ]
    return found + [text for text in more for form in forms(CARD) if form in text.encode("utf-8", "surrogateescape")]


def offering(**properties: str) -> Model:
    model = find_model("sunmi-p2")
    return replace(model, properties={**model.properties, **{k.replace("_", "."): v for k, v in properties.items()}})


async def push(address: str, content: bytes) -> None:
    link = Services.real(Paths.default()).connect(Address.parse(address))
    await link.open()
    await link.push(BytesIO(content), len(content), FILE)
    await link.close()


def visit(shop: Shop, address: str, *command: str) -> int:
    answers = shop.world.folder / "these.json"
    answers.write_text(json.dumps(dict(shop.answers().values)))
    chosen = command or ("visit", "run", address, "--bundle", str(shop.world.stick), "--confirm", "1001")
    return run([*chosen, "--answers", str(answers), "--json"])


@pytest.mark.parametrize(
    "content",
    [
        f"timeout=30\nlast card {CARD}\n".encode(),
        f"timeout=30\nlast card {CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}\n".encode("utf-16-le"),
        b"\x00" * 70_000 + bytes.fromhex(f"5713{CARD}D25122011143878089000F"),
        gzip.compress(f"last;{CARD}=25122011143878089?".encode()),
    ],
    ids=["text", "utf-16", "chip data", "packed"],
)
@pytest.mark.parametrize("kind", ["update", "backup"])
def test_a_card_number_in_a_readable_file(
    at_home: Shop, capfd: pytest.CaptureFixture[str], content: bytes, kind: str
) -> None:
    with simulated([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05) as running:
        (address,) = running.addresses
        asyncio.run(push(address, content))
        command = () if kind == "update" else ("backup", "create", address)
        assert visit(at_home, address, *command) == Exit.FORBIDDEN_CONTENT
    out, err = capfd.readouterr()
    assert traces(at_home, out, err) == []
    assert not list(at_home.world.paths.backups.glob("*.age*"))
    record = at_home.visit()
    assert record.sealed
    (lane,) = record.lanes
    assert (lane.outcome, lane.exit_code, lane.backup) == (Outcome.FAILED_TRANSIENT, Exit.FORBIDDEN_CONTENT, None)
    assert lane.error is not None
    assert lane.error.code == "TT-601"
    assert FILE.strip("/") in lane.error.what.text("en")
    assert "at byte" in lane.error.what.text("en")
    assert not lane.installed
    reports = list((at_home.world.paths.reports / record.id).iterdir())
    assert {path.suffix for path in reports} == {".html", ".pdf", ".csv", ".json", ".sig", ".SHA256SUMS"}
    assert any("TT-601" in path.read_text(encoding="utf-8") for path in reports if path.suffix == ".html")


def test_a_card_number_in_a_property_that_may_be_read(at_home: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """The properties are part of the record, too: there it is redacted, and the backup fails."""
    model = offering(techtool_sim_mid=CARD, ro_product_name=f"P2 {CARD}", ro_build_display_id=f"P2_{CARD}")
    with simulated([TerminalSpec(model, 1)], boot_s=0.05) as running:
        (address,) = running.addresses
        assert visit(at_home, address) == Exit.FORBIDDEN_CONTENT
        assert run(["identify", address]) == Exit.DONE
        assert run(["identify", address, "--json"]) == Exit.DONE
        assert run(["visit", "show", at_home.visit().id, "--json"]) == Exit.DONE
        assert run(["plan", address, "--bundle", str(at_home.world.stick)]) == Exit.DONE
    assert traces(at_home, *capfd.readouterr()) == []


@pytest.mark.slow
def test_a_serial_number_that_is_valid_as_a_card_number_stops_nothing(
    at_home: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    """It stands in its own fields, as it must, and still makes a backup fail in any other."""
    plain = find_model("sunmi-p2")
    numbered = replace(plain, serial=SerialRule("", int(CARD) - 1, 16))
    specs: Sequence[TerminalSpec] = [TerminalSpec(numbered, 1)]
    with simulated(specs, boot_s=0.05) as running:
        (address,) = running.addresses
        assert running.serials == (CARD,)
        command = ("visit", "run", address, "--bundle", str(at_home.world.stick), "--confirm", CARD[-4:])
        assert visit(at_home, address, *command) == Exit.DONE
    (lane,) = at_home.visit().lanes
    assert (lane.serial, lane.outcome) == (CARD, Outcome.SUCCESS)
    assert lane.before is not None
    assert lane.before.identity.serial == CARD
    assert f'"serial": "{CARD}"' in capfd.readouterr().out
    elsewhere = replace(numbered, properties={**numbered.properties, "ro.product.name": "P2 {serial}"})
    with simulated([TerminalSpec(elsewhere, 1)], boot_s=0.05) as running:
        assert visit(at_home, running.addresses[0], "backup", "create", running.addresses[0]) == Exit.FORBIDDEN_CONTENT


@pytest.mark.slow
def test_numbers_in_every_text_a_person_can_give(at_home: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    shown = f"{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}"
    at_home.changed = {
        "arrive.merchant": f"Noodles {CARD}",
        "arrive.work_order": f"WO {shown}",
        "sign_off.name": f"Mr. {CARD}",
        "inspect.SE-02": f"not-applicable: {shown}",
        "test.PR-02": f"not-done: slip of {CARD}",
    }
    stick = at_home.world.folder / f"stick {CARD}"
    at_home.world.stick.rename(stick)
    order = at_home.world.folder / "order.json"
    order.write_text(json.dumps({"merchant": f"Noodles {CARD}", "work_order": shown}))
    with simulated([TerminalSpec(find_model("sunmi-p2"), 1)], boot_s=0.05) as running:
        (address,) = running.addresses
        command = ("visit", "run", address, "--bundle", str(stick), "--confirm", "1001", "--order", str(order))
        assert visit(at_home, address, *command) == Exit.DONE
        assert run(["identify", f"adb+server:{CARD}"]) != Exit.DONE
        assert run(["report", at_home.visit().id, "--lang", "en"]) == Exit.DONE
        assert run(["backup", "verify", at_home.visit().id, "--why", f"asked by {CARD}"]) == Exit.DONE
        assert run(["backup", "log"]) == Exit.DONE
    out, err = capfd.readouterr()
    typed = f"adb+server:{CARD}"
    assert traces(at_home, out, err.replace(typed, "")) == []


def test_a_refusal_in_the_terminals_own_words_is_redacted(at_home: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """An installation that the terminal refuses with a sentence of its own is recorded and told, without the number."""
    faults = Faults(install=InstallRefusal("INSTALL_FAILED_ABORTED", f"last card {CARD}"))
    with simulated(
        [TerminalSpec(find_model("sunmi-p2"), 1)], faults=FaultScript(terminal=(faults,)), boot_s=0.05
    ) as running:
        assert visit(at_home, running.addresses[0]) != Exit.DONE
    (lane,) = at_home.visit().lanes
    assert lane.error is not None
    assert "last card 476173******0010" in lane.error.detail, "the words around it stay"
    assert traces(at_home, *capfd.readouterr()) == []
