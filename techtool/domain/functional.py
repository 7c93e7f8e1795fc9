"""The shapes of the functional-test catalogue: what a test is, on which occasions it is called for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from techtool.domain.release import ReleaseKind
from techtool.i18n import LANGUAGES, Phrase, bilingual

STANDARD_TEST: Final = "APP-04"
"""AIDs and public keys: what a card standard consists of on a terminal."""
STANDARD_QUESTION: Final = f"test.{STANDARD_TEST}.level"
"""Asked beside it where the terminal does not tell its level."""


class Mode(StrEnum):
    """Who does a test; two letters mean that either, or both, are needed."""

    AUTOMATIC = "A"
    SEMI = "S"
    """techtool starts it, a person looks."""
    HUMAN = "H"


class Capability(StrEnum):
    """What a terminal has or has not; the words of ``capabilities`` in ``models.toml``."""

    PRINTER = "printer"
    MAGSTRIPE = "magstripe"
    CHIP = "chip"
    CONTACTLESS = "contactless"
    SCANNER = "scanner"
    """A scanning head or a camera that reads codes."""
    ETHERNET = "ethernet"
    WIFI = "wifi"
    CELLULAR = "cellular"
    PIN_PAD = "pin-pad"
    """A way to type a PIN, keys or touch."""
    BATTERY = "battery"
    TOUCHSCREEN = "touchscreen"
    KEYPAD = "keypad"
    """Real keys."""
    CASH_REGISTER = "cash-register"
    """A cash register is connected here."""


class Occasion(StrEnum):
    """What a test is required after."""

    FIRMWARE = "F"
    PAYMENT_APP = "P"
    CONFIGURATION = "C"
    """Kernels, AIDs and public keys, parameters, certificates."""
    INSTALLATION = "I"
    """A terminal newly placed, or swapped."""
    INSPECTION = "V"


OCCASION_OF: Final[Mapping[ReleaseKind, Occasion]] = {
    ReleaseKind.BOOTLOADER: Occasion.FIRMWARE,
    ReleaseKind.FIRMWARE: Occasion.FIRMWARE,
    ReleaseKind.APPLICATION: Occasion.PAYMENT_APP,
    ReleaseKind.RESOURCES: Occasion.PAYMENT_APP,
    ReleaseKind.KERNEL: Occasion.CONFIGURATION,
    ReleaseKind.AID_CAPK: Occasion.CONFIGURATION,
    ReleaseKind.PARAMETERS: Occasion.CONFIGURATION,
    ReleaseKind.CERTIFICATES: Occasion.CONFIGURATION,
}
"""Which tests a release of a kind calls for; resources change what the payment application shows and prints."""


@dataclass(frozen=True, slots=True)
class FunctionalTest:
    """One functional test; texts are data in two languages."""

    id: str
    title: Mapping[str, str]
    modes: tuple[Mode, ...]
    criteria: Mapping[str, str]
    """When it is passed."""
    required_for: tuple[Occasion, ...] = ()
    host: bool = False
    """Needs the terminal's own connection to the acquirer."""
    condition: Mapping[str, str] = field(default_factory=dict)
    """When it applies at all; empty: always."""
    consent: bool = False
    """Only with the merchant's consent, for the smallest amount."""
    before_install: bool = False
    """Belongs before the installation."""
    follows: tuple[str, ...] = ()
    """Only after one of these tests was run."""
    needs: tuple[Capability, ...] = ()
    """The terminal must have one of these; has it none of them, the test does not apply."""
    turn: int = 50
    """When it is a person's turn to do it: tests at the same place of the terminal have the same number."""
    show: str = ""
    """The settings screen that helps with it, as ``android.provider.Settings`` documents its action; empty: none."""
    photo: str = ""
    """Kind of evidence worth a picture, as ``EvidenceKind`` says it; empty: none is asked for."""

    @property
    def title_phrase(self) -> Phrase:
        """The title for records, shown in any language."""
        return bilingual(self.title)

    @property
    def criteria_phrase(self) -> Phrase:
        """The pass criteria for records, shown in any language."""
        return bilingual(self.criteria)

    @property
    def condition_phrase(self) -> Phrase | None:
        """When it applies; None: always."""
        return bilingual(self.condition) if self.condition else None

    @property
    def attended(self) -> bool:
        """Whether no machine alone can do it."""
        return Mode.AUTOMATIC not in self.modes or Mode.HUMAN in self.modes

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """Languages in which a text is missing, as ``title.zh``."""
        texts = {"title": self.title, "criteria": self.criteria}
        if self.condition:
            texts["condition"] = self.condition
        return tuple(f"{name}.{lang}" for name, text in texts.items() for lang in LANGUAGES if not text.get(lang))


@dataclass(frozen=True, slots=True)
class TestLimits:
    """Numbers that measured tests are judged by; each stands in ``tests.toml`` with where it comes from."""

    __test__ = False
    clock_off_s: float
    storage_low_percent: float
    storage_low_max_bytes: int
    wifi_min_dbm: int
    cellular_min_level: int
    """Bars of Android's ``SignalStrength``, 0 to 4."""
    approvals_max_age_days: int
    watch_poll_s: float
    link_round_trips: int
    link_slow_ms: float
