"""The models that can be simulated: data in ``models/*.toml``, and its one reader.

What a vendor's documents say stands in the files as it is; everything that no source documents is told through
properties under ``techtool.sim.``, so that nobody takes it for a real vendor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from techtool.errors import UsageError
from techtool.i18n import phrase
from techtool.links.adb.packets import MAX_PAYLOAD, MAX_PAYLOAD_OLD, VERSION_MIN, VERSION_NO_CHECKSUM
from techtool.simulator.documents import read_document

MODELS: Final = Path(__file__).parent / "models"
APKS: Final = Path(__file__).parent / "apks"
"""The demo's small APKs; a model may name some of them as preinstalled."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """How the model's debug daemon speaks; no ``abb``, no compressed transfers: payment terminals rarely have them."""

    version: int = VERSION_NO_CHECKSUM
    max_payload: int = MAX_PAYLOAD
    features: tuple[str, ...] = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir")
    exec_service: bool = True
    """Whether there is ``exec:``, which streams into commands (Android 5 and later)."""
    crlf: bool = False
    """Plain ``shell:`` output has CR LF line ends (daemons that run every command on a terminal device)."""


OLD_DAEMON: Final = Daemon(version=VERSION_MIN, max_payload=MAX_PAYLOAD_OLD, features=(), exec_service=False, crlf=True)
"""An Android 4 daemon: checksums, 4096-byte payloads, no exit codes, no ``exec:``, no 64-bit sizes."""


@dataclass(frozen=True, slots=True)
class SerialRule:
    """How instances are numbered: ``prefix`` and ``base`` + position with ``digits`` digits.

    Bases of different models lie far apart, so that the last four differ among all terminals of one simulation.
    """

    prefix: str
    base: int
    digits: int = 4

    def serial(self, position: int) -> str:
        """The serial number of the terminal at ``position`` (from 1)."""
        return f"{self.prefix}{self.base + position:0{self.digits}d}"


@dataclass(frozen=True, slots=True)
class BatteryRule:
    """The charge a new terminal has."""

    percent: int
    external_power: bool


@dataclass(frozen=True, slots=True)
class StorageRule:
    """The size of ``/data`` and what is free on a new terminal."""

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """A package of the system image; its file may not be read."""

    id: str
    version: str
    version_code: int
    path: str


@dataclass(frozen=True, slots=True)
class RedfishRule:
    """How a model's Redfish service speaks; ``packages`` are then the members of its firmware inventory."""

    user: str
    password: str
    firmware: str
    """Which of ``packages`` is the firmware."""
    multipart: bool = True
    """Whether it takes pushed images."""
    simple_update: bool = True
    """Whether it fetches images itself."""
    apply_times: tuple[str, ...] = ("Immediate", "OnReset")
    """When it puts an image in."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: what its instances say of themselves when they are new."""

    schema: int
    id: str
    name: str
    source: str
    """What of it is documented, and where."""
    order: int
    serial: SerialRule
    storage: StorageRule
    properties: Mapping[str, str]
    """``{serial}`` and ``{number}`` (last four of the serial) are put in."""
    battery: BatteryRule | None = None
    """None: runs on mains only."""
    daemon: Daemon = field(default_factory=Daemon)
    packages: tuple[SystemPackage, ...] = ()
    preinstalled: tuple[str, ...] = ()
    """File names under ``apks/``: installed on a new terminal where they exist."""
    features: tuple[str, ...] = ("android.hardware.wifi", "android.hardware.telephony", "android.hardware.touchscreen")
    """What ``pm list features`` tells."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What lies on a new terminal's storage: device path → text, ``{number}`` put in."""
    boot_s: float = 2.0
    """Seconds from a restart until the daemon answers again."""
    redfish: RedfishRule | None = None
    """Not None: it has no debug daemon, but a Redfish service."""
    listed: bool = True
    """Whether a simulation without ``--model`` uses it."""

    def properties_of(self, serial: str) -> dict[str, str]:
        """The properties of one instance."""
        return {
            key: value.replace("{serial}", serial).replace("{number}", serial[-4:])
            for key, value in self.properties.items()
        }

    def files_of(self, serial: str) -> dict[str, bytes]:
        """The files of a new instance."""
        return {path: text.replace("{number}", serial[-4:]).encode() for path, text in self.files.items()}

    @property
    def sdk(self) -> int:
        """Android API level."""
        return int(self.properties.get("ro.build.version.sdk", "0"))

    @property
    def debuggable(self) -> bool:
        """Whether its build takes older packages over newer ones (``install -d``)."""
        return self.properties.get("ro.debuggable") == "1"

    @property
    def abis(self) -> tuple[str, ...]:
        """Native ABIs, best first."""
        text = self.properties.get("ro.product.cpu.abilist") or self.properties.get("ro.product.cpu.abi", "")
        return tuple(abi for abi in text.split(",") if abi)


@cache
def load_models(folder: Path = MODELS) -> tuple[Model, ...]:
    """Every model there is, in their order; raises :class:`techtool.errors.BadFile`."""
    models = [read_document(path, Model) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(models, key=lambda model: (model.order, model.id)))


def find_model(model_id: str) -> Model:
    """The model of that id; raises :class:`UsageError` naming those there are."""
    models = load_models()
    for model in models:
        if model.id == model_id:
            return model
    raise UsageError(
        problem=phrase(
            "No model “{model}” can be simulated; there are {models}.",
            model=model_id,
            models=", ".join(model.id for model in models),
        )
    )


def choose_models(model_id: str | None, count: int) -> tuple[Model, ...]:
    """``count`` models: all the same when one is named, else the listed ones in turn."""
    if model_id:
        return (find_model(model_id),) * count
    listed = tuple(model for model in load_models() if model.listed)
    return tuple(listed[i % len(listed)] for i in range(count))
