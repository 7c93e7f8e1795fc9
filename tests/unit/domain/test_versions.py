from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.release import Compare
from techtool.domain.versions import SCHEMES, Comparison, compare, holds, meets, parse

OLDER, SAME, NEWER, UNKNOWN = Comparison.OLDER, Comparison.SAME, Comparison.NEWER, Comparison.UNKNOWN
PAYDROID = "A920Pro_PayDroid_10.0.0_Sagittarius_V1.01_20241205"

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
names = st.from_regex(r"(0|[1-9][0-9]?|[a-c][a-c0-9-]{0,2})", fullmatch=True)
semvers = st.builds(
    lambda core, pre, build: ".".join(map(str, core)) + ("-" + ".".join(pre) if pre else "") + build,
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    st.lists(names, max_size=3),
    st.sampled_from(["", "+b1", "+20260101"]),
)
vendor_texts = st.builds(
    lambda model, sep, version, day, suffix: f"{model}{sep}V{version}{sep}{day}{suffix}",
    st.sampled_from(["A920", "A920Pro_PayDroid"]),
    st.sampled_from(["_", "-"]),
    numbers,
    st.sampled_from(["20241205", "20250101", "20251341"]),
    st.sampled_from(["", "_OTA"]),
)
texts = st.one_of(numbers, semvers, vendor_texts, st.text(max_size=12), st.sampled_from(["", " ", "V1.02.03", "rc1"]))
schemes = st.sampled_from([*sorted(SCHEMES), "no-such-scheme"])


@pytest.mark.parametrize(
    ("scheme", "a", "b", "expected"),
    [
        ("dotted", "1.9", "1.10", OLDER),
        ("dotted", "1.4", "1.4.0", SAME),
        ("dotted", "V1.02.03", "1.2.3", SAME),
        ("dotted", "2.0.0", "1.99.99", NEWER),
        ("dotted", "1.4.0-rc1", "1.4.0", UNKNOWN),
        ("dotted", "1.4.0-rc1", "1.4.0-rc1", SAME),
        ("dotted", "1.4.0 ", "1.4.0", SAME),
        ("dotted", "١.٢", "1.2", UNKNOWN),
        ("dotted", "", "1.2", UNKNOWN),
        ("dotted", " ", " ", UNKNOWN),
        ("dotted", "1..2", "1.2", UNKNOWN),
        ("triplet", "2.0.1", "2.1.0", OLDER),
        ("semver", "1.0.0-alpha", "1.0.0-alpha.1", OLDER),
        ("semver", "1.0.0-alpha.1", "1.0.0-alpha.beta", OLDER),
        ("semver", "1.0.0-alpha.beta", "1.0.0-beta", OLDER),
        ("semver", "1.0.0-beta.2", "1.0.0-beta.11", OLDER),
        ("semver", "1.0.0-beta.11", "1.0.0-rc.1", OLDER),
        ("semver", "1.0.0-rc.1", "1.0.0", OLDER),
        ("semver", "1.0.0+a", "1.0.0+b", SAME),
        ("semver", "1.0", "1.0.0", UNKNOWN),
        ("semver", "01.0.0", "1.0.0", UNKNOWN),
        ("android-code", "10400", "10500", OLDER),
        ("android-code", "9", "10", OLDER),
        ("android-code", "1.0", "2", UNKNOWN),
        ("android-code", "-1", "2", UNKNOWN),
        ("dotted-date", PAYDROID, "A920Pro_PayDroid_10.0.0_Sagittarius_V1.02_20240101", OLDER),
        ("dotted-date", PAYDROID, "A920Pro_PayDroid_10.0.0_Sagittarius_V1.01_20250101", OLDER),
        ("dotted-date", PAYDROID, f" {PAYDROID}\0", SAME),
        ("dotted-date", PAYDROID, "A920_PayDroid_10.0.0_Sagittarius_V1.02_20250101", UNKNOWN),
        ("dotted-date", PAYDROID, "A920Pro_PayDroid_8.1.0_Aquarius_V1.01_20241205", UNKNOWN),
        ("dotted-date", PAYDROID, PAYDROID + "_OTA", UNKNOWN),
        ("dotted-date", "V1.02.03_20250101", "V1.02.03_20250102", OLDER),
        ("dotted-date", "P2_SIM_3.0.20", "P2_SIM_3.0.9", NEWER),
        ("dotted-date", "20250101_V1.2", "20260101_V1.1", NEWER),
        ("dotted-date", "V1_20251341", "V1_20250101", UNKNOWN),
        ("dotted-date", "day_1", "20250101_number", UNKNOWN),
        ("dotted-date", "no numbers", "none either", UNKNOWN),
        ("opaque", "blue", "green", UNKNOWN),
        ("opaque", "blue", "blue ", SAME),
        ("no-such-scheme", "1", "2", UNKNOWN),
    ],
)
def test_table(scheme: str, a: str, b: str, expected: Comparison) -> None:
    assert compare(scheme, a, b) is expected


REAL: dict[str, tuple[str, ...]] = {
    "dotted-date": (
        "V1.02.03_20250101",
        "PAX-A920-2.0.1",
        "P400_OS_31.45.1",
        "A920_PayDroid_4.4.2_Capricorn_V01.1.10_20171226_OTA",
        "E600_PayDroid_7.1.1_Virgo_V04.1.18_20240124",
        PAYDROID,
    ),
    "dotted": ("0.5.2095 ", "V04.1.18", "31.45.1"),
    "triplet": ("2.4.0",),
    "semver": ("1.0.0-alpha.beta",),
    "android-code": ("2097152",),
    "opaque": ("A.1.00.28P", "1.0a", "A920_PayDroid_10"),
}
"""Texts of terminals and packages as they are met in the field, by the scheme that their publisher would declare."""


@pytest.mark.parametrize(("scheme", "text"), [(s, text) for s, several in REAL.items() for text in several])
def test_real_texts_are_read_by_their_scheme(scheme: str, text: str) -> None:
    assert compare(scheme, text, text.strip()) is SAME
    if scheme != "opaque":
        assert parse(scheme, text).line is not None, "it can be put in order"


@pytest.mark.parametrize(
    ("scheme", "older", "newer"),
    [
        ("dotted-date", "V1.02.03_20250101", "V1.02.04_20240101"),
        ("dotted-date", "V1.02.03_20250101", "V1.02.03_20250301"),
        ("dotted-date", "PAX-A920-2.0.1", "PAX-A920-2.0.10"),
        ("dotted-date", "P400_OS_31.9.9", "P400_OS_31.45.1"),
        (
            "dotted-date",
            "A920_PayDroid_4.4.2_Capricorn_V01.1.10_20171226_OTA",
            "A920_PayDroid_4.4.2_Capricorn_V01.1.11_20170101_OTA",
        ),
        (
            "dotted-date",
            "A920Pro_PayDroid_10.0.0_Sagittarius_V1.01_20241205",
            "A920Pro_PayDroid_10.0.0_Sagittarius_V1.01_20250105",
        ),
        ("dotted", "0.5.2095 ", "0.5.2096"),
        ("dotted", "V04.1.9", "V04.1.18"),
        ("triplet", "2.3.10", "2.4.0"),
        ("semver", "1.0.0-alpha.beta", "1.0.0"),
        ("android-code", "999", "2097152"),
    ],
)
def test_real_texts_in_order(scheme: str, older: str, newer: str) -> None:
    assert compare(scheme, older, newer) is OLDER
    assert compare(scheme, newer, older) is NEWER


@pytest.mark.parametrize(
    ("scheme", "a", "b"),
    [
        ("dotted-date", "A.1.00.28P", "A.1.00.29P"),
        ("dotted-date", "PAX-A920-2.0.1", "PAX-A930-2.0.2"),
        ("dotted-date", "P400_OS_31.45.1", "V400_OS_31.45.2"),
        ("dotted", "1.0a", "1.0b"),
        ("dotted", "1.0-2", "1.0-3"),
        ("dotted", "A.1.00.28P", "A.1.00.29P"),
        ("triplet", "1.0.0-alpha.beta", "1.0.0"),
        ("semver", "1.0a", "1.0b"),
        ("semver", "V1.02.03_20250101", "V1.02.04_20250101"),
        ("android-code", "2.0", "3.0"),
        ("opaque", "A.1.00.28P", "A.1.00.29P"),
    ],
)
def test_what_a_scheme_does_not_order_is_said_and_not_guessed(scheme: str, a: str, b: str) -> None:
    assert compare(scheme, a, b) is UNKNOWN
    assert meets(scheme, a, Compare.GE, b) is None


def test_raw_text_is_kept() -> None:
    version = parse("dotted", " 0.5.2095 \n")
    assert (version.raw, version.text) == (" 0.5.2095 \n", "0.5.2095")


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_absurd_text_is_neither_slow_nor_an_error(scheme: str) -> None:
    for text in ("9" * 5000, "1." * 4000 + "1", "1.0.0-" + "a." * 90 + "a", "_" * 100_000):
        assert compare(scheme, text, "1.0.0") in Comparison
        assert compare(scheme, text, text) is SAME


@settings(derandomize=True)
@given(schemes, texts, texts)
def test_antisymmetric(scheme: str, a: str, b: str) -> None:
    mirrored = {OLDER: NEWER, NEWER: OLDER, SAME: SAME, UNKNOWN: UNKNOWN}
    assert compare(scheme, b, a) is mirrored[compare(scheme, a, b)]


@settings(derandomize=True)
@given(schemes, texts)
def test_reflexive(scheme: str, a: str) -> None:
    assert compare(scheme, a, a) is (SAME if parse(scheme, a).text else UNKNOWN)


def _laws(scheme: str, a: str, b: str, c: str) -> None:
    ab, bc, ac = compare(scheme, a, b), compare(scheme, b, c), compare(scheme, a, c)
    if ab is OLDER and bc in (OLDER, SAME):
        assert ac is OLDER
    if ab is SAME:
        assert ac is bc
    if ab is NEWER and bc in (NEWER, SAME):
        assert ac is NEWER


@settings(derandomize=True)
@given(st.lists(numbers, min_size=3, max_size=3))
def test_transitive_dotted(versions: list[str]) -> None:
    _laws("dotted", *versions)


@settings(derandomize=True)
@given(st.lists(semvers, min_size=3, max_size=3))
def test_transitive_semver(versions: list[str]) -> None:
    _laws("semver", *versions)
    assert compare("semver", versions[0], versions[1]) is not UNKNOWN


@settings(derandomize=True)
@given(st.lists(vendor_texts, min_size=3, max_size=3))
def test_transitive_dotted_date(versions: list[str]) -> None:
    _laws("dotted-date", *versions)


@settings(derandomize=True)
@given(schemes, st.lists(texts, min_size=3, max_size=3))
def test_transitive_anything(scheme: str, versions: list[str]) -> None:
    _laws(scheme, *versions)


@settings(derandomize=True)
@given(st.sampled_from(sorted(SCHEMES - {"opaque"})), texts, st.sampled_from(list(Compare)), texts)
def test_a_rule_is_undecided_exactly_when_the_versions_cannot_be_compared(
    scheme: str, found: str, how: Compare, wanted: str
) -> None:
    answer = meets(scheme, found, how, wanted)
    comparison = compare(scheme, found, wanted)
    assert (answer is None) == (comparison is UNKNOWN)
    assert answer == holds(comparison, how)


@settings(derandomize=True)
@given(texts, texts, schemes)
def test_rules_agree_with_each_other(found: str, wanted: str, scheme: str) -> None:
    def rule(how: Compare) -> bool | None:
        return meets(scheme, found, how, wanted)

    if rule(Compare.EQ) is not None:
        assert rule(Compare.NE) is not rule(Compare.EQ)
    if rule(Compare.GE) is not None:
        assert rule(Compare.LT) is not rule(Compare.GE)
        assert rule(Compare.LE) is not rule(Compare.GT)
        assert rule(Compare.GE) == (rule(Compare.GT) or rule(Compare.EQ))


def test_an_opaque_version_is_a_name() -> None:
    assert meets("opaque", "blue", Compare.EQ, "green") is False
    assert meets("opaque", "blue", Compare.NE, "green") is True
    assert meets("opaque", "blue", Compare.GE, "green") is None
    assert meets("opaque", "blue", Compare.GE, "blue") is True
    assert meets("opaque", "blue", Compare.GT, "blue") is False
    assert meets("opaque", "", Compare.NE, "green") is None
