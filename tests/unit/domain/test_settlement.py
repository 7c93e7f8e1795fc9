"""Figures of a settlement slip, read leniently and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from techtool.domain.settlement import settlement

AT = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("typed", "count", "total", "batch_no"),
    [
        ("37 / 5210.00", 37, "5210.00", ""),
        ("37/5,210.00", 37, "5210.00", ""),
        ("37,5210.00", 37, "5210.00", ""),
        ("37笔 5,210元", 37, "5210", ""),
        ("37 5210,50", 37, "5210.50", ""),
        ("CNY 5210.00, 37 sales", 37, "5210.00", ""),
        ("batch 000123: 37 / 5210.00", 37, "5210.00", "000123"),
        ("批次号000123 37笔 1,205,210.00", 37, "1205210.00", "000123"),
        ("0 / 0.00", 0, "0.00", ""),
    ],
)
def test_what_can_be_read(typed: str, count: int, total: str, batch_no: str) -> None:
    found = settlement(typed, "slip 471", AT)
    assert (found.count, found.total, found.batch_no, found.text) == (count, total, batch_no, typed)
    assert found.evidence == "slip 471"


@pytest.mark.parametrize(
    "typed",
    ["", "37", "settled", "37 / 5.210,00", "37 / 12 / 5210.00", "4000000 / 12", "37 / 12345678901", "1.5 / 2.5"],
)
def test_what_cannot_be_read_stays_as_it_was_typed(typed: str) -> None:
    found = settlement(typed, "", AT)
    assert (found.count, found.total, found.text) == (None, "", typed)


@pytest.mark.parametrize("typed", [CARD, f"37 / {CARD}", f"37 / 5210.00 {CARD}", CARD.replace(" ", "")])
def test_a_card_number_is_masked_and_gives_no_figures(typed: str) -> None:
    found = settlement(typed, f"slip {CARD}", AT)
    assert (found.count, found.total) == (None, "")
    for kept in (found.text, found.evidence):
        assert CARD not in kept
        assert CARD.replace(" ", "") not in kept
