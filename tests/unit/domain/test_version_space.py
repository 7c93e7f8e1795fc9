"""Whether demands on a version can be met together, against every version of a small world."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.release import Compare
from techtool.domain.version_space import Want, contradiction, is_readable, witness

WORLDS: dict[str, tuple[list[str], list[str]]] = {
    "dotted": (
        ["0", "1", "1.0", "1.1", "1.2", "2", "2.0.1"],
        [".".join(map(str, parts)) for n in (1, 2, 3, 4) for parts in product(range(4), repeat=n)],
    ),
    "android-code": (["0", "1", "2", "3", "7"], [str(n) for n in range(12)]),
    "semver": (
        ["0.0.0-0", "1.0.0-a", "1.0.0-a.0", "1.0.0", "1.0.1-0", "1.0.1", "2.0.0"],
        [
            f"{major}.0.{patch}{end}"
            for major, patch in product(range(4), range(4))
            for end in ("", "-0", "-0.0", "-a", "-a.0", "-a.0.0", "-a.1", "-b")
        ],
    ),
    "dotted-date": (
        ["A_V1.0_20240101", "A_V1.0_20240102", "A_V1.1_20240101", "B_V1.0_20240101", "A_V1.0", "A_V1.1"],
        [
            f"{line}_V{number}{day}"
            for line in "AB"
            for number in ("0", "0.9", "1.0", "1.0.0.1", "1.0.1", "1.1", "1.1.0.0.1", "1.2", "3")
            for day in ("", "_00010101", "_20231231", "_20240101", "_20240102", "_20240103", "_20250101")
        ],
    ),
    "opaque": (["A", "B", "C"], ["A", "B", "C", "D", "0"]),
}


@st.composite
def demands(draw: st.DrawFn) -> list[Want]:
    scheme = draw(st.sampled_from(sorted(WORLDS)))
    want = st.builds(
        lambda how, version, forbidden: Want(scheme, how, version, forbidden),
        st.sampled_from(list(Compare)),
        st.sampled_from(WORLDS[scheme][0]),
        st.booleans(),
    )
    return draw(st.lists(want, min_size=1, max_size=4))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(demands())
def test_a_witness_is_found_exactly_where_some_version_meets_all(wants: list[Want]) -> None:
    found = witness(wants)
    some = [version for version in WORLDS[wants[0].scheme][1] if all(want.met_by(version) for want in wants)]
    assert (found is None) == (some == [])
    if found is not None:
        assert all(want.met_by(found) for want in wants)
    assert (contradiction(wants) != ()) == (found is None)


def test_every_scheme_is_in_the_small_world_at_both_answers() -> None:
    for scheme, (named, _all) in WORLDS.items():
        assert witness([Want(scheme, Compare.EQ, named[1])]) is not None
        assert witness([Want(scheme, Compare.EQ, named[1]), Want(scheme, Compare.NE, named[1])]) is None


@pytest.mark.parametrize(
    ("scheme", "low", "high"),
    [
        ("android-code", "6", "7"),
        ("semver", "1.0.0", "1.0.1-0"),
        ("semver", "1.0.0-a+build", "1.0.0-a.0"),
        ("dotted-date", "P_1.0_20241231", "P_1.0_20250101"),
    ],
)
def test_nothing_lies_between_neighbours(scheme: str, low: str, high: str) -> None:
    above, below = Want(scheme, Compare.GT, low), Want(scheme, Compare.LT, high)
    assert contradiction([above, below]) == (above, below)
    assert contradiction([above]) == contradiction([below]) == ()


@pytest.mark.parametrize(("low", "high"), [("1", "1.0.0.0.1"), ("1.0", "1.0.1"), ("V2", "V2.1")])
def test_between_dotted_numbers_there_is_always_room(low: str, high: str) -> None:
    assert contradiction([Want("dotted", Compare.GT, low), Want("dotted", Compare.LT, high)]) == ()


def test_the_last_day_of_the_calendar_has_something_above_it() -> None:
    assert contradiction([Want("dotted-date", Compare.GT, "P_1.0_99991231")]) == ()


def test_schemes_are_judged_apart_and_what_cannot_be_read_not_at_all() -> None:
    code, name = Want("android-code", Compare.GE, "9"), Want("dotted", Compare.LT, "2")
    assert contradiction([code, name]) == ()
    odd = Want("dotted", Compare.LT, "A.1.28P")
    assert not odd.readable
    assert contradiction([odd, Want("dotted", Compare.GE, "1")]) == ()
    assert contradiction([]) == ()
    assert witness([]) == ""


@pytest.mark.parametrize(
    ("scheme", "version", "readable"),
    [
        ("dotted", "1.0", True),
        ("dotted", "one", False),
        ("opaque", "one", True),
        ("opaque", " ", False),
        ("lunar", "1.0", False),
    ],
)
def test_what_can_be_read(scheme: str, version: str, readable: bool) -> None:
    assert is_readable(scheme, version) is readable
