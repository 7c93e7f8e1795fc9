"""The whole main job through the ``techtool`` command, against a daemon and APKs that nobody here made.

An office makes a bundle of real APKs, a laptop is set up, a visit runs against Debian's adbd, by both kinds of address;
what lies on the terminal afterwards is compared byte for byte, and the ``age`` command opens the backup.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from techtool.backups.keys import new_identity
from techtool.catalogue.reader import load_catalogue
from techtool.errors import Exit
from tests.peers.adb_server import AdbServer
from tests.peers.relay import Relay
from tests.peers.terminal import AdbdTerminal
from tests.peers.tools import need

pytestmark = pytest.mark.peers

SETTINGS = "settings_apk-debug.apk"
PACKAGE = "io.appium.settings"
PASSPHRASE = "correct horse battery"
ANSWERS = {
    **{f"test.{test.id}": "not-done: no such thing in the laboratory" for test in load_catalogue().tests},
    "arrive.merchant": "Noodle House",
    "inspect.SE-02": "pass",
    "check.batch": True,
    "check.batch.evidence": "slip 000123",
    "check.tamper": True,
    "inspect.tamper": True,
    "test.SE-08": "pass",
    "test.TX-01": "not-done: no host in the laboratory",
    "test.TX-07": "pass",
    "test.PR-02": "not-applicable: no printer",
    "test.PR-03": "not-applicable: no printer",
    "sign_off.name": "Li Hua",
}


@dataclass(frozen=True)
class Laptop:
    """A home, a stick and the office's key, all made with the command line."""

    folder: Path
    adb_port: int

    def run(self, *args: str | Path, check: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = self.command(*args)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=self.environment)
        if check is not None:
            assert done.returncode == check, done.stderr + done.stdout
        return done

    def command(self, *args: str | Path) -> list[str]:
        return [sys.executable, "-m", "techtool", *map(str, args)]

    @property
    def environment(self) -> dict[str, str]:
        home = str(self.folder / "home")
        return {
            **os.environ,
            "TECHTOOL_HOME": home,
            "TECHTOOL_LANG": "en",
            "ANDROID_ADB_SERVER_PORT": str(self.adb_port),
        }

    def visit(self, *addresses: str, confirm: Sequence[str] = ()) -> list[str | Path]:
        files: list[str | Path] = [
            "--answers",
            self.folder / "answers.json",
            "--passphrase-file",
            self.folder / "passphrase",
        ]
        gates: list[str | Path] = [part for last4 in confirm for part in ("--confirm", last4)]
        return ["visit", "run", *addresses, "--bundle", self.folder / "stick", *files, *gates, "--json"]

    def resume(self, *more: str) -> list[str | Path]:
        files: list[str | Path] = [
            "--answers",
            self.folder / "answers.json",
            "--passphrase-file",
            self.folder / "passphrase",
        ]
        return ["visit", "resume", *files, *more, "--json"]


@pytest.fixture
def laptop(tmp_path: Path, npm_apks: Mapping[str, Path], google_server: AdbServer) -> Laptop:
    laptop = Laptop(tmp_path, google_server.port)
    office = new_identity()
    (tmp_path / "office.agekey").write_text(office.secret + "\n")
    (tmp_path / "recipients.txt").write_text(office.public + "\n")
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "answers.json").write_text(json.dumps(ANSWERS))
    laptop.run("bundle", "init", tmp_path / "bundle", "--publisher", "sunmi")
    laptop.run("bundle", "add", tmp_path / "bundle", npm_apks[SETTINGS], "--model", "sunmi/P2")
    laptop.run("bundle", "sign", tmp_path / "bundle")
    (tmp_path / "stick").mkdir()
    laptop.run("bundle", "write", tmp_path / "bundle", tmp_path / "stick")
    laptop.run("bundle", "verify", tmp_path / "stick", check=None)
    root = tmp_path / "stick" / "TECHTOOL" / "metadata" / "1.root.json"
    fingerprint = hashlib.sha256(root.read_bytes()).hexdigest()
    setup: list[str | Path] = [
        "--passphrase-file",
        tmp_path / "passphrase",
        "--recipients",
        tmp_path / "recipients.txt",
    ]
    laptop.run("setup", "--name", "Zhang Wei", "--lang", "en", *setup, "--root", root, "--fingerprint", fingerprint)
    return laptop


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def serial_of(laptop: Laptop, address: str) -> str:
    found = json.loads(laptop.run("identify", address, "--json").stdout)
    assert (found["vendor"], found["model"]) == ("sunmi", "P2")
    return str(found["serial"])


@pytest.mark.parametrize("server", ["", "google_server", "old_google_server"], ids=["adb", "adb 36", "adb 29"])
def test_a_whole_visit(
    server: str,
    laptop: Laptop,
    fresh_adbd: AdbdTerminal,
    npm_apks: Mapping[str, Path],
    request: pytest.FixtureRequest,
) -> None:
    address = fresh_adbd.address
    if server:
        adb: AdbServer = request.getfixturevalue(server)
        laptop = replace(laptop, adb_port=adb.port)
        address = f"adb+server:{adb.connect(f'127.0.0.1:{fresh_adbd.port}')}"
    serial = serial_of(laptop, address)
    done = laptop.run(*laptop.visit(address, confirm=[serial[-4:]]))
    events = lines(done.stdout)
    assert events[-1]["event"] == "finished"
    assert (events[-1]["outcome"], events[-1]["exit"]) == ("success", 0)
    assert all({"event", "step", "at"} <= set(event) for event in events)
    (lane,) = [event for event in events if event["event"] == "lane_finished"]
    assert (lane["address"], lane["serial"], lane["outcome"]) == (address, serial, "success")
    installed = fresh_adbd.installed(PACKAGE)
    assert installed is not None
    assert installed.read_bytes() == npm_apks[SETTINGS].read_bytes()
    reports = Path(events[-1]["reports"])
    assert f'"address":"{address}"' in next(reports.glob("*.json")).read_text("utf-8").replace('": "', '":"')
    assert address in next(reports.glob("*.en.html")).read_text("utf-8"), "the report says over which link"


def test_the_office_opens_the_backup_with_age(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    age = need("age")
    serial = serial_of(laptop, fresh_adbd.address)
    laptop.run(*laptop.visit(fresh_adbd.address, confirm=[serial[-4:]]))
    (backup,) = (laptop.folder / "home" / "backups").glob("*.age")
    opened = subprocess.run([age, "-d", "-i", laptop.folder / "office.agekey", backup], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(opened.stdout)) as archive:
        names = archive.getnames()
    assert "manifest.json" in names
    assert len(names) >= 3


async def test_kill_in_the_middle_of_the_install_then_resume(
    laptop: Laptop, fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path]
) -> None:
    """``kill -9`` of the real process while bytes flow: truthful at once, then resumed to the end."""
    serial = serial_of(laptop, fresh_adbd.address)
    async with Relay(("127.0.0.1", fresh_adbd.port), slow_bytes_s=2_000_000) as relay:
        process = await asyncio.create_subprocess_exec(
            *laptop.command(*laptop.visit(relay.address, confirm=[serial[-4:]])),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=laptop.environment,
        )
        assert process.stdout is not None
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["item"] == PACKAGE and event["confirmed_bytes"] > 500_000:
                process.kill()
                break
        await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert fresh_adbd.installed(PACKAGE) is None
    (visit,) = json.loads(laptop.run("visit", "list", "--json").stdout)["visits"]
    assert (visit["state"], visit["outcome"]) == ("open", None)
    moved = f"{serial}={fresh_adbd.address}"
    resumed = lines(laptop.run(*laptop.resume("--address", moved)).stdout)
    assert (resumed[-1]["outcome"], resumed[-1]["sealed"]) == ("success", True)
    installed = fresh_adbd.installed(PACKAGE)
    assert installed is not None
    assert installed.read_bytes() == npm_apks[SETTINGS].read_bytes()
    assert not fresh_adbd.android.sessions()


async def test_the_cable_is_pulled_in_the_install(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    serial = serial_of(laptop, fresh_adbd.address)
    async with Relay(("127.0.0.1", fresh_adbd.port), drop_after_bytes=500_000) as relay:
        command = laptop.visit(relay.address, confirm=[serial[-4:]])
        done = await asyncio.to_thread(laptop.run, *command, check=None)
    assert done.returncode == Exit.LOST, done.stderr
    assert fresh_adbd.installed(PACKAGE) is None
    moved = f"{serial}={fresh_adbd.address}"
    resumed = lines((await asyncio.to_thread(laptop.run, *laptop.resume("--address", moved))).stdout)
    assert resumed[-1]["outcome"] == "success"


def test_what_android_refuses_becomes_our_words(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    serial = serial_of(laptop, fresh_adbd.address)
    fresh_adbd.android.set_free_bytes(1_000_000)
    done = laptop.run(*laptop.visit(fresh_adbd.address, confirm=[serial[-4:]]), check=None)
    events = lines(done.stdout)
    (lane,) = [event for event in events if event["event"] == "lane_finished"]
    assert done.returncode == Exit.GATE_CLOSED
    assert lane["outcome"] == "refused"
    assert lane["error"]["next_actions"]


def test_a_second_visit_has_nothing_to_do(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    serial = serial_of(laptop, fresh_adbd.address)
    laptop.run(*laptop.visit(fresh_adbd.address, confirm=[serial[-4:]]))
    laptop.run(*laptop.visit(fresh_adbd.address, confirm=[serial[-4:]]), check=int(Exit.NOTHING_TO_DO))
