"""The ``age`` command and ``tar`` open a backup without techtool."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from techtool.backups.container import write_backup
from techtool.backups.keys import new_identity
from techtool.clock import FixedClock
from techtool.domain.backup import NotRead
from techtool.domain.sensitive import Profile, Scanner
from tests.peers.tools import need
from tests.unit.backups.helpers import IDENTITY, NOW, apk_item, stream, text_item

pytestmark = pytest.mark.peers


async def test_age_and_tar_open_what_techtool_wrote(tmp_path: Path, npm_apks: Mapping[str, Path]) -> None:
    age, tar = need("age"), need("tar")
    apk = npm_apks["settings_apk-debug.apk"]
    office, spare, visit = new_identity(), new_identity(), new_identity()
    long_name = f"packages/com.{'very.' * 30}long/base.apk"
    stored = await write_backup(
        stream(
            [
                text_item("properties.json", '{"ro.product.model": "P2"}'),
                NotRead("packages/com.acme.pay/base.apk", "Permission denied"),
                apk_item("packages/io.appium.settings/base.apk", apk.read_bytes()),
                text_item(long_name, "日本 中文"),
                text_item("empty", ""),
            ]
        ),
        backup_id="V1-1",
        identity=IDENTITY,
        recipients=(office.public, spare.public),
        identity_key=visit.secret,
        folder=tmp_path / "backups",
        clock=FixedClock(NOW),
    )
    for number, key in enumerate((office, spare, visit)):
        key_file, out = tmp_path / f"{number}.agekey", tmp_path / f"out{number}"
        key_file.write_text(key.secret)
        out.mkdir()
        encrypted = tmp_path / "backups" / stored.file
        plain = subprocess.run([age, "-d", "-i", str(key_file), str(encrypted)], capture_output=True, check=True)
        subprocess.run([tar, "-x", "-C", str(out)], input=plain.stdout, check=True)
        assert (out / "packages/io.appium.settings/base.apk").read_bytes() == apk.read_bytes()
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["serial"] == IDENTITY.serial
        assert manifest["not_read"] == [{"name": "packages/com.acme.pay/base.apk", "reason": "Permission denied"}]
        assert {item["name"] for item in manifest["items"]} | {"manifest.json"} == {
            str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()
        }
        for item in manifest["items"]:
            assert hashlib.sha256((out / item["name"]).read_bytes()).hexdigest() == item["sha256"]


def test_real_programs_unpacked_are_rarely_taken_for_card_data(npm_apks: Mapping[str, Path]) -> None:
    """Round numbers of translation tables are valid as card numbers; ``tests.benchmarks.scan`` prints the rates."""
    size = found = 0
    for path in npm_apks.values():
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                data = archive.read(name)
                scanner = Scanner(Profile.BINARY)
                size += len(data)
                found += len((*scanner.feed(data), *scanner.finish()))
    assert size > 50_000_000
    assert found / (size / 1e6) < 0.3


async def test_real_packages_are_not_taken_for_card_data(npm_apks: Mapping[str, Path]) -> None:
    for name, path in npm_apks.items():
        scanner = Scanner(Profile.BINARY)
        assert (*scanner.feed(path.read_bytes()), *scanner.finish()) == (), name
