"""A recall: the office's word that a release must not be installed any more, and how to see that a terminal runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from techtool.domain.release import Provides, ReleaseKind, Urgency
from techtool.i18n import N_, Phrase, bilingual

URGENCY_LABEL = {
    Urgency.LOW: N_("low urgency"),
    Urgency.MEDIUM: N_("medium urgency"),
    Urgency.HIGH: N_("high urgency"),
    Urgency.CRITICAL: N_("critical"),
}


@dataclass(frozen=True, slots=True)
class RecalledPackage:
    """A package that the recalled release installs: by these two a terminal shows that it runs it."""

    id: str
    version_code: int


@dataclass(frozen=True, slots=True)
class Recall:
    """One recalled release; it stays in force for as long as the office lists it."""

    id: str
    version: str
    urgency: Urgency
    date: date
    """When it was recalled."""
    reason: Mapping[str, str]
    """Per language (``en``, ``zh``), at least one."""
    replacement: str = ""
    """``ID@VERSION`` of what to install instead; empty when there is nothing yet."""
    kind: ReleaseKind | None = None
    shown_version: str = ""
    """How a terminal names this firmware or boot loader once it runs it; empty for packages."""
    packages: tuple[RecalledPackage, ...] = ()
    provides: tuple[Provides, ...] = ()
    """The models it was made for."""

    @property
    def key(self) -> str:
        """``id@version``: names one release."""
        return f"{self.id}@{self.version}"

    @property
    def urgency_phrase(self) -> Phrase:
        """How soon something must be done about it."""
        return Phrase(URGENCY_LABEL[self.urgency])

    @property
    def reason_phrase(self) -> Phrase:
        """Why, in the reader's language."""
        return bilingual(self.reason)
