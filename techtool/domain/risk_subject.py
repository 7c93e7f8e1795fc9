"""What the risk of the work on one terminal is judged by: facts of terminal, plan, link, place and past. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.terminal import BatchState, Battery
from techtool.i18n import N_, Phrase


class WayBack(StrEnum):
    """How what ran before can come back."""

    SLOT = "slot"
    CARRIED = "carried"
    """The former version is in the backup and the terminal takes it."""
    REINSTALL = "reinstall"
    """Only by loading it anew, with what it stored."""
    IRREVERSIBLE = "irreversible"


class BackupFact(StrEnum):
    """What copy there is when the first change is made."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    OLDER = "older"
    NONE = "none"
    """Nothing can be read from the terminal."""


class Trading(StrEnum):
    """Whether the merchant sells meanwhile; the values are those of the answer ``confirm.trading``."""

    CLOSED = "closed"
    SECOND = "second-terminal"
    ONLY = "only-terminal"
    PEAK = "peak"


TRADING_LABEL: Final = {
    Trading.CLOSED: N_("The shop is closed"),
    Trading.SECOND: N_("Open, another terminal takes payments"),
    Trading.ONLY: N_("Open, this is the only terminal"),
    Trading.PEAK: N_("Open, and it is the busiest hour"),
}


@dataclass(frozen=True, slots=True)
class Tries:
    """How earlier installations of these releases on this model went."""

    count: int = 0
    good: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the terminal, the plan, the link, the place and the past; None: nobody knows."""

    battery: Battery | None
    free_storage_bytes: int | None
    need_bytes: int
    link: str
    """Word of the factor ``link``; one that it does not know counts as the heaviest."""
    resumes: bool
    steps: int
    """Releases to install, one after the other."""
    kinds: frozenset[ReleaseKind]
    way_back: WayBack
    keys: KeyFate
    batch: BatchState | None
    tries: Tries = field(default_factory=Tries)
    p90_s: float = 0.0
    left_s: float | None = None
    """Until the shop closes or, where it is closed, opens."""
    warnings: tuple[Phrase, ...] = ()
    """Of the terminal's health."""
    first_time: bool = False
    drops: int = 0
    """Lost connections of this visit."""
    errors_percent: float = 0.0
    backup: BackupFact = BackupFact.VERIFIED
    trading: Trading | None = None
    spare: bool | None = None
    critical_merchant: bool = False
    anomaly: bool = False
