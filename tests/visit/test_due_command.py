"""``techtool due``, ``estimate --calibrate`` and ``plan --explain`` after a real visit to a simulated terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.errors import Exit
from tests.visit.conftest import Shop


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def said(capsys: pytest.CaptureFixture[str], *command: str, code: int = Exit.DONE) -> Any:
    capsys.readouterr()
    assert run([*command, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def on_day(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    now = datetime.now().astimezone() + timedelta(days=days)
    monkeypatch.setattr(SystemClock, "now", lambda _self: now)


async def updated(shop: Shop) -> None:
    async with shop.terminals("verifone-t650p") as simulation:
        assert (await shop.run(*simulation.addresses)).exit_code == 0


@pytest.fixture
def done(at_home: Shop) -> Shop:
    import asyncio

    asyncio.run(updated(at_home))
    return at_home


def test_181_days_after_a_visit_the_terminal_is_overdue(
    done: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serial = done.lane().serial
    (fresh,) = said(capsys, "due")["terminals"]
    assert (fresh["serial"], fresh["overdue"], fresh["cadence_from"]) == (serial, False, "settings")
    on_day(monkeypatch, 181)
    (late,) = said(capsys, "due")["terminals"]
    assert (late["overdue"], late["days_over"]) == (True, 1)
    assert run(["due"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("! ")
    assert "overdue by 1 days" in out


def test_a_setting_of_nothing_means_no_due_date(done: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    settings = done.world.paths.settings
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("default_days = 180", "default_days = 0"), "utf-8")
    if "default_days" not in text:
        settings.write_text(f"{text}\n[cadence]\ndefault_days = 0\n", "utf-8")
    (due,) = said(capsys, "due")["terminals"]
    assert (due["due"], due["cadence_days"], due["overdue"]) == (None, None, False)


def test_what_was_foretold_is_compared_with_what_it_took(done: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    groups = said(capsys, "estimate", "--calibrate")["groups"]
    whole = groups[0]
    assert (whole["step"], whole["model"], whole["count"], whole["enough"]) == (None, None, 1, False)
    assert {g["step"] for g in groups} >= {"identify", "install", "verify"}
    assert "test" not in {g["step"] for g in groups}, "an answers file is no person"
    assert run(["estimate", "--calibrate"]) == 0
    assert "too few to say anything" in capsys.readouterr().out
    assert run(["estimate"]) == Exit.USAGE


def test_nothing_done_yet_is_said(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "due") == {"schema": 1, "terminals": [], "damaged": []}
    assert run(["due"]) == 0
    assert run(["estimate", "--calibrate"]) == 0
    told = capsys.readouterr()
    assert "Nothing to compare yet" in told.out + told.err
