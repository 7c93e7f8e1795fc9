"""Real APK files that public npm packages ship: real manifests and signatures, 0.2 to 18 MB.

``python -m tests.peers.npm_apks --fetch`` gets them once; the registry is the one npm is configured for.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from tests.peers.tools import PeerMissing, checked, fetch_command, find, peers_dir


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One pinned package: name, version, SHA-256 of its archive."""

    name: str
    version: str
    sha256: str

    @property
    def archive(self) -> str:
        """How ``npm pack`` names it."""
        return f"{self.name}-{self.version}.tgz"


PACKAGES = (
    NpmPackage("io.appium.settings", "8.0.10", "1903bba3c16b387af259c79bd7eac26e905b5b7b016702aa25644fe673ff0b2d"),
    NpmPackage(
        "appium-uiautomator2-server", "10.6.6", "c0ddd247106d51d41749ae3aeb1818df18f46735020ae464f525d016e96f2fe9"
    ),
    NpmPackage("android-apidemos", "5.0.0", "8efe4f6cef47fba151718e2471dc1c8ac9a37623841a2485e65752222253b39c"),
)


def fetch() -> Mapping[str, Path]:
    """The APK files by name, fetched when they are not there yet; raises :class:`PeerMissing`."""
    folder = peers_dir() / "npm"
    with FileLock(peers_dir() / "npm.lock"):
        for package in PACKAGES:
            if not (folder / package.archive).is_file():
                _fetch_one(package, folder)
    return {path.name: path for package in PACKAGES for path in sorted((folder / package.name).glob("*.apk"))}


def _fetch_one(package: NpmPackage, folder: Path) -> None:
    """Archive and APKs; the archive moves in last, so that its presence means the APKs are complete."""
    npm = find("npm")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as scratch:
        wanted = f"{package.name}@{package.version}"
        checked([npm, "pack", "--ignore-scripts", "--silent", f"--pack-destination={scratch}", wanted])
        archive = Path(scratch) / package.archive
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package.sha256:
            raise PeerMissing(f"{package.archive} is not the pinned file: SHA-256 {found}")
        into = folder / package.name
        into.mkdir(exist_ok=True)
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member) if member.name.endswith(".apk") else None
                if content is not None:
                    (into / Path(member.name).name).write_bytes(content.read())
        archive.rename(folder / package.archive)


if __name__ == "__main__":
    sys.exit(fetch_command(lambda: fetch().values()))
