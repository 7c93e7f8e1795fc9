"""Where the attacks happen: an office with two states of one bundle, sticks of both, and three technicians' laptops.

The older stick was made a day before the newer one; in between ``com.acme.kernel 7.0`` was withdrawn and
``com.acme.pay 2.0`` came. ``new`` is a laptop that has only been enrolled, ``seen`` has opened the newer stick.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical

from techtool.bundles.roots import pin_root
from techtool.bundles.trust import Stick, open_stick
from techtool.clock import FixedClock
from techtool.logbook import NAME
from techtool.paths import Paths
from tests.unit.bundles.office import ACME_SIGNS, NOW, Forger, Office, private_key, public

NEW: Final = "new"
SEEN: Final = "seen"
LAPTOPS: Final = (NEW, SEEN)
BOARD: Final = ("targets-1", "targets-2")
ROOTS: Final = ("root-1", "root-2")
ONLINE: Final = ("stick-maker",)
SIGNERS: Final[Mapping[str, Sequence[str]]] = {
    "root": ROOTS,
    "targets": BOARD,
    "vendor-acme": ACME_SIGNS,
    "vendor-beta": ("vendor-beta-1", "lab-1"),
    "snapshot": ONLINE,
    "timestamp": ONLINE,
}
"""Who has to sign what."""

Json = dict[str, Any]


def make_office(folder: Path) -> None:
    """Both states, their sticks, and the laptops."""
    office = Office.make(folder)
    office.add("com.acme.pay", "1.0")
    office.add("com.acme.kernel", "7.0")
    office.add("org.beta.app", "3.1", publisher="beta")
    office.stick("older")
    office.later(days=1)
    office.add("com.acme.pay", "2.0")
    office.withdraw("com.acme.kernel", "7.0")
    office.stick("stick")
    for name in LAPTOPS:
        pin_root(Paths(folder / name), office.workspace.root_data())
    open_stick(folder / "stick", Paths(folder / SEEN), office.clock)


@dataclass
class Scene:
    """The newer stick and the laptops, copied to be spoilt; the rest of the office is looked at where it was made."""

    made: Path
    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW + timedelta(days=1)))
    name: str = "stick"

    @classmethod
    def copy(cls, made: Path, folder: Path) -> Scene:
        for name in ("stick", *LAPTOPS):
            shutil.copytree(made / name, folder / name)
        return cls(made, folder)

    @property
    def stick(self) -> Path:
        """The newer stick."""
        return self.folder / self.name

    @property
    def older(self) -> Path:
        """The older stick, not to be changed."""
        return self.made / "older"

    @property
    def root(self) -> Path:
        return self.stick / "TECHTOOL"

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    def office(self) -> Office:
        """A copy of the office, to add and sign more."""
        for name in ("bundle", "payloads"):
            shutil.copytree(self.made / name, self.folder / name)
        return Office(self.folder, self.clock)

    @property
    def forger(self) -> Forger:
        return Forger(self.stick, at=self.clock.at)

    def later(self, **delta: float) -> None:
        self.clock.at += timedelta(**delta)

    def laptop(self, name: str) -> Paths:
        return Paths(self.folder / name)

    def open(self, name: str, stick: Path | None = None) -> Stick:
        return open_stick(stick or self.stick, self.laptop(name), self.clock)

    def state(self, name: str) -> dict[str, bytes]:
        """Everything a laptop keeps, byte for byte; not the small log, which notes each command."""
        kept = tree_of(self.folder / name)
        return {path: data for path, data in kept.items() if path != f"logs/{NAME}"}

    def role_file(self, role: str) -> Path:
        """The newest metadata file of a role."""
        return self.metadata / "timestamp.json" if role == "timestamp" else self.forger.newest(role)

    def payload(self, name: str = "com.acme.pay-2.0.bin") -> Path:
        return self._one("targets/*/*", name)

    def description(self, name: str = "com.acme.pay-2.0.json") -> Path:
        return self._one("targets/releases/*", name)

    def _one(self, folder: str, name: str) -> Path:
        (path,) = self.root.glob(f"{folder}/*.{name}")
        return path

    def replace_stick(self, other: Path) -> None:
        """Put ``other`` where the stick is."""
        shutil.rmtree(self.stick)
        shutil.copytree(other, self.stick, symlinks=True)

    def resign(self, role: str, change: Callable[[Json], object], owners: Sequence[str] | None = None) -> None:
        """A new version of a list, changed as plain JSON, properly signed, with everything around it fitting."""
        signed = json.loads(self.role_file(role).read_bytes())["signed"]
        signed["version"] += 1
        version = signed["version"]
        change(signed)
        data = signed_file(signed, SIGNERS[role] if owners is None else owners)
        (self.metadata / f"{version}.{role}.json").write_bytes(data)
        if role != "root":
            self.forger.restamp()

    def resign_online(self, role: str, change: Callable[[Json], object], owners: Sequence[str] = ONLINE) -> None:
        """A new snapshot or timestamp, changed as plain JSON, by whoever holds the online key."""
        self.forger.restamp()
        path = self.role_file(role)
        signed = json.loads(path.read_bytes())["signed"]
        change(signed)
        data = signed_file(signed, owners)
        path.write_bytes(data)
        if role == "snapshot":
            self.refit_timestamp(data)

    def refit_timestamp(self, snapshot: bytes) -> None:
        """The timestamp over a snapshot of the same version."""
        stamp = json.loads(self.role_file("timestamp").read_bytes())["signed"]
        version = stamp["meta"]["snapshot.json"]["version"]
        stamp["meta"]["snapshot.json"] = meta_of(snapshot, version)
        self.role_file("timestamp").write_bytes(signed_file(stamp, ONLINE))

    def put_list(self, role: str, data: bytes) -> None:
        """Any bytes as the next version of a list, with snapshot and timestamp over it: the online key's work."""
        version = int(self.role_file(role).name.split(".")[0]) + 1
        (self.metadata / f"{version}.{role}.json").write_bytes(data)
        self.forger.restamp()

    def described(self, change: Callable[[bytes], bytes], name: str = "com.acme.pay-2.0") -> None:
        """Another description of a release, signed by its vendor and a lab."""
        path = f"releases/acme/{name}.json"
        data = change(self.description(f"{name}.json").read_bytes())
        self.forger.change_list("vendor-acme", lambda t: self.forger.put_target(path, data, t), ACME_SIGNS)


def signed_file(signed: Any, owners: Sequence[str]) -> bytes:
    """A metadata file of whatever content; what has no canonical form gets signatures over nothing."""
    try:
        data = str(encode_canonical(signed)).encode()
    except FormatError:
        data = b""
    signatures = [{"keyid": public(owner).keyid, "sig": private_key(owner).sign(data).hex()} for owner in owners]
    return json.dumps({"signatures": signatures, "signed": signed}).encode()


def meta_of(data: bytes, version: int) -> Json:
    """How a snapshot or timestamp names a file."""
    import hashlib

    return {"version": version, "length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}


def tree_of(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by its name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
