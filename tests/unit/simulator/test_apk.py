from pathlib import Path

import pytest

from techtool.simulator.apk import InstallRefused, java_hash, read_apk
from tests.unit.simulator.apk_maker import make_apk, signer


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(InstallRefused) as refused:
        read_apk(path)
    return str(refused.value)


def test_everything_is_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.apk"
    path.write_bytes(make_apk("org.example.pay", 12, "1.2 ", min_sdk=23, abis=("arm64-v8a", "x86"), test_only=True))
    apk = read_apk(path)
    assert (apk.facts.id, apk.facts.version, apk.facts.version_code) == ("org.example.pay", "1.2 ", 12)
    assert (apk.facts.min_sdk, apk.target_sdk, apk.facts.abis) == (23, 29, ("arm64-v8a", "x86"))
    assert apk.facts.signer == signer("acme").sha256
    assert (apk.debuggable, apk.test_only, apk.signing_version) == (False, True, 2)


@pytest.mark.parametrize("data", [b"", b"PK", b"garbage" * 1000, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_apk(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path / "a.apk", data).startswith("INSTALL_PARSE_FAILED_NOT_APK: Failed to parse base.apk")


def test_half_an_apk(tmp_path: Path) -> None:
    data = make_apk()
    assert refusal(tmp_path / "a.apk", data[: len(data) // 2]).startswith("INSTALL_PARSE_FAILED_NOT_APK")


def test_unsigned(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.apk", make_apk(signed=False)).startswith("INSTALL_PARSE_FAILED_NO_CERTIFICATES")


def test_a_name_that_is_no_package(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.apk", make_apk("../../x")).startswith("INSTALL_PARSE_FAILED_BAD_PACKAGE_NAME")


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    good = make_apk(padding=20)
    silent = []
    for at in range(0, len(good), 7):
        data = bytearray(good)
        data[at] ^= 0x10
        (tmp_path / "a.apk").write_bytes(data)
        try:
            read_apk(tmp_path / "a.apk")
        except InstallRefused:
            continue
        silent.append(at)
    assert silent == []


def test_java_hash() -> None:
    assert java_hash(b"") == "1"
    assert java_hash(b"\x01\xff") == f"{(31 * (31 + 1) - 1):x}"
