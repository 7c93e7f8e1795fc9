"""Codes that are read out on the telephone: what was misheard is found out."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.case_code import LETTERS, case_code, parse_code
from techtool.errors import BadCaseCode

DIGESTS = st.binary(max_size=8).map(lambda data: hashlib.sha256(data).hexdigest())


def test_nothing_in_it_can_be_taken_for_something_else() -> None:
    assert len(set(LETTERS)) == 32
    assert not set("01OI") & set(LETTERS)


@given(DIGESTS)
def test_a_code_is_read_back_however_it_is_typed(digest: str) -> None:
    code = case_code(digest)
    assert [len(group) for group in code.split("-")] == [4, 4, 2]
    for typed in (code, code.lower(), code.replace("-", ""), " ".join(code)):
        assert parse_code(typed) == code


@given(DIGESTS, st.integers(0, 9), st.sampled_from(LETTERS))
def test_every_single_wrong_character_is_found(digest: str, place: int, letter: str) -> None:
    plain = case_code(digest).replace("-", "")
    wrong = plain[:place] + letter + plain[place + 1 :]
    if wrong != plain:
        with pytest.raises(BadCaseCode):
            parse_code(wrong)


@given(DIGESTS, st.integers(0, 8))
def test_every_two_that_changed_places_are_found(digest: str, place: int) -> None:
    plain = case_code(digest).replace("-", "")
    wrong = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
    if wrong != plain:
        with pytest.raises(BadCaseCode):
            parse_code(wrong)


@pytest.mark.parametrize("text", ["", "ABCD", "2222-2222-2", "0000-0000-00", "ÄÄÄÄ-ÄÄÄÄ-ÄÄ"])
def test_what_can_be_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadCaseCode):
        parse_code(text)
