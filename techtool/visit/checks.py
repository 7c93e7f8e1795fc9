"""Functional tests as the catalogue describes them, as questions to a person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from techtool.catalogue.functional import FunctionalTest, Mode
from techtool.catalogue.reader import Catalogue
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.release import ReleaseKind

SKIMMER_CHECK: Final = "SE-02"
"""Casing and skimmer inspection: asked before anything is touched."""


def after_install(catalogue: Catalogue, kinds: Collection[ReleaseKind]) -> tuple[FunctionalTest, ...]:
    """What a person must see after releases of these kinds.

    Left out: what the verify step reads by itself, what applies only under a condition, and sales that need the
    merchant's consent; these come with the work order's own list.
    """
    return tuple(
        test
        for test in catalogue.tests
        if test.is_required_for(kinds)
        and Mode.AUTOMATIC not in test.modes
        and not (test.condition or test.consent or test.before_install)
        and test.id != SKIMMER_CHECK
    )


def question_for(test: FunctionalTest, step: StepKind, serial: str) -> Question:
    """Ask for the result of one test."""
    return Question(
        f"{step.value}.{test.id}", AnswerKind.TEST_RESULT, test.title_phrase, help=test.criteria_phrase, serial=serial
    )
