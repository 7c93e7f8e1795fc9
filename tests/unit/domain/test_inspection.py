"""A whole list answered at once: one grammar for files, windows and screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.inspection import ChecklistAnswer, merged_checklist
from techtool.domain.question import CheckAnswer, CheckResult

ITEMS = ("label", "seals", "card-slot")
PASS, FAIL, NA, NOT_DONE = CheckResult.PASS, CheckResult.FAIL, CheckResult.NOT_APPLICABLE, CheckResult.NOT_DONE


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        ("pass", PASS, dict.fromkeys(ITEMS, "pass")),
        (" pass ", PASS, dict.fromkeys(ITEMS, "pass")),
        ("fail: seals", FAIL, {"label": "pass", "seals": "fail", "card-slot": "pass"}),
        (
            "fail: Seals, card-slot; torn; and wet",
            FAIL,
            {"seals": "fail: torn; and wet", "card-slot": "fail: torn; and wet"},
        ),
        ("fail：seals，label；破损", FAIL, {"seals": "fail: 破损", "label": "fail: 破损", "card-slot": "pass"}),
        ("fail", FAIL, {}),
        ("fail: something is glued on", FAIL, {}),
        ("fail: seals, unheard-of", FAIL, {}),
        ("not-done: in a hurry", NOT_DONE, dict.fromkeys(ITEMS, "not-done: in a hurry")),
        ("not-applicable: built in", NA, dict.fromkeys(ITEMS, "not-applicable: built in")),
        ("seals=fail: torn; label=not-applicable: has none", FAIL, {"seals": "fail: torn", "card-slot": "pass"}),
        ("seals=not-applicable: has none", PASS, {"seals": "not-applicable: has none", "label": "pass"}),
        ("seals=not-done: no light; card-slot=pass", NOT_DONE, {"seals": "not-done: no light", "card-slot": "pass"}),
        ("SEALS=fail: one; two three", FAIL, {"seals": "fail: one; two three"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_grammar(text: str, result: CheckResult, expected: dict[str, str]) -> None:
    answer = ChecklistAnswer.parse(text, ITEMS)
    assert answer is not None
    assert answer.result is result
    assert {item: str(answer.items[item]) for item in expected} == expected
    assert set(answer.items) == (set(ITEMS) if answer.items else set())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "not-done",
        "not-done:",
        "seals",
        "seals=",
        "seals=fine",
        "hands=fail",
        "seals=pass; seals=fail",
    ],
)
def test_what_is_no_answer(text: str) -> None:
    assert ChecklistAnswer.parse(text, ITEMS) is None


RESULT = st.one_of(
    st.just(CheckAnswer(PASS)),
    st.builds(
        CheckAnswer, st.sampled_from([FAIL, NA, NOT_DONE]), st.from_regex(r"[a-z]{1,8}( [a-z]{1,8})?", fullmatch=True)
    ),
)


@given(st.fixed_dictionaries(dict.fromkeys(ITEMS, RESULT)))
def test_what_is_written_is_read_as_the_same(answers: dict[str, CheckAnswer]) -> None:
    answer = ChecklistAnswer.of(answers)
    again = ChecklistAnswer.parse(str(answer), ITEMS)
    assert again is not None
    assert (again.result, again.items) == (answer.result, answer.items)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_and_none_passes_by_chance(text: str) -> None:
    answer = ChecklistAnswer.parse(text, ITEMS)
    if answer is not None and answer.result is PASS:
        assert "pass" in text or "=" in text


def test_single_items_are_put_in_their_places() -> None:
    merged = merged_checklist("pass", {"seals": "fail: torn"}, ITEMS)
    assert merged is not None
    answer = ChecklistAnswer.parse(merged, ITEMS)
    assert answer is not None
    assert answer.failed == ("seals",)
    every = merged_checklist(None, dict.fromkeys(ITEMS, "pass"), ITEMS)
    assert every == "pass"


def test_items_without_any_word_are_not_made_up() -> None:
    assert merged_checklist(None, {"seals": "pass"}, ITEMS) is None
    unreadable = merged_checklist("pass", {"seals": "perhaps"}, ITEMS)
    assert unreadable is not None
    assert ChecklistAnswer.parse(unreadable, ITEMS) is None
