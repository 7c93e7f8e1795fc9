"""What stops a plan, and with which exit code."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from techtool.domain.planner import make_plan
from techtool.domain.refusal import refusal
from techtool.domain.release import Provides, Release, Requirement
from techtool.domain.terminal import BatchState, TerminalState
from techtool.errors import Exit, TechtoolError
from tests.unit.domain.build import ANY_ROLE, TERMINAL, app, package, verified, with_packages

OPEN = replace(TERMINAL, batch=BatchState.OPEN)
CLOSED = [Requirement("no-open-batch")]
NEWER_TOOL = [Requirement("tool", version="9.0")]
OTHER = (Provides("bolt", "Z"),)


def component(name: str, version: str) -> list[Requirement]:
    return [Requirement("component", id=name, version=version)]


def stop(
    *releases: Release, terminal: TerminalState = TERMINAL, wanted: Collection[str] = (), withdrawn: str = ""
) -> TechtoolError | None:
    gone = [(withdrawn, "1.0.0")] if withdrawn else []
    return refusal(make_plan(terminal, verified(*releases), ANY_ROLE, wanted, withdrawn=gone), wanted)


@pytest.mark.parametrize(
    ("releases", "terminal", "wanted", "code"),
    [
        ((app("pay", "1.5.0"),), TERMINAL, (), None),
        ((app("pay", "1.5.0"),), with_packages(package("pay", "1.5.0")), (), None),
        ((app("pay", "1.5.0"),), with_packages(package("pay", "1.6.0")), (), None),
        ((replace(app("pay", "1.5.0"), provides=OTHER),), TERMINAL, (), Exit.NOT_COMPATIBLE),
        # What waits for the terminal's state stops everything, unless the rest is asked for by name.
        ((app("pay", "1.5.0", requires=CLOSED), app("game", "1.0.0")), OPEN, (), Exit.GATE_CLOSED),
        ((app("pay", "1.5.0", requires=CLOSED), app("game", "1.0.0")), OPEN, ("game",), None),
        # What does not fit at all stops only where there is nothing else.
        ((app("pay", "1.5.0", requires=NEWER_TOOL),), TERMINAL, (), Exit.NOT_COMPATIBLE),
        ((app("pay", "1.5.0", requires=NEWER_TOOL), app("game", "1.0.0")), TERMINAL, (), None),
        ((app("pay", "1.5.0", requires=NEWER_TOOL), app("pay", "1.4.0")), TERMINAL, (), None),
        # A step that is missing in the middle of a way stops it at its beginning …
        (
            (app("pay", "1.0.0"), app("pay", "3.0.0", requires=component("pay", "2.0"))),
            TERMINAL,
            (),
            Exit.NOT_COMPATIBLE,
        ),
        ((app("pay", "1.0.0"), app("pay", "3.0.0", requires=component("pay", "2.0"))), TERMINAL, ("pay@1.0.0",), None),
        # … but not what has nothing to do with it, and not a version that older terminals are to stay at.
        (
            (app("game", "1.0.0"), app("pay", "3.0.0", requires=component("pay", "2.0"))),
            with_packages(package("pay", "1.0.0")),
            (),
            None,
        ),
        ((app("pay", "1.4.0"), app("pay", "1.5.0", requires=component("kernel", "7.0"))), TERMINAL, (), None),
    ],
)
def test_stops(
    releases: tuple[Release, ...], terminal: TerminalState, wanted: tuple[str, ...], code: Exit | None
) -> None:
    found = stop(*releases, terminal=terminal, wanted=wanted)
    assert (found.exit_code if found else None) == code


def test_the_stop_says_what_to_do_about_what_is_missing() -> None:
    found = stop(app("pay", "3.0.0", requires=[*component("kernel", "7.0"), *NEWER_TOOL]))
    assert found is not None
    text = found.what_phrase.text("en")
    assert "kernel 7.0 or newer is missing on this stick; ask the office" in text
    assert "techtool 9.0 or newer" in text


def test_withdrawn() -> None:
    found = stop(withdrawn="pay", wanted=("pay",))
    assert found is not None
    assert found.exit_code is Exit.WITHDRAWN
