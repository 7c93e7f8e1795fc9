"""What a simulated terminal keeps when its power is cut: one JSON file beside the APKs, sessions and pushed files.

STATE/terminal.json      everything below, replaced as one
STATE/apks/SHA256.apk    installed packages
STATE/sessions/ID.NAME   bytes of install sessions
STATE/files/…            what was pushed; see :mod:`techtool.simulator.files`
STATE/incoming/N         transfers under way; thrown away at the next start
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.terminal import BatchState, TamperState
from techtool.errors import BadFile
from techtool.paths import DISK, Disk
from techtool.simulator.faults import Faults
from techtool.simulator.model import Model

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package."""

    id: str
    version: str
    version_code: int
    path: str
    """Of the base APK, as the terminal tells it."""
    uid: int
    system: bool = False
    apk_sha256: str = ""
    """Empty: part of the system image, may not be read."""
    size_bytes: int = 0
    signer: str = ""
    signature_hash: str = ""
    signing_version: int = 0
    min_sdk: int = 1
    target_sdk: int = 1
    debuggable: bool = False
    installer: str = ""
    first_installed_s: int = 0
    last_updated_s: int = 0
    data: str = ""
    """What the application stored: kept over an update, gone with an uninstallation. Tests put something in."""


@dataclass(frozen=True, slots=True)
class Session:
    """One install session: created, perhaps written, not yet committed or abandoned."""

    id: int
    size_bytes: int = -1
    """As announced by ``-S``; -1: not told."""
    replace: bool = True
    downgrade: bool = False
    test_only: bool = False
    installer: str = ""
    written: Mapping[str, int] = field(default_factory=dict)
    """Name within the session → bytes."""
    multi_package: bool = False
    """It holds no file but other sessions, which are installed all or not at all."""
    children: tuple[int, ...] = ()
    """The sessions it holds, in the order they were added."""
    parent: int = 0
    """The session that holds this one; 0: none. It may be gone: see :mod:`techtool.simulator.packages`."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Everything that outlives a power cut, except the bytes of files."""

    schema: int
    model: str
    serial: str
    boot_count: int = 0
    battery_percent: int = 100
    batch: BatchState = BatchState.SETTLED
    tamper: TamperState = TamperState.NORMAL
    offline_sales: int = 0
    reversals: int = 0
    next_session: int = 1_100_000_001
    next_uid: int = 10_100
    packages: Mapping[str, Package] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    """By id, as text."""
    adb_keys: tuple[str, ...] = ()
    """Base64 of the public keys that were accepted."""


class StateStore:
    """The folder of one terminal and the state it holds; every change is on disk before it is believed."""

    def __init__(self, folder: Path, state: DeviceState, disk: Disk = DISK) -> None:
        self.folder = folder
        self.disk = disk
        self._state = state

    @classmethod
    def open(cls, folder: Path, model: Model, serial: str, faults: Faults, disk: Disk = DISK) -> StateStore:
        """The terminal kept in ``folder``, made new when the folder holds none; raises :class:`BadFile`, ``DiskError``.

        A fault script's open batch, tamper state and charge are put into it at every start.
        """
        for name in ("apks", "sessions", "files", "incoming"):
            disk.make_folder(folder / name)
        path = folder / "terminal.json"
        kept = _read(path, model) if path.exists() else None
        state = kept or _new(model, serial)
        if faults.batch is not None:
            state = replace(state, batch=faults.batch)
        if faults.tamper is not None:
            state = replace(state, tamper=faults.tamper)
        if faults.offline_sales is not None:
            state = replace(state, offline_sales=faults.offline_sales)
        if faults.reversals is not None:
            state = replace(state, reversals=faults.reversals)
        if faults.battery is not None and faults.battery.start_percent is not None:
            state = replace(state, battery_percent=faults.battery.start_percent)
        store = cls(folder, state, disk)
        if state != kept:
            store.commit(state)
        return store

    @property
    def state(self) -> DeviceState:
        """What is on disk."""
        return self._state

    def commit(self, state: DeviceState) -> None:
        """Make ``state`` durable, then current."""
        self.disk.write_file(self.folder / "terminal.json", encode_json(state, indent=2))
        self._state = state

    def apk_file(self, sha256: str) -> Path:
        """Where the APK with that digest lies."""
        return self.folder / "apks" / f"{sha256}.apk"

    def session_file(self, session: int, name: str) -> Path:
        """Where a session's file lies; names are digests of what the client called it, so that none is a path."""
        import hashlib

        return self.folder / "sessions" / f"{session}.{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    @property
    def files(self) -> Path:
        """Root of the writable part of the terminal's file system."""
        return self.folder / "files"

    @property
    def incoming(self) -> Path:
        """Transfers under way."""
        return self.folder / "incoming"

    def clean(self) -> None:
        """Throw away what a power cut left behind: unfinished transfers, bytes of no session, APKs of no package."""
        keep = {self.apk_file(package.apk_sha256) for package in self._state.packages.values() if package.apk_sha256}
        keep |= {self.session_file(s.id, name) for s in self._state.sessions.values() for name in s.written}
        for name in ("incoming", "sessions", "apks"):
            for path in (self.folder / name).iterdir():
                if path not in keep:
                    self.disk.unlink(path)


def _read(path: Path, model: Model) -> DeviceState:
    try:
        state = decode_json(path.read_bytes(), DeviceState)
    except (CodecError, OSError) as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    if state.schema != SCHEMA or state.model != model.id:
        raise BadFile(path=str(path), problem=f"holds model {state.model}, schema {state.schema}")
    return state


def _new(model: Model, serial: str) -> DeviceState:
    """A terminal as it leaves the maker."""
    packages = {
        item.id: Package(
            id=item.id,
            version=item.version,
            version_code=item.version_code,
            path=item.path,
            uid=1000,
            system=True,
            min_sdk=model.sdk,
            target_sdk=model.sdk,
            first_installed_s=1_230_768_000,
            last_updated_s=1_230_768_000,
        )
        for item in model.packages
    }
    percent = model.battery.percent if model.battery else 100
    return DeviceState(SCHEMA, model.id, serial, battery_percent=percent, packages=packages)
