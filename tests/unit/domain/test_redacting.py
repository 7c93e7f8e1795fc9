"""What is recorded and told is free of card data, and everything else stays what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.clock import stamp
from techtool.domain.redacting import Cleaner
from techtool.domain.visit import ErrorRecord
from techtool.i18n import Phrase, phrase, raw
from tests import factories as f

CARD = "4761739001010010"
MASKED = "476173******0010"


def test_a_record_without_card_data_is_the_same_object() -> None:
    for value in (f.visit_record(), f.lane_failed("1"), f.plan_record(), phrase("{a} of {b}", a=1, b="x")):
        assert Cleaner().clean(value) is value


def test_every_text_of_an_error_is_cleaned() -> None:
    error = ErrorRecord("TT-306", phrase("{answer}", answer=f"no: {CARD}"), raw(CARD), (raw(f"call {CARD}"),), CARD)
    clean = Cleaner().clean(error)
    assert CARD not in str(clean)
    assert clean.what.text("en") == f"no: {MASKED}"
    assert clean.detail == MASKED


def test_the_serial_number_stands_in_its_fields_and_sentences_and_nowhere_else() -> None:
    state = f.terminal_state()
    state = replace(state, identity=replace(state.identity, serial=CARD, os_version=CARD))
    clean = Cleaner().clean(state)
    assert (clean.identity.serial, clean.identity.os_version) == (CARD, MASKED)
    assert Cleaner().phrase(phrase("serial {serial}", serial=CARD)).text("en") == f"serial {CARD}"
    assert Cleaner((CARD,)).text(f"{CARD} said 378282246310005") == f"{CARD} said 378282*****0005"
    assert Cleaner().clean({"ro.serialno": CARD, "ro.product.name": CARD}) == {
        "ro.serialno": CARD,
        "ro.product.name": MASKED,
    }


def test_numbers_that_only_the_whole_sentence_gives_away_go() -> None:
    clean = Cleaner().phrase(phrase("card {a}{b}", a="47617390", b="01010010"))
    assert "47617390" not in str(clean.to_json())
    assert Cleaner().phrase(Phrase("", {"en": f"card {CARD}", "zh": "卡"})).text("en") == f"card {MASKED}"


def test_keys_of_a_mapping_and_lists_are_cleaned() -> None:
    assert Cleaner().clean({CARD: [CARD, {"x": (CARD,)}]}) == {MASKED: [MASKED, {"x": (MASKED,)}]}


@given(st.datetimes())
def test_moments_are_left_alone(moment: object) -> None:
    from datetime import UTC, datetime

    assert isinstance(moment, datetime)
    text = stamp(moment.replace(tzinfo=UTC))
    assert Cleaner().field(text, "at") == text


@pytest.mark.parametrize("name", ["sha256", "head", "signer", "confirmed_digest"])
def test_digests_of_digits_alone_stay_in_their_fields(name: str) -> None:
    digest = CARD * 4
    assert Cleaner().field(digest, name) == digest
    assert Cleaner().field(CARD, name) == MASKED
