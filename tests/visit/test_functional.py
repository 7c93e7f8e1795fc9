"""Functional tests of whole visits: what is required, what is read, what is asked, and what stands in the journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from techtool.clock import FixedClock, SystemClock
from techtool.domain.conclusion import conclusion, open_required
from techtool.domain.known_issues import IssueFinding, IssueResult
from techtool.domain.outcome import Outcome
from techtool.domain.sign_off import Conclusion
from techtool.domain.terminal import Address
from techtool.domain.visit import CheckRecord, VisitKind
from techtool.domain.work_order import VisitType
from techtool.errors import Exit
from techtool.events import Asked, Finished, Notice
from techtool.reports.changes import condition
from techtool.reports.words import Words
from techtool.settings import TestSettings
from techtool.simulator.faults import AfterInstall
from techtool.visit.services import Services, VisitRequest
from tests.visit.conftest import Shop, fault
from tests.visit.issue_stick import make_issue_stick
from tests.visit.suite import with_stick
from tests.visit.undo_stick import WORDS

PAY = "com.example.sunmi.pay"
OURS: dict[str, str | bool] = {"test.boots": "pass"}
"""The test that only the release of the issue stick knows."""
SALES = {"TX-02", "TX-03", "TX-04", "TX-05"}


@pytest.fixture(scope="session")
def issue_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_issue_stick(tmp_path_factory.mktemp("issue-stick"))


def checks(shop: Shop) -> dict[str, CheckRecord]:
    return {check.id: check for check in shop.lane().checks}


def asked(shop: Shop) -> list[str]:
    return [event.question.id for event in shop.events if isinstance(event, Asked)]


def told(shop: Shop) -> str:
    return "\n".join(event.text.text("en") for event in shop.events if isinstance(event, Notice))


async def test_every_required_test_has_a_result(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    lane = shop.lane()
    assert {test.id for test in lane.tests if test.required} <= set(checks(shop))
    assert open_required(lane) == ()
    assert conclusion(shop.visit()) is Conclusion.COMPLETE
    by_itself = {name for name, check in checks(shop).items() if check.mode == "A" and check.result == "pass"}
    assert by_itself >= {"SE-01", "SE-03", "SE-05", "HW-08", "APP-01", "APP-03", "APP-04", "APP-07", "TX-09", "TX-10"}
    assert not {f"test.{name}" for name in by_itself} & set(asked(shop))
    assert checks(shop)["ECR-01"].result == "not-applicable"
    assert checks(shop)["SE-05"].value == "TAK=0B7C94 TMK=8A3F1C TPK=51D0E2"
    assert all(check.because is not None and check.required for name, check in checks(shop).items() if name[:2] == "TX")


@pytest.mark.slow
@pytest.mark.parametrize("answer", [False, "MISSING"])
async def test_without_consent_no_sale_is_made(shop: Shop, answer: bool | str) -> None:
    shop.changed = {
        "test.consent": answer,
        **{f"test.{name}": "MISSING" for name in (*SALES, "TX-06", "TX-11", "TX-12")},
    }
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, 0)
    found = checks(shop)
    assert {found[name].result for name in SALES} == {"not-done"}
    assert all("consent" in found[n].reason or "agree" in found[n].reason for n in SALES)
    assert not {"TX-06", "TX-11", "TX-12"} & set(found)
    assert {test.id for test in open_required(shop.lane())} == SALES
    assert conclusion(shop.visit()) is Conclusion.PARTIAL


async def test_a_required_test_without_an_answer_leaves_the_visit_open(shop: Shop) -> None:
    """And a resumed lane goes on with it: nothing that was done is done again."""
    shop.changed = {"test.TX-07": "MISSING"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
        assert (finished.exit_code, finished.sealed) == (Exit.ANSWER_MISSING, False)
        before = shop.lane().checks
        assert "TX-01" in {check.id for check in before}
        assert "TX-07" in {test.id for test in open_required(shop.lane())}
        assert conclusion(shop.visit()) is Conclusion.PARTIAL
        shop.changed, shop.events = {}, []
        finished = await shop.resume()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    assert shop.lane().checks[: len(before)] == before
    done = {f"test.{check.id}" for check in before}
    assert not done & set(asked(shop))
    assert "test.TX-07" in asked(shop)
    assert "test.consent" not in asked(shop)


async def test_a_terminal_that_crashes_after_the_installation(shop: Shop, undo_stick: Path) -> None:
    with_stick(shop, undo_stick)
    shop.changed = {**WORDS}
    async with shop.terminals(faults=fault(after_install=AfterInstall(crashes=PAY))) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS_NOT_RESTORED, Exit.NOT_RESTORED)
    assert checks(shop)["APP-07"].result == "fail"
    assert "crashed" in checks(shop)["APP-07"].reason
    offered = [e.question for e in shop.events if isinstance(e, Asked) and e.question.id == "problem.test"]
    assert [choice.value for choice in offered[-1].choices] == ["undo", "leave"]
    assert conclusion(shop.visit()) is Conclusion.REVISIT


@pytest.mark.slow
async def test_a_crash_loop_is_taken_back_on_request(shop: Shop, undo_stick: Path) -> None:
    with_stick(shop, undo_stick)
    shop.changed = {**WORDS, "problem.test": "undo"}
    async with shop.terminals(faults=fault(after_install=AfterInstall(crashes=PAY))) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.ROLLED_BACK
    assert conclusion(shop.visit()) is Conclusion.NOT_DONE


async def test_a_terminal_that_restarts_by_itself(shop: Shop) -> None:
    async with shop.terminals(faults=fault(after_install=AfterInstall(restarts=True))) as simulation:
        await shop.run(*simulation.addresses)
    assert (checks(shop)["APP-07"].result, "restarted" in checks(shop)["APP-07"].reason) == ("fail", True)


@pytest.mark.slow
async def test_a_key_that_is_gone_afterwards(shop: Shop) -> None:
    async with shop.terminals(faults=fault(after_install=AfterInstall(loses_key="TMK"))) as simulation:
        await shop.run(*simulation.addresses)
    assert shop.lane().baseline["SE-05"] == "TAK=0B7C94 TMK=8A3F1C TPK=51D0E2"
    assert checks(shop)["SE-05"].result == "fail"
    assert "TMK" in checks(shop)["SE-05"].reason
    assert "SE-05" in told(shop)


@pytest.mark.slow
async def test_the_card_standard_is_told_or_asked_and_stands_in_the_report(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    before = shop.lane().before
    assert before is not None
    assert before.card_standard == "PBOC 3.0"
    assert "test.APP-04.level" not in asked(shop)
    silent = dict.fromkeys(("techtool.sim.aids", "techtool.sim.card_standard"), "")
    shop.changed, shop.events = {"test.APP-04.level": "EMV 4.3"}, []
    async with shop.terminals(faults=fault(properties=silent), state=shop.world.folder / "other") as simulation:
        await shop.run(*simulation.addresses)
    lines = {fact.label: fact.value for fact in condition(shop.lane(), Words("en", UTC)).items}
    assert lines["Card standard"].text == "EMV 4.3"
    assert "technician" in lines["Card standard"].note


async def test_what_the_terminal_does_not_tell_is_asked(shop: Shop) -> None:
    silent = dict.fromkeys(("techtool.sim.keys", "techtool.sim.aids", "techtool.sim.capabilities"), "")
    async with shop.terminals(faults=fault(properties=silent)) as simulation:
        await shop.run(*simulation.addresses)
    found = checks(shop)
    assert {"test.SE-05", "test.APP-04", "test.ECR-01"} <= set(asked(shop))
    assert [found[name].mode for name in ("SE-05", "APP-04", "ECR-01")] == ["H"] * 3
    assert shop.lane().baseline == {}


# --- stability watch -------------------------------------------------------------------------------------------------


@dataclass
class Patient(Shop):
    """A shop whose clock moves only when somebody waits."""

    def __post_init__(self) -> None:
        self.clock = FixedClock(SystemClock().now())

    @property
    def services(self) -> Services:
        clock = self.clock
        assert isinstance(clock, FixedClock)

        async def sleep(seconds: float) -> None:
            clock.elapsed_s += seconds
            clock.at += timedelta(seconds=seconds)

        services = super().services
        settings = replace(services.settings, tests=TestSettings(stability_s=180))
        return replace(services, sleep=sleep, settings=settings)


@pytest.mark.slow
async def test_three_minutes_are_watched(shop: Shop) -> None:
    patient = Patient(shop.world)
    async with patient.terminals() as simulation:
        await patient.run(*simulation.addresses)
    assert (checks(patient)["APP-07"].result, checks(patient)["APP-07"].value) == ("pass", "180 s")
    assert isinstance(patient.clock, FixedClock)
    assert patient.clock.elapsed_s == 180


@pytest.mark.slow
async def test_a_crash_ends_the_watch_at_once(shop: Shop) -> None:
    patient = Patient(shop.world)
    async with patient.terminals(faults=fault(after_install=AfterInstall(crashes=PAY))) as simulation:
        await patient.run(*simulation.addresses)
    assert (checks(patient)["APP-07"].result, checks(patient)["APP-07"].value) == ("fail", "10 s")


async def test_it_is_left_out_with_a_reason(shop: Shop) -> None:
    patient = Patient(shop.world)
    patient.changed = {"test.APP-07": "not-done: the shop closes"}
    async with patient.terminals() as simulation:
        finished = await patient.run(*simulation.addresses)
    check = checks(patient)["APP-07"]
    assert (check.result, check.reason, check.mode) == ("not-done", "the shop closes", "H")
    assert (finished.outcome, conclusion(patient.visit())) == (Outcome.SUCCESS, Conclusion.PARTIAL)


# --- known issues ----------------------------------------------------------------------------------------------------


async def test_present_before_and_absent_after_is_verified(shop: Shop, issue_stick: Path) -> None:
    with_stick(shop, issue_stick)
    shop.changed = OURS | {"issue.before.BUG-1": "present", "issue.after.BUG-1": "absent"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS
    found = {issue.id: issue for issue in shop.lane().issues}
    assert (found["BUG-1"].result, found["BUG-1"].automatic) == (IssueResult.VERIFIED, False)
    assert (found["BUG-2"].result, found["BUG-2"].automatic) == (IssueResult.NOT_REPRODUCIBLE, True)
    assert found["CVE-2026-0001"].result is IssueResult.NOT_REPRODUCIBLE
    assert not [name for name in asked(shop) if "CVE" in name or "BUG-2" in name]
    assert checks(shop)["APP-06"].result == "pass"
    assert "HW-06" in checks(shop), "the release asks for it"


@pytest.mark.slow
async def test_a_test_that_only_the_release_knows_is_asked_of_a_person(shop: Shop, issue_stick: Path) -> None:
    with_stick(shop, issue_stick)
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).exit_code == Exit.ANSWER_MISSING, "nobody answered it"
        assert "boots" in told(shop)
        shop.changed, shop.events = {"test.boots": "not-done: the notes are in the office"}, []
        await shop.resume()
    (question,) = [event.question for event in shop.events if isinstance(event, Asked) if event.question.id in OURS]
    assert question.text.text("zh") == "重启两次"
    check = checks(shop)["boots"]
    assert (check.result, check.mode, check.required) == ("not-done", "H", True)
    assert [test.id for test in open_required(shop.lane())] == ["APP-06", "boots"]
    assert conclusion(shop.visit()) is Conclusion.PARTIAL


@pytest.mark.slow
async def test_still_there_afterwards(shop: Shop, issue_stick: Path) -> None:
    with_stick(shop, issue_stick)
    shop.changed = OURS | {"issue.before.BUG-1": "present", "issue.after.BUG-1": "present"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    assert finished.outcome is Outcome.SUCCESS_NOT_RESTORED
    assert checks(shop)["APP-06"].result == "fail"
    assert conclusion(shop.visit()) is Conclusion.REVISIT


@pytest.mark.slow
async def test_nobody_looked(shop: Shop, issue_stick: Path) -> None:
    with_stick(shop, issue_stick)
    shop.changed = OURS
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    found = {issue.id: issue for issue in shop.lane().issues}
    assert (found["BUG-1"].before, found["BUG-1"].result) == (IssueFinding.NOT_CHECKED, IssueResult.NOT_CHECKED)
    assert (finished.outcome, checks(shop)["APP-06"].result) == (Outcome.SUCCESS, "not-done")
    assert conclusion(shop.visit()) is Conclusion.PARTIAL


@pytest.mark.slow
async def test_what_was_seen_before_is_not_asked_again(shop: Shop, issue_stick: Path) -> None:
    with_stick(shop, issue_stick)
    shop.changed = OURS | {"issue.before.BUG-1": "present", "test.TX-01": "MISSING", "issue.after.BUG-1": "absent"}
    async with shop.terminals() as simulation:
        assert (await shop.run(*simulation.addresses)).exit_code == Exit.ANSWER_MISSING
        shop.changed, shop.events = OURS | {"issue.before.BUG-1": "absent", "issue.after.BUG-1": "present"}, []
        assert (await shop.resume()).outcome is Outcome.SUCCESS
    assert not [name for name in asked(shop) if name.startswith("issue.")]
    assert {issue.id: issue.result for issue in shop.lane().issues}["BUG-1"] is IssueResult.VERIFIED


# --- inspection ------------------------------------------------------------------------------------------------------


async def inspected(shop: Shop, address: str) -> Finished:
    request = VisitRequest((Address.parse(address),), None, inspection=True)
    return await shop._follow(lambda engine: engine.run(request), None)


async def test_an_inspection_changes_nothing(shop: Shop) -> None:
    async with shop.terminals("practice") as simulation:
        before = simulation.terminals[0].device.store.state.packages
        finished = await inspected(shop, simulation.addresses[0])
        assert simulation.terminals[0].device.store.state.packages == before
    visit, lane = shop.visit(), shop.lane()
    assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True)
    assert (visit.kind, visit.type, lane.backup, lane.plan) == (VisitKind.INSPECTION, VisitType.INSPECTION, None, None)
    found = checks(shop)
    assert (found["SE-07"].result, found["SE-07"].mode) == ("pass", "A")
    assert "SIM-40001" in found["SE-07"].value
    assert {found[name].result for name in ("RD-01", "APP-01")} == {"not-applicable"}
    assert found["HW-02"].mode == "A"
    assert conclusion(visit) is Conclusion.COMPLETE


async def test_faults_that_an_inspection_finds(shop: Shop) -> None:
    faults = fault(battery_health=4, clock_off_s=400, properties={"ro.build.display.id": "PRACTICE_OLD_1"})
    async with shop.terminals("practice", faults=faults) as simulation:
        await inspected(shop, simulation.addresses[0])
    found = checks(shop)
    assert (found["HW-02"].result, found["HW-07"].result) == ("fail", "fail")
    assert found["SE-07"].result == "pass"
    assert "ran out" in found["SE-07"].reason, "a terminal in use may stay, and it is said"
    assert conclusion(shop.visit()) is Conclusion.REVISIT


async def test_an_inspection_goes_on_where_it_stopped(shop: Shop) -> None:
    shop.changed = {"test.PR-01": "MISSING"}
    async with shop.terminals("practice") as simulation:
        assert (await inspected(shop, simulation.addresses[0])).exit_code == Exit.ANSWER_MISSING
        before = shop.lane().checks
        shop.changed = {}
        assert (await shop.resume()).outcome is Outcome.SUCCESS
    assert shop.lane().checks[: len(before)] == before
