"""``techtool backup``: a backup alone, what is said of each, reading back, retention, and who opened what."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.background import simulated
from techtool.cli.main import run
from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.visit import VisitKind
from techtool.errors import Exit
from techtool.settings import read_settings, write_settings
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec
from techtool.store.db import JournalDB
from techtool.visit.backup_log import BackupAction
from techtool.visit.kept_backups import Presence, backup_log, kept_backups, verify_visit
from techtool.visit.retention import prune
from techtool.visit.services import Services
from tests.visit.conftest import Shop

SPEC = TerminalSpec(find_model("sunmi-p2"), 1)


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def create(shop: Shop, *addresses: str) -> int:
    return run(["backup", "create", *addresses, "--answers", str(shop.world.answers)])


@pytest.fixture
def made(at_home: Shop, shelf: Path) -> tuple[Shop, str]:
    """A laptop with one backup, made without a stick: once, and copied for each test."""
    kept, home = shelf / "backup", at_home.world.paths.home
    shutil.rmtree(at_home.world.stick)
    if not kept.exists():
        with simulated([SPEC], boot_s=0.05) as running:
            assert create(at_home, *running.addresses) == Exit.DONE
        shutil.copytree(home, kept)
    else:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
    return at_home, at_home.visit().id


def test_the_same_order_as_for_a_visit(at_home: Shop, tmp_path: Path) -> None:
    """Several orders in one file, one of them chosen; merchant and number are the order's."""
    path = tmp_path / "day.json"
    orders = [{"number": f"WO-{n}", "site": {"merchant_name": f"Shop {n}"}} for n in (1, 2)]
    path.write_text(json.dumps(orders))
    with simulated([SPEC], boot_s=0.05) as running:
        command = ["backup", "create", *running.addresses, "--answers", str(at_home.world.answers)]
        assert run([*command, "--order", str(path)]) != Exit.DONE
        assert run([*command, "--order-number", "WO-2"]) == Exit.USAGE
        assert run([*command, "--order", str(path), "--order-number", "WO-2"]) == Exit.DONE
    visit = at_home.visit()
    assert (visit.work_order, visit.merchant, visit.kind) == ("WO-2", "Shop 2", VisitKind.BACKUP)


def said(capsys: pytest.CaptureFixture[str], *command: str, code: int = Exit.DONE) -> Any:
    capsys.readouterr()
    assert run([*command, "--json"]) == code
    return json.loads(capsys.readouterr().out)


# --- create --------------------------------------------------------------------------------------------------------


def test_a_backup_alone_needs_no_stick_and_changes_nothing(made: tuple[Shop, str]) -> None:
    shop, visit = made
    record = shop.visit()
    assert (record.kind, record.stick, record.sealed, record.outcome) == (VisitKind.BACKUP, "", True, Outcome.SUCCESS)
    (lane,) = record.lanes
    assert [step.step for step in lane.steps] == [StepKind.IDENTIFY, StepKind.BACKUP]
    assert lane.plan is None
    assert lane.backup is not None
    assert lane.backup.verified
    report = shop.world.paths.reports / visit
    assert json.loads((report / f"{visit}.json").read_text())["predicate"]["visit"]["type"] == "backup"
    assert (report / f"{visit}.json.sig").is_file()
    assert "backup only" in (report / f"{visit}.en.html").read_text(encoding="utf-8")
    assert run(["visit", "verify", visit]) == Exit.DONE


def test_several_terminals_and_one_that_does_not_answer(at_home: Shop) -> None:
    specs = [SPEC, TerminalSpec(find_model("verifone-t650p"), 2)]
    with simulated(specs, boot_s=0.05) as running:
        assert create(at_home, *running.addresses) == Exit.DONE
    assert [lane.backup is not None for lane in at_home.visit().lanes] == [True, True]
    assert create(at_home, *running.addresses) == Exit.UNREACHABLE
    assert create(at_home, running.addresses[0], running.addresses[0]) == Exit.USAGE


def test_an_interrupted_backup_is_resumed_without_a_stick(at_home: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(at_home.world.stick)

    async def stopped(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with simulated([SPEC], boot_s=0.05) as running:
        with monkeypatch.context() as patch:
            patch.setattr("techtool.visit.steps.backup.write_backup", stopped)
            assert create(at_home, *running.addresses) == Exit.INTERRUPTED
        assert not at_home.visit().sealed
        assert run(["visit", "resume", "--answers", str(at_home.world.answers)]) == Exit.DONE
    assert at_home.visit().sealed
    assert at_home.lane().backup is not None


def test_no_room_is_told_with_numbers_before_anything_is_read(
    at_home: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("techtool.paths.Disk.free_bytes", lambda _self, _folder: 20_000_000)
    with simulated([SPEC], boot_s=0.05) as running:
        assert create(at_home, *running.addresses) == Exit.DISK_FULL
    told = capsys.readouterr().err
    assert "TT-507" in told
    assert "20.0 MB free" in told
    assert "33." in told, "32 MiB are left for the records"
    assert not list(at_home.world.paths.backups.glob("*.age*"))


# --- list and verify -----------------------------------------------------------------------------------------------


def test_the_list_says_what_state_each_is_in(made: tuple[Shop, str], capsys: pytest.CaptureFixture[str]) -> None:
    shop, visit = made
    (row,) = said(capsys, "backup", "list")["backups"]
    assert (row["visit"], row["serial"], row["file"]) == (visit, shop.lane().serial, f"{visit}-1.age")
    assert (row["verified"], row["presence"], row["key"]) == (True, "here", "here")
    assert run(["backup", "list"]) == Exit.DONE
    until = shop.visit().started_at + timedelta(days=30)
    assert f"verified, key here until {until:%Y-%m-%d}" in capsys.readouterr().out
    (shop.world.paths.backups / row["file"]).unlink()
    assert said(capsys, "backup", "list")["backups"][0]["presence"] == "missing"


def test_every_opening_is_logged_with_who_and_why(made: tuple[Shop, str], capsys: pytest.CaptureFixture[str]) -> None:
    shop, visit = made
    answer = said(capsys, "backup", "verify", visit, "--why", "monthly check")
    assert answer["backups"] == [{"backup": f"{visit}-1", "verified": True, "error": None}]
    entries = said(capsys, "backup", "log")["log"]
    assert [(e["action"], e["backup"], e["why"], e["result"]) for e in entries] == [
        ("verify", f"{visit}-1", "monthly check", "begun"),
        ("verify", f"{visit}-1", "monthly check", "done"),
    ]
    assert {e["who"] for e in entries} == {shop.services.settings.technician}
    db = JournalDB.open_read(shop.world.paths.backup_log)
    assert (db.kind, len(db.head)) == ("backup-log", 64)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _turn(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [_cut, _turn, Path.unlink], ids=["cut off", "one bit", "gone"])
def test_what_does_not_read_back_is_51(
    made: tuple[Shop, str], capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None]
) -> None:
    shop, visit = made
    harm(shop.world.paths.backups / f"{visit}-1.age")
    (row,) = said(capsys, "backup", "verify", visit, code=Exit.BACKUP_NOT_VERIFIED)["backups"]
    assert row["verified"] is False
    assert [e["result"] for e in said(capsys, "backup", "log")["log"]] == ["begun", "TT-602"]


def test_a_visit_without_a_backup_is_not_found(at_home: Shop) -> None:
    assert run(["backup", "verify", "V20200101-000000-0000"]) == Exit.NOT_FOUND


def test_a_damaged_record_is_used_as_far_as_it_is_proven(
    made: tuple[Shop, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Damage behind the manifest leaves it proven; damage before it does not, and that is said."""
    shop, visit = made
    journal = shop.world.paths.visits / f"{visit}.jnl"
    good = journal.read_bytes()
    lines = good.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"manifest"' in line)
    for place, code, verified in ((at + 1, Exit.DONE, True), (at - 1, Exit.BACKUP_NOT_VERIFIED, False)):
        broken = bytearray(lines[place])
        broken[-3] ^= 1
        journal.write_bytes(b"".join([*lines[:place], bytes(broken), *lines[place + 1 :]]))
        (row,) = said(capsys, "backup", "verify", visit, code=code)["backups"]
        assert row["verified"] is verified
        assert said(capsys, "backup", "list")["backups"][0]["visit_state"] == "damaged"
    assert "behind a damaged place" in row["error"]["what"]
    journal.write_bytes(b"no journal at all\n")
    assert run(["backup", "verify", visit]) == Exit.BACKUP_NOT_VERIFIED


def test_an_opening_that_cannot_be_logged_does_not_happen(
    made: tuple[Shop, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, visit = made
    opened = False

    async def read(*_given: object) -> None:
        nonlocal opened
        opened = True

    monkeypatch.setattr("techtool.visit.kept_backups.verify_backup", read)
    with Services.real(shop.world.paths).home.lock("visit run"):
        assert run(["backup", "verify", visit]) == Exit.LOCKED
    assert not opened


async def test_a_damaged_log_is_set_aside_and_the_new_one_says_so(made: tuple[Shop, str]) -> None:
    shop, visit = made
    services = shop.services
    await verify_visit(services, visit, "")
    log = shop.world.paths.backup_log
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    await verify_visit(shop.services, visit, "")
    entries = backup_log(services).entries()
    assert [e.action for e in entries] == [BackupAction.LOG_DAMAGED, BackupAction.VERIFY, BackupAction.VERIFY]
    aside = log.with_name(entries[0].result)
    assert aside.read_bytes() == data


# --- retention -----------------------------------------------------------------------------------------------------


def later(shop: Shop, days: float) -> Services:
    return replace(shop.services, clock=FixedClock(shop.visit().started_at + timedelta(days=days)))


def test_keys_go_when_their_time_is_up_and_files_only_on_the_offices_word(made: tuple[Shop, str]) -> None:
    shop, visit = made
    key = shop.world.paths.visit_keys / f"{visit}.agekey"
    file = shop.world.paths.backups / f"{visit}-1.age"
    before = file.read_bytes()
    assert prune(later(shop, 29)).keys == ()
    assert key.is_file()
    dry = prune(later(shop, 31), dry_run=True)
    assert (dry.keys, key.is_file(), shop.world.paths.backup_log.exists()) == ((visit,), True, False)
    pruned = prune(later(shop, 31))
    assert (pruned.keys, pruned.wiped) == ((visit,), ())
    assert not key.exists()
    assert file.read_bytes() == before, "the office can still open it"
    (kept,) = kept_backups(shop.services, backup_log(shop.services).entries())
    assert (kept.key, kept.presence) == (Presence.DELETED, Presence.HERE)
    assert prune(later(shop, 31)).keys == ()
    wiped = prune(later(shop, 31), word="office: received, 24 Dec")
    assert wiped.wiped == (f"{visit}-1",)
    assert not file.exists()
    (kept,) = kept_backups(shop.services, backup_log(shop.services).entries())
    assert kept.presence is Presence.DELETED
    last = backup_log(shop.services).entries()[-2:]
    assert [(e.action, e.why, e.result) for e in last] == [
        (BackupAction.WIPE, "office: received, 24 Dec", "begun"),
        (BackupAction.WIPE, "office: received, 24 Dec", "done"),
    ]


async def test_without_its_key_a_backup_does_not_verify_and_the_reason_is_said(made: tuple[Shop, str]) -> None:
    shop, visit = made
    prune(later(shop, 31))
    (result,) = await verify_visit(shop.services, visit, "")
    assert result.error is not None
    assert "only the office can open it" in result.error.what_phrase.text("en")
    assert "as the log of backups says" in result.error.what_phrase.text("en")


def test_the_settings_say_how_long(made: tuple[Shop, str], capsys: pytest.CaptureFixture[str]) -> None:
    shop, visit = made
    path = shop.world.paths.settings
    write_settings(path, replace(read_settings(path), keep_backups_days=0))
    answer = said(capsys, "backup", "prune", "--dry-run")
    assert (answer["days"], answer["keys"]) == (0, [visit])
    assert said(capsys, "backup", "prune", "--older-than", "7")["keys"] == []
    assert run(["backup", "prune", "--older-than", "-1"]) == Exit.USAGE
    assert said(capsys, "backup", "prune", "--older-than", "0", "--confirmed-by-office", "yes")["wiped"] == [
        f"{visit}-1"
    ]


def test_nothing_of_an_open_or_damaged_visit_goes(made: tuple[Shop, str]) -> None:
    shop, visit = made
    journal = shop.world.paths.visits / f"{visit}.jnl"
    lines = journal.read_bytes().splitlines(keepends=True)
    services = later(shop, 80)
    shop.world.paths.index.unlink()
    for content, reason in ((b"".join(lines[:-1]), "not closed"), (b"".join([*lines[:3], *lines[4:]]), "damaged")):
        journal.write_bytes(content)
        pruned = prune(services, word="office")
        assert (pruned.keys, pruned.wiped) == ((), ())
        ((kept, why),) = pruned.kept
        assert kept == visit
        assert reason in why.text("en")
    assert (shop.world.paths.backups / f"{visit}-1.age").is_file()


def test_leftovers_of_a_stop_are_swept_and_strangers_are_not(made: tuple[Shop, str]) -> None:
    shop, visit = made
    part = shop.world.paths.backups / f"{visit}-2.age.part"
    stranger = shop.world.paths.backups / "V20200101-000000-0000-1.age"
    part.write_bytes(b"half")
    stranger.write_bytes(b"whose?")
    pruned = prune(later(shop, 0), timedelta(0), word="office")
    assert (pruned.leftovers, pruned.unrecorded) == ((part.name,), (stranger.name,))
    assert not part.exists()
    assert stranger.exists()


def test_the_key_of_a_backup_that_failed_goes_too(at_home: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("techtool.paths.Disk.free_bytes", lambda _self, _folder: 0)
    with simulated([SPEC], boot_s=0.05) as running:
        create(at_home, *running.addresses)
    visit = at_home.visit().id
    monkeypatch.undo()
    if not at_home.visit().sealed:
        monkeypatch.setenv("TECHTOOL_HOME", str(at_home.world.paths.home))
        assert run(["visit", "abandon", visit]) == Exit.DONE
    assert prune(later(at_home, 31)).keys == (visit,)
    assert list(at_home.world.paths.visit_keys.iterdir()) == []
