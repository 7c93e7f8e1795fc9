"""How a terminal is updated from a stick by its own menu: what must lie where, what a person presses and sees. Pure.

A guide is data of the catalogue (``guides.toml``). It says only what its source says: where that is thin, a step sends
the person to the maker's own manual, and nothing is invented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from techtool.domain.fat import FileSystem, Letters, Names
from techtool.domain.terminal import Evidence, titled

FAMILY: Final = "medium"
"""The family of terminals that are worked on by hand; the scheme of their addresses too."""
CARRYING_NAME: Final = "{name}"
GUIDE: Final = "install.guide."
"""The ids of a guide's questions begin with it."""


class Ask(StrEnum):
    """How a step of a guide ends."""

    DONE = "done"
    """Yes: it is as the step says. No: it is not, and a person says what there is instead."""
    CHOICE = "choice"
    """One of the things the screen may show."""
    TYPED = "typed"
    """Something is read from the screen and typed."""


class Then(StrEnum):
    """What an answer leads to."""

    ON = "on"
    REPEAT = "repeat"
    """The step is done once more."""
    FAILED = "failed"
    """The terminal said no."""


@dataclass(frozen=True, slots=True)
class GuideChoice:
    """One thing the terminal's screen may show."""

    value: str
    text: Mapping[str, str]
    then: Then = Then.ON


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One thing a person does at the terminal."""

    id: str
    text: Mapping[str, str]
    """What to do, per language."""
    shows: Mapping[str, str] = field(default_factory=dict)
    """What the screen shows then."""
    trap: Mapping[str, str] = field(default_factory=dict)
    """What goes wrong easily."""
    ask: Ask = Ask.DONE
    choice: tuple[GuideChoice, ...] = ()
    changes: bool = False
    """From here on the terminal may be another one."""
    source: str = ""
    """Empty: the guide's."""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What the terminal's menu wants to find on the stick."""

    file_systems: tuple[FileSystem, ...] = (FileSystem.FAT32,)
    names: Names = Names.LONG
    letters: Letters = Letters.ANY
    folder: str = ""
    """Below the stick's root, parts parted by ``/``; empty: the root itself."""
    pattern: str = ""
    """The whole name of an update file must fit it (regular expression); empty: any name."""
    write_as: str = CARRYING_NAME
    """How the file is called on the stick, where that is not its own ``{name}``."""
    others: tuple[str, ...] = ()
    """File names (``*`` and ``?``, capitals or not) in ``folder`` that the menu would take as well."""
    label: str = ""
    """The volume label it wants; empty: any."""
    result_file: str = ""
    """What the terminal leaves on the stick, below its root; empty: nothing that is known."""
    result_good: str = ""
    """A line of that file fits it (regular expression) when the terminal was content."""

    def name_for(self, name: str) -> str:
        """What the file ``name`` is called on the stick."""
        return self.write_as.replace(CARRYING_NAME, name)

    def takes(self, name: str) -> bool:
        """Whether the menu would list a file of that name on the stick."""
        return not self.pattern or re.fullmatch(self.pattern, name) is not None

    def disturbs(self, name: str) -> bool:
        """Whether a file that lies there already would come between."""
        return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in self.others)


@dataclass(frozen=True, slots=True)
class Guide:
    """One model that is updated from a stick by its own menu."""

    vendor: str
    vendor_name: str
    model: str
    model_name: str
    source: str
    evidence: Evidence
    serial_at: Mapping[str, str]
    """Where its serial number is found, per language."""
    versions_at: Mapping[str, str]
    """Where its versions are shown."""
    layout: Layout
    step: tuple[GuideStep, ...]
    simulated: bool = False
    """There is no such terminal: only a folder that stands for a stick is written for it."""

    @property
    def id(self) -> str:
        """``vendor/model``: what a person chooses and an answers file holds."""
        return f"{self.vendor}/{self.model}"

    @property
    def title(self) -> str:
        """Maker and model as people say it."""
        return titled(self.vendor_name, self.model_name)

    def known_from(self, step: GuideStep) -> tuple[str, Evidence]:
        """Source and evidence of one step."""
        return step.source or self.source, step.evidence or self.evidence
