"""Facts of an APK, and files that are none. What aapt and apksigner say is compared in tests/peers."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from techtool.bundles.apk import read_apk
from techtool.errors import Exit, PublisherError
from tests.unit.simulator.apk_maker import make_apk, manifest, sign_v2, signer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.apk"


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_facts(path: Path) -> None:
    path.write_bytes(make_apk("org.example.pay", 7, "1.2.3", min_sdk=24, abis=("x86", "arm64-v8a"), by="acme"))
    facts = read_apk(path)
    assert (facts.id, facts.version, facts.version_code, facts.min_sdk) == ("org.example.pay", "1.2.3", 7, 24)
    assert facts.abis == ("arm64-v8a", "x86")
    assert facts.signer == signer("acme").sha256


def test_without_versions_the_code_is_0(path: Path) -> None:
    """As appium's test package: Android counts a missing code as 0."""
    data = zipped({"AndroidManifest.xml": manifest(("manifest", {"package": "org.example.test"}))})
    path.write_bytes(sign_v2(data, signer("acme")))
    facts = read_apk(path)
    assert (facts.version, facts.version_code, facts.min_sdk) == ("0", 0, 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "no ZIP", id="empty"),
        pytest.param(b"hello", "no ZIP", id="text"),
        pytest.param(b"PK\x03\x04" + b"\0" * 100, "no ZIP", id="broken ZIP"),
        pytest.param(zipped({"readme.txt": b"x"}), "AndroidManifest.xml", id="no manifest"),
        pytest.param(zipped({"AndroidManifest.xml": b"<manifest/>"}), "cannot be read", id="text manifest"),
        pytest.param(zipped({"AndroidManifest.xml": bytes(9 << 20)}), "too large", id="ZIP bomb"),
        pytest.param(make_apk(signed=False), "not signed", id="unsigned"),
        pytest.param(make_apk()[:-30], "no ZIP", id="truncated"),
    ],
)
def test_no_apk(path: Path, data: bytes, said: str) -> None:
    path.write_bytes(data)
    with pytest.raises(PublisherError) as caught:
        read_apk(path)
    assert caught.value.exit_code is Exit.USAGE
    assert said in caught.value.what_phrase.text("en")


def test_two_manifests(path: Path) -> None:
    buffer = io.BytesIO(make_apk(signed=False))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("AndroidManifest.xml", b"another")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(PublisherError, match="list of files is damaged"):
        read_apk(path)


def test_every_damage_to_the_signing_block_is_an_error_of_ours(path: Path) -> None:
    good = make_apk()
    start = good.index(b"\x1a\x87\x09\x71")
    for place in range(start - 20, start + 60):
        bad = bytearray(good)
        bad[place] ^= 0xFF
        path.write_bytes(bytes(bad))
        try:
            read_apk(path)
        except PublisherError:
            continue


def test_missing_file(path: Path) -> None:
    with pytest.raises(PublisherError):
        read_apk(path)


def test_nothing_is_printed(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(zipped({"AndroidManifest.xml": b"\x03\x00\x08\x00" + b"\xff" * 64}))
    with pytest.raises(PublisherError):
        read_apk(path)
    assert capfd.readouterr() == ("", "")
