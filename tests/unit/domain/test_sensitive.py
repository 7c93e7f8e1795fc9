"""What may never be stored is found, what only looks like it is not."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.issuers import RANGES, luhn, scheme_of
from techtool.domain.sensitive import CONTEXT, KIND_LABEL, Finding, Kind, Profile, Scanner, find, redact
from techtool.domain.sensitive_fields import field_before, is_key_name

# Numbers that card schemes and processors publish for testing.
PUBLISHED = {
    "Visa": ["4111111111111111", "4012888888881881", "4222222222222", "4000000000000000006"],
    "Mastercard": ["5555555555554444", "5105105105105100", "2223003122003222", "2720992593319364"],
    "American Express": ["378282246310005", "371449635398431"],
    "UnionPay": ["6200000000000005", "6250941006528599", "8171999927660000", "6205500000000000004"],
    "JCB": ["3530111333300000", "3566002020360505"],
    "Discover": ["6011111111111117", "6011000990139424"],
    "Diners Club": ["30569309025904", "38520000023237", "36227206271667"],
    "Maestro": ["6759649826438453", "5020620000000000", "6304000000000000"],
    "Mir": ["2200000000000053"],
    "Troy": ["9792030394440796"],
}
NUMBERS = [number for numbers in PUBLISHED.values() for number in numbers]
HEX32 = "0123456789ABCDEFFEDCBA9876543210"


def kinds(text: str, profile: Profile = Profile.TEXT) -> list[Kind]:
    return [finding.kind for finding in find(text, profile)]


def with_check_digit(body: str) -> str:
    return next(body + str(d) for d in range(10) if luhn(body + str(d)))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("profile", Profile)
def test_published_test_numbers_are_found(number: str, profile: Profile) -> None:
    assert kinds(number, profile) == [Kind.CARD_NUMBER]
    assert kinds(f"pan={number};", profile) == [Kind.CARD_NUMBER]
    assert kinds(f"x{number}y", profile) == [Kind.CARD_NUMBER]


@pytest.mark.parametrize("number", NUMBERS)
def test_one_wrong_digit_is_no_card_number(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert scheme_of(wrong) is None
    assert kinds(wrong) == []


def test_every_scheme_is_found_in_each_of_its_lengths_and_no_other() -> None:
    for entry in RANGES:
        for length in range(10, 22):
            number = with_check_digit(entry.high + "0" * (length - len(entry.high) - 1))
            assert entry.holds(number) == (length in entry.lengths)
            if length in entry.lengths:
                assert kinds(number) == [Kind.CARD_NUMBER]


@pytest.mark.parametrize(
    "shown",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "6250-9410-0652-8599",
        "4111 1111 1111 1111 123",
        "2026-11-22 4111111111111111",
        "12 4111111111111111",
        "4111111111111111 0829",
        "4111111111111111=2512",
        "4111111111111111D2513101",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111 - 1111 - 1111 - 1111",
        "4111_1111_1111_1111",
        "3782/822463/10005",
        "3056|930902|5904",
        "4000:0000:0000:0000:006",
        "4111\u2212１１１１\u22121111\u22121111",
        "41\u200b11 1\u00ad111 1111 1111",
        "４１１１１１１１１１１１１１１１",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u20111111\u20111111\u20111111",
        "4111\u200b1111\u200b1111\u200b1111",
        "٤١١١١١١١١١١١١١١١",
        '{"memo":"card 4111111111111111."}',
        "4111111111111111.0",
    ],
)
def test_separators_neighbours_and_other_digits_hide_nothing(shown: str) -> None:
    assert Kind.CARD_NUMBER in kinds(shown)
    assert not find(redact(shown))


@pytest.mark.parametrize(
    "harmless",
    [
        "1700000000000",
        "2026-11-22 08:15:00.000",
        "0.4111111111111111",
        "411111111111111",
        "41111111111111111111",
        "4111\n1111\n1111\n1111",
        "4111, 1111, 1111, 1111",
        "4111\t1111\t1111\t1111\t2222",
        "1.4111.1111.1111.1111",
        "[gsm.imei]: [352099001761481]",
        '"iccid": "89860000000000000001"',
        "55ae8400-4111-1111-1111-111111111111",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c4111111111",
        "d41d8cd98f00b2044111111111111111",
        "P2SIM23A1001",
        "104110058120001",
        "com.acme.pay 1.2.3.4 versionCode 2026112201",
        "10 20 30 40 50 60 70 80",
        "SUNMI/p2/P2:11/RKQ1.SIM/3.0.20:user/release-keys",
        "~~4b1GZ0123456789012345==",
    ],
)
def test_what_only_looks_like_it_is_left_alone(harmless: str) -> None:
    assert find(harmless) == ()
    assert redact(harmless) == harmless


def test_an_imei_is_exempt_only_in_a_field_named_so_and_only_in_its_own_shape() -> None:
    amex_like = with_check_digit("37828224631000")
    assert kinds(f"imei: {amex_like}") == []
    assert kinds(f"number: {amex_like}") == [Kind.CARD_NUMBER]
    assert kinds("imei: 4111111111111111") == [Kind.CARD_NUMBER]
    jcb_like = with_check_digit("3530" + "1" * 11)
    assert kinds(f'"imeisv": "{jcb_like}"') == []
    assert kinds(f'"imei": "{jcb_like}"') == [Kind.CARD_NUMBER]
    assert kinds("iccid: 6200000000000005") == [Kind.CARD_NUMBER]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("%B4111111111111111^DOE/JOHN^2512101?", Kind.TRACK_1),
        ("%B4111 1111 1111 1112^DOE", Kind.TRACK_1),
        (";4111111111111112=25121010000000000000?", Kind.TRACK_2),
        (";411111111111=2512", Kind.TRACK_2),
    ],
)
def test_tracks_are_found_by_their_sentinels_whatever_the_check_digit(text: str, kind: Kind) -> None:
    assert kind in kinds(text)
    assert kind in kinds(text, Profile.BINARY)
    cleaned = redact(f"before {text}\nafter")
    assert re.sub(r"[^0-9]", "", cleaned.replace("before", "").replace("after", "")) == ""
    assert cleaned.endswith("after")


@pytest.mark.parametrize("harmless", ["50%B4", "a;1=2", "%B12^", "url?a=1;411111111111=2"])
def test_sentinels_alone_are_no_track(harmless: str) -> None:
    assert find(harmless) == ()


@pytest.mark.parametrize(
    "text",
    [
        f"TMK={HEX32}",
        f'"masterKey": "{HEX32}"',
        f"[ro.acme.pin_key]: [{HEX32.lower()}]",
        f"<TPK>{HEX32}</TPK>",
        f'<entry name="workKey1">{HEX32}</entry>',
        f"des key: {HEX32[:16]}",
        "MAK: 01 23 45 67 89 AB CD EF 01 23 45 67 89 AB CD EF",
        "tdk = 0123 4567 89AB CDEF",
        f"ipek,{HEX32},KSN",
        f"主密钥：{HEX32}",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_keys_are_found_in_fields_named_so(text: str) -> None:
    assert kinds(text) == [Kind.KEY]
    assert kinds(text, Profile.BINARY) == []
    stream = Scanner()
    assert [f.kind for f in (*stream.feed(text.encode()), *stream.finish())] == [Kind.KEY]
    assert HEX32.lower() not in redact(text).lower()


@pytest.mark.parametrize(
    "text",
    [
        f"sha256={HEX32}{HEX32}",
        f"key_hash: {HEX32}",
        f"publicKey: {HEX32}",
        f"tmk_kcv: {HEX32[:16]}",
        f"capk modulus: {HEX32}",
        f"key id: {HEX32}",
        f"{HEX32}",
        "tmk: 0000000000000000",
        "tmk index: 1",
        "keystore=/data/app",
        f"主密钥校验值：{HEX32}",
        "-----BEGIN CERTIFICATE-----",
        f"turkey sandwich\n{HEX32}",
    ],
)
def test_digests_check_values_and_public_keys_are_no_keys(text: str) -> None:
    assert find(text) == ()


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("around", ["", "x", "§"])
def test_utf_16_hides_nothing(codec: str, profile: Profile, around: str) -> None:
    data = f"{around}4111 1111 1111 1111{around}".encode(codec)
    scanner = Scanner(profile)
    found = (*scanner.feed(b"\x01" * 1000 + data), *scanner.finish())
    assert [f.kind for f in found] == [Kind.CARD_NUMBER]


def scan(data: bytes, sizes: list[int], profile: Profile) -> list[Finding]:
    scanner = Scanner(profile)
    found: list[Finding] = []
    position = 0
    for size in [*sizes, len(data)]:
        found += scanner.feed(data[position : position + size])
        position = min(len(data), position + size)
        assert scanner.cleared <= position
        assert all(f.start < scanner.cleared for f in found)
    found += scanner.finish()
    assert scanner.cleared == len(data)
    return found


@settings(max_examples=150, deadline=None)
@given(
    before=st.binary(max_size=700),
    after=st.binary(max_size=700),
    sizes=st.lists(st.integers(0, 400), max_size=12),
    number=st.sampled_from([*NUMBERS, "4111 1111 1111 1111", "%B4111111111111111^A/B^2512", ";411111111111=2512"]),
    profile=st.sampled_from(Profile),
)
def test_borders_of_chunks_change_nothing(
    before: bytes, after: bytes, sizes: list[int], number: str, profile: Profile
) -> None:
    data = before + b"\n" + number.encode() + b"\n" + after
    at_once = scan(data, [], profile)
    assert at_once
    assert scan(data, sizes, profile) == at_once
    assert scan(data, [1] * len(data), profile) == at_once


def test_findings_say_where_in_the_whole_stream() -> None:
    data = b"x" * 100_000 + b"\n4111111111111111\n" + b"y" * 100_000
    assert scan(data, [65536, 65536], Profile.TEXT) == [Finding(Kind.CARD_NUMBER, 100_001, 100_017)]


def test_nothing_of_a_number_is_cleared_before_its_end_was_seen() -> None:
    scanner = Scanner()
    assert scanner.feed(b"x" * 5000 + b" 4111 1111 ") == ()
    assert scanner.cleared <= 5001
    assert scanner.feed(b"1111 1111 " + b"y" * CONTEXT)


def test_random_bytes_are_no_card_numbers() -> None:
    scanner = Scanner(Profile.BINARY)
    data = random.Random(1).randbytes(4 << 20)
    assert (*scanner.feed(data), *scanner.finish()) == ()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert not [f for f in find(once) if f.kind is Kind.CARD_NUMBER]


def test_redaction_keeps_first_six_and_last_four() -> None:
    assert redact("card 4111-1111-1111-1111, thanks") == "card 4111-11**-****-1111, thanks"
    assert redact("378282246310005") == "378282*****0005"
    assert redact(f"TMK={HEX32}!") == "TMK=********!"
    assert redact("no secret") == "no secret"


def test_every_kind_has_a_label() -> None:
    assert set(KIND_LABEL) == set(Kind)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("[ro.a.b]: [", "ro.a.b"),
        ('"imei": "', "imei"),
        ("imei=", "imei"),
        ('<string name="tmk">', "tmk"),
        ("first line\nsecond: ", "second"),
        ("first:\n", ""),
        ("", ""),
    ],
)
def test_a_field_is_named_by_what_stands_before_it(line: str, name: str) -> None:
    assert field_before(line + "X", len(line)) == name


@pytest.mark.parametrize("name", ["tmk1", "pinKey", "ro.acme.PIN_KEY", "masterkey", "psk"])
def test_names_of_keys(name: str) -> None:
    assert is_key_name(name)


@pytest.mark.parametrize(
    "name", ["keyguard", "monkey", "key_index", "public_key", "hotkeyname", "password", "ro.build.tags", ""]
)
def test_names_of_something_else(name: str) -> None:
    assert not is_key_name(name)
