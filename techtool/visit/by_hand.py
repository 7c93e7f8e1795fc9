"""Identify a terminal that nothing can be read from: a person picks its model, types serial number and versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from techtool.catalogue.guides import guide_for, load_guides
from techtool.domain.components import BOOTLOADER, FIRMWARE, parts
from techtool.domain.guide import FAMILY, Guide
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.release import Release
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Address, TerminalState
from techtool.errors import GateClosed, UnknownModel
from techtool.i18n import Phrase, bilingual, phrase, raw
from techtool.links.medium.volume import volume_at
from techtool.terminals.medium import typed_state

Ask = Callable[[Question], Awaitable[str]]
"""Puts a question to the person."""

OTHER_MODEL: Final = "other"
_TRIES: Final = 3
_MOST: Final = 64
"""Characters of a serial number or a version."""


class When(StrEnum):
    """First part of the questions' ids: before the work and after it the same is asked, and the answers differ."""

    BEFORE = "identify"
    AFTER = "verify"


@dataclass(frozen=True, slots=True)
class Slots:
    """What the releases at hand look at: asked of a person, and nothing else."""

    firmware: bool = True
    bootloader: bool = False
    packages: Mapping[str, Phrase] = field(default_factory=dict)
    """Release id → its name for people."""

    @classmethod
    def of(cls, releases: Sequence[Release], guide: Guide) -> Slots:
        """Everything that the releases made for this model write or name."""
        mine = [r for r in releases if any((p.vendor, p.model) == (guide.vendor, guide.model) for p in r.provides)]
        blank = typed_state(guide, "", "")
        written = [part.slot for release in mine for part in parts(release, blank)]
        asked = [rule for release in mine for rule in (*release.requires, *release.recommends)]
        named = {rule.id for rule in asked if rule.what == "component" and rule.id}
        named |= {slot.partition(":")[2] for slot in written if slot.startswith("package:")}
        boot = BOOTLOADER in written or any(rule.what == BOOTLOADER for rule in asked)
        return cls(True, boot, {name: raw(name) for name in sorted(named)})


def is_by_hand(address: Address) -> bool:
    """Whether the terminal is worked on by a person at its own menu."""
    return address.scheme == FAMILY


async def choose_model(ask: Ask, address: Address, *, simulated: bool) -> Guide:
    """Which of the models that have a guide it is; raises :class:`UnknownModel` for another one.

    ``simulated``: the stick is a folder that stands for one, and only models that do not exist are offered.
    """
    offered = [guide for guide in load_guides() if guide.simulated is simulated]
    question = Question(
        "identify.model",
        AnswerKind.CHOICE,
        phrase("Which model is the terminal?"),
        help=phrase("Read it from the label. Only models that have a guide are listed; a similar one is another one."),
        choices=(
            *(Choice(guide.id, raw(guide.title), raw(guide.source)) for guide in offered),
            Choice(OTHER_MODEL, phrase("None of these")),
        ),
    )
    chosen = await ask(question)
    if chosen == OTHER_MODEL:
        raise UnknownModel(address=str(address), description=phrase("none of the models that have a guide"))
    return guide_for(chosen)


async def type_serial(ask: Ask, guide: Guide) -> str:
    """The serial number, typed twice; raises :class:`GateClosed` where the two stay different."""
    texts = {
        "identify.serial": phrase("Serial number of the terminal"),
        "identify.serial.again": phrase("Read the serial number once more and type it again"),
    }
    for _try in range(_TRIES):
        typed = [
            _plain(await ask(Question(name, AnswerKind.TEXT, text, help=bilingual(guide.serial_at))))
            for name, text in texts.items()
        ]
        if typed[0] and typed[0].upper() == typed[1].upper():
            return typed[0]
    raise GateClosed(
        reason=phrase("the serial number was not typed the same way twice"),
        remedy=phrase("Clean the label, take a photo of it and read the number from the photo."),
    )


async def type_versions(
    ask: Ask, guide: Guide, address: Address, serial: str, slots: Slots, when: When
) -> TerminalState:
    """The versions as the terminal's screen shows them; one that is left empty is not known, and rules say so."""
    text = phrase("Version of {name}, as the terminal's screen shows it", name=phrase("firmware"))
    typed = {FIRMWARE: await _version(ask, guide, serial, f"{when.value}.firmware", text)} if slots.firmware else {}
    if slots.bootloader:
        text = phrase("Version of {name}, as the terminal's screen shows it", name=phrase("boot loader"))
        typed[BOOTLOADER] = await _version(ask, guide, serial, f"{when.value}.bootloader", text)
    packages = {}
    for name, shown in slots.packages.items():
        text = phrase("Version of {name}, as the terminal's screen shows it", name=shown)
        packages[name] = await _version(ask, guide, serial, f"{when.value}.version.{name}", text)
    return typed_state(
        guide,
        str(address),
        serial,
        firmware=typed.get(FIRMWARE, ""),
        bootloader=typed.get(BOOTLOADER, ""),
        packages=packages,
    )


async def identify_by_hand(ask: Ask, address: Address, releases: Sequence[Release]) -> TerminalState:
    """Model, serial number and versions before the work; raises ``MediumUnfit``, ``UnknownModel``, ``GateClosed``."""
    guide = await choose_model(ask, address, simulated=is_stand_in(address))
    serial = await type_serial(ask, guide)
    return await type_versions(ask, guide, address, serial, Slots.of(releases, guide), When.BEFORE)


def is_stand_in(address: Address) -> bool:
    """Whether the address is a folder that stands for a stick; raises ``MediumUnfit`` for no stick at all."""
    return volume_at(Path(address.target)).simulated


def guide_of(state: TerminalState) -> Guide:
    """The guide of an identified terminal."""
    return guide_for(f"{state.identity.vendor}/{state.identity.model}")


async def _version(ask: Ask, guide: Guide, serial: str, name: str, text: Phrase) -> str:
    helped = phrase("{where} Leave it empty where it cannot be seen.", where=bilingual(guide.versions_at))
    question = Question(name, AnswerKind.TEXT, text, help=helped, serial=serial, optional=True)
    return redact(_plain(await ask(question)))


def _plain(text: str) -> str:
    """What was typed, bounded and on one line."""
    return "".join(letter for letter in text.strip() if letter.isprintable())[:_MOST]
