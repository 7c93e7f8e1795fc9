"""What Debian's aapt and apksigner say of an APK: the judges of what this Android installs."""

from __future__ import annotations

import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


class Refused(Exception):
    """Android's refusal: its code, and the words after the colon."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest declares."""

    package: str
    version_code: int
    version_name: str
    min_sdk: int
    target_sdk: int
    debuggable: bool
    test_only: bool
    abis: tuple[str, ...]
    """The kinds of native code inside; empty: none at all."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signed it."""

    signers: tuple[str, ...]
    """SHA-256 of each signer's certificate, lower-case hex."""
    version: int
    """The newest signature scheme that verified."""


def read_manifest(path: Path, shown: str) -> Manifest:
    """By ``aapt dump badging``; ``shown`` is the path the refusal names."""
    try:
        with zipfile.ZipFile(path):
            pass
    except (zipfile.BadZipFile, OSError):
        raise Refused("INSTALL_PARSE_FAILED_NOT_APK", f"Failed to parse {shown}") from None
    done = subprocess.run(
        ["aapt", "dump", "badging", str(path)], capture_output=True, check=False, timeout=60, env=PROGRAMS
    )
    told = done.stdout.decode("utf-8", "replace")
    # aapt ends with an error for a missing icon, too; without this line it could not read the manifest.
    head = re.search(r"^package: name='([^']+)' versionCode='(\d*)' versionName='([^']*)'", told, re.MULTILINE)
    if head is None:
        raise Refused("INSTALL_PARSE_FAILED_UNEXPECTED_EXCEPTION", f"Failed to parse {shown}: AndroidManifest.xml")
    return Manifest(
        package=head[1],
        version_code=int(head[2] or 0),
        version_name=head[3] or "null",
        min_sdk=int(_value(told, "sdkVersion") or 1),
        target_sdk=int(_value(told, "targetSdkVersion") or _value(told, "sdkVersion") or 1),
        debuggable=re.search(r"^application-debuggable$", told, re.MULTILINE) is not None,
        test_only=re.search(r"^testOnly='-1'$", told, re.MULTILINE) is not None,
        abis=tuple(
            abi
            for line in re.findall(r"^(?:alt-)?native-code: (.*)$", told, re.MULTILINE)
            for abi in re.findall(r"'([^']+)'", line)
        ),
    )


def _value(told: str, name: str) -> str | None:
    """A number; a code name of an unfinished Android counts as none."""
    found = re.search(rf"^{name}:'(\d+)'$", told, re.MULTILINE)
    return found[1] if found else None


def read_signing(path: Path, shown: str, sdk: int) -> Signing:
    """By ``apksigner verify``, as a terminal of that API level checks it."""
    done = subprocess.run(
        ["apksigner", "verify", "--verbose", "--print-certs", f"--min-sdk-version={sdk}", str(path)],
        capture_output=True,
        check=False,
        timeout=120,
        env=PROGRAMS,
    )
    told = (done.stdout + done.stderr).decode("utf-8", "replace")
    signers = tuple(re.findall(r"^Signer #\d+ certificate SHA-256 digest: ([0-9a-f]{64})$", told, re.MULTILINE))
    if done.returncode or not signers:
        reason = next((line for line in told.splitlines() if line.startswith("ERROR")), "no signature was found")
        raise Refused(
            "INSTALL_PARSE_FAILED_NO_CERTIFICATES", f"Failed to collect certificates from {shown}: {reason[:300]}"
        )
    schemes = re.findall(r"^Verified using v(\d)(?:\.\d)? scheme .*: true$", told, re.MULTILINE)
    return Signing(signers, max((int(n) for n in schemes if n in "123"), default=1))
