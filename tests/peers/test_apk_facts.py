"""Our facts of real APKs beside what Debian's aapt and apksigner say of the same files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from techtool.bundles.apk import read_apk
from tests.peers.apk_variants import demo, with_native_code, without_signature
from tests.peers.tools import need
from tests.unit.simulator.apk_maker import make_apk

pytestmark = pytest.mark.peers

REAL = (
    "settings_apk-debug.apk",
    "appium-uiautomator2-server-debug-androidTest.apk",
    "appium-uiautomator2-server-v10.6.6.apk",
    "ApiDemos-debug.apk",
)


def aapt(path: Path) -> dict[str, str]:
    """The badging lines as a mapping; an attribute that is missing is the empty text."""
    text = subprocess.run(
        [need("aapt"), "dump", "badging", str(path)], capture_output=True, text=True, check=True
    ).stdout
    found = dict(re.findall(r" (name|versionCode|versionName)='([^']*)'", text.splitlines()[0]))
    sdk = re.search(r"^sdkVersion:'(\d+)'", text, re.MULTILINE)
    abis = re.search(r"^native-code: (.*)$", text, re.MULTILINE)
    return {**found, "sdk": sdk[1] if sdk else "1", "abis": abis[1] if abis else ""}


def apksigner(path: Path) -> str:
    """SHA-256 of the signer's certificate."""
    argv = [need("apksigner"), "verify", "--print-certs", str(path)]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Signer #1 certificate SHA-256 digest: ([0-9a-f]{64})", text)
    assert found is not None, text
    return found[1]


def compare(path: Path) -> None:
    facts, said = read_apk(path), aapt(path)
    assert facts.id == said["name"]
    assert facts.version_code == int(said["versionCode"] or 0)
    assert facts.version == (said["versionName"] or str(facts.version_code))
    assert facts.min_sdk == int(said["sdk"])
    assert sorted(facts.abis) == sorted(re.findall(r"'([^']+)'", said["abis"]))
    assert facts.signer == apksigner(path)


@pytest.mark.parametrize("name", REAL)
def test_real_apks(npm_apks: Mapping[str, Path], name: str) -> None:
    compare(npm_apks[name])


def test_every_real_apk_is_compared(npm_apks: Mapping[str, Path]) -> None:
    assert set(npm_apks) == set(REAL)


def test_the_demos_apk() -> None:
    compare(demo("com.example.sunmi.pay-1.4.0"))


def test_native_code_and_another_signer(tmp_path: Path) -> None:
    made = with_native_code(demo("com.example.sunmi.pay-1.4.0"), "armeabi-v7a", tmp_path / "native.apk")
    compare(made)
    assert read_apk(made).abis == ("armeabi-v7a",)
    assert read_apk(made).signer != read_apk(demo("com.example.sunmi.pay-1.4.0")).signer


def test_signed_by_the_jar_scheme_only(tmp_path: Path) -> None:
    """Scheme v1 alone, as old build systems make it: the certificate comes from META-INF."""
    keytool, signer = need("keytool"), need("apksigner")
    path, key = without_signature(demo("com.example.sunmi.pay-1.4.0"), tmp_path / "v1.apk"), tmp_path / "key.p12"
    stored = ["-storetype", "PKCS12", "-storepass", "only-a-test", "-alias", "k"]
    made = ["-keyalg", "RSA", "-keysize", "2048", "-validity", "3650", "-dname", "CN=test"]
    subprocess.run([keytool, "-genkeypair", "-keystore", str(key), *stored, *made], check=True, capture_output=True)
    schemes = ["--v1-signing-enabled", "true", "--v2-signing-enabled", "false", "--v3-signing-enabled", "false"]
    argv = [
        signer,
        "sign",
        "--min-sdk-version",
        "18",
        *schemes,
        "--ks",
        str(key),
        "--ks-pass",
        "pass:only-a-test",
        str(path),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert read_apk(path).signer == apksigner(path)


def test_the_apk_maker_of_the_unit_tests(tmp_path: Path) -> None:
    path = tmp_path / "made.apk"
    path.write_bytes(make_apk("org.example.pay", 7, "1.2", min_sdk=24, abis=("arm64-v8a", "x86")))
    compare(path)
