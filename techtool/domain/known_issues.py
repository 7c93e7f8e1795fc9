"""What a release claims to mend, looked at before and after on this very terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from techtool.i18n import Phrase


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
