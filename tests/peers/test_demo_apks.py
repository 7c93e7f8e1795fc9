"""The demo's APKs before Debian's judges, and the recipe that makes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from techtool.bundles.apk import read_apk
from tests.peers.tools import REPO, need

pytestmark = pytest.mark.peers

FOLDER = REPO / "techtool" / "simulator" / "apks"
NAME = re.compile(r"(?P<id>[a-z.]+)-(?P<version>\d+\.\d+\.\d+)(?P<other>-othersigner)?\.apk")
EXPECTED = {
    *(f"com.example.{v}.pay-{n}.apk" for v in ("sunmi", "castles", "verifone") for n in ("1.4.0", "1.5.0")),
    "com.example.emvkernel-7.0.0.apk",
    "com.example.emvkernel-7.1.0.apk",
    "com.example.sunmi.pay-1.6.0-othersigner.apk",
}
APKS = sorted(FOLDER.glob("*.apk"))


@cache
def signer(apk: Path) -> str:
    """SHA-256 of the signing certificate, as apksigner tells it; fails when a scheme is missing."""
    words = [need("apksigner"), "verify", "--min-sdk-version", "22", "--verbose", "--print-certs", str(apk)]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    for scheme in ("v1", "v2", "v3"):
        assert re.search(rf"^Verified using {scheme} scheme .*: true$", told, re.MULTILINE), told
    found = re.findall(r"^Signer #\d+ certificate SHA-256 digest: ([0-9a-f]{64})$", told, re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def badging(apk: Path) -> dict[str, str]:
    """``aapt dump badging``'s first line, and the least API level."""
    words = [need("aapt"), "dump", "badging", str(apk)]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    facts = dict(re.findall(r"(\w+)='([^']*)'", told.splitlines()[0]))
    level = re.search(r"^sdkVersion:'(\d+)'$", told, re.MULTILINE)
    assert level is not None
    return {**facts, "sdk": level[1]}


def code_of(version: str) -> int:
    first, second, third = (int(part) for part in version.split("."))
    return first * 10000 + second * 100 + third


def test_all_are_there_and_small() -> None:
    assert {apk.name for apk in APKS} == EXPECTED
    assert all(apk.stat().st_size < 16_384 for apk in APKS)


@pytest.mark.parametrize("apk", APKS, ids=lambda apk: apk.name)
def test_the_judges_agree_with_the_file_name_and_with_our_reader(apk: Path) -> None:
    named = NAME.fullmatch(apk.name)
    assert named is not None
    facts, certificate, ours = badging(apk), signer(apk), read_apk(apk)
    assert (facts["name"], facts["versionName"]) == (named["id"], named["version"])
    assert int(facts["versionCode"]) == code_of(named["version"])
    assert (ours.id, ours.version, ours.version_code) == (named["id"], named["version"], code_of(named["version"]))
    assert (ours.min_sdk, ours.abis, ours.signer) == (int(facts["sdk"]), (), certificate)
    subprocess.run([need("zipalign"), "-c", "4", str(apk)], capture_output=True, check=True, timeout=60)


def test_one_key_signed_them_all_but_the_stranger() -> None:
    signers = {apk.name: signer(apk) for apk in APKS}
    strangers = {name for name in signers if "othersigner" in name}
    assert len(strangers) == 1
    assert len({signers[name] for name in signers if name not in strangers}) == 1
    assert len(set(signers.values())) == 2


@pytest.mark.slow
def test_the_recipe_makes_them_again(tmp_path: Path) -> None:
    for program in ("aapt", "zipalign", "apksigner", "keytool"):
        need(program)
    recipe = Path(shutil.copy(FOLDER / "make.sh", tmp_path))
    subprocess.run(["sh", str(recipe)], check=True, timeout=170, capture_output=True, cwd="/")
    made = sorted(tmp_path.glob("*.apk"))
    assert {apk.name for apk in made} == EXPECTED
    for apk in (made[0], made[-1]):
        theirs, again = read_apk(FOLDER / apk.name), read_apk(apk)
        assert (again.id, again.version, again.version_code, again.min_sdk) == (
            theirs.id,
            theirs.version,
            theirs.version_code,
            theirs.min_sdk,
        )
        assert again.signer != theirs.signer, "the keys are thrown away: a new run has new ones"
    assert {path.name for path in tmp_path.iterdir()} == EXPECTED | {"make.sh"}
