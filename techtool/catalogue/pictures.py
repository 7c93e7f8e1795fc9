"""Reference pictures of terminals as they should look, which the office supplies for the inspection (SE-02)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from techtool.domain.terminal import Evidence
from techtool.i18n import LANGUAGES, Phrase, bilingual

SUFFIXES: Final = (".jpg", ".jpeg", ".png")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A model that is known to be in order (PCI DSS v4.0.1 9.5.1.2 guidance: compare with photographs)."""

    vendor: str
    model: str
    file: str
    """Beside the facts file when it is added; the copy in the home is named by its digest."""
    sha256: str
    source: str
    evidence: Evidence
    shows: Mapping[str, str] = field(default_factory=dict)
    """What is to be seen, per language."""

    def fits(self, vendor: str, model: str) -> bool:
        """Whether it is of this model."""
        return (self.vendor, self.model) == (vendor, model)

    @property
    def kept_as(self) -> str:
        """Its name in the home."""
        return f"{self.sha256}{PurePosixPath(self.file).suffix.lower()}"

    @property
    def title(self) -> Phrase | None:
        """What is to be seen, in any language."""
        return bilingual(self.shows) if self.shows else None


def picture_problem(picture: Picture) -> str:
    """What is wrong with an entry; empty: nothing."""
    path = PurePosixPath(picture.file)
    if path.is_absolute() or ".." in path.parts or "\\" in picture.file or path.suffix.lower() not in SUFFIXES:
        return f"file: a name beside this file, ending in {', '.join(SUFFIXES)}"
    if not _SHA256.fullmatch(picture.sha256):
        return "sha256: 64 small hexadecimal digits"
    if picture.shows and any(not picture.shows.get(language) for language in LANGUAGES):
        return "shows: a language is missing"
    return ""
