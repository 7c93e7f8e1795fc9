"""Every fault of the simulator's script through a whole visit: outcome word, exit code, what to do next."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.outcome import OUTCOME_EXIT, Outcome
from techtool.domain.release import After, ReleaseKind
from techtool.domain.terminal import BatchState, TamperState
from techtool.errors import Exit
from techtool.i18n import LANGUAGES
from techtool.simulator.faults import (
    AfterReboot,
    Direction,
    Drop,
    FallingBattery,
    Faults,
    FullStorage,
    Hang,
    InstallRefusal,
    RebootLoop,
    ToldAt,
    WrongVersion,
)
from techtool.simulator.model import APKS
from techtool.terminals import shell
from techtool.terminals.android import AndroidTerminal
from techtool.terminals.refusals import REFUSALS
from tests.visit.conftest import Shop
from tests.visit.suite import with_stick


@dataclass(frozen=True)
class Row:
    """A fault and what must come of it."""

    id: str
    faults: Faults
    outcomes: tuple[Outcome, ...]
    exits: tuple[int, ...]
    sealed: bool = True
    """False: the visit stays open and is gone on with."""
    resumes: bool = False
    """Going on without the fault ends well."""


OK = (Outcome.SUCCESS,), (int(Exit.DONE),)
SHUT = (Outcome.REFUSED,), (int(Exit.GATE_CLOSED),)
LINK_EXITS = (int(Exit.LOST), int(Exit.UNREACHABLE))
LINK = (Outcome.FAILED_TRANSIENT, Outcome.INCONSISTENT), LINK_EXITS

ROWS = [
    Row("healthy", Faults(), *OK),
    Row("a trailing blank", Faults(trailing_blank=True), *OK),
    Row("slow", Faults(slow_bytes_per_s=60_000), *OK),
    Row("open batch", Faults(batch=BatchState.OPEN), *SHUT),
    Row("offline sales", Faults(offline_sales=3), *SHUT),
    Row("reversals", Faults(reversals=1), *SHUT),
    Row("tampered", Faults(tamper=TamperState.TAMPERED), *SHUT),
    Row("a dead battery", Faults(battery_health=4), *OK),
    Row("a start that is not verified", Faults(properties={"ro.boot.verifiedbootstate": "orange"}), *OK),
    Row("low battery", Faults(battery=FallingBattery(20, 0, external_power=False)), *SHUT),
    Row("falling battery", Faults(battery=FallingBattery(50, 12, external_power=False)), *SHUT, sealed=True),
    Row("full, told by df", Faults(storage=FullStorage(0, ToldAt.CREATE)), *SHUT),
    Row("refuses a connection", Faults(refuse_connections=1), *LINK),
    Row("says ok and lies", Faults(says_ok_and_lies=True), (Outcome.FAILED_DEVICE_OK,), (int(Exit.FAILED),)),
    Row(
        "wrong version after",
        Faults(wrong_version=WrongVersion("0.9", 9)),
        (Outcome.INCONSISTENT,),
        (int(Exit.INCONSISTENT),),
    ),
    Row(
        "hangs in mid-reply",
        Faults(hang=Hang("dumpsys battery", 5)),
        LINK[0],
        (*LINK_EXITS, int(Exit.FAILED)),
    ),
    *(
        Row(f"cut at byte {n}, {way.value}", Faults(drop=Drop(n, way)), (*LINK[0], Outcome.SUCCESS), (*LINK_EXITS, 0))
        for way, n in [
            *((Direction.IN, n) for n in (1, 23, 24, 30, 500, 3_000, 12_000, 20_000, 23_000)),
            *((Direction.OUT, n) for n in (10, 300, 5_000, 15_000)),
        ]
    ),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits half a minute here for a terminal that hangs, or five for one that never returns."""
    defaults = shell.ask.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout_s", 2.0)
    quick = functools.partialmethod(AndroidTerminal.reboot, timeout_s=2.0, poll_s=0.05)
    monkeypatch.setattr(AndroidTerminal, "reboot", quick)


def said(shop: Shop) -> None:
    """Something sensible to do next, in both languages."""
    error = shop.lane().error
    assert error is not None
    assert error.next_actions
    for phrase in (error.what, error.state_now, *error.next_actions):
        assert all(len(phrase.text(language)) > 1 for language in LANGUAGES)


async def check(shop: Shop, row: Row) -> None:
    async with shop.terminals(faults=(row.faults,)) as simulation:
        finished = await shop.run(*simulation.addresses)
        assert finished.outcome in row.outcomes
        assert finished.exit_code in row.exits
        packages = simulation.terminals[0].device.store.state.packages
        if finished.outcome is Outcome.SUCCESS:
            assert packages["com.example.sunmi.pay"].version_code == 10500
            return
        said(shop)
    if not finished.sealed:
        async with shop.terminals() as simulation:
            lane = shop.lane()
            from techtool.domain.terminal import Address
            from techtool.visit.services import ResumeRequest

            name = lane.serial or lane.address
            moved = ResumeRequest(addresses={name: Address.parse(simulation.addresses[0])})
            assert (await shop.resume(moved)).outcome is Outcome.SUCCESS


def marked(row: Row) -> tuple[pytest.MarkDecorator, ...]:
    """A cut at every place is for CI; two of them are for every day."""
    cut = row.faults.drop is not None and row.faults.drop.at_byte not in {24, 5_000}
    return (pytest.mark.slow,) if cut else ()


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id, marks=marked(row)) for row in ROWS])
async def test_what_comes_of_it(shop: Shop, row: Row) -> None:
    await check(shop, row)


FIRST = {REFUSALS[word].outcome: word for word in sorted(REFUSALS, reverse=True)}
"""One word of each outcome, for every day; CI takes them all."""


@pytest.mark.parametrize(
    "word",
    [pytest.param(word, marks=() if word in FIRST.values() else pytest.mark.slow) for word in sorted(REFUSALS)],
)
async def test_every_word_of_android(shop: Shop, word: str) -> None:
    """The first package is refused: everything is as before, and the terminal's own word is kept."""
    faults = Faults(install=InstallRefusal(word, package="com.example.emvkernel"))
    async with shop.terminals(faults=(faults,)) as simulation:
        finished = await shop.run(*simulation.addresses)
    expected = REFUSALS[word].outcome
    assert (finished.outcome, finished.exit_code, finished.sealed) == (expected, OUTCOME_EXIT[expected], True)
    said(shop)
    error = shop.lane().error
    assert error is not None
    assert word in error.what.text("en")


RESTARTS = [
    (Faults(), Outcome.SUCCESS, True),
    (Faults(reboot_loop=RebootLoop(times=1, up_s=0.002)), Outcome.SUCCESS, True),
    (Faults(reboot_loop=RebootLoop(times=0, up_s=0.002)), Outcome.INCONSISTENT, False),
    (Faults(after_reboot=AfterReboot(never_returns=True)), Outcome.INCONSISTENT, False),
    (Faults(after_reboot=AfterReboot(serial="OTHER-0001")), Outcome.INCONSISTENT, False),
]


@pytest.fixture(scope="module")
def restarting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with a release that wants the terminal restarted."""
    folder, clock = tmp_path_factory.mktemp("restarting"), SystemClock()
    workspace = Workspace.create(folder / "bundle", ("sunmi",), clock)
    draft = Description(kind=ReleaseKind.KERNEL, provides=(ProvidesEntry("sunmi", "P2"),), after=After(restart=True))
    workspace.add("sunmi", [APKS / "com.example.emvkernel-7.1.0.apk"], draft, clock)
    workspace.sign(clock)
    (folder / "stick").mkdir()
    workspace.write(folder / "stick", clock)
    return folder / "stick"


@pytest.mark.parametrize(("faults", "outcome", "sealed"), RESTARTS)
async def test_after_a_restart(shop: Shop, restarting: Path, faults: Faults, outcome: Outcome, sealed: bool) -> None:
    """One that does not come back, or as another one, is not known until it was read again: the visit stays open."""
    with_stick(shop, restarting)
    async with shop.terminals(faults=(faults,)) as simulation:
        finished = await shop.run(*simulation.addresses)
    assert (finished.outcome, finished.sealed) == (outcome, sealed)
    if outcome is not Outcome.SUCCESS:
        said(shop)
        assert finished.exit_code != Exit.DONE


def test_no_fault_of_the_script_is_left_out() -> None:
    """A new key of the fault script needs a row here."""
    rows = [row.faults for row in ROWS] + [faults for faults, _outcome, _sealed in RESTARTS]
    elsewhere = {"positions", "install", "clock_off_s", "after_install"}  # the last two: test_functional
    elsewhere |= {"task"}  # of a gateway: test_gateway
    for key in fields(Faults):
        assert key.name in elsewhere or any(getattr(f, key.name) != getattr(Faults(), key.name) for f in rows), key.name
