"""What every test against outside programs needs: where they are kept, and what to say when one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import pytest

REPO = Path(__file__).resolve().parents[2]

DEBIAN_PACKAGE = {
    "7z": "p7zip-full",
    "java": "default-jre-headless",
    "keytool": "default-jre-headless",
    "fsck.fat": "dosfstools",
    "mcopy": "mtools",
    "mdir": "mtools",
    "node": "nodejs",
    "mkfs.vfat": "dosfstools",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
"""Programs whose Debian package has another name."""


class PeerMissing(RuntimeError):
    """An outside program cannot be used here; the text says which one and what to do."""


def in_ci() -> bool:
    """Whether a missing peer is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(reason: str) -> NoReturn:
    """End the test: a failure in CI, a skip with the reason for a person."""
    if in_ci():
        pytest.fail(f"CI must not go without its peers: {reason}", pytrace=False)
    pytest.skip(reason)


def find(program: str) -> str:
    """The program's path; raises :class:`PeerMissing` with the package that has it."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    path = shutil.which(program, path=folders)
    if path is None:
        raise PeerMissing(f"“{program}” is missing: apt-get install {DEBIAN_PACKAGE.get(program, program)}")
    return path


def need(program: str) -> str:
    """The path of an outside program the test cannot do without; skips, or fails in CI, when it is not there."""
    try:
        return find(program)
    except PeerMissing as e:
        missing(str(e))


def google_adb() -> str:
    """Google's own adb: the newest there is here, so the wheel's before the one in PATH."""
    own = _of_wheel()
    return str(own) if own.is_file() else need("adb")


def wheel_adb() -> str:
    """The adb that Google built and the adbutils wheel carries, whatever is in PATH: version 36, which can pair."""
    own = _of_wheel()
    if not own.is_file():
        missing("this adbutils has no adb of its own (there is a wheel with one for Linux on x86_64)")
    return _of_version(str(own), 36)


def debian_adb() -> str:
    """The adb that Debian builds: version 29, which knows neither pairing nor TLS."""
    return _of_version(need("adb"), 29)


def _of_wheel() -> Path:
    import adbutils

    return Path(adbutils.__file__).parent / "binaries" / "adb"


def _of_version(program: str, wanted: int) -> str:
    """The program, if it is the version that the test is about."""
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True, timeout=30).stdout
    if f"Version {wanted}." not in said:
        missing(f"{program} is not adb {wanted}: {said.splitlines()[1:2]}")
    return program


def peers_dir() -> Path:
    """Where fetched peers are kept between runs."""
    folder = Path(os.environ.get("TECHTOOL_PEERS") or REPO / ".peers")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def checked(argv: list[str], *, cwd: Path | None = None, **environment: str) -> str:
    """Run a program and return what it printed; raises :class:`PeerMissing` with its own words when it fails."""
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, timeout=600, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise PeerMissing(f"{Path(argv[0]).name} failed ({done.returncode}): {words}")
    return done.stdout


def fetch_command(fetch: Callable[[], Iterable[Path]], usage: str = "--fetch") -> int:
    """``python -m tests.peers.NAME --fetch``: get it and print where it is; the exit code.

    ``usage``: how else it may be called, for the person who typed something else.
    """
    program, *arguments = sys.argv
    if arguments != ["--fetch"]:
        print(f"usage: python -m tests.peers.{Path(program).stem} {usage}", file=sys.stderr)
        return 4
    try:
        for path in fetch():
            print(path)
    except PeerMissing as e:
        print(e, file=sys.stderr)
        return 1
    return 0
