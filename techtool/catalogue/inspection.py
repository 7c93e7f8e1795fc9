"""The shapes of the inspection list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from techtool.i18n import LANGUAGES, Phrase, bilingual

_ID: Final = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class InspectionItem:
    """One thing that is looked at; texts are data in two languages."""

    id: str
    title: Mapping[str, str]
    criteria: Mapping[str, str]
    """When it is in order."""
    look: Mapping[str, str]
    """What to look at or do."""
    source: str

    @property
    def title_phrase(self) -> Phrase:
        """The title for records, shown in any language."""
        return bilingual(self.title)

    @property
    def help_phrase(self) -> Phrase:
        """When it is in order, and what to look at."""
        return bilingual({lang: f"{self.criteria[lang]} {self.look[lang]}" for lang in LANGUAGES})


@dataclass(frozen=True, slots=True)
class InspectionFile:
    """``inspection.toml``"""

    schema: int
    item: tuple[InspectionItem, ...]


def problem_in(file: InspectionFile) -> str:
    """What is wrong with the file and where; empty: nothing."""
    seen: set[str] = set()
    for number, item in enumerate(file.item):
        if not _ID.fullmatch(item.id) or item.id in seen:
            return f"$.item[{number}].id: “{item.id}” stands twice or is no id"
        seen.add(item.id)
        for name, text in (("title", item.title), ("criteria", item.criteria), ("look", item.look)):
            lacking = next((lang for lang in LANGUAGES if not text.get(lang)), None)
            if lacking:
                return f"$.item[{number}].{name}.{lacking}: missing"
    return ""
