"""``techtool history``: the same answer from the index and from the visits, in both languages, in 80 columns."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from techtool.cli.columns import WINDOW, column, cut, width, wrapped
from techtool.cli.main import run
from techtool.domain.history import TerminalEntry
from techtool.domain.visit_state import VisitState
from techtool.errors import Exit
from techtool.i18n import set_language
from techtool.visit.rescue import House
from techtool.visit.visits import history_of, list_visits
from tests.unit.store.test_details import entry
from tests.visit.conftest import Shop, fault


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def house(shop: Shop) -> House:
    return House.at(shop.world.paths, shop.clock)


def told(shop: Shop) -> list[TerminalEntry]:
    entries, damaged = history_of(house(shop).home, house(shop).index)
    assert damaged == []
    return entries


async def two_visits(shop: Shop) -> None:
    """One terminal updated, then another whose installation is refused."""
    async with shop.terminals() as simulation:
        await shop.run(*simulation.addresses)
    async with shop.terminals(
        "castles-saturn1000f2", faults=fault(install=["INSTALL_FAILED_INVALID_APK"])
    ) as simulation:
        await shop.run(*simulation.addresses)


async def test_a_visit_is_in_the_history_when_it_is_closed_and_made_again_it_is_the_same(at_home: Shop) -> None:
    async with at_home.terminals("sunmi-p2", "castles-saturn1000f2") as simulation:
        await at_home.run(*simulation.addresses)
    index = house(at_home).index
    kept = index.terminals()
    assert [e.serial for e in kept] == [lane.serial for lane in at_home.visit().lanes]
    assert {e.outcome.value for e in kept if e.outcome} == {"success"}
    assert all(any(seen.before != seen.after for seen in e.versions) for e in kept)
    observed, foretold = index.observations(), index.forecasts()
    assert observed
    assert run(["doctor", "--rebuild"]) == Exit.DONE
    again = house(at_home).index
    assert (again.terminals(), again.observations(), again.forecasts()) == (kept, observed, foretold)
    assert told(at_home) == kept


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["index", "terminals", "both"])
async def test_nothing_is_missing_where_the_index_is(at_home: Shop, gone: str) -> None:
    await two_visits(at_home)
    before = told(at_home)
    paths = at_home.world.paths
    for path in {"index": [paths.index], "terminals": [paths.terminals]}.get(gone, [paths.index, paths.terminals]):
        path.write_bytes(b"rubbish")
    assert told(at_home) == before
    for path in (paths.index, paths.terminals):
        path.unlink()
    assert told(at_home) == before


@pytest.mark.slow
async def test_an_index_of_before_is_made_again_by_the_next_visit_and_nothing_is_told(at_home: Shop) -> None:
    async with at_home.terminals() as simulation:
        first = (await at_home.run(*simulation.addresses)).visit
        at_home.world.paths.terminals.unlink()
        at_home.world.paths.timings.unlink(missing_ok=True)
        at_home.events.clear()
        second = (await at_home.run(*simulation.addresses)).visit
    assert [e.visit for e in house(at_home).index.terminals()] == [first, second]
    assert house(at_home).index.lacking() == []
    assert not any("index" in str(event) for event in at_home.events if type(event).__name__ == "Notice")


async def test_an_unfinished_visit_is_told_from_its_journal(at_home: Shop) -> None:
    async with at_home.terminals(faults=fault(install=["INSTALL_FAILED_INVALID_APK"])) as simulation:
        await at_home.run(*simulation.addresses)
    (one,) = told(at_home)
    assert one.visit == list_visits(at_home.services)[-1].id


async def test_a_damaged_visit_is_said_and_what_the_index_had_is_still_shown(
    at_home: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    async with at_home.terminals() as simulation:
        visit = (await at_home.run(*simulation.addresses)).visit
    (before,) = told(at_home)
    journal: Path = at_home.world.paths.visits / f"{visit}.jnl"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    assert run(["doctor", "--rebuild"]) == Exit.DAMAGED_STORE
    assert [s.state for s in house(at_home).index.visits()] == [VisitState.DAMAGED]
    capsys.readouterr()
    assert run(["history", before.serial]) == Exit.DONE
    said = capsys.readouterr()
    assert before.serial in said.out
    assert f"The record of {visit} is damaged" in said.err


async def test_json_has_no_whole_numbers(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    async with at_home.terminals() as simulation:
        await at_home.run(*simulation.addresses)
    (one,) = told(at_home)
    capsys.readouterr()
    assert run(["history", one.tid[-4:], "--json"]) == Exit.DONE
    out = capsys.readouterr().out
    assert one.tid not in out
    assert one.mid not in out
    (terminal,) = json.loads(out)["terminals"]
    assert (terminal["serial"], terminal["tid"]) == (one.serial, f"****{one.tid[-4:]}")
    assert [e["outcome"] for e in terminal["entries"]] == ["success"]


async def test_what_is_asked_for_is_found_or_not(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    async with at_home.terminals() as simulation:
        await at_home.run(*simulation.addresses)
    (one,) = told(at_home)
    day, next_day = (f"{one.at.astimezone() + timedelta(days=n):%Y-%m-%d}" for n in (0, 1))
    for arguments, code in (
        ([], Exit.DONE),
        ([one.serial], Exit.DONE),
        (["nobody"], Exit.NOT_FOUND),
        (["--site", one.merchant], Exit.DONE),
        (["--release", one.releases[0]], Exit.DONE),
        (["--release", "nothing"], Exit.NOT_FOUND),
        (["--since", day, "--until", day], Exit.DONE),
        (["--until", "9999-12-31"], Exit.DONE),
        (["--since", next_day], Exit.NOT_FOUND),
        (["--outcome", "success"], Exit.DONE),
        (["--outcome", "unfinished"], Exit.NOT_FOUND),
        (["--outcome", "perhaps"], Exit.USAGE),
        (["--since", "yesterday"], Exit.USAGE),
    ):
        assert run(["history", *arguments]) == code, arguments
    out = capsys.readouterr().out
    assert "1 of 1" in out
    assert one.releases[0] in out


def test_an_empty_laptop_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "home"))
    assert run(["history"]) == Exit.DONE
    assert "No terminal was worked on" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_fits_the_window(
    at_home: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    wide = entry(
        1,
        merchant="幸福超市" * 12,
        site="幸福路店" * 12,
        technician="张伟" * 20,
        firmware="F" * 60 + " " + "G" * 30,
        incidents=tuple(f"V20261122-083000-ab12-1-{n}" for n in range(9)),
        failed_checks=tuple(f"TX-{n:02}" for n in range(30)),
    )
    entries = [wide, replace(wide, visit="v0002"), entry(3, serial="S" * 30), entry(4, merchant="\x1b[31mred")]
    monkeypatch.setattr("techtool.cli.history.history_of", lambda _home, _index: (entries, []))
    set_language(language)
    try:
        for arguments in ([], ["SN1"], ["--release", "com.acme.pay"]):
            assert run(["history", *arguments]) == Exit.DONE
    finally:
        set_language("en")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [line for line in out.splitlines() if width(line) > WINDOW] == []


def test_chinese_characters_take_two_places() -> None:
    assert width("abc") == 3
    assert width("商户abc") == 7
    assert width("e\u0301") == 1
    assert cut("商户名称", 8) == "商户名称"
    assert cut("商户名称", 7) == "商户名…"
    assert width(column("商户名称很长", 7)) == 7
    assert column("ab", 4) == "ab  "
    assert wrapped("aa bb cc", "x: ", window=23) == ["x: aa bb cc"]
    assert wrapped("a" * 15 + " " + "b" * 15, "x: ", window=23) == ["x: " + "a" * 15, "   " + "b" * 15]
