"""What people type with an input method on is read as they meant it, and their sentences stay theirs."""

from __future__ import annotations

import pytest

from techtool.domain.case_code import case_code, parse_code
from techtool.domain.terminal import Address
from techtool.domain.typed import narrow, narrow_words, told_fits


def wide(text: str) -> str:
    return "".join("　" if sign == " " else chr(ord(sign) + 0xFEE0) for sign in text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (wide("P2A-01.5 x"), "P2A-01.5 x"),
        ("　ＥＲＡＳＥ　", "ERASE"),
        ("3。0。20", "3.0.20"),
        ("SN：12", "SN:12"),
        ("面馆", "面馆"),
        ("", ""),
    ],
)
def test_codes_are_narrow(typed: str, meant: str) -> None:
    assert narrow(typed) == meant


def test_a_sentence_keeps_its_punctuation() -> None:
    said = "屏幕碎裂，已停用（见照片）：返厂。"
    assert narrow_words(said) == said
    assert narrow_words("终端Ｐ２，版本１。５：好") == "终端P2，版本1.5：好"


def test_addresses_with_an_input_method_on() -> None:
    assert Address.parse(wide("adb://192.0.2.10:5555")) == Address.parse("adb://192.0.2.10:5555")
    assert Address.parse("adb：//192。0。2。10：5555") == Address.parse("adb://192.0.2.10:5555")
    folder = "medium:/media/李/Ｕ盘（一）"
    assert Address.parse(folder).target == "/media/李/Ｕ盘（一）", "a folder's name is its own"
    assert Address.parse("medium：/media/STICK") == Address.parse("medium:/media/STICK")


def test_fingerprints_and_case_codes() -> None:
    digest = "0123456789abcdef" * 4
    assert told_fits(wide(digest[-16:].upper()), digest)
    assert not told_fits(wide(digest[-15:]), digest)
    assert parse_code(wide(case_code(digest))) == case_code(digest)
