"""The command line over a real home: what a wrong answer, a broken stick and a cut record are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from techtool.bundles.roots import pinned_root
from techtool.cli.background import simulated
from techtool.cli.main import run
from techtool.errors import Exit
from techtool.simulator.run import specs_for
from tests.visit.conftest import Shop


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def test_verify_judges_a_stick_by_its_own_bytes(at_home: Shop) -> None:
    """This laptop has seen the good metadata; the next one has not."""
    stick = at_home.world.stick
    assert run(["bundle", "verify", str(stick)]) == Exit.DONE
    (lists,) = (stick / "TECHTOOL" / "metadata").glob("*.vendor-castles.json")
    lists.write_bytes(b"{}")
    assert run(["bundle", "verify", str(stick)]) == Exit.UNTRUSTED


async def test_doctor_misses_no_cut_or_missing_record(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        finished = await at_home.run(*simulation.addresses)
    assert run(["doctor"]) == Exit.DONE
    journal = at_home.world.paths.visits / f"{finished.visit}.jnl"
    os.truncate(journal, journal.stat().st_size - 10)
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    journal.unlink()
    assert run(["doctor"]) == Exit.DAMAGED_STORE


def test_setup_writes_nothing_before_all_of_it_is_right(
    at_home: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "new"))
    (tmp_path / "pass").write_text("a good passphrase\n")
    root = at_home.world.stick / "TECHTOOL" / "metadata" / "1.root.json"
    command = ["setup", "--name", "W", "--lang", "en", "--passphrase-file", str(tmp_path / "pass"), "--root", str(root)]
    assert run(command) == Exit.USAGE
    assert not (tmp_path / "new" / "keys").exists()
    known = pinned_root(at_home.world.paths)
    assert known is not None
    assert run([*command, "--fingerprint", known.fingerprint]) == Exit.DONE
    assert run([*command, "--fingerprint", known.fingerprint]) == Exit.DONE, "the same command may be run again"


@pytest.mark.parametrize(
    ("changed", "confirm", "code"),
    [({"inspect.SE-02": "banana"}, "1001", "TT-124"), ({}, "9999", "TT-125")],
)
def test_what_is_wrong_with_an_answer_is_named(
    at_home: Shop, capsys: pytest.CaptureFixture[str], changed: dict[str, str], confirm: str, code: str
) -> None:
    at_home.changed = dict(changed)
    answers = at_home.world.folder / "these.json"
    answers.write_text(json.dumps(dict(at_home.answers().values)))
    with simulated(specs_for("sunmi-p2"), boot_s=0.05) as running:
        command = ["visit", "run", running.addresses[0], "--bundle", str(at_home.world.stick), "--json"]
        assert run([*command, "--answers", str(answers), "--confirm", confirm]) == Exit.ANSWER_MISSING
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (lane,) = [line for line in lines if line["event"] == "lane_finished"]
    assert lane["error"]["code"] == code
