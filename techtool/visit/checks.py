"""Functional tests as the catalogue describes them, as questions to a person."""

from __future__ import annotations

from typing import Final

from techtool.domain.functional import FunctionalTest
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.i18n import Phrase, phrase

SKIMMER_CHECK: Final = "SE-02"
"""Casing and skimmer inspection: asked before anything is touched."""


def question_for(test: FunctionalTest, step: StepKind, serial: str, *, read: Phrase | None = None) -> Question:
    """Ask for the result of one test; ``read``: what the terminal told of it, for the person to judge."""
    helped = test.criteria_phrase
    if test.condition_phrase is not None:
        helped = phrase(
            "{criteria} Applies {condition}; else answer “not applicable” and why.",
            criteria=helped,
            condition=test.condition_phrase,
        )
    if read is not None:
        helped = phrase("{criteria} {read}", criteria=helped, read=read)
    return Question(f"{step.value}.{test.id}", AnswerKind.TEST_RESULT, test.title_phrase, help=helped, serial=serial)
