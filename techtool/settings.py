"""What the person chose: one TOML file, read strictly, written as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml, plain
from techtool.domain.schema import OLDEST, SETTINGS, newest, refuse_newer
from techtool.errors import BadSettings
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, os_problem


@dataclass(frozen=True, slots=True)
class AdbSettings:
    """``[links.adb]``"""

    path: str = ""
    """The adb program to start a server with; empty: the one on PATH, else adbutils' when installed."""
    server: str = ""
    """``HOST:PORT`` of a running adb server; empty: 127.0.0.1:5037 when one answers, else an own private one."""


@dataclass(frozen=True, slots=True)
class RedfishSettings:
    """``[links.redfish]``"""

    login_file: str = ""
    """A TOML file with ``user`` and ``password``, readable by its owner only; empty: a person is asked."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """``[links]``"""

    adb: AdbSettings = field(default_factory=AdbSettings)
    pax: Mapping[str, str] = field(default_factory=dict)
    """``handshake_token``: the vendor's, given by the vendor or acquirer; techtool ships none. It goes over the wire
    as it is, so only to an address that a person typed or that ``hosts`` names; about another one a person is asked.
    """
    hosts: tuple[str, ...] = ()
    """Addresses of terminals on a network that are offered without looking for them: ``adb://HOST:PORT``."""
    redfish: RedfishSettings = field(default_factory=RedfishSettings)


@dataclass(frozen=True, slots=True)
class TestSettings:
    """``[tests]``"""

    __test__ = False
    stability_s: float = 180.0
    """How long a terminal is watched after an installation for restarts and crashes; 0: two looks, no waiting."""


@dataclass(frozen=True, slots=True)
class CadenceSettings:
    """``[cadence]``"""

    default_days: int = 180
    """How often a terminal is updated of which neither its maker nor a release says it; 0: no due date then."""
    inspection_days: int = 0
    """How often a terminal is inspected; 0: no due date. PCI DSS 9.5.1.2.1 leaves it to the merchant's own analysis."""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """``[fleet]``"""

    order: str = "one-first"
    """In what order several terminals are offered to be worked on: ``one-first``, ``one-by-one`` or ``all``."""


@dataclass(frozen=True, slots=True)
class OfficeSettings:
    """``[office]``"""

    url: str = ""
    """Of the office's database, such as ``https://office.example/techtool``; never with a name or password in it."""
    ca_file: str = ""
    """PEM file of the only certificate authority that its server is judged by; empty: those of this computer."""


ORDERS: Final = ("one-first", "one-by-one", "all")


@dataclass(frozen=True, slots=True)
class Settings:
    """``settings.toml``"""

    language: str = ""
    """``en`` or ``zh``; empty: the computer's."""
    technician: str = ""
    staff_no: str = ""
    service_company: str = ""
    """For whom the technician works, as a merchant is shown it; an order may name another."""
    ascii: bool = False
    """Draw with ASCII marks only."""
    keep_backups_days: int = 30
    schema: int = 1
    """Of this file; a person need not write it. See :mod:`techtool.domain.schema`."""
    links: LinkSettings = field(default_factory=LinkSettings)
    tests: TestSettings = field(default_factory=TestSettings)
    cadence: CadenceSettings = field(default_factory=CadenceSettings)
    fleet: FleetSettings = field(default_factory=FleetSettings)
    office: OfficeSettings = field(default_factory=OfficeSettings)
    contacts: Mapping[str, str] = field(default_factory=dict)
    """Whom to call, in the office's own words: name → number, address or page; shown with ``techtool support``."""


@dataclass(frozen=True, slots=True)
class _AnySettings:
    """What the file has in every schema there will be."""

    schema: int = OLDEST


def read_settings(path: Path) -> Settings:
    """The settings, or the defaults when there is no file yet; raises :class:`BadSettings`, :class:`StoreTooNew`."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise BadSettings(path=str(path), problem=os_problem(error)) from error
    try:
        refuse_newer(SETTINGS, decode_toml(data, _AnySettings).schema, path)
        settings = decode_toml(data, Settings)
    except CodecError as error:
        raise BadSettings(path=str(path), problem=_shape(data) or str(error)) from error
    if settings.language not in ("", "en", "zh"):
        raise BadSettings(path=str(path), problem=phrase("language: it is en or zh"))
    if settings.fleet.order not in ORDERS:
        raise BadSettings(path=str(path), problem=phrase("fleet.order: it is one of {words}", words=", ".join(ORDERS)))
    return settings


def _shape(data: bytes) -> Phrase | None:
    """What is wrong with a file that is no text at all; a person is not told of codecs."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return phrase("it is no text file")
    return None


def write_settings(path: Path, settings: Settings, disk: Disk = DISK) -> None:
    """Replace the file as one."""
    import tomli_w

    disk.make_folder(path.parent)
    disk.write_file(path, tomli_w.dumps(plain(replace(settings, schema=newest(SETTINGS)))).encode())
