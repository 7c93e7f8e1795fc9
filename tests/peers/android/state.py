"""What this Android remembers: packages, install sessions, battery, storage, properties; files under ``/data``."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.peers.android.identity import SUNMI_P2

DATA = "/data"
FIRST_APP_UID = 10_100


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package."""

    name: str
    version_code: int
    version_name: str
    min_sdk: int
    target_sdk: int
    debuggable: bool
    signers: tuple[str, ...]
    """SHA-256 of the signing certificates, lower-case hex."""
    signing_version: int
    """Which APK signature scheme verified: 1, 2 or 3."""
    uid: int
    code_path: str
    """The folder of its files, as the terminal names it."""
    installer: str | None
    first_installed: str
    last_updated: str

    @property
    def base_apk(self) -> str:
        """As ``pm path`` names it."""
        return f"{self.code_path}/base.apk"


@dataclass(frozen=True, slots=True)
class Session:
    """One install session that is neither committed nor abandoned."""

    id: int
    size_bytes: int
    """What ``-S`` announced; -1 where it did not."""
    replace: bool
    downgrade: bool
    test_only: bool
    installer: str | None
    multi_package: bool = False
    """It takes no files but other sessions, which are installed all or not at all."""
    children: tuple[int, ...] = ()
    parent: int | None = None

    @property
    def stage(self) -> str:
        """The folder that takes what is written, as the terminal names it."""
        return f"{DATA}/app/vmdl{self.id}.tmp"


@dataclass(frozen=True, slots=True)
class Battery:
    """What ``dumpsys battery`` reports."""

    level: int = 87
    usb_powered: bool = True
    ac_powered: bool = False


class Android:
    """The records under one ``/data``, seen from inside the terminal or from the machine that runs it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._system = data / "system"

    def host_path(self, path: str) -> Path:
        """Where a file that the terminal calls ``/data/…`` really is."""
        return self.data / Path(path).relative_to(DATA)

    def format(self) -> None:
        """A terminal fresh from the factory."""
        self._system.mkdir(parents=True, exist_ok=True)
        self._write("properties", SUNMI_P2)
        self._write("packages", {})
        self._write("sessions", {})
        self.set_battery(Battery())
        self.set_free_bytes(4 << 30)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Only one program changes the records at a time."""
        with (self._system / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, name: str) -> dict[str, object]:
        content: dict[str, object] = json.loads((self._system / f"{name}.json").read_text("utf-8"))
        return content

    def _write(self, name: str, content: Mapping[str, object]) -> None:
        part = self._system / f"{name}.part{os.getpid()}"
        part.write_text(json.dumps(content, indent=1), "utf-8")
        part.rename(self._system / f"{name}.json")

    def properties(self) -> dict[str, str]:
        """Every system property."""
        return {name: str(value) for name, value in self._read("properties").items()}

    def set_property(self, name: str, value: str | None) -> None:
        """Change a property; None removes it."""
        properties = self.properties()
        properties.pop(name, None)
        self._write("properties", properties if value is None else {**properties, name: value})

    def battery(self) -> Battery:
        """Charge and supply."""
        return Battery(**self._read("battery"))  # type: ignore[arg-type]  # written by set_battery only

    def set_battery(self, battery: Battery) -> None:
        """Charge and supply from now on."""
        self._write("battery", asdict(battery))

    def used_bytes(self) -> int:
        """What the files under ``/data`` really take."""
        walked = (os.lstat(Path(folder, name)) for folder, _, names in os.walk(self.data) for name in names)
        return sum(stat.st_blocks * 512 for stat in walked)

    def capacity_bytes(self) -> int:
        """How large ``/data`` is."""
        return int(str(self._read("storage")["capacity_bytes"]))

    def free_bytes(self) -> int:
        """What is left; it shrinks with everything that is pushed or installed."""
        return max(0, self.capacity_bytes() - self.used_bytes())

    def set_free_bytes(self, size_bytes: int) -> None:
        """Make ``/data`` so large that this much is left now."""
        self._write("storage", {"capacity_bytes": self.used_bytes() + size_bytes})

    def packages(self) -> dict[str, Package]:
        """Everything installed, by package name."""
        return {
            name: Package(**{**record, "signers": tuple(record["signers"])})
            for name, record in sorted(self._read("packages").items())
            if isinstance(record, dict)
        }

    def put_packages(self, new: Sequence[Package]) -> None:
        """Record packages, all at once, in place of those of the same names, whose files go."""
        before = self.packages()
        after = {**before, **{package.name: package for package in new}}
        self._write("packages", {name: asdict(package) for name, package in after.items()})
        for package in new:
            if package.name in before:
                self._remove_files(before[package.name].code_path)

    def remove_package(self, name: str) -> bool:
        """Forget a package and delete its files; False when there is none."""
        packages = self.packages()
        package = packages.pop(name, None)
        if package is None:
            return False
        self._write("packages", {n: asdict(p) for n, p in packages.items()})
        self._remove_files(package.code_path)
        return True

    def _remove_files(self, code_path: str) -> None:
        folder = self.host_path(code_path)
        shutil.rmtree(folder.parent if folder.parent.name.startswith("~~") else folder)

    def free_uid(self) -> int:
        """The next uid for an application."""
        return max((p.uid + 1 for p in self.packages().values()), default=FIRST_APP_UID)

    def sessions(self) -> dict[int, Session]:
        """Every open install session."""
        return {
            int(n): Session(**{**record, "children": tuple(record["children"])})
            for n, record in self._read("sessions").items()
            if isinstance(record, dict)
        }

    def put_sessions(self, *changed: Session) -> None:
        """Open sessions, or change them."""
        for session in changed:
            if not session.multi_package:
                self.host_path(session.stage).mkdir(parents=True, exist_ok=True)
        after = {**self.sessions(), **{session.id: session for session in changed}}
        self._write("sessions", {str(n): asdict(s) for n, s in after.items()})

    def remove_sessions(self, *numbers: int) -> None:
        """Close sessions; what was written into them goes."""
        before = self.sessions()
        self._write("sessions", {str(n): asdict(s) for n, s in before.items() if n not in numbers})
        for number in numbers:
            shutil.rmtree(self.host_path(before[number].stage), ignore_errors=True)


def here() -> Android:
    """The Android of the terminal this program runs on."""
    return Android(Path(os.environ["ANDROID_DATA"]))
