"""``--record`` and what is made of a recording, on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from techtool.cli.background import simulated
from techtool.cli.demo_world import PASSPHRASE
from techtool.cli.main import run
from techtool.cli.output import shown
from techtool.errors import CommandRefused, Exit
from techtool.i18n import language, raw, set_language
from techtool.links.base import Capability
from techtool.links.record.transcript import Entry
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec
from tests.unit.links.record.making import recorder
from tests.visit.conftest import Shop


@dataclass
class Counter:
    """A terminal on the counter and the laptop before it."""

    shop: Shop
    address: str
    """A practice terminal, which tells TID and MID."""
    sunmi: str
    """One that the stick has something for."""
    file: Path


@pytest.fixture
def counter(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    before = language()
    set_language("en")
    specs = [TerminalSpec(find_model("practice"), 1), TerminalSpec(find_model("sunmi-p2"), 2)]
    with simulated(specs, tmp_path / "sim", boot_s=0.05, faults=None) as terminals:
        practice, sunmi = terminals.addresses
        yield Counter(shop, practice, sunmi, tmp_path / "terminal.jsonl")
    set_language(before)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out = capsys.readouterr().out
    found: dict[str, object] = json.loads(out)
    return found


def without_numbers(facts: dict[str, object]) -> dict[str, object]:
    return {**facts, "address": "", "serial": "", "tid": "", "mid": ""}


def test_identify_then_replay(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identify", counter.address, "--record", str(counter.file), "--json"]) == 0
    real = said(capsys)
    assert run(["identify", f"replay:{counter.file}", "--json"]) == 0
    again = said(capsys)
    assert without_numbers(again) == without_numbers(real)
    data = counter.file.read_text("utf-8")
    for name in ("serial", "tid", "mid"):
        assert real[name]
        assert again[name] != real[name]
        assert len(str(again[name])) == len(str(real[name]))
        assert str(real[name]) not in data


def test_a_recording_is_checked_and_makes_a_rule(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    run(["identify", counter.address, "--record", str(counter.file), "--json"])
    capsys.readouterr()
    assert run(["recording", "check", str(counter.file), "--json"]) == 0
    checked = said(capsys)
    assert (checked["scheme"], checked["complete"], checked["dropped"]) == ("adb", True, 0)
    assert run(["recording", "propose", str(counter.file)]) == 0
    proposed = capsys.readouterr().out
    assert 'evidence = "simulated"' in proposed, "a simulated terminal proves nothing of a real one"
    assert str(checked["sha256"])[:16] in proposed


def test_nothing_is_replaced_and_nothing_asked_first(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    counter.file.write_text("mine")
    for file in (counter.file, counter.file.parent / "no such folder" / "r.jsonl"):
        assert run(["identify", counter.address, "--record", str(file)]) == Exit.USAGE
        assert not capsys.readouterr().out
    assert counter.file.read_text() == "mine"


def test_a_terminal_that_does_not_answer_is_recorded_as_that(counter: Counter) -> None:
    assert run(["identify", "adb://127.0.0.1:1", "--record", str(counter.file)]) == Exit.UNREACHABLE
    assert run(["identify", f"replay:{counter.file}"]) == Exit.UNREACHABLE


def test_a_plan_over_a_recording(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    """The office sees what its stick would do at a terminal it has never had."""
    stick = ["--bundle", str(counter.shop.world.stick), "--json"]
    at_the_shop = run(["plan", counter.sunmi, *stick, "--record", str(counter.file)])
    there = said(capsys)
    assert run(["plan", f"replay:{counter.file}", *stick]) == at_the_shop
    here = said(capsys)
    verdicts = [[(r["id"], r["version"], r["verdict"]) for r in plan["releases"]] for plan in (there, here)]  # type: ignore[attr-defined]
    assert verdicts[0] == verdicts[1] != []


def test_a_visit_is_recorded_and_takes_no_recording(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    world = counter.shop.world
    passphrase = world.folder / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    run(["identify", counter.sunmi, "--json"])
    serial = str(said(capsys)["serial"])
    common = ["--bundle", str(world.stick), "--answers", str(world.answers), "--passphrase-file", str(passphrase)]
    asked = ["visit", "run", counter.sunmi, *common, "--confirm", serial[-4:], "--json"]
    assert run([*asked, "--record", str(counter.file)]) == 0
    capsys.readouterr()
    run(["recording", "check", str(counter.file), "--json"])
    operations = said(capsys)["operations"]
    assert isinstance(operations, dict)
    assert {"run", "feed", "pull", "stat"} <= set(operations)
    assert serial not in counter.file.read_text("utf-8")
    assert run(["visit", "run", f"replay:{counter.file}", *common]) == Exit.USAGE
    assert run(["visit", "run", counter.address, "adb://127.0.0.1:1", *common, "--record", "x"]) == Exit.USAGE


@pytest.mark.parametrize(
    "arguments", [["identify", "replay:{}"], ["recording", "check", "{}"], ["recording", "propose", "{}"]]
)
def test_rubbish(arguments: list[str], counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    counter.file.write_bytes(b"\0rubbish" * 1000)
    assert run([word.format(counter.file) for word in arguments]) == Exit.USAGE
    told = capsys.readouterr()
    assert not told.out
    assert "TT-102" in told.err
    assert "Traceback" not in told.err


def test_what_cannot_be_recorded_is_said_first(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    address = "medium:/media/STICK"
    assert run(["identify", address, "--record", str(counter.file)]) == Exit.USAGE
    assert address in capsys.readouterr().err
    assert not counter.file.exists()


def test_a_strangers_words_do_not_move_the_cursor(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown device's facts, and what a device refuses with, are printed as they are said."""
    made = recorder()
    made.opened(frozenset({Capability.OWN_FACTS}))
    made.add(Entry("facts", facts={"banner.x": "a\x1b[2J\u202eb", "banner.\x1b]0;c": "d"}))
    made.write(counter.file)
    assert run(["identify", f"replay:{counter.file}"]) == Exit.UNKNOWN_MODEL
    told = capsys.readouterr()
    assert "banner.x = a·[2J·b" in told.out
    assert not {"\x1b", "\u202e"} & {*told.out, *told.err}
    assert shown(CommandRefused(command="x", answer=raw("no\x1b[2J")).what_phrase).endswith("no·[2J")
