"""techtool in a real terminal emulator at 80x24: whole visits by the keys a person would press."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.cli.demo_world import PASSPHRASE
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.sign_off import SignOffWay
from techtool.domain.visit import StepState
from techtool.i18n import translate
from tests.peers.shop import Cable, Shop, opened
from tests.peers.tmux import Technician

pytestmark = pytest.mark.peers

CONFIRM = "Type the last four of the serial number on the terminal's label to start"
CODE = "The merchant types this code to confirm: {code}"
LATER = "Stop here; go on later"
TO_THE_MIDDLE = 12_000
"""More is sent to the terminal after the gate than this: two packages of 8,470 bytes."""
MERCHANT = "面馆七号"
OWNER = "王芳"

RESULT = r"V\d{8}-[0-9a-f-]+[:：] ?"
"""A visit's number as the page of its result begins."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Technician]:
    screen = Technician(tmp_path / "tmux", [sys.executable, "-m", "techtool", "demo", "--lang", "en"])
    yield screen
    screen.close()


@pytest.mark.timeout(300)
def test_a_whole_visit_by_keys(demo: Technician) -> None:
    demo.wait("New visit")
    demo.press("1", "Begin the visit")
    demo.press("F2", "Passphrase of your report key")
    question = demo.asked()
    demo.enter(PASSPHRASE, shown=f"•{{{len(PASSPHRASE)}}}")
    demo.keys("Enter")
    assert demo.gone(question, 10), demo.text()
    asked = demo.answers({CONFIRM: "1001"}, until=RESULT + "done and verified")
    assert CONFIRM in asked
    text = demo.text()
    assert "P2SIM23A1001" in text
    assert "F1 Help" in text.splitlines()[-1]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path, "zh") as shop:
        yield shop


@pytest.fixture
def cable(shop: Shop) -> Iterator[Cable]:
    host, _, port = shop.address.removeprefix("adb://").partition(":")
    cable = Cable((host, int(port)))
    yield cable
    cable.end()


@pytest.mark.timeout(400)
def test_the_cable_is_pulled_and_the_visit_resumed_in_chinese(shop: Shop, cable: Cable) -> None:
    """Start, visit, cable pulled in the installation, problem, resume from home, report; judged by the journal."""
    screen = shop.screen
    said = {
        "Merchant (name or number)": MERCHANT,
        "Name of the person at the merchant's who saw the result": OWNER,
    }
    shop.begin(cable.address)
    screen.answers(said, until=screen.say(CONFIRM))
    (lane,) = shop.record().lanes
    assert lane.confirmed_at is None
    cable.pull_after(TO_THE_MIDDLE)
    screen.enter(lane.serial[-4:])
    screen.keys("Enter")
    screen.wait(rf"^ +\d {screen.say(LATER)}")
    assert re.search(r"TT-3\d\d", screen.text()), screen.text()
    assert cable.relay.drops == 1
    screen.press(number_of(screen, LATER), screen.say("stopped, can be resumed"))
    record = shop.record()
    assert not record.sealed
    assert installs(shop)[-1] is not StepState.DONE
    assert reports(shop) == []

    cable.plug_in()
    screen.press("Escape", screen.say("Unfinished work"))
    assert MERCHANT in screen.text()
    screen.press("1", screen.say("Passphrase of your report key"))
    shop.unlock()
    before_code = re.escape(translate(CODE, "zh").split("{")[0])
    asked = screen.answers(said, until=before_code)
    assert translate(CONFIRM, "zh") not in asked, "the same plan was confirmed before"
    (code,) = re.findall(before_code + r"([A-Z]{3}-[A-Z]{3})", screen.text())
    screen.enter(code.lower())
    screen.keys("Enter")
    screen.answers(said, until=RESULT + screen.say("done and verified"))
    record = shop.record()
    (lane,) = record.lanes
    assert (record.sealed, record.outcome, lane.outcome) == (True, Outcome.SUCCESS, Outcome.SUCCESS)
    assert [one.sha256_found for one in lane.installed] == [one.sha256_expected for one in lane.installed] != []
    signed = record.sign_off
    assert signed is not None
    assert (record.merchant, signed.way, signed.name, signed.code_typed) == (MERCHANT, SignOffWay.TYPED, OWNER, True)
    pages = [path.read_text() for path in reports(shop) if path.name.endswith(".zh.html")]
    assert any(MERCHANT in page and lane.serial in page for page in pages)
    assert any(path.name in screen.text() for path in reports(shop)), screen.text()
    screen.press("Escape", screen.say("What to do"))
    screen.press("C-q", r"ready> *$")
    assert "Traceback" not in screen.text()


def number_of(screen: Technician, way: str) -> str:
    """The digit before a way on."""
    found = re.search(rf"^ +(\d) {screen.say(way)}", screen.text(), re.MULTILINE)
    assert found, screen.text()
    return found[1]


def installs(shop: Shop) -> list[StepState]:
    """What became of the installations begun so far."""
    return [step.state for lane in shop.record().lanes for step in lane.steps if step.step is StepKind.INSTALL]


def reports(shop: Shop) -> list[Path]:
    """Files of reports that are there."""
    return sorted(shop.world.paths.reports.glob("*/*"))
