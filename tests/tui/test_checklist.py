"""The inspection list on the screen: all twelve at 80x24, one key for all in order, marks and words for what is not."""

from __future__ import annotations

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.domain.outcome import Outcome
from techtool.visit.steps.inspect import checklist_question
from tests.tui.hand import Stage
from tests.tui.test_journeys import begin


@pytest.mark.slow
async def test_all_twelve_are_seen_on_the_smallest_screen(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses, size=(80, 24)) as hand:
        await begin(hand)
        question = await hand.answers({}, stop_at=["inspect.SE-02"])
        assert question is not None
        text = hand.text()
        titles = [item.label.text() for item in question.items]
        assert len(titles) == 12
        assert [title for title in titles if title not in text] == []
        assert "all in order" in text
        await hand.press("enter")
        await hand.until(lambda: "Nothing is marked" in hand.text(), "the complaint")
        assert hand.view.question is question
        await hand.answers({})
    checks = {check.id: check.result for check in stage.visit().lanes[0].checks}
    assert checks["SE-02"] == "pass"
    assert checks["SE-02.device-count"] == "pass"
    assert stage.visit().outcome is Outcome.SUCCESS


async def test_what_is_marked_is_recorded_with_its_words(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await begin(hand)
        given = {"inspect.SE-02": "fail: card-slot, device-count; a foil in it", "problem.inspect": "leave"}
        await hand.answers(given)
    lane = stage.visit().lanes[0]
    results = {check.id: (check.result, check.reason) for check in lane.checks}
    assert results["SE-02.card-slot"] == ("fail", "a foil in it")
    assert results["SE-02.device-count"] == ("fail", "a foil in it")
    assert results["SE-02.casing"] == ("pass", "")
    assert results["SE-02"][0] == "fail"
    assert lane.exit_code == 23
    assert [incident.what for incident in lane.incidents] == ["SE-02.card-slot, SE-02.device-count"]


def test_every_item_has_words_in_both_languages() -> None:
    catalogue = load_catalogue()
    question = checklist_question(catalogue.test("SE-02"), catalogue.inspection, "SN1")
    for item in question.items:
        assert item.help is not None
        assert item.label.text("zh") != item.label.text("en")
        assert item.help.text("zh") != item.help.text("en")
