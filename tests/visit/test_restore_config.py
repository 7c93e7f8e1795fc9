"""A terminal's configuration file comes back from a backup: keys by name, counters upward only, passwords by hand."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyrage
import pytest

import techtool.links.adb.wire as wire
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import Address, BatchState
from techtool.domain.visit import VisitKind
from techtool.errors import Exit
from techtool.events import Notice
from techtool.reports.statement import statement
from techtool.simulator.files import Errno, FileRefused
from techtool.simulator.run import Simulation
from techtool.terminals.config_files import NEW
from techtool.visit.kept_backups import key_path
from techtool.visit.restore_source import wish_for
from techtool.visit.services import VisitRequest
from tests.visit.conftest import Shop
from tests.visit.power import FrozenChannel, Power
from tests.visit.test_restore_stops import go_on, one_of
from tests.visit.undo_stick import asked, restored

PATH = "/sdcard/pos/terminal.json"
ITEM = f"config{PATH}"
REENTER = f"restore.reenter.{PATH}"
PASSWORD = "practice-6001"
POINTS = int(os.environ.get("RESTORE_STOPS", "24"))


@pytest.fixture
def ready(shop: Shop) -> Shop:
    shop.changed = {"check.batch": True, "inspect.tamper": True, REENTER: True}
    return shop


def raw(simulation: Simulation, path: str = PATH) -> bytes:
    with simulation.terminals[0].device.files.open(path) as stream:
        return stream.read()


def config(simulation: Simulation) -> dict[str, object]:
    found = json.loads(raw(simulation))
    assert isinstance(found, dict)
    return found


def overwrite(simulation: Simulation, content: bytes) -> None:
    simulation.terminals[0].device.files.place(PATH).write_bytes(content)


def change(simulation: Simulation, **changed: object) -> dict[str, object]:
    new = {**config(simulation), **changed}
    overwrite(simulation, json.dumps(new).encode())
    return new


def nothing_left_behind(simulation: Simulation) -> bool:
    return [entry.name for entry in simulation.terminals[0].device.files.list("/sdcard/pos")] == ["terminal.json"]


async def backed_up(shop: Shop, simulation: Simulation) -> str:
    request = VisitRequest((Address.parse(simulation.addresses[0]),), None)
    finished = await shop._follow(lambda engine: engine.run(request), None)
    assert finished.exit_code == 0
    return finished.visit


def opened(shop: Shop, visit: str) -> dict[str, bytes]:
    """Everything in the backup, decrypted without techtool's own reader."""
    secret = pyrage.x25519.Identity.from_str(key_path(shop.services, visit).read_text().strip())
    plain = pyrage.decrypt((shop.world.paths.backups / f"{visit}-1.age").read_bytes(), [secret])
    with tarfile.open(fileobj=BytesIO(plain)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def warnings(shop: Shop) -> list[str]:
    return [event.text.text("en") for event in shop.events if isinstance(event, Notice) and event.warning]


def told(shop: Shop) -> str:
    return statement(shop.visit()).decode("utf-8", "replace")


async def test_the_password_is_nowhere_on_the_laptop(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG")
        await restored(ready, simulation.addresses[0], visit)
    content = opened(ready, visit)
    kept = json.loads(content[ITEM])
    assert kept["values"] == {
        "receipt_header": "PRACTICE SHOP", "host_timeout_s": 30, "idle_timeout_s": 60, "terminal_id": "50016001",
        "host_address": "192.0.2.17:5000", "batch_no": "000041", "trace_no": "000317",
    }  # fmt: skip
    assert kept["reenter"] == ["operator_password"]
    assert not any(PASSWORD.encode() in data for data in content.values())
    backup = ready.lane().backup
    assert backup is not None
    assert any(line.startswith(f"{ITEM}#operator_password: ") for line in backup.not_read)
    on_disk = [path for path in ready.world.paths.home.rglob("*") if path.is_file()]
    assert on_disk
    assert not [path for path in on_disk if PASSWORD.encode() in path.read_bytes()]


async def test_keys_come_back_and_counters_only_go_upward(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        before = config(simulation)
        change(
            simulation, receipt_header="WRONG", host_timeout_s=5, batch_no="000007", trace_no="000500",
            operator_password="changed since", printer={"own": True},
        )  # fmt: skip
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.outcome, finished.exit_code, finished.sealed) == (Outcome.SUCCESS, 0, True)
        assert config(simulation) == {
            **before, "trace_no": "000500", "operator_password": "changed since", "printer": {"own": True},
        }  # fmt: skip
        assert nothing_left_behind(simulation)
    (one,) = ready.lane().restored_configs
    assert (one.backup, one.path, one.reenter) == (f"{visit}-1", PATH, ("operator_password",))
    assert set(one.changed) == {"receipt_header", "host_timeout_s", "batch_no"}
    results = [step.result.text() for step in ready.lane().steps if step.item == f"config:{PATH}" and step.result]
    assert [result.partition("; ")[2] for result in results] == ["left as they are, higher on the terminal: trace_no"]
    order = asked(ready)
    assert order.index(REENTER) < order.index("test.TX-01")


async def test_values_are_in_no_record(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="OTHER NAME", batch_no="000007", host_address="192.0.2.99:1")
        finished = await restored(ready, simulation.addresses[0], visit)
    journal = (ready.world.paths.visits / f"{finished.visit}.jnl").read_bytes()
    for value in (b"PRACTICE SHOP", b"OTHER NAME", b"000041", b"192.0.2.17:5000", b"192.0.2.99:1"):
        assert value not in journal
    assert "receipt_header" in told(ready)
    page = (ready.world.paths.reports / finished.visit / f"{finished.visit}.en.html").read_text(encoding="utf-8")
    assert PATH in page
    assert "operator_password" in page
    assert "PRACTICE SHOP" not in page


async def test_nothing_differs(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        higher = change(simulation, trace_no="000999")
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.outcome is Outcome.NOTHING_TO_DO
        assert config(simulation) == higher


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batch_no": None}, "batch_no"),
        ({"trace_no": "?"}, "trace_no"),
        ({"config_version": "2.0"}, "version"),
    ],
)
async def test_what_may_not_be_written_is_left_and_recorded(ready: Shop, changed: dict[str, object], said: str) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG", **changed)
        before = raw(simulation)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert (finished.outcome, finished.exit_code) == (Outcome.REFUSED, Exit.RESTORE_REFUSED)
        assert raw(simulation) == before
    error = ready.lane().error
    assert error is not None
    assert said in error.what.text("en")
    assert any("is not written back" in text and said in text for text in warnings(ready))


@pytest.mark.slow
async def test_the_packages_come_back_where_the_file_may_not(ready: Shop) -> None:
    kernel = "com.example.emvkernel"
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG", batch_no="?")
        before = raw(simulation)
        simulation.terminals[0].device.packages.uninstall(kernel)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.outcome is Outcome.SUCCESS
        assert kernel in simulation.terminals[0].device.store.state.packages
        assert raw(simulation) == before
    assert any("is not written back" in text for text in warnings(ready))
    assert ready.lane().restored_configs == ()


async def test_a_file_that_is_gone_is_not_made_anew(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        simulation.terminals[0].device.files.remove(PATH, recursive=False)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.outcome is Outcome.REFUSED
        with pytest.raises(FileRefused):
            raw(simulation)


async def test_waiting_takings_close_the_gate(ready: Shop) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, terminal_id="1")
        before = raw(simulation)
        store = simulation.terminals[0].device.store
        store.commit(replace(store.state, batch=BatchState.OPEN))
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.exit_code == Exit.GATE_CLOSED
        assert raw(simulation) == before


async def test_a_sale_between_reading_and_writing_is_not_lost(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal counts on while the new file is on its way; the file is made anew from what it has then."""
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG")
        files = simulation.terminals[0].device.files
        place = files.place
        sold: list[str] = []

        def selling(path: str) -> Path:
            if path == PATH + NEW and not sold:
                sold.append(path)
                change(simulation, trace_no="000318")
            return place(path)

        monkeypatch.setattr(files, "place", selling)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.outcome is Outcome.SUCCESS
        assert sold
        assert (config(simulation)["trace_no"], config(simulation)["receipt_header"]) == ("000318", "PRACTICE SHOP")


async def test_a_terminal_that_does_not_take_it(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG")
        before = raw(simulation)
        files = simulation.terminals[0].device.files
        place = files.place

        def read_only(path: str) -> Path:
            if path == PATH + NEW:
                raise FileRefused(Errno.READ_ONLY)
            return place(path)

        monkeypatch.setattr(files, "place", read_only)
        finished = await restored(ready, simulation.addresses[0], visit)
        assert finished.exit_code != 0
        assert raw(simulation) == before
    assert ready.lane().restored_configs == ()


@pytest.mark.slow
async def test_not_entered_again_is_recorded(ready: Shop) -> None:
    ready.changed[REENTER] = False
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        change(simulation, receipt_header="WRONG")
        finished = await restored(ready, simulation.addresses[0], visit)
    assert finished.outcome is Outcome.SUCCESS
    assert any("Not entered again: operator_password" in text for text in warnings(ready))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_stop_anywhere_leaves_the_old_file_or_the_new_one(
    ready: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PacketChannel", FrozenChannel)
    FrozenChannel.power = Power()
    async with ready.terminals("practice") as simulation:
        visit = await backed_up(ready, simulation)
        was = config(simulation)
        old = change(simulation, receipt_header="WRONG", batch_no="000007", trace_no="000500")
    new = {**was, "trace_no": "000500"}
    whole = Power()
    measured = one_of(ready.world.folder, tmp_path / "whole", ready.changed)
    wish = wish_for(measured.services, visit)
    async with measured.terminals("practice") as simulation:
        finished = await go_on(measured, simulation.addresses[0], wish, whole)
        assert finished is not None
        assert (finished.outcome, config(simulation)) == (Outcome.SUCCESS, new)
    count = len(whole.kinds)
    seen: list[bool] = []
    for off_at in range(0, count, max(1, count // POINTS)):
        one = one_of(ready.world.folder, tmp_path / f"stop-{off_at}", ready.changed)
        async with one.terminals("practice") as simulation:
            address = simulation.addresses[0]
            assert await go_on(one, address, wish, Power(off_at)) is None
            record = one.visit()
            assert config(simulation) in (old, new), off_at
            seen.append(config(simulation) == new)
            ended = record.kind is VisitKind.RESTORE and record.sealed
            if ended:
                assert config(simulation) == new, off_at
            else:
                finished = await go_on(one, address, wish, Power())
                assert finished is not None
                assert (finished.outcome, finished.sealed) == (Outcome.SUCCESS, True), off_at
            assert config(simulation) == new, off_at
            assert nothing_left_behind(simulation), off_at
            assert [c.path for c in one.lane().restored_configs] == [PATH], off_at
        shutil.rmtree(one.world.folder)
    assert {True, False} == set(seen)
    print(f"{len(seen)} stops over {count} effects of a restore of a configuration file, 0 untruthful")
