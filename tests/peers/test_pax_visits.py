"""Whole visits to PAX terminals, by the ``techtool`` command: Debian's adbd behind the proxies of their dialects.

PayDroid: identify to report. Prolin: what can be read, what a person types, and a closed gate before anything is
written, for how an application is installed there is not published.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tarfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from techtool.backups.keys import new_identity
from techtool.errors import Exit
from techtool.settings import read_settings, write_settings
from tests.peers.adb_server import AdbServer
from tests.peers.pax_proxy import Hdsk, PayDroid, Prolin, proxied
from tests.peers.pax_terminal import SERIAL, as_pax
from tests.peers.terminal import AdbdTerminal
from tests.peers.test_main_job_adbd import ANSWERS, PACKAGE, PASSPHRASE, SETTINGS, Laptop, lines

pytestmark = pytest.mark.peers

TOKEN = "not-PAX's-own-token"
LABEL = "53000042"
UNKNOWN = b"<devinfo><a>D200</a><b>53000042</b></devinfo>"
"""What a real one might say: no source tells which of it is what."""
SIMULATED = (
    b"<sim><maker>techtool</maker><model>PracticeXcb</model><serial>XCBSIM0007</serial><version>2.1</version></sim>"
)
RECEIPT = "/data/local/tmp/receipt.txt"


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, npm_apks: Mapping[str, Path], google_server: AdbServer
) -> Laptop:
    """With a stick for a PAX A920 Pro and for two Prolin terminals; made once, for it takes seconds."""
    folder = tmp_path_factory.mktemp("laptop")
    laptop, office = Laptop(folder, google_server.port), new_identity()
    (folder / "office.agekey").write_text(office.secret + "\n")
    (folder / "recipients.txt").write_text(office.public + "\n")
    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    (folder / "answers.json").write_text(json.dumps(ANSWERS))
    bundle, stick = folder / "bundle", folder / "stick"
    laptop.run("bundle", "init", bundle, "--publisher", "pax")
    models = [word for model in ("pax/A920Pro", "pax/D200", "simulated/practice-xcb") for word in ("--model", model)]
    laptop.run("bundle", "add", bundle, npm_apks[SETTINGS], *models)
    laptop.run("bundle", "sign", bundle)
    stick.mkdir()
    laptop.run("bundle", "write", bundle, stick)
    root = stick / "TECHTOOL" / "metadata" / "1.root.json"
    setup: list[str | Path] = ["--passphrase-file", folder / "passphrase", "--recipients", folder / "recipients.txt"]
    fingerprint = hashlib.sha256(root.read_bytes()).hexdigest()
    laptop.run("setup", "--name", "Zhang Wei", "--lang", "en", *setup, "--root", root, "--fingerprint", fingerprint)
    return laptop


@pytest.fixture
def laptop(template: Laptop, tmp_path: Path) -> Laptop:
    """A copy for one test."""
    shutil.copytree(template.folder, tmp_path / "laptop")
    return Laptop(tmp_path / "laptop", template.adb_port)


def with_token(laptop: Laptop) -> None:
    path = laptop.folder / "home" / "settings.toml"
    settings = read_settings(path)
    links = replace(settings.links, pax={"handshake_token": TOKEN})
    write_settings(path, replace(settings, links=links))


def answer(laptop: Laptop, **more: str) -> None:
    named = {name.replace("__", "."): value for name, value in more.items()}
    (laptop.folder / "answers.json").write_text(json.dumps({**ANSWERS, **named}))


def report_of(finished: Mapping[str, str]) -> str:
    """Every page of the report."""
    return "\n".join(path.read_text("utf-8") for path in Path(finished["reports"]).glob("*.html"))


def everything_kept(laptop: Laptop) -> bytes:
    """Every file of the home but the settings: journals, reports, logs, backups."""
    home = laptop.folder / "home"
    return b"".join(p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file() and p.name != "settings.toml")


@asynccontextmanager
async def prolin(adbd: AdbdTerminal, devinfo: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    refused: list[str] = []
    async with proxied(adbd.port, lambda: Prolin(devinfo, refused)) as port:
        yield f"xcb://127.0.0.1:{port}", refused


LOG = (
    f"boot ok\nsn={SERIAL} imei=354812071234567\nrx 4111 1111 1111 1111 exp\ntoken {TOKEN}\n"
    "wifi password: hunter2hunter2\nprinter: paper low\n"
)


async def test_paydroid_from_identify_to_report(
    laptop: Laptop, fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path]
) -> None:
    with_token(laptop)
    terminal = as_pax(fresh_adbd)
    async with proxied(terminal.port, lambda: PayDroid(TOKEN.encode(), Hdsk.BEHIND_CNXN, log=LOG.encode())) as port:
        address = f"adb://127.0.0.1:{port}"
        found = json.loads((await asyncio.to_thread(laptop.run, "identify", address, "--json")).stdout)
        assert (found["vendor"], found["model"], found["serial"]) == ("pax", "A920Pro", SERIAL)
        assert found["unverified"] is True
        done = await asyncio.to_thread(laptop.run, *laptop.visit(address, confirm=[SERIAL[-4:]]))
        visit = lines(done.stdout)[-1]["visit"]
        told: list[str | Path] = ["support", visit, "--to", laptop.folder / "support"]
        await asyncio.to_thread(laptop.run, *told, "--log-from", address)
    events = lines(done.stdout)
    assert (events[-1]["outcome"], events[-1]["exit"]) == ("success", 0)
    installed = terminal.installed(PACKAGE)
    assert installed is not None
    assert installed.read_bytes() == npm_apks[SETTINGS].read_bytes()
    assert "Not verified on hardware" in report_of(events[-1])
    (bundle,) = (laptop.folder / "support").glob("*.zip")
    with zipfile.ZipFile(bundle) as archive:
        log = archive.read("logs/terminal-1.log").decode()
        contents = b"".join(archive.read(name) for name in archive.namelist())
    assert "printer: paper low" in log
    assert f"sn={SERIAL}" in log, "the serial number proves which terminal it was"
    for secret in ("4111 1111 1111 1111", "354812071234567", "hunter2", TOKEN):
        assert secret not in log
    assert TOKEN.encode() not in contents
    assert TOKEN.encode() not in everything_kept(laptop) + done.stdout.encode() + done.stderr.encode()
    assert TOKEN.encode() not in bundle.read_bytes()


async def test_paydroid_without_the_token_says_who_gives_it(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN.encode(), Hdsk.FIRST)) as port:
        address = f"adb://127.0.0.1:{port}"
        done = await asyncio.to_thread(laptop.run, "identify", address, check=int(Exit.UNREACHABLE))
    assert "TT-310" in done.stderr
    assert "handshake_token" in done.stderr
    assert "acquirer" in done.stderr


async def test_prolin_that_a_rule_reads(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    """Identified, looked at, backed up; then the gate is closed, with its reason, and nothing was written."""
    (fresh_adbd.state_dir / "local/tmp/receipt.txt").write_text("Noodle House\n")
    before = {p: p.stat().st_mtime_ns for p in fresh_adbd.state_dir.rglob("*") if p.is_file()}
    async with prolin(fresh_adbd, SIMULATED) as (address, refused):
        plan = await asyncio.to_thread(
            laptop.run, "plan", address, "--bundle", laptop.folder / "stick", "--json", check=None
        )
        done = await asyncio.to_thread(laptop.run, *laptop.visit(address, confirm=["0007"]), check=None)
        backup = await asyncio.to_thread(laptop.run, *create_backup(laptop, address), check=None)
    (release,) = json.loads(plan.stdout)["releases"]
    assert release["verdict"] == "blocked"
    closed = {rule["what"]: rule["reason"] for rule in release["rules"] if not rule["ok"]}
    assert closed["file-role"] == "It holds files (apk) that cannot be installed over this connection."
    assert plan.returncode == done.returncode == Exit.NOT_COMPATIBLE
    (lane,) = [event for event in lines(done.stdout) if event["event"] == "lane_finished"]
    assert (lane["serial"], lane["outcome"]) == ("XCBSIM0007", "refused")
    assert backup.returncode == 0, backup.stdout + backup.stderr
    assert not refused
    assert {p: p.stat().st_mtime_ns for p in fresh_adbd.state_dir.rglob("*") if p.is_file()} == before
    kept = opened(laptop)
    assert kept["files" + RECEIPT] == b"Noodle House\n"
    assert json.loads(kept["properties.json"]) == {
        "devinfo.sim.model": "PracticeXcb", "devinfo.sim.serial": "XCBSIM0007", "devinfo.sim.version": "2.1",
    }  # fmt: skip


async def test_prolin_that_no_rule_reads_is_read_from_its_label(laptop: Laptop, fresh_adbd: AdbdTerminal) -> None:
    answer(laptop, identify__model="pax/D200", identify__serial=LABEL, identify__serial__again=LABEL)
    async with prolin(fresh_adbd, UNKNOWN) as (address, refused):
        alone = await asyncio.to_thread(laptop.run, "identify", address, check=int(Exit.UNKNOWN_MODEL))
        assert "devinfo.devinfo.a = D200" in alone.stdout
        looked = await asyncio.to_thread(laptop.run, *inspect(laptop, address))
        done = await asyncio.to_thread(laptop.run, *laptop.visit(address, confirm=[LABEL[-4:]]), check=None)
    ended = lines(looked.stdout)[-1]
    assert (ended["outcome"], ended["exit"], ended["sealed"]) == ("success", 0, True)
    html = report_of(ended)
    assert "PAX D200" in html
    assert "Not verified on hardware" in html
    assert "label" in html
    assert done.returncode == Exit.NOT_COMPATIBLE
    assert not refused


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"identify__model": "other"}, Exit.UNKNOWN_MODEL),
        ({"identify__model": "pax/A920"}, Exit.ANSWER_MISSING),
        (
            {"identify__model": "pax/D200", "identify__serial": LABEL, "identify__serial__again": "53000043"},
            Exit.GATE_CLOSED,
        ),
    ],
    ids=["another model", "an Android model", "typed in two ways"],
)
async def test_prolin_is_never_guessed(
    typed: dict[str, str], code: Exit, laptop: Laptop, fresh_adbd: AdbdTerminal
) -> None:
    answer(laptop, **typed)
    async with prolin(fresh_adbd, UNKNOWN) as (address, _refused):
        done = await asyncio.to_thread(laptop.run, *inspect(laptop, address), check=None)
    assert done.returncode == code, done.stdout + done.stderr


def inspect(laptop: Laptop, address: str) -> list[str | Path]:
    files: list[str | Path] = [
        "--answers",
        laptop.folder / "answers.json",
        "--passphrase-file",
        laptop.folder / "passphrase",
    ]
    return ["visit", "inspect", address, *files, "--json"]


def create_backup(laptop: Laptop, address: str) -> list[str | Path]:
    files: list[str | Path] = [
        "--answers",
        laptop.folder / "answers.json",
        "--passphrase-file",
        laptop.folder / "passphrase",
    ]
    return ["backup", "create", address, *files, "--json"]


def opened(laptop: Laptop) -> dict[str, bytes]:
    """The newest backup, as the office opens it."""
    import pyrage

    secret = (laptop.folder / "office.agekey").read_text().strip()
    newest = max((laptop.folder / "home" / "backups").glob("*.age"), key=lambda p: p.stat().st_mtime_ns)
    plain = pyrage.decrypt(newest.read_bytes(), [pyrage.x25519.Identity.from_str(secret)])
    with tarfile.open(fileobj=BytesIO(plain)) as archive:
        members = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
        return {name: member.read() for name, member in members.items() if member is not None}
