"""The whole visit of a terminal that only eats a stick: identified, guided, typed, and never called verified."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from techtool.clock import FixedClock, SystemClock
from techtool.domain.codec import convert
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.release import ReleaseKind, Requirement
from techtool.domain.terminal import Evidence
from techtool.domain.visit import CatmAction, CatmResult, LaneRecord, StepState
from techtool.errors import Exit
from techtool.events import Finished, StepFailed
from techtool.i18n import Phrase
from techtool.simulator.menu import MenuFault, MenuTerminal
from techtool.visit.abandon import abandon
from techtool.visit.engine import Engine
from techtool.visit.operator import NO
from techtool.visit.services import ResumeRequest
from tests.visit.conftest import Shop
from tests.visit.menu_shop import APP, Counter, add, firmware

FW = "example.s1.firmware@2.0"


@pytest.fixture
def counter(shop: Shop) -> Counter:
    add(shop, "FW20.UPD", firmware("2.0"), "2.0")
    return Counter.make(shop)


def steps(lane: LaneRecord, action: CatmAction | None = None) -> list[tuple[str, CatmResult | None]]:
    return [(s.item, s.action_result) for s in lane.steps if s.action is action or action is None]


def codes(counter: Counter) -> list[str]:
    """Of the problems that were told, in order."""
    return [e.error.code for e in counter.shop.events if isinstance(e, StepFailed)]


# -- a good day -------------------------------------------------------------------------------------------------------


async def test_the_whole_visit(counter: Counter) -> None:
    last = await counter.run()
    lane = counter.shop.lane()
    assert (last.outcome, last.exit_code, last.sealed) == (Outcome.SELF_REPORTED, Exit.DONE, True)
    assert lane.outcome is Outcome.SELF_REPORTED
    assert counter.person.terminal.versions == {"firmware": "2.0"}
    assert counter.files()["UPDATE/FW20.UPD"] == firmware("2.0")
    assert lane.before is not None
    assert lane.after is not None
    assert set(lane.before.evidence.values()) == {Evidence.ASKED}
    assert (lane.before.identity.firmware, lane.after.identity.firmware) == ("1.0", "2.0")
    assert lane.backup is None
    assert (StepKind.BACKUP, CatmResult.NOT_SUPPORTED) in [(s.step, s.action_result) for s in lane.steps]
    assert [(f.release_key, f.package.version, f.sha256_found) for f in lane.installed] == [(FW, "2.0", "")]
    assert [file.name for file in lane.evidence] == ["UPDATE.LOG"], "what the terminal left stands beside the word"
    changing = [i for i, s in enumerate(lane.steps) if s.action is CatmAction.INSTALL]
    assert [lane.steps[i].item for i in changing] == [f"menu:{FW}"]
    assert lane.steps[changing[0] - 1].item == f"carry:{FW}", "nothing is changed before the stick is in the terminal"
    asked = counter.person.asked
    assert asked.index("check.batch") < asked.index("confirm.last4") < asked.index("install.guide.start")


async def test_no_report_calls_it_verified(counter: Counter) -> None:
    await counter.run()
    folder = counter.shop.world.paths.reports / counter.shop.visit().id
    statement = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))["predicate"]
    (terminal,) = statement["terminals"]
    assert terminal["self_reported"] is True
    assert terminal["outcome"] == statement["visit"]["outcome"] == "self-reported"
    page = next(folder.glob("*.en.html")).read_text(encoding="utf-8")
    assert "done as the technician reports it, not verified" in page
    assert "self-reported, not verified" in page
    assert "done and verified" not in page
    assert "not told by the terminal" in page


async def test_a_second_visit_finds_nothing_to_do(counter: Counter) -> None:
    counter.person.terminal.versions["firmware"] = "2.0"
    last = await counter.run()
    assert (last.outcome, last.exit_code) == (Outcome.NOTHING_TO_DO, Exit.NOTHING_TO_DO)
    assert "UPDATE/FW20.UPD" not in counter.files()


def two_releases(shop: Shop) -> Counter:
    add(shop, "FW20.UPD", firmware("2.0"), "2.0")
    needs = (Requirement("firmware", version="2.0"),)
    content = f"SIMUPD {APP} 3.1\n".encode()
    add(shop, "APP31.UPD", content, "3.1", release_id=APP, kind=ReleaseKind.APPLICATION, requires=needs)
    counter = Counter.make(shop)
    counter.person.terminal.versions[APP] = "3.0"
    counter.shop.changed |= {"confirm.accepted_by": "Li Na", "confirm.supervisor": "Wang"}
    return counter


async def test_two_releases_one_after_the_other(shop: Shop) -> None:
    counter = two_releases(shop)
    last = await counter.run()
    assert last.outcome is Outcome.SELF_REPORTED
    assert counter.person.terminal.versions == {"firmware": "2.0", APP: "3.1"}
    lane = counter.shop.lane()
    items = [s.item for s in lane.steps if s.action is CatmAction.INSTALL]
    assert items == [f"menu:{FW}", f"menu:{APP}@3.1"]
    assert counter.person.asked.count("install.others") == 1, "the first one's file would disturb the second"
    assert {f.package.id: f.package.version for f in lane.installed} == {"example.s1.firmware": "2.0", APP: "3.1"}


@pytest.mark.slow
@pytest.mark.parametrize("tried", [0, 1])
async def test_a_sale_between_two_releases(tried: int, shop: Shop) -> None:
    """Nobody sees from here what the second one's menu erases: its first changing step waits, however often tried."""
    counter = two_releases(shop)
    counter.person.ways = ["retry"] * tried
    person = counter.person
    person.before["install.guide.restart"] = lambda: person.said.update({"check.batch": "no"})
    last = await counter.run()
    assert (last.exit_code, last.sealed) == (Exit.GATE_CLOSED, False)
    assert counter.person.terminal.versions == {"firmware": "2.0", APP: "3.0"}
    person.said.pop("check.batch")
    outcome, _lane = await resume(counter)
    assert outcome is Outcome.SELF_REPORTED
    assert counter.person.terminal.versions == {"firmware": "2.0", APP: "3.1"}
    assert person.asked.count("install.guide.start") == 2, "the first menu is not worked again"


@pytest.mark.parametrize("late", ["confirm.last4", "install.eject", "install.guide.insert"])
async def test_a_sale_between_the_check_and_the_first_menu(late: str, counter: Counter) -> None:
    """The word from the check is believed for three minutes; then a person looks once more, before anything changes."""
    person, clock = counter.person, FixedClock(SystemClock().now())
    counter.shop.clock = clock

    def minutes_pass() -> None:
        clock.at += timedelta(minutes=4)
        person.said["check.batch"] = NO

    person.before[late] = minutes_pass
    last = await counter.run()
    assert last.exit_code == Exit.GATE_CLOSED
    assert person.asked.count("check.batch") == 2
    assert "install.guide.start" not in person.asked
    assert counter.person.terminal.versions == {"firmware": "1.0"}


async def test_a_word_of_just_now_is_not_asked_for_twice(counter: Counter) -> None:
    counter.shop.clock = FixedClock(SystemClock().now())
    await counter.run()
    assert counter.person.asked.count("check.batch") == 1


# -- before anything is changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code", "exit_code"),
    [
        ({"identify.model": "other"}, "TT-401", Exit.UNKNOWN_MODEL),
        ({"identify.serial.again": "EXS1000471"}, "TT-403", Exit.GATE_CLOSED),
        ({"check.batch": "no"}, "TT-403", Exit.GATE_CLOSED),
        ({"install.others": "stop"}, "TT-330", Exit.NOT_COMPATIBLE),
    ],
)
async def test_said_before_anything_was_changed(
    said: dict[str, str], code: str, exit_code: Exit, counter: Counter
) -> None:
    (counter.stick / "UPDATE").mkdir()
    (counter.stick / "UPDATE" / "OTHER.UPD").write_bytes(b"somebody else's")
    counter.person.said |= said
    last = await counter.run()
    assert last.exit_code == exit_code
    assert codes(counter)[-1] == code
    assert counter.files()["UPDATE/OTHER.UPD"] == b"somebody else's"
    assert "UPDATE/FW20.UPD" not in counter.files()
    assert counter.person.terminal.versions == {"firmware": "1.0"}


async def test_a_name_the_menu_does_not_take_is_found_out_before_the_confirmation(shop: Shop) -> None:
    add(shop, "firmware-2.0.UPD", firmware("2.0"), "2.0")
    counter = Counter.make(shop)
    last = await counter.run()
    assert last.exit_code == Exit.NOT_COMPATIBLE
    assert "confirm.last4" not in counter.person.asked


@pytest.mark.slow
async def test_a_stick_that_is_gone_is_asked_for_again(counter: Counter) -> None:
    away = counter.stick.with_name("away")
    counter.person.before["confirm.last4"] = lambda: counter.stick.rename(away)
    counter.person.before["problem.install"] = lambda: away.rename(counter.stick)
    counter.person.said["problem.install"] = "retry"
    last = await counter.run()
    assert last.outcome is Outcome.SELF_REPORTED
    assert "TT-330" in codes(counter)


# -- what the terminal does -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("fault", [MenuFault.NOT_FOUND, MenuFault.BAD_FILE])
async def test_the_menu_says_no(fault: MenuFault, counter: Counter) -> None:
    counter.person.terminal.fault = fault
    counter.person.said["problem.install"] = "leave"
    last = await counter.run()
    lane = counter.shop.lane()
    assert (last.outcome, last.sealed) == (Outcome.FAILED_DEVICE_OK, True)
    assert lane.error is not None
    assert (lane.error.code, "E-17" in lane.error.what.text("en")) == ("TT-410", True)
    assert lane.after is not None
    assert lane.after.identity.firmware == "1.0", "read from its screen again after it failed"


async def test_what_nobody_can_read_is_named(counter: Counter) -> None:
    """Neither before the failure nor after it: what it runs is not known, and the record says of what."""
    counter.person.terminal.fault = MenuFault.BAD_FILE
    counter.person.said |= {"problem.install": "leave", "identify.firmware": "", "verify.firmware": ""}
    last = await counter.run()
    assert last.outcome is Outcome.INCONSISTENT
    error = counter.shop.lane().error
    assert error is not None
    assert "firmware" in error.state_now.text("en")


@pytest.mark.slow
async def test_a_reboot_prompt_that_was_missed(counter: Counter) -> None:
    """The screen still shows the old version: found out at once, and good after the restart that was missed."""
    person = counter.person
    person.restarts = False
    person.before["problem.verify"] = person.terminal.restart
    person.said["problem.verify"] = "retry"
    last = await counter.run()
    assert codes(counter) == ["TT-411"]
    assert last.outcome is Outcome.SELF_REPORTED


@pytest.mark.parametrize("unreadable", [False, True])
async def test_another_version_or_none_to_be_seen_is_no_success(unreadable: bool, counter: Counter) -> None:
    counter.person.terminal.fault = MenuFault.WRONG_VERSION
    counter.person.said["problem.verify"] = "leave"
    if unreadable:
        counter.person.said["verify.firmware"] = ""
    last = await counter.run()
    assert (last.outcome, last.exit_code) == (Outcome.INCONSISTENT, Exit.INCONSISTENT)
    assert counter.shop.lane().outcome is Outcome.INCONSISTENT


@pytest.mark.slow
async def test_the_menu_can_be_worked_once_more_after_it_had_no_effect(counter: Counter) -> None:
    person = counter.person
    person.restarts = False
    person.said["problem.verify"] = "later"
    assert (await counter.run()).outcome is Outcome.INCONSISTENT
    person.terminal.pending.clear()
    person.restarts = True
    person.said["install.resume"] = "not-started"
    outcome, lane = await resume(counter)
    assert outcome is Outcome.SELF_REPORTED
    assert [s.item for s in lane.steps if s.action is CatmAction.INSTALL] == [f"menu:{FW}"] * 2


async def test_the_file_it_left_says_something_else_than_the_person(counter: Counter) -> None:
    log = counter.stick / "UPDATE.LOG"
    counter.person.before["install.log"] = lambda: log.write_bytes(b"RESULT=ERROR 12\r\n")
    counter.person.said["problem.install"] = "later"
    last = await counter.run()
    assert (last.outcome, last.sealed) == (Outcome.INCONSISTENT, False)
    step = next(s for s in counter.shop.lane().steps if s.item == f"menu:{FW}")
    assert step.error is not None
    assert "RESULT=ERROR 12" in step.error.what.text("en")


async def test_a_failed_test_is_never_called_verified_either(counter: Counter) -> None:
    counter.shop.changed["test.TX-01"] = "fail: no answer"
    last = await counter.run()
    assert last.outcome is Outcome.SUCCESS_NOT_RESTORED
    page = next((counter.shop.world.paths.reports / last.visit).glob("*.en.html")).read_text(encoding="utf-8")
    assert "installed and verified" not in page
    assert "self-reported, not verified" in page


async def test_given_up_before_the_tests_it_is_neither_cancelled_nor_verified(counter: Counter) -> None:
    counter.shop.changed["test.TX-01"] = "MISSING"
    last = await counter.run()
    assert not last.sealed
    record = abandon(counter.shop.services, last.visit, None)
    assert record.lanes[0].outcome is Outcome.INCONSISTENT
    db = counter.shop.services.home.open_visit(last.visit, write=False)
    told = [convert(doc["text"], Phrase).text() for doc in db.table("notices").all() if doc["warning"]]
    (text,) = [one for one in told if "not finished" in one]
    assert text.startswith("firmware: installed as the technician reports it")


# -- stopped in the middle --------------------------------------------------------------------------------------------

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from techtool.cli.demo_world import DemoWorld
from techtool.simulator.menu import MenuTerminal
from tests.visit.conftest import Shop
from tests.visit.menu_shop import Counter
folder, at, state = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
counter = Counter.make(Shop(DemoWorld(folder)))
def die():
    counter.person.terminal.save(state)
    os.kill(os.getpid(), signal.SIGKILL)
counter.person.before[at] = die
asyncio.run(counter.run())
"""


def killed(counter: Counter, at: str, tmp_path: Path) -> None:
    """The same visit in a process of its own, which dies when ``at`` is asked; the terminal stays as it is."""
    script: Sequence[str] = (sys.executable, "-c", KILLED, str(counter.shop.world.folder), at, str(tmp_path / "term"))
    done = subprocess.run(script, check=False, capture_output=True, timeout=120, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    counter.person.terminal = MenuTerminal.load(tmp_path / "term")


async def resume(counter: Counter) -> tuple[Outcome, LaneRecord]:
    async for event in Engine(counter.shop.services, counter.person).resume(ResumeRequest()):
        counter.shop.events.append(event)
    last = counter.shop.events[-1]
    assert isinstance(last, Finished)
    return last.outcome, counter.shop.lane()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize(
    ("at", "said", "menus"),
    [
        ("install.guide.start", "not-started", [StepState.FAILED, StepState.DONE]),
        ("install.guide.restart", "finished", [StepState.FAILED, StepState.DONE]),
        ("install.log", "", [StepState.FAILED]),
        ("install.eject", "", [StepState.DONE]),
    ],
)
async def test_killed_and_gone_on_with(
    at: str, said: str, menus: list[StepState], counter: Counter, tmp_path: Path
) -> None:
    """Asked where the terminal may be in the middle; not where it was not begun, or where its screen shows the end."""
    killed(counter, at, tmp_path)
    person = counter.person
    lane = counter.shop.lane()
    assert lane.outcome is None
    person.before["install.resume"] = person.terminal.restart if said == "finished" else lambda: None
    person.said["install.resume"] = said
    outcome, lane = await resume(counter)
    assert outcome is Outcome.SELF_REPORTED
    assert ("install.resume" in person.asked) is bool(said)
    again = at in ("install.guide.start", "install.eject")
    assert ("install.guide.start" in person.asked) is again, "the menu is not worked twice"
    assert [s.state for s in lane.steps if s.item == f"menu:{FW}"] == menus
    assert person.terminal.versions == {"firmware": "2.0"}
    assert "confirm.last4" not in person.asked


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
async def test_another_terminal_before_the_person_after_the_stop(counter: Counter, tmp_path: Path) -> None:
    killed(counter, "install.guide.start", tmp_path)
    counter.person.said["identify.serial"] = "EXS1000999"
    outcome, lane = await resume(counter)
    assert outcome is Outcome.INCONSISTENT, "what the first one runs is not known"
    assert lane.outcome is None
    assert codes(counter)[-1] == "TT-404"


@pytest.mark.parametrize("left_out", ["inspect.tamper", "check.batch"])
@pytest.mark.parametrize("unread", [False, True])
async def test_stopped_before_anything_was_done(left_out: str, unread: bool, counter: Counter) -> None:
    """Nothing was installed, so that nothing must be put right: also where nobody could read a version."""
    counter.shop.changed[left_out] = "MISSING"
    if unread:
        counter.person.said["identify.firmware"] = ""
    last = await counter.run()
    assert counter.person.terminal.versions == {"firmware": "1.0"}
    assert last.outcome is Outcome.FAILED_TRANSIENT
    assert last.exit_code == Exit.ANSWER_MISSING
