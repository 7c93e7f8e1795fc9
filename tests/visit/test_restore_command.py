"""``techtool backup restore`` and what ``techtool plan`` says of going back, by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.background import simulated
from techtool.cli.main import run
from techtool.errors import Exit
from techtool.simulator.run import specs_for
from tests.visit.conftest import Shop
from tests.visit.suite import with_stick
from tests.visit.undo_stick import WORDS, make_undo_stick


@pytest.fixture
def at_home(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    shop.changed = dict(WORDS)
    ready = with_stick(shop, make_undo_stick(tmp_path))
    (tmp_path / "answers.json").write_text(json.dumps(dict(ready.answers().values)))
    return ready


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.slow
def test_plan_update_restore_and_the_refusals(
    at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["--answers", str(tmp_path / "answers.json"), "--json"]
    with simulated(specs_for("sunmi-p2", 2), boot_s=0.05) as running:
        first, second = running.addresses
        stick = ["--bundle", str(at_home.world.stick)]
        assert run(["plan", first, *stick, "--json"]) == Exit.DONE
        rollback = json.loads(capsys.readouterr().out)["rollback"]
        assert rollback["class"] == "reinstall-loses-data"
        assert {one["class"] for one in rollback["releases"]} == {"reinstall-loses-data"}
        assert all(one["reason"] for one in rollback["releases"])
        assert run(["visit", "run", first, *stick, "--confirm", "1001", *answers]) == Exit.DONE
        visit = last_line(capsys)["visit"]
        restore = ["backup", "restore", visit, "--confirm", "1001", "--confirm", "1002"]
        assert run([*restore, "--address", second, *answers]) == Exit.RESTORE_REFUSED
        assert last_line(capsys)["outcome"] == "refused"
        order = tmp_path / "swap.json"
        order.write_text(json.dumps({"schema": 1, "swap": swap("P2SIM23A1001", "P2SIM23A1009")}))
        swapped = ["--swap-order", str(order)]
        assert run([*restore, "--address", second, *swapped, *answers]) == Exit.RESTORE_REFUSED
        assert run([*restore, "--address", first, *answers]) == Exit.DONE
        assert last_line(capsys)["outcome"] == "success"


def swap(origin: str, target: str) -> dict[str, str]:
    return {"from": origin, "to": target, "model": "P2", "work_order": "WO-7"}


@pytest.mark.parametrize(
    "order",
    [
        {"schema": 2, "swap": swap("A", "B")},
        {"schema": 1},
        {"schema": 1, "swap": {**swap("A", "B"), "more": "x"}},
        {"schema": 1, "swap": {"from": "A", "to": "B", "model": "P2"}},
        {"schema": 1, "swap": swap("A", " ")},
        {"schema": 1, "swap": swap("A", "A")},
        ["schema"],
    ],
)
def test_a_swap_order_that_is_none(at_home: Shop, tmp_path: Path, order: object) -> None:
    path = tmp_path / "swap.json"
    path.write_text(json.dumps(order))
    command = ["backup", "restore", "V1", "--address", "adb://127.0.0.1:1", "--swap-order", str(path)]
    assert run(command) == Exit.USAGE


def test_a_backup_that_is_not_here(at_home: Shop) -> None:
    assert run(["backup", "restore", "V1", "--address", "adb://127.0.0.1:1"]) == Exit.NOT_FOUND
