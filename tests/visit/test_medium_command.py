"""``medium:PATH`` on the command line: everything a person would type comes from an answers file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.domain.codec import encode_json
from techtool.errors import Exit
from techtool.simulator.menu import MenuTerminal
from tests.visit.conftest import Shop
from tests.visit.menu_shop import Counter, add, firmware

TYPED: dict[str, str | bool] = {
    "identify.model": "example/S1",
    "identify.serial": "EXS1000417",
    "identify.serial.again": "EXS1000417",
    "identify.firmware": "1.0",
    "check.external-power": True,
    "install.eject": True,
    "install.guide.insert": True,
    "install.guide.start": "restart",
    "install.guide.restart": True,
    "install.log": False,
    "verify.firmware": "2.0",
}


@pytest.fixture
def counter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Counter:
    add(shop, "FW20.UPD", firmware("2.0"), "2.0")
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return Counter.make(shop)


def answers(counter: Counter, **changed: str | bool) -> Path:
    path = counter.shop.world.folder / "typed.json"
    path.write_bytes(encode_json({**counter.shop.answers().values, **TYPED, **changed}))
    return path


def test_identify_and_plan_ask_the_answers_file(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    line = [counter.address, "--answers", str(answers(counter)), "--json"]
    assert run(["identify", *line]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["model"], found["serial"], found["firmware"]) == ("S1", "EXS1000417", "1.0")
    assert found["fact_evidence"] == {"serial": "asked", "model": "asked", "versions": "asked"}
    assert run(["plan", *line, "--bundle", str(counter.shop.world.stick)]) == Exit.GATE_CLOSED
    tree = json.loads(capsys.readouterr().out)
    (release,) = [one for one in tree["releases"] if one["id"] == "example.s1.firmware"]
    assert {rule["what"] for rule in release["rules"] if not rule["ok"]} == {
        "tamper",
        "no-open-batch",
        "external-power",
    }
    assert run(["identify", counter.address]) == Exit.ANSWER_MISSING


def test_a_scripted_visit(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(counter.shop.world.stick)
    line = ["visit", "run", counter.address, "--bundle", bundle, "--confirm", "0417", "--json", "--answers"]
    assert run([*line, str(answers(counter))]) == Exit.DONE
    events = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    (lane,) = [event for event in events if event["event"] == "lane_finished"]
    assert (lane["serial"], lane["outcome"]) == ("EXS1000417", "self-reported")
    assert events[-1]["outcome"] == "self-reported"
    assert "UPDATE/FW20.UPD" in counter.files()


def test_a_backup_alone_has_nothing_to_read(counter: Counter, tmp_path: Path) -> None:
    (tmp_path / "pass").write_text(str(counter.shop.answers().values["visit.passphrase"]))
    code = run(["backup", "create", counter.address, "--passphrase-file", str(tmp_path / "pass")])
    assert code != Exit.DONE, "no backup was made"


def test_the_menu_in_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    (stick / "UPDATE").mkdir(parents=True)
    (stick / "UPDATE" / "FW20.UPD").write_bytes(firmware("2.0"))
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nx\n3\n2\n0\n"))
    assert run(["simulate", "--medium", str(stick), "--state", str(tmp_path / "term")]) == Exit.DONE
    out, err = capfd.readouterr()
    assert out.strip() == f"medium:{stick}"
    assert "[Restart now?]" in err
    assert "[firmware 2.0]" in err
    assert MenuTerminal.load(tmp_path / "term").versions == {"firmware": "2.0"}
    assert "RESULT=OK" in (stick / "UPDATE.LOG").read_text()
    (tmp_path / "term" / "menu.json").write_text("{")
    assert run(["simulate", "--medium", str(stick), "--state", str(tmp_path / "term")]) == Exit.USAGE
