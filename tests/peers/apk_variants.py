"""APK files as they should not be, made from good ones with Debian's tools."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

from tests.peers.tools import REPO, need

DEMO = REPO / "techtool/simulator/apks"


def demo(name: str) -> Path:
    """One of the small APKs that the demo ships, e.g. ``com.example.sunmi.pay-1.4.0``."""
    return DEMO / f"{name}.apk"


def without_signature(apk: Path, into: Path) -> Path:
    """The same entries, with no signature of any scheme."""
    with zipfile.ZipFile(apk) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if not entry.filename.startswith("META-INF/"):
                new.writestr(entry.filename, old.read(entry))
    return into


def with_native_code(apk: Path, abi: str, into: Path) -> Path:
    """The package with a library for that kind of processor, signed by a key made for this one file."""
    keytool, apksigner = need("keytool"), need("apksigner")
    without_signature(apk, into)
    with zipfile.ZipFile(into, "a") as file:
        file.writestr(f"lib/{abi}/libnothing.so", b"\x7fELF")
    key = into.with_suffix(".p12")
    stored = ["-storetype", "PKCS12", "-storepass", "only-a-test", "-alias", "k"]
    made = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650", "-dname", "CN=test"]
    subprocess.run([keytool, "-genkeypair", "-keystore", str(key), *stored, *made], check=True, capture_output=True)
    subprocess.run(
        [apksigner, "sign", "--ks", str(key), "--ks-pass", "pass:only-a-test", str(into)],
        check=True,
        capture_output=True,
    )
    return into
