"""What a technician at the counter is told when something is wrong: that it is true, in words, and says what next."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.cli.background import simulated
from techtool.cli.main import run
from techtool.domain.outcome import Outcome
from techtool.errors import Exit, LinkError
from techtool.events import LaneFinished
from techtool.i18n import Phrase, language, set_language
from techtool.paths import disk_error, os_problem
from techtool.simulator.faults import Direction, Drop
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec, specs_for
from techtool.visit.visits import list_visits
from tests.visit.conftest import Shop, fault

NOWHERE = "adb://127.0.0.1:1"


@pytest.fixture(autouse=True)
def same_language() -> Iterator[None]:
    before = language()
    yield
    set_language(before)


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def error_of(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, object]:
    """The error that ``command`` ends with."""
    capsys.readouterr()
    assert run([*command, "--json"]) != Exit.DONE
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    return found


def backed_up(shop: Shop) -> str:
    """A closed visit with one backup; its id."""
    with simulated(specs_for("sunmi-p2", 1), boot_s=0.05) as running:
        assert run(["backup", "create", *running.addresses, "--answers", str(shop.world.answers)]) == Exit.DONE
    return shop.visit().id


# --- before anything begins ------------------------------------------------------------------------------------------


def test_setup_answers_in_the_language_it_was_given(
    at_home: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("TECHTOOL_LANG", "en")
    recipients = str(at_home.world.paths.recipients)
    assert run(["setup", "--name", "W", "--lang", "zh", "--recipients", recipients]) == Exit.DONE
    assert language() == "zh"
    assert "backup recipients" not in capsys.readouterr().err


def test_nothing_to_resume_is_said_as_that(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "visit", "resume")
    assert (error["code"], error["exit"]) == ("TT-113", Exit.NOT_FOUND)


def test_a_closed_visit_is_not_called_missing(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    visit = backed_up(at_home)
    for command in ("resume", "abandon"):
        error = error_of(capsys, "visit", command, visit)
        assert (error["code"], error["exit"]) == ("TT-115", Exit.NOT_FOUND)
        assert f"visit show {visit}" in str(error["next_actions"])


def test_without_the_passphrase_no_visit_is_promised(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "backup", "create", NOWHERE)
    assert (error["code"], error["exit"]) == ("TT-127", Exit.ANSWER_MISSING)
    assert "--passphrase-file" in str(error["next_actions"])
    assert list_visits(at_home.services) == []


def test_settings_that_are_no_text_are_not_told_in_codecs(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    at_home.world.paths.settings.write_bytes(b"\xa8\x00\xff")
    error = error_of(capsys, "visit", "list")
    assert error["code"] == "TT-103"
    assert "codec" not in str(error["what"])
    assert len(str(error["next_actions"])) > 0
    assert "another name" in str(error["next_actions"])


# --- backups ---------------------------------------------------------------------------------------------------------


def test_a_backup_that_cannot_be_opened_begins_no_visit(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    visit = backed_up(at_home)
    before = list_visits(at_home.services)
    assert run(["backup", "prune", "--older-than", "0", "--confirmed-by-office", "word"]) == Exit.DONE
    error = error_of(capsys, "backup", "restore", visit, "--address", NOWHERE)
    assert (error["code"], error["exit"]) == ("TT-603", Exit.RESTORE_REFUSED)
    assert list_visits(at_home.services) == before


def test_an_unknown_backup_leads_to_the_list_of_backups(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "backup", "restore", "V1", "--address", NOWHERE)
    assert error["code"] == "TT-114"
    assert "backup list" in str(error["next_actions"])


def test_a_young_key_goes_only_on_the_offices_word(at_home: Shop) -> None:
    visit = backed_up(at_home)
    key = at_home.world.paths.visit_keys / f"{visit}.agekey"
    assert run(["backup", "prune", "--older-than", "0"]) == Exit.USAGE
    assert key.is_file()
    assert run(["backup", "prune", "--older-than", "0", "--dry-run"]) == Exit.DONE
    assert key.is_file()
    assert run(["backup", "prune", "--older-than", "0", "--confirmed-by-office", "word"]) == Exit.DONE
    assert not key.exists()


def test_a_backup_that_does_not_verify_says_what_to_do(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    visit = backed_up(at_home)
    (backup,) = at_home.world.paths.backups.glob("*.age")
    os.truncate(backup, 200)
    capsys.readouterr()
    assert run(["backup", "verify", visit]) == Exit.BACKUP_NOT_VERIFIED
    assert "Back up again" in capsys.readouterr().err


# --- the lines of a headless visit -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_line_stands_under_its_own_terminal(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {**json.loads(at_home.world.answers.read_text()), "P2SIM23A1001/test.SE-08": "fail"}
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    specs = [TerminalSpec(find_model("sunmi-p2"), 1), TerminalSpec(find_model("castles-saturn1000f2"), 2)]
    with simulated(specs, boot_s=0.05) as running:
        command = ["visit", "run", *running.addresses, "--bundle", str(at_home.world.stick)]
        command += ["--answers", str(tmp_path / "answers.json")]
        run([*command, "--confirm", "1001", "--confirm", "0002"])
    heading = ""
    under: dict[str, list[str]] = {}
    for line in capsys.readouterr().err.splitlines():
        found = re.fullmatch(r"— \S+  (\S+)", line)
        heading = found.group(1) if found else heading
        under.setdefault(heading, []).append(line.strip())
    sunmi, castles = under["P2SIM23A1001"], under["SIMF2030002"]
    assert any("com.example.castles.pay 1.5.0 was accepted" in line for line in castles)
    assert not any("com.example.castles.pay 1.5.0 was accepted" in line for line in sunmi)
    assert "✗ fail" in sunmi
    assert "✗ fail" not in castles


# --- what runs on a terminal that cannot be read ---------------------------------------------------------------------


@pytest.mark.slow
async def test_a_begun_terminal_that_does_not_answer_is_not_called_unchanged(shop: Shop) -> None:
    drop = Drop(at_byte=24_000, direction=Direction.IN, times=1)
    async with shop.terminals(faults=fault(drop=drop)) as simulation:
        assert not (await shop.run(*simulation.addresses)).sealed
    finished = await shop.resume()
    told = [event for event in shop.events if isinstance(event, LaneFinished)][-1]
    assert (finished.sealed, told.outcome, told.exit_code) == (False, Outcome.INCONSISTENT, Exit.UNREACHABLE)
    assert told.error is not None
    assert told.error.state_now.msgid != LinkError.state_now


# --- the disk --------------------------------------------------------------------------------------------------------


def test_one_record_that_cannot_be_read_hides_no_other(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    visit = backed_up(at_home)
    (at_home.world.paths.visits / "V20200101-000000-0001.jnl").mkdir()
    capsys.readouterr()
    assert run(["visit", "list", "--json"]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)["visits"]
    assert {v["id"]: v["state"] for v in found} == {visit: "sealed", "V20200101-000000-0001": "damaged"}
    assert run(["backup", "list"]) == Exit.DONE


def test_the_operating_systems_words_are_ours() -> None:
    for number in (errno.EACCES, errno.EROFS, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EIO):
        problem = os_problem(OSError(number, os.strerror(number)))
        assert isinstance(problem, Phrase)
        assert str(problem) in disk_error(OSError(number, os.strerror(number)), "x").what_phrase.text("en")
    assert os_problem(OSError(errno.EMFILE, "Too many open files")) == "Too many open files"


def test_a_record_with_nothing_left_says_so_in_a_sentence(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    visit = backed_up(at_home)
    (at_home.world.paths.visits / f"{visit}.jnl").write_bytes(b"")
    capsys.readouterr()
    run(["doctor", "--salvage", visit])
    told = capsys.readouterr().err
    assert "No entry from its beginning is proven" in told
    assert "up to –" not in told


async def test_the_list_leads_from_an_unfinished_visit_to_resume(
    at_home: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    drop = Drop(at_byte=24_000, direction=Direction.IN, times=1)
    async with at_home.terminals(faults=fault(drop=drop)) as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    capsys.readouterr()
    assert run(["visit", "list"]) == Exit.DONE
    told = capsys.readouterr()
    assert "unfinished" in told.out
    assert f"techtool visit resume {visit}" in told.err
    assert run(["visit", "abandon", visit]) == Exit.DONE
    assert "P2SIM23A1001: not as planned or not read again" in capsys.readouterr().err
