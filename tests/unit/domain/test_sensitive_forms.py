"""Card data as chips, printers and other scripts write it; and that the pieces of a stream change nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from techtool.domain.sensitive import CONTEXT, Finding, Kind, OwnNumber, Profile, Scanner, find, redact
from techtool.domain.sensitive_views import WIDTHS

PAN = "4761739001010010"
TRACK = f"{PAN}D25122011143878089"
"""The track 2 equivalent data of a test card that schemes publish."""
HEX32 = "0123456789ABCDEFFEDCBA9876543210"


def kinds(text: str) -> list[Kind]:
    return [finding.kind for finding in find(text)]


def scan(data: bytes, sizes: list[int], profile: Profile = Profile.TEXT, own: OwnNumber | None = None) -> list[Finding]:
    scanner = Scanner(profile, own) if own else Scanner(profile)
    found: list[Finding] = []
    position = 0
    for size in [*sizes, len(data)]:
        found += scanner.feed(data[position : position + size])
        position = min(len(data), position + size)
    found += scanner.finish()
    assert scanner.cleared == len(data)
    return found


def pairs(text: str, separator: str = " ") -> str:
    return separator.join(text[at : at + 2] for at in range(0, len(text), 2))


# --- tracks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        TRACK,
        TRACK.lower(),
        TRACK.replace("D", "="),
        f"5711{TRACK}",
        f"70195711{TRACK}9F26",
        f"57 11 {pairs(TRACK)}",
        f"57:11:{pairs(TRACK, ':')}",
        f"00000010  70 1b 57 11 {pairs(TRACK).lower()}",
        f"9F6B11{TRACK}",
        f"99999{TRACK}",
        f"{TRACK}"[:32],
    ],
)
def test_track_2_with_a_hexadecimal_separator(text: str) -> None:
    """Also where the whole has the length of a digest, and where other digits stand before it."""
    assert kinds(text) == [Kind.TRACK_2]
    cleaned = redact(f"before {text} \nafter")
    for piece in (PAN[6:], PAN[:12], "1143878"):
        assert piece not in cleaned.replace(" ", "").replace(":", "")
    assert cleaned.endswith("\nafter")


@pytest.mark.parametrize(
    "text",
    [
        f"{PAN[:-1]}1D25122011143878089",
        f"57 13 {pairs(PAN[:-1] + '1D25122011143878089F')}",
        "5708" + "1" * 16,
        "5A08" + "1" * 16,
        f"5A09{PAN}",
        "d1e2025122011143878089",
    ],
)
def test_what_is_no_number_is_no_track_either(text: str) -> None:
    assert Kind.TRACK_2 not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [f"5A08{PAN}", f"5a 08 {pairs(PAN)}", "5A0A4000000000000000006F", f"9F2608AABB5A08{PAN}5F3401"],
)
def test_a_tagged_number_in_hexadecimal(text: str) -> None:
    assert kinds(text) == [Kind.CARD_NUMBER]
    assert PAN not in redact(text).replace(" ", "")


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    ("hexadecimal", "kind"),
    [
        (f"5A08{PAN}", Kind.CARD_NUMBER),
        ("5A08378282246310005F", Kind.CARD_NUMBER),
        (f"5711{TRACK}", Kind.TRACK_2),
        ("5711378282246310005D25122011143878089F", Kind.TRACK_2),
        (f"9F6B11{TRACK}", Kind.TRACK_2),
    ],
)
def test_tagged_packed_digits(hexadecimal: str, kind: Kind, profile: Profile) -> None:
    data = b"\xff\x00" * 3000 + bytes.fromhex(hexadecimal) + b"\xff\x00" * 3000
    assert [f.kind for f in scan(data, [6000, 3], profile)] == [kind]


def test_an_untagged_packed_track_is_found_in_files_and_not_looked_for_in_programs() -> None:
    data = b"\xff\x00\xff" + bytes.fromhex(TRACK) + b"\xff\x00"
    assert [f.kind for f in scan(data, [])] == [Kind.TRACK_2]
    assert scan(data, [], Profile.BINARY) == []


@pytest.mark.parametrize(
    "text",
    [
        ";011234567890123445=724724100000000000030300XXXX040400099010=?",
        "+014111111111111111=724724100000?",
        "!014111111111111112=724724100000?",
    ],
)
def test_track_3(text: str) -> None:
    assert {Kind.TRACK_3, Kind.TRACK_2} & set(kinds(text))
    assert "0123445" not in redact(text)
    assert "11111" not in redact(text)


@pytest.mark.parametrize("text", ["2222:4111.1111.1111.1111", "1 2222/4111_1111_1111_1111", "x4111|1111|1111|1111"])
def test_other_groups_before_a_grouped_number_hide_nothing(text: str) -> None:
    assert kinds(text) == [Kind.CARD_NUMBER]


@settings(max_examples=100, deadline=None)
@given(
    groups=st.lists(st.sampled_from(["4111", "1111", "2222", "411", "111111", "11111", "1"]), max_size=60),
    separators=st.lists(st.sampled_from([" ", ".", "/", "  ", " - ", "-", "_"]), min_size=60, max_size=60),
    size=st.integers(1, 200),
)
def test_tables_of_groups_do_not_depend_on_where_they_are_cut(
    groups: list[str], separators: list[str], size: int
) -> None:
    data = b"y" * 900 + "".join(a + b for a, b in zip(groups, separators, strict=False)).encode() * 8
    assert scan(data, [size] * (len(data) // size)) == scan(data, [])


# --- fields --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "pinblock=0123456789ABCDEF",
        "PIN block: 0123456789ABCDEF",
        '"pin_block": "04 12 AC 89 AB CD EF 67"',
        "encPinBlk 04FF89ABCDEF0123",
    ],
)
def test_pin_blocks_in_fields_named_so(text: str) -> None:
    assert kinds(text) == [Kind.KEY]


@pytest.mark.parametrize("text", ["cvv=123", '"cvv2": "1234"', "<CVC>737</CVC>", "cvn2 = 999"])
def test_verification_codes_in_fields_named_so(text: str) -> None:
    assert kinds(text) == [Kind.CODE]
    assert not any(c.isdigit() for c in redact(text).replace("cvv2", "").replace("cvn2", ""))


@pytest.mark.parametrize(
    "text", ["block=0123456789ABCDEF", "cvs 1.2345", "cvv_required=true", "recv: 1234", "cvv: 12345"]
)
def test_other_fields_are_left_alone(text: str) -> None:
    assert find(text) == ()


# --- other scripts and UTF-16 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "shown",
    [
        "4111\u00a01111\u00a01111\u00a01111",
        "４１１１１１１１１１１１１１１１",
        "4111\u20131111\u20131111\u20131111",
        "卡号４１１１－１１１１－１１１１－１１１１。",
        "电话 4111 1111 1111 1111 。",
    ],
)
def test_bytes_of_other_scripts_hide_nothing(codec: str, shown: str) -> None:
    for before in (b"", b"\x01" * 5000, b"\x01" * 5001):
        found = scan(before + shown.encode(codec), [])
        assert [f.kind for f in found] == [Kind.CARD_NUMBER]
        assert scan(before + shown.encode(codec), [1] * len(shown) * 3) == found


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_tracks_in_utf_16_are_found_once(codec: str) -> None:
    assert [f.kind for f in scan(f"x;4111111111111112=2512?{'y' * 40}".encode(codec), [])] == [Kind.TRACK_2]


# --- wrapped lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", sorted(WIDTHS))
@pytest.mark.parametrize("number", ["4111111111111111", "4111 1111 1111 1111", "378282246310005"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_number_goes_on_behind_a_full_line(width: int, number: str, ending: str) -> None:
    for cut in range(1, len(number) - 1):
        head = number[:cut].rjust(width, "x") if cut < width else number[:cut]
        text = f"first{ending}{head}{ending}{number[cut:]} y"
        if len(head) in WIDTHS:
            assert kinds(text) == [Kind.CARD_NUMBER], cut
            assert number.replace(" ", "") not in redact(text).replace(" ", "").replace(ending, "")


def test_a_wrapped_number_in_full_width_digits_is_found() -> None:
    line = "号" * 40 + "４１１１１１１１"
    assert len(line) in WIDTHS
    assert kinds(f"{line}\n１１１１１１１１") == [Kind.CARD_NUMBER]


@pytest.mark.parametrize(
    "text", ["4111\n1111\n1111\n1111", f"{'x' * 20}41111111\n11111111", f"{'x' * 73}41111111\n11111111"]
)
def test_other_lines_are_not_joined(text: str) -> None:
    assert find(text) == ()


def test_a_whole_number_at_the_end_of_a_full_line_is_found_whatever_follows() -> None:
    assert kinds(f"{'x' * 64}4111111111111111\n2026") == [Kind.CARD_NUMBER]


# --- the terminal's own number -------------------------------------------------------------------------------------

OWN = OwnNumber("6200000000000005", frozenset({"ro.serialno", "ro.boot.serialno"}))


def test_the_own_serial_number_stands_in_its_own_fields_and_nowhere_else() -> None:
    good = b'{"ro.boot.serialno": "6200000000000005", "ro.serialno":"6200000000000005"}'
    assert scan(good, [], own=OWN) == []
    assert len(scan(good, [])) == 2
    for bad in (
        b'{"ro.product.name": "6200000000000005"}',
        b'{"ro.serialno": "4111111111111111"}',
        b'{"ro.serialno": "6200 0000 0000 0005 2", "x": "6200000000000005"}',
        b"6200000000000005",
    ):
        assert scan(bad, [], own=OWN), bad


# --- pieces --------------------------------------------------------------------------------------------------------

_SINGLE = [bytes([byte]) for byte in b"416205 -.\nx\0AD=;:"]
_WORDS = [
    b"\r\n",
    b"%B",
    b"\xef\xbc\x91",
    b"\xc2\xa0",
    b"\xe2\x80\x8b",
    b"\xd2",
    b"key=",
    b"ro.serialno: ",
    b"cvv: 123 ",
]
_NUMBERS = [
    b"4111 1111",
    b"1\0001\0",
    b"4111111111111111",
    b"D25122011143",
    b"\x5a\x08\x47\x61\x73\x90\x01\x01\x00\x10",
]
_DUMP = b"57 13 47 61 73 90 01 01 00 10 D2 51 22 01"
_ALPHABET = st.sampled_from([*_SINGLE, *_WORDS, *_NUMBERS, _DUMP])


@settings(max_examples=250, deadline=None)
@given(
    pieces=st.lists(_ALPHABET, max_size=120),
    pad=st.sampled_from([0, 50, CONTEXT - 20, 2 * CONTEXT]),
    sizes=st.lists(st.integers(0, 900), max_size=12),
    profile=st.sampled_from(Profile),
)
@example(pieces=[b"1"] * 3000 + [b"4111111111111111"] * 90, pad=0, sizes=[7] * 300, profile=Profile.TEXT)
@example(pieces=[b"4", b" "] * 1500 + [b"4111111111111111"], pad=0, sizes=[100] * 40, profile=Profile.TEXT)
@example(
    pieces=[b"AB "] * 900 + [_DUMP] * 3,
    pad=3,
    sizes=[99] * 60,
    profile=Profile.TEXT,
)
@example(pieces=[b"1\0"] * 2000, pad=1, sizes=[99] * 60, profile=Profile.BINARY)
def test_however_a_stream_is_cut_the_findings_are_the_same(
    pieces: list[bytes], pad: int, sizes: list[int], profile: Profile
) -> None:
    data = b"y" * pad + b"".join(pieces) + b"y" * pad
    at_once = scan(data, [], profile, OWN)
    assert scan(data, sizes, profile, OWN) == at_once
    assert scan(data, [97] * (len(data) // 97 + 1), profile, OWN) == at_once


@pytest.mark.parametrize("seed", range(6))
def test_a_number_is_found_at_every_place_of_a_stream_in_pieces(seed: int) -> None:
    draw = random.Random(seed)
    filler = draw.choice([b"lorem ipsum 2026-11-22 ", b"\0\x01\xff", "中文，".encode(), b"deadbeef 00 11 ", b"\n"])
    for number in (
        b" 4111-1111-1111-1111 ",
        b"\n;4111111111111112=2512101?",
        "４１１１１１１１１１１１１１１１".encode(),
    ):
        before = filler * draw.randrange(400)
        data = before + number + filler * draw.randrange(400)
        sizes = [draw.randrange(1, 300) for _ in range(len(data) // 100)]
        found = scan(data, sizes)
        assert found
        assert any(len(before) - 4 <= f.start <= len(before) + 4 for f in found)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ALPHABET.map(lambda b: b.decode("latin-1")), max_size=60).map("".join))
def test_redacted_text_holds_nothing_any_more(text: str) -> None:
    once = redact(text)
    left = [f for f in find(once) if f.kind is not Kind.CODE]
    assert [once[f.start : f.end] for f in left if f.kind is Kind.CARD_NUMBER] == []
    assert redact(redact(once)) == redact(once)
