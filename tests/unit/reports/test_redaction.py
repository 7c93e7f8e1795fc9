from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from techtool.domain.codec import decode_json
from techtool.domain.plan import StepKind
from techtool.domain.visit import VisitRecord
from techtool.domain.work_order import ExpectedTerminal, WorkOrder
from techtool.i18n import Phrase, phrase, raw
from techtool.reports.html import render_html
from techtool.reports.merchant import build_merchant
from techtool.reports.model import build
from techtool.reports.redaction import Redactor, masked, redacted, visible
from techtool.reports.statement import statement
from tests import factories as f

CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\u00ad1111\u00ad1111\u00ad1111",
    "６２１２３４５６７８９０１２３２",
    "6212345678901232",
    "378282246310005",
)


def planted(card: str) -> VisitRecord:
    """A record with a card number in every free text a person or a terminal can put there."""
    text = f"slip {card} signed"
    done = f.lane_failed("1")
    plan = f.plan_record()
    rule = replace(plan.findings[0].rules[0], reason=phrase("{a} and {b}", a=text, b=raw(text)), remedy=raw(text))
    lane = replace(
        done,
        before=f.terminal_state(f.package("com.acme", card, 1), region=card),
        plan=replace(plan, findings=(replace(plan.findings[0], rules=(rule,)),), undo=raw(text)),
        steps=(f.step(1, StepKind.INSTALL, 1, 2, text, raw(text), error=f.error_record(text)),),
        answers=tuple(replace(a, answer=text, text=raw(text)) for a in done.answers),
        checks=tuple(replace(c, reason=text) for c in f.checks()),
        backup=replace(f.backup_record(), not_read=(text,), file=text),
        error=replace(f.error_record(text), what=phrase("{x}", x=text), next_actions=(raw(text),)),
    )
    notes = {"laptop": text, text: "key"}
    return f.visit_record(lane, merchant=text, technician=text, stick=text, work_order=text, clock_note=notes)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_nowhere_in_any_report(card: str) -> None:
    visit = planted(card)
    digits = unicodedata.normalize("NFKC", re.sub(r"\D", "", card))
    pages = [render_html(build(visit, language)) for language in ("en", "zh")]
    outputs = [*pages, statement(visit).decode()]
    for output in outputs:
        assert card not in output
        assert digits not in unicodedata.normalize("NFKC", re.sub(r"[ \u00ad-]|\[U.00AD\]", "", output))
        assert "slip" in output, "the words around it stay"


def test_a_number_given_as_a_number_goes_too() -> None:
    clean = Redactor().phrase(phrase("amount {n}", n=4111111111111111))
    assert "4111111111111111" not in str(clean.to_json())


def test_a_number_that_only_the_whole_sentence_forms_goes_too() -> None:
    clean = Redactor().phrase(phrase("card {a}{b}", a="41111111", b="11111111"))
    assert "4111111111111111" not in clean.text("en")
    assert "41111111" not in str(clean.params)


def test_serial_numbers_stay_even_where_they_look_like_cards() -> None:
    serial = "4111111111111111"
    lane = replace(f.lane_done("1", serial), address=f"adb+server:{serial}")
    clean = redacted(f.visit_record(lane)).lanes[0]
    assert clean.serial == serial
    assert clean.address == f"adb+server:{serial}"
    assert clean.before is not None
    assert clean.before.identity.serial == serial
    redactor = Redactor([serial])
    assert redactor.text(f"serial {serial}, card 378282246310005").startswith(f"serial {serial}, card ")
    assert "378282246310005" not in redactor.text(f"serial {serial}, card 378282246310005")


def test_digests_stay_and_a_card_number_in_a_digest_field_does_not() -> None:
    done = f.lane_done()
    assert done.backup
    digest = "4111111111111111" * 4
    kept = redacted(f.visit_record(replace(done, backup=replace(done.backup, sha256=digest)))).lanes[0].backup
    gone = redacted(f.visit_record(replace(done, backup=replace(done.backup, sha256="4111111111111111"))))
    assert kept is not None
    assert kept.sha256 == digest
    assert gone.lanes[0].backup is not None
    assert "411111111111" not in gone.lanes[0].backup.sha256


def test_tid_and_mid_show_their_last_four_everywhere() -> None:
    answers = (replace(f.lane_done().answers[0], answer="TID 10203040, MID 898310112345678"),)
    visit = f.visit_record(replace(f.lane_done(), answers=answers))
    for output in (render_html(build(visit, "en")), statement(visit).decode()):
        assert "10203040" not in output
        assert "898310112345678" not in output
        assert "****3040" in output
        assert "****5678" in output


def test_redacting_twice_changes_nothing_more() -> None:
    once = redacted(planted(CARDS[0]))
    assert redacted(once) == once


@pytest.mark.parametrize(("number", "shown"), [("10203040", "****3040"), ("1234", "****"), ("", "****")])
def test_a_masked_number_shows_four_at_most(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_newlines_stay_and_ordinary_text_is_untouched() -> None:
    assert visible("line\n\ttext 王秀英 é") == "line\n\ttext 王秀英 é"


def test_phrases_keep_their_msgid_for_the_other_language() -> None:
    sentence = phrase("At least {percent} % is needed; it has {found} %.", percent=50, found=82)
    assert Redactor().phrase(sentence) == sentence
    assert Redactor().phrase(Phrase("", {"en": "Print", "zh": "打印"})).text("zh") == "打印"


def test_the_json_says_that_it_is_redacted() -> None:
    document = decode_json(statement(f.visit_record()), dict[str, dict[str, object] | list[object] | str])
    predicate = document["predicate"]
    assert isinstance(predicate, dict)
    assert predicate["redacted"] is True


def test_terminals_whose_numbers_end_alike_are_told_apart_before_they_are_masked() -> None:
    """Masked, the terminal that was reached and the one that is missing have the same number."""
    terminals = (ExpectedTerminal(tid="99993040", counter="2"), ExpectedTerminal(tid="10203040", counter="1"))
    visit = replace(f.visit_record(f.lane_done()), order=WorkOrder("WO-1", terminals=terminals))
    said = decode_json(statement(visit), dict[str, Any])["predicate"]["visit"]
    assert [one["counter"] for one in said["not_reached"]] == ["2"]
    assert said["not_reached"][0]["tid"] == "****3040"
    rows = build(visit, "en").expected.rows
    assert [row[-1].text for row in rows] == ["not reached", "as terminal 1"]
    page = build_merchant(visit, "en")
    assert [fact.value.text for fact in page.todo.items if "not reached" in fact.label] == ["****3040"]
