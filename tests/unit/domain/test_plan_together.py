"""What the plan says of a release of several packages: together or one after the other, as far as it knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.domain.planner import make_plan
from techtool.domain.release import Release, VerifiedRelease
from tests.unit.domain.build import IDENTITY, TERMINAL, TOOL, TRUST, app

PAY, KERNEL = app("pay", "1.4.0"), app("kernel", "7.1.0")


def effect(release: Release, sdk: int) -> str:
    terminal = replace(TERMINAL, identity=replace(IDENTITY, sdk=sdk))
    made = make_plan(terminal, [VerifiedRelease(release, TRUST)], TOOL)
    return next(step.effect.text("en") for step in made.steps if step.release_key)


@pytest.mark.parametrize(
    ("sdk", "words"),
    [
        (30, "Its packages go in together, all or none"),
        (29, "Its packages go in together, all or none"),
        (28, "Its packages go in one after the other."),
    ],
)
def test_how_the_packages_of_one_release_go_in(sdk: int, words: str) -> None:
    assert words in effect(replace(PAY, files=(*PAY.files, *KERNEL.files)), sdk)


def test_of_one_package_nothing_is_said() -> None:
    assert "Its packages" not in effect(PAY, 30)
