"""What a release claims to mend, looked at before and after on this very terminal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from techtool.domain.probe import Finding
from techtool.domain.question import CheckResult
from techtool.i18n import Phrase, phrase


class IssueFinding(StrEnum):
    """What was seen at one moment."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_REPRODUCIBLE = "not-reproducible"
    """Cannot be provoked on site."""
    NOT_CHECKED = "not-checked"


class IssueResult(StrEnum):
    """What follows from before and after."""

    VERIFIED = "verified"
    """There before, gone after."""
    STILL_PRESENT = "still-present"
    NOT_REPRODUCIBLE = "not-reproducible"
    """Never seen here, so its absence proves nothing."""
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """One entry of a release's ``issues[]`` on one terminal."""

    release_key: str
    id: str
    title: Phrase
    before: IssueFinding
    after: IssueFinding
    result: IssueResult
    automatic: bool
    """Read from the terminal, not seen by a person."""
    note: str = ""


def issue_result(before: IssueFinding, after: IssueFinding) -> IssueResult:
    """What follows: only what was seen here before and is gone now is verified."""
    if after is IssueFinding.PRESENT:
        return IssueResult.STILL_PRESENT
    if IssueFinding.NOT_CHECKED in (before, after):
        return IssueResult.NOT_CHECKED
    if before is IssueFinding.PRESENT and after is IssueFinding.ABSENT:
        return IssueResult.VERIFIED
    return IssueResult.NOT_REPRODUCIBLE


def verification(results: Collection[IssueResult]) -> Finding:
    """The test “known-issue verification”, out of what was found of each issue."""
    if not results:
        return Finding(CheckResult.NOT_APPLICABLE, said=phrase("the installed releases name no problem they mend"))
    count = Counter(results)
    value = ", ".join(f"{result.value}: {count[result]}" for result in IssueResult if count[result])
    if count[IssueResult.STILL_PRESENT]:
        return Finding(CheckResult.FAIL, value, phrase("a problem that should be mended is still there"))
    if count[IssueResult.NOT_CHECKED]:
        return Finding(CheckResult.NOT_DONE, value, phrase("not every problem was looked at before and after"))
    return Finding(CheckResult.PASS, value)
