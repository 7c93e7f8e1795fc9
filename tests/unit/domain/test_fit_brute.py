"""Releases for several models, revisions and regions: the verdict against looking at every entry by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from techtool.domain.question import questions
from techtool.domain.release import BlockedHardware, Provides, Release
from techtool.domain.rules import Verdict, evaluate
from techtool.domain.terminal import TerminalState
from tests.unit.domain.build import IDENTITY, TERMINAL, TOOL, app

VENDORS, MODELS = ("acme", "acme", "acme", "bolt"), ("X1", "X1", "X1", "X2")
"""Mostly one model, so that several entries are about it."""
REVISIONS, REGIONS = ("A", "B", "C"), ("CN", "EU", "US")
FIT = {"model", "hw-revision", "region", "blocked-hardware"}


def few(values: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)
    return st.one_of(some, some, some, st.just(()))


entries = st.builds(Provides, st.sampled_from(VENDORS), st.sampled_from(MODELS), few(REVISIONS), few(REGIONS))
releases = st.builds(
    lambda provides, blocked: replace(
        app("pay", "1.5.0"),
        provides=tuple(provides),
        blocked_hw=tuple(BlockedHardware(revision, "no-secure-boot") for revision in blocked),
    ),
    st.lists(entries, min_size=1, max_size=4),
    st.lists(st.sampled_from(REVISIONS), max_size=1),
)
truths = st.tuples(
    st.sampled_from(VENDORS), st.sampled_from(MODELS), st.sampled_from(REVISIONS), st.sampled_from(REGIONS)
)


def fits(release: Release, vendor: str, model: str, revision: str, region: str) -> bool:
    """One entry must let in all four, and no revision of it may be blocked."""
    if any(blocked.hw_revision == revision for blocked in release.blocked_hw):
        return False
    return any(
        (entry.vendor, entry.model) == (vendor, model)
        and (not entry.hw_revisions or revision in entry.hw_revisions)
        and (not entry.regions or region in entry.regions)
        for entry in release.provides
    )


def truthful(question: str, revision: str, region: str) -> bool:
    """What a technician with the label in hand answers to ``check.KIND.VALUES``."""
    kind, values = question.removeprefix("check.").split(".", 1)
    if kind == "hw-revision":
        return revision in values.split("|")
    if kind == "region":
        return region in values.split("|")
    if kind == "hw-not":
        return revision != values
    assert kind == "made-for"
    pairs = [pair.split(" ") for pair in values.split("|")]
    return any(a == "*" or revision in a.split("/") for a, b in pairs if b == "*" or region in b.split("/"))


def judged(release: Release, terminal: TerminalState, truth: tuple[str, str, str, str]) -> list[Verdict]:
    """The verdicts once every question about the fit was answered truthfully."""
    answers: dict[str, bool] = {}
    while True:
        verdicts = [v for v in evaluate(release, terminal, replace(TOOL, answers=answers)) if v.what in FIT]
        asked = questions(verdicts)
        if not asked:
            return verdicts
        answers |= {question.id: truthful(question.id, truth[2], truth[3]) for question in asked}
        note(f"asked {answers}")


TELLS = pytest.mark.parametrize(
    ("tells_revision", "tells_region"), [(True, True), (True, False), (False, True), (False, False)]
)


@TELLS
@settings(max_examples=200, deadline=None, derandomize=True)
@given(release=releases, truth=truths)
def test_the_fit_is_what_one_entry_says(
    release: Release, truth: tuple[str, str, str, str], tells_revision: bool, tells_region: bool
) -> None:
    vendor, model, revision, region = truth
    identity = replace(IDENTITY, vendor=vendor, model=model, hw_revision=revision if tells_revision else None)
    terminal = replace(TERMINAL, identity=identity, region=region if tells_region else None)
    note(f"{release.provides} blocked {release.blocked_hw}")
    verdicts = judged(release, terminal, truth)
    assert all(v.ok for v in verdicts) is fits(release, *truth)
    if tells_revision and tells_region:
        assert not any(v.ask for v in evaluate(release, terminal, TOOL) if v.what in FIT)


@TELLS
@settings(max_examples=100, deadline=None, derandomize=True)
@given(release=releases, truth=truths)
def test_nothing_that_could_fit_is_turned_away_unasked(
    release: Release, truth: tuple[str, str, str, str], tells_revision: bool, tells_region: bool
) -> None:
    vendor, model, revision, region = truth
    identity = replace(IDENTITY, vendor=vendor, model=model, hw_revision=revision if tells_revision else None)
    terminal = replace(TERMINAL, identity=identity, region=region if tells_region else None)
    could = any(
        fits(release, vendor, model, a, b)
        for a in ((revision,) if tells_revision else (*REVISIONS, "other"))
        for b in ((region,) if tells_region else (*REGIONS, "other"))
    )
    verdicts = [v for v in evaluate(release, terminal, TOOL) if v.what in FIT]
    open_or_met = all(v.ok or v.ask for v in verdicts)
    if could:
        assert open_or_met
    if not any(p.vendor == vendor and p.model == model for p in release.provides):
        assert not open_or_met
