"""What the lab and the publisher know of a release on this hardware: ``tested_on`` and ``known_issues``.

A bad result of the lab on this very hardware counts; that it tried only some revisions and some starting versions is
told and asks for nothing, for a lab cannot try them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from techtool.domain.components import starting_versions
from techtool.domain.release import KnownIssue, LabResult
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.verdicts import told
from techtool.domain.versions import Comparison, compare
from techtool.i18n import Phrase, phrase, raw

LAB_RESULT: Final = "lab-result"
KNOWN_ISSUE: Final = "known-issue"
_BAD: Final = {"failed": Force.GATE, "warned": Force.WARNING}
"""Results that are no success (in-toto's test-result words); any other word is only told."""


def lab_results(case: Case) -> Iterator[Verdict]:
    """One verdict where the lab said anything at all: of its results on this hardware the newest counts."""
    if not case.release.tested_on:
        return
    here = [result for result in case.release.tested_on if _is_here(case, result)]
    if not here:
        tried = ", ".join(_tried(result) for result in case.release.tested_on)
        yield Verdict(LAB_RESULT, True, phrase("The lab tried it elsewhere, not on this: {tried}.", tried=tried))
        return
    newest = max(here, key=lambda result: (result.date or date.min, _word(result) in _BAD))
    word = _word(newest)
    reason = phrase("The lab tried it on {tried}: {result}.", tried=_tried(newest), result=raw(newest.result))
    remedy = phrase("Do not install it on this terminal; ask the office for another release.")
    if word == "warned":
        remedy = phrase("Ask the office what the lab found, or go on with a reason.")
    yield told(LAB_RESULT, word not in _BAD, reason, remedy, _BAD.get(word, Force.GATE))


def known_issues(case: Case) -> Iterator[Verdict]:
    """One line for each thing the release does not mend: it is told, and stops nothing."""
    for issue in case.release.known_issues:
        yield Verdict(KNOWN_ISSUE, True, _told(case, issue))


def _told(case: Case, issue: KnownIssue) -> Phrase:
    revision = case.terminal.identity.hw_revision
    if not issue.hw_revision or issue.hw_revision == revision:
        return phrase("Known and not mended: {id} {text}", id=issue.id, text=raw(issue.text))
    if revision is None:
        return phrase(
            "Known and not mended on hardware revision {revision}: {id} {text}",
            revision=issue.hw_revision,
            id=issue.id,
            text=raw(issue.text),
        )
    return phrase("{id} is known on hardware revision {revision} only.", id=issue.id, revision=issue.hw_revision)


def _is_here(case: Case, result: LabResult) -> bool:
    """Whether a result is about this model, this revision and what the terminal starts from."""
    identity = case.terminal.identity
    if result.model != identity.model:
        return False
    if result.hw_revision and result.hw_revision != identity.hw_revision:
        return False
    scheme = case.release.version_format
    starts = starting_versions(case.release, case.terminal)
    return not result.from_versions or any(
        compare(scheme, start, tried) is Comparison.SAME for start in starts for tried in result.from_versions
    )


def _word(result: LabResult) -> str:
    return result.result.strip().casefold()


def _tried(result: LabResult) -> str:
    """``X1 B (2.1.0, 2.3.0)``"""
    model = f"{result.model} {result.hw_revision}".strip()
    return f"{model} ({', '.join(result.from_versions)})" if result.from_versions else model
