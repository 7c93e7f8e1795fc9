"""The table of attacks: what somebody does to a stick, and what the command line must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.unit.attacks.scene import LAPTOPS, Scene

Spoil = Callable[[Scene], object]
Find = Callable[[Scene], Path]
Change = Callable[[Path], object]

CODES: Final = {10: "TT-210", 11: "TT-211", 12: "TT-212", 13: "TT-213", 14: "TT-214"}
"""Exit code of ``bundle verify`` → code of the error: untrusted, expired, recalled, damaged, withdrawn."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack by its name."""

    name: str
    spoil: Spoil
    exits: int
    """Of ``techtool bundle verify``."""
    says: str
    """Words by which a technician learns what is wrong: a regular expression."""
    laptops: tuple[str, ...] = LAPTOPS
    """Which of them must refuse the stick; on the others it is no worse than any genuine one."""
    learns: bool = False
    """The metadata is genuine and complete: a laptop that has not seen it may keep it, whatever the payloads are."""

    @property
    def code(self) -> str:
        return CODES[self.exits]


ATTACKS: Final[list[Attack]] = []


def attack(
    name: str, says: str, *, exits: int = 10, laptops: tuple[str, ...] = LAPTOPS, learns: bool = False
) -> Callable[[Spoil], Spoil]:
    """Enter a function into the table."""

    def enter(spoil: Spoil) -> Spoil:
        add(name, spoil, says, exits=exits, laptops=laptops, learns=learns)
        return spoil

    return enter


def add(
    name: str,
    spoil: Spoil,
    says: str,
    *,
    exits: int = 10,
    laptops: tuple[str, ...] = LAPTOPS,
    learns: bool = False,
) -> None:
    """Enter one row; names are unique."""
    assert name not in {entry.name for entry in ATTACKS}, name
    ATTACKS.append(Attack(name, spoil, exits, says, laptops, learns))


def on(find: Find, change: Change) -> Spoil:
    """Do something to one file."""
    return lambda scene: change(find(scene))


def file_of(role: str) -> Find:
    """The newest metadata file of a role."""
    return lambda scene: scene.role_file(role)


def below(path: str) -> Find:
    """A place in the bundle's folder."""
    return lambda scene: scene.root / path


def write(data: bytes) -> Change:
    """Other content, whole."""
    return lambda path: path.write_bytes(data)


def listed(role: str, data: bytes) -> Spoil:
    """Other content as the next version of a list, by whoever holds the online key."""
    return lambda scene: scene.put_list(role, data)


def described(change: Callable[[bytes], bytes]) -> Spoil:
    """Another description, signed by vendor and lab."""
    return lambda scene: scene.described(change)


def replaced(old: bytes, new: bytes) -> Spoil:
    """A description with other words in one place, signed by vendor and lab."""
    return described(lambda data: data.replace(old, new, 1))


def always(data: bytes) -> Callable[[bytes], bytes]:
    """A change that does not look at what was there."""
    return lambda _old: data
