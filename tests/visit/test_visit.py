"""Whole visits through the engine against simulated terminals, and what the journal says of them afterwards."""

from __future__ import annotations

from techtool.domain.outcome import Outcome
from techtool.domain.plan import ReleaseVerdict
from techtool.domain.visit import CatmAction, StepState
from techtool.errors import Exit
from techtool.events import LanePlanned, Progress
from techtool.reports.formats import FORMATS
from tests.visit.conftest import Shop


async def test_three_terminals_of_three_vendors(shop: Shop) -> None:
    async with shop.terminals("sunmi-p2", "castles-saturn1000f2", "verifone-t650p") as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.SUCCESS, 0, True)
    visit = shop.visit()
    assert visit.sealed
    assert visit.merchant == "Demo Noodle House"
    assert [lane.outcome for lane in visit.lanes] == [Outcome.SUCCESS] * 3
    assert [len(lane.installed) for lane in visit.lanes] == [2, 1, 1]
    for lane in visit.lanes:
        assert lane.confirmed_at is not None
        assert lane.backup is not None
        assert lane.backup.verified
        assert all(file.sha256_found == file.sha256_expected for file in lane.installed)
        assert all(step.state is StepState.DONE for step in lane.steps)
        assert {check.result for check in lane.checks} == {"pass", "not-applicable"}


async def test_intents_are_on_disk_before_what_they_announce(shop: Shop) -> None:
    """A backup and a confirmation come before the first installation, by the journal's own order."""
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    lane = shop.lane()
    installs = [step for step in lane.steps if step.action is CatmAction.INSTALL]
    first = min(step.started_at for step in installs)
    assert lane.confirmed_at is not None
    assert lane.confirmed_at <= first
    assert lane.backup is not None
    assert lane.backup.at <= first


async def test_prerequisites_come_first(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    plan = shop.lane().plan
    assert plan is not None
    assert [release.id for release in plan.releases] == ["com.example.emvkernel", "com.example.sunmi.pay"]
    others = {f.release_id for f in plan.findings if f.verdict is ReleaseVerdict.NOT_FOR_THIS_MODEL}
    assert others == {"com.example.castles.pay", "com.example.verifone.pay"}


async def test_progress_is_confirmed_and_complete(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    counts = [(e.confirmed_bytes, e.total_bytes) for e in shop.events if isinstance(e, Progress)]
    assert counts
    assert all(confirmed <= total for confirmed, total in counts)
    assert counts[-1][0] == counts[-1][1]


async def test_a_second_visit_has_nothing_to_do(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.exit_code) == (Outcome.NOTHING_TO_DO, Exit.NOTHING_TO_DO)
    assert not any(step.action is CatmAction.INSTALL for step in shop.lane().steps)


async def test_only_what_was_asked_for_is_planned(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses, releases=("com.example.emvkernel",))
    (plan,) = [e.plan for e in shop.events if isinstance(e, LanePlanned)]
    assert [verified.release.id for verified in plan.releases] == ["com.example.emvkernel"]


async def test_reports_in_both_languages_and_a_signature(shop: Shop) -> None:
    shop.formats = FORMATS
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    folder = shop.world.paths.reports / finished.visit
    names = sorted(path.name.removeprefix(finished.visit) for path in folder.iterdir())
    per_language = ("html", "inspection.csv", "merchant.html", "merchant.pdf", "pdf", "register.csv")
    each = [f".{language}.{ending}" for language in ("en", "zh") for ending in per_language]
    assert names == sorted([*each, ".json", ".json.sig", ".SHA256SUMS", ".SHA256SUMS.sig"])
    assert shop.lane().serial in (folder / f"{finished.visit}.zh.html").read_text(encoding="utf-8")


async def test_nothing_secret_is_in_the_journal(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    journal = (shop.world.paths.visits / f"{finished.visit}.jnl").read_bytes()
    assert b"demo-passphrase" not in journal
    assert b"AGE-SECRET-KEY" not in journal


async def test_verified_copies_of_payloads_go_with_the_visit(shop: Shop) -> None:
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    assert list(shop.world.paths.payloads.iterdir()) == []


async def test_a_card_number_typed_into_a_text_is_not_kept(shop: Shop) -> None:
    shop.changed = {"arrive.merchant": "card 4111 1111 1111 1111", "test.PR-02": "not-done: slip of 4111111111111111"}
    async with shop.terminals() as simulation:
        finished = await shop.run(*simulation.addresses)
    journal = (shop.world.paths.visits / f"{finished.visit}.jnl").read_text(encoding="utf-8")
    assert "4111111111111111" not in journal.replace(" ", "")
    assert "not-done" in journal
