"""Files of every schema there ever was are read for ever; files of one that is not known yet are refused and kept."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from techtool.backups.container import read_manifest, verify_backup
from techtool.bundles.clock_floor import raise_floor, read_floor
from techtool.bundles.refresh import known
from techtool.bundles.roots import pinned, read_mirror
from techtool.cli.main import run
from techtool.clock import FixedClock, from_stamp
from techtool.domain.codec import plain
from techtool.domain.outcome import Outcome
from techtool.domain.schema import INDEX, KNOWN, VISIT, newest
from techtool.domain.terminal import Address
from techtool.domain.visit_state import VisitState
from techtool.errors import Exit, StoreTooNew
from techtool.paths import Paths
from techtool.reports.keys import load_report_key
from techtool.reports.signers import parse_signature, read_signers
from techtool.settings import Settings, read_settings, write_settings
from techtool.store.changes import decode_ops, encode_ops
from techtool.store.frames import GENESIS, frame, scan
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.store.journal import Header, journal_bytes
from techtool.visit.log import manifest_of
from techtool.visit.services import ResumeRequest, Services
from techtool.visit.visits import open_record, summary_of
from tests.make_store_fixtures import FOLDER, OPEN, SEALED, START
from tests.visit.conftest import Shop

SCHEMAS = range(1, max(KNOWN.values()) + 1)


def laptop_of(schema: int, folder: Path) -> Path:
    """A copy of a laptop as the techtool of that schema left it."""
    shutil.copytree(FOLDER / f"v{schema}", folder / "laptop")
    # Private, as it was written: git keeps no such mode.
    for key in (folder / "laptop").rglob("store.key"):
        key.chmod(0o600)
    return folder / "laptop"


@pytest.fixture(params=SCHEMAS, ids=lambda n: f"v{n}")
def laptop(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return laptop_of(request.param, tmp_path)


@pytest.fixture
def services(laptop: Path) -> Services:
    return Services.real(Paths(laptop / "home"))


def said(now: object, then: object, at: str = "$") -> None:
    """Everything that was said then is said now; fields may have come since."""
    if isinstance(then, dict):
        assert isinstance(now, dict), at
        for key, value in then.items():
            assert key in now, f"{at}.{key}"
            said(now[key], value, f"{at}.{key}")
    elif isinstance(then, list):
        assert isinstance(now, list), at
        assert len(now) == len(then), at
        for place, (one, other) in enumerate(zip(now, then, strict=True)):
            said(one, other, f"{at}[{place}]")
    else:
        assert now == then, at


def test_every_schema_has_its_files() -> None:
    """A schema is only done when files of it are here to be read for ever (the recipe makes them)."""
    for schema in SCHEMAS:
        assert (FOLDER / f"v{schema}" / "facts.json").is_file(), "python -m tests.make_store_fixtures"


@pytest.mark.parametrize("visit", [SEALED, OPEN])
def test_a_visit_reads_as_it_read_when_it_was_made(laptop: Path, services: Services, visit: str) -> None:
    facts = json.loads((laptop / "facts.json").read_text(encoding="utf-8"))
    said(json.loads(json.dumps(plain(open_record(services, visit)))), facts[visit])


def test_the_index_reads_as_the_visits_do(services: Services) -> None:
    found = {summary.id: summary for summary in services.index.visits()}
    assert found.keys() == {SEALED, OPEN}
    assert found[SEALED] == summary_of(open_record(services, SEALED))
    assert (found[SEALED].state, found[OPEN].state) == (VisitState.SEALED, VisitState.OPEN)
    assert SEALED in [summary.id for summary in services.index.by_serial(found[SEALED].serials[0])]


def test_the_seal_still_proves(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(laptop / "home"))
    assert run(["visit", "verify"]) == Exit.DONE
    journal = str(laptop / "home" / "visits" / f"{SEALED}.jnl")
    assert (
        run(["visit", "verify", journal, "--allowed-signers", str(laptop / "office" / "allowed_signers")]) == Exit.DONE
    )
    assert run(["doctor"]) == Exit.DONE


def test_settings_clock_and_mirror(laptop: Path) -> None:
    paths = Paths(laptop / "home")
    settings = read_settings(paths.settings)
    assert (settings.language, bool(settings.technician)) == ("zh", True)
    kept = json.loads((paths.trust / "clock.json").read_text())["floor"]
    assert read_floor(paths) == from_stamp(kept) > START
    (root,) = pinned(paths)
    assert read_mirror(paths, root.fingerprint)
    (office,) = known(paths, FixedClock(START + timedelta(hours=2)))
    assert office.trust.pinned_sha256 == root.fingerprint
    assert office.expired is None


def test_a_backup_opens_with_the_visits_key(laptop: Path, services: Services) -> None:
    for visit in (SEALED, OPEN):
        (lane,) = open_record(services, visit).lanes
        assert lane.backup is not None
        manifest = manifest_of(services.home.open_visit(visit), lane.backup.id)
        assert manifest is not None
        key = (services.paths.visit_keys / f"{visit}.agekey").read_text().strip()
        facts = asyncio.run(verify_backup(services.paths.backups / lane.backup.file, key, manifest))
        assert facts.sha256 == lane.backup.sha256


def test_the_report_is_signed_by_the_key_that_opens(laptop: Path) -> None:
    statement = (laptop / "reports" / f"{SEALED}.json").read_bytes()
    signature = parse_signature((laptop / "reports" / f"{SEALED}.json.sig").read_text())
    assert signature.fits(statement, "techtool-report")
    (signer,) = read_signers(laptop / "office" / "allowed_signers")
    assert signer.may_sign(signature.key, "techtool-report", START)
    assert 1 <= json.loads(statement)["predicate"]["schema"] <= max(SCHEMAS)
    passphrase = (laptop / "office" / "passphrase").read_text().strip()
    key = load_report_key(laptop / "home" / "keys" / "report.key", passphrase)
    assert parse_signature(key.sign(b"x")).key == signature.key


async def test_an_open_visit_is_gone_on_with(laptop: Path, shop: Shop) -> None:
    """On a laptop of today, with a stick of today; the terminal is the same one."""
    home, today = laptop / "home", shop.world.paths
    for name in (f"visits/{OPEN}.jnl", f"keys/visits/{OPEN}.agekey", f"backups/{OPEN}-1.age", "keys/store.key"):
        if not (home / name).exists():
            continue  # the key to sealed words came with schema 2
        (today.home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home / name, today.home / name)
    began = (home / "visits" / f"{OPEN}.jnl").read_bytes()
    (serial,) = [lane.serial for lane in open_record(shop.services, OPEN).lanes]
    async with shop.terminals() as simulation:
        moved = {serial: Address.parse(simulation.addresses[0])}
        finished = await shop.resume(ResumeRequest("", shop.world.stick, moved))
    assert (finished.visit, finished.outcome, finished.sealed) == (OPEN, Outcome.SUCCESS, True)
    assert (today.visits / f"{OPEN}.jnl").read_bytes().startswith(began), "its lines stay as they were written"


# -- written today as it was then --------------------------------------------------------------------------------------


def test_todays_code_writes_the_newest_schema_to_the_byte(tmp_path: Path) -> None:
    """Where this fails, the format of files changed: is it a new schema?"""
    laptop = laptop_of(max(SCHEMAS), tmp_path)
    paths = Paths(laptop / "home")
    for path in (*paths.visits.glob("*.jnl"), paths.index):
        data = path.read_bytes()
        header, *lines = scan(data).payloads
        again = [line if line.startswith(b"{") else encode_ops(decode_ops([line])) for line in lines]
        assert journal_bytes(Header(**json.loads(header)), again) == data, path.name
    kept = {path: path.read_bytes() for path in (paths.settings, paths.trust / "clock.json")}
    write_settings(paths.settings, read_settings(paths.settings))
    floor = read_floor(paths)
    (paths.trust / "clock.json").unlink()
    raise_floor(paths, floor)
    # A new setting with a default is no new schema (techtool.domain.schema): it stands among what was there.
    before = [line for line in kept.pop(paths.settings).splitlines() if line]
    assert [line for line in paths.settings.read_bytes().splitlines() if line in before] == before
    assert {path: path.read_bytes() for path in kept} == kept


# -- schemas that are not known yet ------------------------------------------------------------------------------------


def newer_settings(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    paths.settings.write_text('schema = 2\nlanguage = ["a shape", "of tomorrow"]\n')
    return paths.settings, lambda: read_settings(paths.settings)


def newer_clock(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    path = paths.trust / "clock.json"
    path.write_text('{"schema":2,"floors":[]}')
    return path, lambda: raise_floor(paths, START + timedelta(days=900))


def newer_mirror(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    (path,) = (paths.trust / "mirror").glob("*.json")
    path.write_text('{"schema":2,"files":[]}')
    return path, lambda: read_mirror(paths, path.stem)


def newer_visit(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    path = paths.visits / f"{OPEN}.jnl"
    path.write_bytes(frame(GENESIS, b'{"kind":"visit","schema":9,"journal":"techtool","name":"x"}')[0] + b"torn")
    return path, lambda: Home(paths).open_visit(OPEN)


def newer_lines(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    """Begun by this techtool, gone on with by a newer one."""
    path = paths.visits / f"{OPEN}.jnl"
    data = path.read_bytes()
    path.write_bytes(data + frame(scan(data).head, b'{"schema":9}')[0])
    return path, lambda: Home(paths).open_visit(OPEN)


def newer_index(paths: Paths) -> tuple[Path, Callable[[], Any]]:
    paths.index.write_bytes(frame(GENESIS, b'{"kind":"index","id":"index","schema":9,"journal":"techtool"}')[0])

    def write() -> None:
        with Home(paths).lock("test"):
            Index(Home(paths)).visits()

    return paths.index, write


@pytest.mark.parametrize("newer", [newer_settings, newer_clock, newer_mirror, newer_visit, newer_lines, newer_index])
def test_what_a_newer_techtool_wrote_is_refused_and_kept(
    tmp_path: Path, newer: Callable[[Paths], tuple[Path, Callable[[], Any]]]
) -> None:
    paths = Paths(laptop_of(1, tmp_path) / "home")
    path, use = newer(paths)
    kept = path.read_bytes()
    with pytest.raises(StoreTooNew) as caught:
        use()
    found, known = caught.value.params["found"], caught.value.params["known"]
    assert (found, known) in {(2, 1), (9, newest(VISIT)), (9, newest(INDEX))}
    assert "Update techtool" in caught.value.action_phrases[0].text("en")
    assert path.read_bytes() == kept


def test_visits_that_a_newer_techtool_wrote_are_listed_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = Paths(laptop_of(1, tmp_path) / "home")
    newer_lines(paths)
    monkeypatch.setenv("TECHTOOL_HOME", str(paths.home))
    assert run(["visit", "list", "--json"]) == Exit.DONE
    states = {visit["id"]: visit["state"] for visit in json.loads(capsys.readouterr().out)["visits"]}
    assert states == {SEALED: "sealed", OPEN: "newer"}
    for command in (["visit", "resume", OPEN], ["visit", "abandon", OPEN], ["doctor", "--salvage", OPEN]):
        assert run(command) == Exit.DAMAGED_STORE
        assert "TT-505" in capsys.readouterr().err
    assert run(["backup", "list"]) == Exit.DONE
    assert run(["doctor", "--rebuild"]) == Exit.DAMAGED_STORE
    assert run(["visit", "list", "--json"]) == Exit.DONE
    assert '"newer"' in capsys.readouterr().out


def test_a_newer_manifest_is_refused_and_an_older_one_is_not() -> None:
    path = Path("x.age")
    with pytest.raises(StoreTooNew):
        read_manifest(b'{"schema":2,"everything":"else"}', path)
    old = {
        **dict.fromkeys(("id", "serial", "vendor", "model", "os_version"), "x"),
        "made_at": "2026-11-20T08:15:00Z",
        "items": [],
        "not_read": [],
    }
    found = read_manifest(json.dumps(old).encode(), path)
    assert found is not None
    assert found.schema == 1, "written before manifests had a number"
    assert read_manifest(b"rubbish", path) is None


def test_settings_without_a_number_are_of_the_first_schema(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('technician = "Wei"\n')
    assert read_settings(path).technician == "Wei"
    write_settings(path, Settings(technician="Li", schema=7))
    assert read_settings(path).schema == KNOWN["settings"], "the number is the writer's, not the caller's"


@pytest.mark.peers
def test_age_opens_the_old_backup_with_the_offices_key(laptop: Path, services: Services, tmp_path: Path) -> None:
    from tests.peers.tools import need

    (lane,) = open_record(services, SEALED).lanes
    assert lane.backup is not None
    key, file = laptop / "office" / "office.agekey", services.paths.backups / lane.backup.file
    done = subprocess.run([need("age"), "-d", "-i", str(key), str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"manifest.json" in done.stdout
