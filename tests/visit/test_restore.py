"""One action puts back what a terminal ran: byte for byte, only where it belongs, nothing lost without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from techtool.domain.restore import Swap
from techtool.domain.terminal import BatchState
from techtool.domain.visit import CatmAction, VisitKind
from techtool.errors import Exit, NoSuchVisit
from techtool.simulator.faults import InstallRefusal
from techtool.simulator.model import find_model
from techtool.simulator.run import Simulation
from techtool.visit.kept_backups import backup_log, key_path
from tests.visit.conftest import Shop, fault
from tests.visit.suite import with_stick
from tests.visit.undo_stick import (
    FORMER,
    KERNEL,
    NEW,
    PAY,
    WORDS,
    asked,
    codes,
    data,
    debuggable,
    packages,
    restored,
    untold,
    updated,
)


@pytest.fixture
def ready(shop: Shop, undo_stick: Path) -> Shop:
    """A shop whose stick may be undone, with the words that a restore needs."""
    shop.changed = dict(WORDS)
    return with_stick(shop, undo_stick)


async def test_uninstall_and_reinstall_on_a_production_build(ready: Shop) -> None:
    """The former bytes run again; the data is lost, which a person allowed by a typed word for each package."""
    async with ready.terminals() as simulation:
        before = {name: p.apk_sha256 for name, p in packages(simulation).items()}
        visit = await updated(ready, simulation)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert codes(simulation) == FORMER
        assert {name: p.apk_sha256 for name, p in packages(simulation).items()} == before
        assert data(simulation) == ["", ""]
    assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.SUCCESS, 0, True)
    record, lane = ready.visit(), ready.lane()
    assert record.kind is VisitKind.RESTORE
    assert record.restore is not None
    assert record.restore.asked == visit
    assert {one.package.id: one.data_lost for one in lane.restored} == {PAY: True, KERNEL: True}
    assert all(one.sha256_found == one.sha256_expected for one in lane.restored)
    assert {one.backup for one in lane.restored} == {f"{visit}-1"}
    assert {one.backup_serial for one in lane.restored} == {lane.serial}
    assert lane.installed == ()
    assert {f"restore.loses-data.{PAY}", f"restore.loses-data.{KERNEL}"} <= set(asked(ready))


async def test_what_runs_now_is_backed_up_first_and_can_be_put_back(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        await updated(ready, simulation)
        back = await restored(ready, simulation.addresses[0], ready.visit().id)
        lane = ready.lane()
        assert lane.backup is not None
        assert lane.backup.at <= min(s.started_at for s in lane.steps if s.action is CatmAction.DELETE)
        forth = await restored(ready, simulation.addresses[0], f"{back.visit}-1")
        assert (forth.outcome, codes(simulation)) == (Outcome.SUCCESS, NEW)


@pytest.mark.slow
async def test_over_a_debuggable_build_data_stays(ready: Shop) -> None:
    async with ready.terminals(debuggable()) as simulation:
        visit = await updated(ready, simulation)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.outcome, codes(simulation)) == (Outcome.SUCCESS, FORMER)
        assert data(simulation) == ["typed in by hand"] * 2
    assert not [name for name in asked(ready) if name.startswith("restore.")]
    assert [one.data_lost for one in ready.lane().restored] == [False, False]


@pytest.mark.slow
async def test_a_build_that_says_it_takes_older_ones_and_does_not(ready: Shop) -> None:
    """The refusal is heard, and the loss is asked for as what it is."""
    word = InstallRefusal(word="INSTALL_FAILED_VERSION_DOWNGRADE", package=PAY)
    async with ready.terminals(debuggable()) as simulation:
        visit = await updated(ready, simulation)
    state = ready.world.folder / "sim"
    ready.changed[f"restore.loses-data.{PAY}"] = "no"
    async with ready.terminals(debuggable(), faults=fault(install=word), state=state) as simulation:
        finished = await restored(ready, simulation.addresses[0], visit)
        assert codes(simulation)[PAY] == NEW[PAY]
        assert data(simulation)[0] == "typed in by hand"
    assert f"restore.loses-data.{PAY}" in asked(ready)
    assert not finished.sealed


@pytest.mark.slow
async def test_the_terminal_signs_in_again_before_the_other_tests(ready: Shop) -> None:
    ready.changed["test.TX-01"] = "not-done: no line"
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        ready.events.clear()
        finished = await restored(ready, simulation.addresses[0], visit)
    assert finished.exit_code == Exit.NOT_RESTORED
    tests = [name for name in asked(ready) if name.startswith("test.")]
    assert tests[0] == "test.TX-01"
    assert len(tests) > 3


@pytest.mark.slow
async def test_nothing_differs(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        await restored(ready, simulation.addresses[0], visit)
        finished = await restored(ready, simulation.addresses[0], visit)
    assert (finished.outcome, finished.exit_code) == (Outcome.NOTHING_TO_DO, Exit.NOTHING_TO_DO)


# --- refused -------------------------------------------------------------------------------------------------------


async def refused(shop: Shop, simulation: Simulation, name: str, terminal: int = 0, swap: Swap | None = None) -> str:
    """The restore is refused, and nothing on the terminal was touched."""
    before = dict(packages(simulation, terminal))
    finished = await restored(shop, simulation.addresses[terminal], name, swap=swap)
    assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.RESTORE_REFUSED)
    assert dict(packages(simulation, terminal)) == before
    error = shop.lane().error
    assert error is not None
    assert error.code == "TT-603"
    return error.what.text("en")


async def test_the_backup_of_another_terminal(ready: Shop) -> None:
    async with ready.terminals("sunmi-p2", "sunmi-p2") as simulation:
        visit = await updated(ready, simulation)
        assert "swap order" in await refused(ready, simulation, visit, terminal=1)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["from_serial", "to_serial", "model"])
async def test_a_swap_order_that_names_something_else(ready: Shop, wrong: str) -> None:
    async with ready.terminals("sunmi-p2", "sunmi-p2") as simulation:
        visit = await updated(ready, simulation)
        one, two = (terminal.device.serial for terminal in simulation.terminals)
        swap = replace(Swap(one, two, "P2", "WO-7"), **{wrong: "X"})
        await refused(ready, simulation, visit, terminal=1, swap=swap)


@pytest.mark.slow
async def test_a_swap_order_that_names_both(ready: Shop) -> None:
    async with ready.terminals("sunmi-p2", "sunmi-p2") as simulation:
        visit = await updated(ready, simulation)
        await ready.run(simulation.addresses[1])
        assert codes(simulation, 1) == NEW
        one, two = (terminal.device.serial for terminal in simulation.terminals)
        finished = await restored(ready, simulation.addresses[1], visit, swap=Swap(one, two, "P2", "WO-7"))
        assert (finished.outcome, codes(simulation, 1)) == (Outcome.SUCCESS, FORMER)
    assert {one.backup_serial for one in ready.lane().restored} == {one}
    assert ready.lane().serial == two


@pytest.mark.slow
async def test_under_another_system(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
    p2 = find_model("sunmi-p2")
    newer = replace(p2, properties={**p2.properties, "ro.build.version.release": "10"})
    async with ready.terminals(newer, state=ready.world.folder / "sim") as simulation:
        assert "system" in await refused(ready, simulation, visit)


@pytest.mark.slow
async def test_what_its_publisher_does_not_let_come_back(shop: Shop) -> None:
    shop.changed = dict(WORDS)
    async with shop.terminals() as simulation:
        visit = await updated(shop, simulation)
        assert "com.example" in await refused(shop, simulation, visit)


async def test_without_the_key_only_the_office_can(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        key_path(ready.services, visit).unlink()
        assert "--identity" in await refused(ready, simulation, visit)
        office = ready.world.folder / "office" / "office.agekey"
        finished = await restored(ready, simulation.addresses[0], visit, identity=office)
        assert (finished.outcome, codes(simulation)) == (Outcome.SUCCESS, FORMER)
    assert b"AGE-SECRET-KEY" not in (ready.world.paths.visits / f"{finished.visit}.jnl").read_bytes()


async def test_a_backup_that_does_not_read_back_changes_nothing(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        file = ready.world.paths.backups / f"{visit}-1.age"
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.exit_code == Exit.BACKUP_NOT_VERIFIED
        assert codes(simulation) == NEW


async def test_an_unknown_name(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        await updated(ready, simulation)
        with pytest.raises(NoSuchVisit):
            await restored(ready, simulation.addresses[0], "V20200101-000000-0000")


# --- gates and words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waiting", [{"batch": BatchState.OPEN}, {"offline_sales": 2}, {"reversals": 1}])
async def test_waiting_takings_close_the_gate(ready: Shop, waiting: dict[str, object]) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        store = simulation.terminals[0].device.store
        store.commit(replace(store.state, **waiting))  # type: ignore[arg-type]
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.GATE_CLOSED)
        assert (codes(simulation), data(simulation)) == (NEW, ["typed in by hand"] * 2)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({f"restore.loses-data.{PAY}": "erase"}, Exit.REFUSED_BY_PERSON),
        ({f"restore.loses-data.{PAY}": "MISSING"}, Exit.ANSWER_MISSING),
        ({"restore.nothing-waiting": False}, Exit.GATE_CLOSED),
        ({"restore.nothing-waiting.evidence": "MISSING"}, Exit.ANSWER_MISSING),
    ],
)
async def test_nothing_is_lost_without_the_word(ready: Shop, changed: dict[str, str | bool], code: Exit) -> None:
    async with ready.terminals(untold()) as simulation:
        visit = await updated(ready, simulation)
        ready.changed |= changed
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.exit_code == code
        assert (codes(simulation), data(simulation)) == (NEW, ["typed in by hand"] * 2)


async def test_its_own_confirmation(ready: Shop) -> None:
    """The word for the update is not a word for the restore."""
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        ready.confirm = False
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.exit_code, codes(simulation)) == (Exit.ANSWER_MISSING, NEW)
        ready.confirm = True
        finished = await ready.resume()
        assert (finished.outcome, codes(simulation)) == (Outcome.SUCCESS, FORMER)


@pytest.mark.slow
async def test_every_opening_is_in_the_log(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        finished = await restored(ready, simulation.addresses[0], visit)
    entries = [e for e in backup_log(ready.services).entries() if e.backup == f"{visit}-1"]
    assert [(e.action.value, e.result, e.why) for e in entries] == [
        ("restore", result, finished.visit) for result in ("begun", "done") * 2
    ]


@pytest.mark.slow
async def test_the_report_says_where_it_comes_from(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        finished = await restored(ready, simulation.addresses[0], visit)
    page = (ready.world.paths.reports / finished.visit / f"{finished.visit}.en.html").read_text(encoding="utf-8")
    assert f"from backup {visit}-1 of {ready.lane().serial}" in page
    assert "its data was lost" in page


async def test_no_plain_package_stays_on_the_laptop(ready: Shop) -> None:
    async with ready.terminals() as simulation:
        visit = await updated(ready, simulation)
        await restored(ready, simulation.addresses[0], visit)
    assert list(ready.world.paths.payloads.iterdir()) == []
