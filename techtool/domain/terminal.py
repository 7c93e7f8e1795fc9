"""What is known of one terminal, and from where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from techtool.domain.typed import narrow
from techtool.errors import BadAddress
from techtool.i18n import N_

SETS_SINCE_SDK: Final = 29
"""Android 10 brought installing several packages all or none (AOSP ``PackageManagerShellCommand --multi-package``)."""
MAX_PATH: Final = 1024
"""Characters of a ``medium:`` address's path."""


UNVERIFIED: Final = N_(
    "Not verified on hardware: what techtool does with terminals of this maker follows published notes and was tried "
    "against stand-ins only."
)


class Evidence(StrEnum):
    """How a rule of the catalogue, and so a fact read through it, is known."""

    DOCUMENTED = "documented"
    RECORDED = "recorded"
    SIMULATED = "simulated"
    ASKED = "asked"
    """Typed by the technician from the terminal's screen."""


_USUAL_PORT: Final = {"adb": 0, "xcb": 0, "redfish+https": 443}
"""Schemes with ``HOST:PORT``, and the port where none is named; 0: it must be named."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a terminal is reached: ``adb://HOST:PORT``, ``xcb://HOST:PORT``, ``redfish+https://HOST[:PORT]``,
    ``adb+server:SERIAL``, ``medium:PATH``, ``replay:FILE``.
    """

    scheme: str
    """``adb``, ``xcb``, ``redfish+https``, ``adb+server``, ``medium``, ``replay``."""
    target: str
    """``HOST:PORT``; the serial an adb server knows it by; where the stick is mounted that is carried to it; the
    path of a recording.
    """
    announced: bool = field(default=False, compare=False)
    """Nobody but the network has named it: it was picked from what announces itself, which anybody there can do."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.target}" if self.scheme in _USUAL_PORT else f"{self.scheme}:{self.target}"

    @property
    def host(self) -> str:
        """Host of an address on the network."""
        return urlsplit(str(self)).hostname or ""

    @property
    def port(self) -> int:
        """Port of an address on the network."""
        return urlsplit(str(self)).port or 0

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address as a person types it; raises :class:`BadAddress`."""
        text = _narrowed(text.strip())
        scheme = text.partition("://")[0]
        if scheme in _USUAL_PORT and "://" in text and text.isprintable() and " " not in text:
            try:
                parts = urlsplit(text)
                port, host = parts.port or _USUAL_PORT[scheme], parts.hostname
            except ValueError:
                raise BadAddress(address=text) from None
            if host and port and parts.path in ("", "/") and not parts.query and not parts.username:
                shown = f"[{host}]" if ":" in host else host
                return cls(scheme, f"{shown}:{port}")
        elif text.startswith("replay:") and text.isprintable() and text != "replay:":
            return cls("replay", text.removeprefix("replay:"))
        elif text.startswith("adb+server:"):
            serial = text.removeprefix("adb+server:").removeprefix("//")
            if serial and serial.isprintable() and not any(c.isspace() for c in serial):
                return cls("adb+server", serial)
        elif text.startswith("medium:"):
            path = text.removeprefix("medium:").strip()
            if path and path.isprintable() and len(path) <= MAX_PATH:
                return cls("medium", path)
        raise BadAddress(address=text)


def _narrowed(text: str) -> str:
    """Without an input method's full-width signs; in the path behind a scheme they may be a folder's own name."""
    plain = narrow(text)
    scheme = next((scheme for scheme in ("medium:", "replay:") if plain.startswith(scheme)), "")
    return f"{scheme}{text[len(scheme) :]}" if scheme else plain


def titled(vendor_name: str, model_name: str) -> str:
    """``SUNMI`` and ``SUNMI P2`` → ``SUNMI P2``; ``Castles Technology`` and ``Castles S1E2L`` → ``Castles S1E2L``."""
    maker = vendor_name.split()[:1]
    return model_name if model_name.split()[:1] == maker else f"{vendor_name} {model_name}".strip()


@dataclass(frozen=True, slots=True)
class Identity:
    """Which terminal this is, by the catalogue's rules over what it says of itself."""

    address: str
    vendor: str
    """Catalogue id of the maker, e.g. ``sunmi``."""
    vendor_name: str
    model: str
    """Catalogue id of the model within the vendor, e.g. ``P2``."""
    model_name: str
    family: str
    """Which driver of ``terminals`` speaks to it, e.g. ``android``."""
    hw_revision: str | None
    serial: str
    serial_source: str
    """The property the serial number was read from."""
    serial_trusted: bool
    """False for a known default serial that many units share."""
    os_version: str
    firmware: str
    """The build's display id, the vendor's own text."""
    abis: tuple[str, ...]
    sdk: int | None
    evidence: Evidence
    """How the model's rule is known."""
    source: str
    """Where the rule comes from: a document or a recording."""
    unverified: bool = False
    """Nobody has tried techtool on real hardware of this maker: see :data:`UNVERIFIED`."""

    @property
    def title(self) -> str:
        """Maker and model as people say it; the maker once, where the model's name begins with it."""
        return titled(self.vendor_name, self.model_name)


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One package as the terminal reports it."""

    id: str
    version: str
    version_code: int
    signer: str | None = None
    """Lower-case hex SHA-256 of the signing certificate; null where it was not read."""
    in_system_image: bool = False
    """It came with the firmware and was never updated: its file is the firmware's, and in no backup."""

    @property
    def mark(self) -> int | str:
        """By what another version is told: the version code, else (components that have none) the version's text."""
        return self.version_code or self.version

    @property
    def shown(self) -> str:
        """``1.5.0 (150)``; without the code where there is none."""
        return f"{self.version} ({self.version_code})" if self.version_code else self.version


class BatchState(StrEnum):
    """Whether takings wait in the terminal."""

    SETTLED = "settled"
    OPEN = "open"


class TamperState(StrEnum):
    """What the terminal says of its own tamper protection."""

    NORMAL = "normal"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Battery:
    """Charge and supply are two facts (fwupd #1240)."""

    percent: int
    external_power: bool


@dataclass(frozen=True, slots=True)
class TerminalState:
    """Everything read from a terminal before, or after, the work; ``None`` means the terminal does not say."""

    identity: Identity
    packages: tuple[InstalledPackage, ...]
    battery: Battery | None = None
    free_storage_bytes: int | None = None
    tid: str | None = None
    mid: str | None = None
    batch: BatchState | None = None
    tamper: TamperState | None = None
    bootloader: str | None = None
    region: str | None = None
    clock_offset_s: float | None = None
    """Terminal clock minus laptop clock."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """For facts that no standard property gives: how each is known (``batch`` → ``simulated`` …)."""
    uptime_s: float | None = None
    """Since its last start."""
    offline_sales: int | None = None
    """Sales taken without the host that were not yet sent to it."""
    reversals: int | None = None
    """Cancellations that the host has not yet confirmed."""
    takes_older: bool | None = None
    """Whether it says that it takes an older version of a package over a newer one."""
    goes_back_itself: bool | None = None
    """Whether it says that it has two systems and starts the former one when the new one does not start."""

    card_standard: str | None = None
    """Level of the card standard that its payment software follows (``PBOC 3.0``)."""

    @property
    def typed(self) -> bool:
        """Whether a person read it from the terminal's label and screen: self-reported, proven by nothing."""
        return self.evidence.get("serial") is Evidence.ASKED

    def package(self, package_id: str) -> InstalledPackage | None:
        """The installed package of that id, if any."""
        return next((p for p in self.packages if p.id == package_id), None)
