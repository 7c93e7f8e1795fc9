"""Label, software, order and memory: what fits, what warns, what stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.domain.binding import STOPS, Occasion, bind, label_fits, label_wanted
from techtool.domain.history import TerminalEntry
from techtool.domain.work_order import BindingProblem as P
from techtool.domain.work_order import ExpectedTerminal, Site, VisitType, WorkOrder, missing_terminals
from tests.factories import at, identity, lane_done, lane_unreached, terminal_state, visit_record

SERIAL = "P2A0123456789"
STATE = terminal_state(tid="10203040", mid="898310112345678")


def order(*terminals: ExpectedTerminal, **changes: object) -> WorkOrder:
    return replace(WorkOrder("WO-1", terminals=terminals), **changes)  # type: ignore[arg-type]


def entry(**changes: object) -> TerminalEntry:
    made = TerminalEntry(
        "V1", "1", at(0), SERIAL, "sunmi", "P2", "SUNMI", "P2", "10203040", "898310112345678", "S-1", "Noodles",
        "WO-0", "Zhang Wei", "update", "update", None, 0,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


HERE = Occasion(site="S-1", merchant="Noodles")
CASES: dict[str, tuple[str, Occasion, tuple[TerminalEntry, ...], tuple[P, ...]]] = {
    "nothing is known": ("", Occasion(), (), ()),
    "the whole label": (SERIAL, HERE, (entry(),), ()),
    "its last four": ("6789", HERE, (entry(),), ()),
    "small letters and spaces": ("p2a 0123-456789", HERE, (), ()),
    "another label": ("9999", HERE, (), (P.LABEL_DIFFERS,)),
    "the order names it": ("", Occasion(order(ExpectedTerminal(SERIAL.lower()))), (), ()),
    "the order names others": ("", Occasion(order(ExpectedTerminal("X1"))), (), (P.NOT_IN_ORDER,)),
    "the order names none": ("", Occasion(order()), (), ()),
    "the order names its model only": ("", Occasion(order(ExpectedTerminal(model="P2"))), (), ()),
    "the order names another model only": ("", Occasion(order(ExpectedTerminal(model="P3"))), (), (P.NOT_IN_ORDER,)),
    "found by its terminal number": ("", Occasion(order(ExpectedTerminal(tid="10203040"))), (), ()),
    "another model than ordered": ("", Occasion(order(ExpectedTerminal(SERIAL, model="P3"))), (), (P.WRONG_MODEL,)),
    "the model by its name": ("", Occasion(order(ExpectedTerminal(SERIAL, "SUNMI", "SUNMI P2"))), (), ()),
    "another TID than ordered": ("", Occasion(order(ExpectedTerminal(SERIAL, tid="1"))), (), (P.TID_DIFFERS,)),
    "another MID than ordered": ("", Occasion(order(ExpectedTerminal(SERIAL, mid="1"))), (), (P.MID_DIFFERS,)),
    "another MID than the shop's": (
        "", Occasion(order(ExpectedTerminal(SERIAL), site=Site(mid="1"))), (), (P.MID_DIFFERS,),
    ),
    "seen here before": ("", HERE, (entry(),), ()),
    "seen here under the merchant's name": ("", HERE, (entry(site="Noodles"),), ()),
    "seen elsewhere": ("", HERE, (entry(site="S-2", merchant="Books"),), (P.RELOCATED,)),
    "seen elsewhere, then here": ("", HERE, (entry(site="S-2", merchant="Books"), entry()), ()),
    "moved by order": ("", replace(HERE, type=VisitType.RELOCATION), (entry(site="S-2", merchant="Books"),), ()),
    "its serial number on another model": ("", HERE, (entry(model="P3"),), (P.DUPLICATE_SERIAL,)),
    "its terminal number on another": ("", HERE, (entry(serial="X1"),), (P.DUPLICATE_TID,)),
    "its terminal number once on another": ("", HERE, (entry(serial="X1"), entry(serial="X1", tid="5")), ()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_table(name: str) -> None:
    label, occasion, remembered, expected = CASES[name]
    binding = bind(label, STATE, occasion, remembered)
    assert binding.problems == expected
    assert binding.software_serial == SERIAL


def test_what_stops() -> None:
    assert set(STOPS) == {P.LABEL_DIFFERS, P.NOT_IN_ORDER, P.DUPLICATE_SERIAL}


def test_a_serial_number_that_is_none_is_not_looked_up() -> None:
    state = terminal_state(who=identity(serial_trusted=False))
    assert bind("", state, HERE, (entry(model="P3"),)).problems == ()


def test_fewer_than_four_characters_prove_nothing() -> None:
    assert not label_fits("789", SERIAL)
    assert label_fits("6789", SERIAL)
    assert not label_fits("", SERIAL)


def test_a_card_number_on_a_label_is_not_kept() -> None:
    binding = bind("4111 1111 1111 1111", STATE, HERE, ())
    assert binding.problems == (P.LABEL_DIFFERS,)
    assert "4111 1111 1111 1111" not in binding.label_serial


@pytest.mark.parametrize(
    ("occasion", "wanted"),
    [
        (Occasion(), False),
        (Occasion(order()), False),
        (Occasion(order(ExpectedTerminal(SERIAL))), True),
        (Occasion(type=VisitType.INSTALL), True),
        (Occasion(type=VisitType.SWAP), True),
        (Occasion(type=VisitType.INSPECTION), True),
    ],
    ids=["update", "order", "order-with-terminals", "install", "swap", "inspection"],
)
def test_when_the_label_is_asked_for(occasion: Occasion, wanted: bool) -> None:
    assert label_wanted(occasion) is wanted


def test_terminals_that_were_not_reached() -> None:
    named = (
        ExpectedTerminal(SERIAL.lower()),
        ExpectedTerminal("X1"),
        ExpectedTerminal(vendor="sunmi", model="P2", counter="2"),
        ExpectedTerminal(model="P2", counter="3"),
    )
    visit = visit_record(lane_done(), lane_done("2", "P2A0000000001"), lane_unreached(), order=order(*named))
    assert missing_terminals(visit) == (named[1], named[3])
    assert missing_terminals(visit_record()) == ()


def test_which_releases_are_wanted() -> None:
    first, second = ExpectedTerminal("A", releases=("fw", "app")), ExpectedTerminal("B")
    made = order(first, second, releases=("app", "kernel"))
    assert made.wanted == ("app", "kernel", "fw")
    assert made.wanted_on(first) == ("fw", "app")
    assert made.wanted_on(second) == ("app", "kernel")
    assert made.wanted_on(None) == ("app", "kernel")
