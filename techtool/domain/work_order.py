"""A work order as the office gives it, and who was met at the site. Pure; read by ``techtool.visit.orders``.

Field names are those of the report (a work order names site, merchant, the terminals expected there and what is to be
done; PCI DSS 9.5.1.3: nobody gets at a terminal without identity and order being checked).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from techtool.domain.sensitive import redact

if TYPE_CHECKING:
    from techtool.domain.terminal import Identity
    from techtool.domain.visit import LaneRecord, VisitRecord


class VisitType(StrEnum):
    """What a visit is for, in the words of the trade (装机, 升级, 巡检, 维护, 换机, 移机, 撤机, 培训)."""

    INSTALL = "install"
    UPDATE = "update"
    INSPECTION = "inspection"
    REPAIR = "repair"
    SWAP = "swap"
    RELOCATION = "relocation"
    REMOVAL = "removal"
    TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Site:
    """The merchant's shop; empty: not known."""

    merchant_name: str = ""
    mid: str = ""
    merchant_contact: str = ""
    merchant_phone: str = ""
    mcc: str = ""
    credit_code: str = ""
    """Unified social credit code; only its last four are printed."""
    site_id: str = ""
    site_address: str = ""
    geo: str = ""
    """``LAT,LON``, decimal degrees."""
    trading_hours: str = ""
    critical: bool = False
    """A merchant that must not stand still: counts in the risk."""


@dataclass(frozen=True, slots=True)
class ExpectedTerminal:
    """A terminal that the order says is there; empty: not said."""

    serial: str = ""
    vendor: str = ""
    model: str = ""
    tid: str = ""
    mid: str = ""
    asset_no: str = ""
    counter: str = ""
    seals: tuple[str, ...] = ()
    """Seal numbers on record."""
    releases: tuple[str, ...] = ()
    """Release ids wanted on this one; empty: the order's."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One order; it proves nothing by itself: it is compared with what is found."""

    number: str
    type: VisitType = VisitType.UPDATE
    source: str = ""
    """Who ordered it."""
    acquirer: str = ""
    service_company: str = ""
    site: Site = field(default_factory=Site)
    terminals: tuple[ExpectedTerminal, ...] = ()
    releases: tuple[str, ...] = ()
    """Release ids wanted; empty: everything on the stick that fits."""
    install_by: date | None = None
    note: str = ""
    file: str = ""
    """Name of the file it was read from."""
    sha256: str = ""
    """Of that file."""

    def expected(self, serial: str, tid: str = "") -> ExpectedTerminal | None:
        """What the order says of the terminal with this serial number, or else of the one with this terminal number.

        An order keeps a serial number that looks like a card number only masked, so it is compared masked.
        """
        wanted = {same(serial), same(redact(serial))} - {""}
        found = next((t for t in self.terminals if same(t.serial) in wanted), None)
        if found is None and tid:
            found = next((t for t in self.terminals if not t.serial and t.tid and same(t.tid) == same(tid)), None)
        return found

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every release that it names, for the whole order or for one terminal; empty: everything that fits."""
        named = [*self.releases, *(release for terminal in self.terminals for release in terminal.releases)]
        return tuple(dict.fromkeys(named))

    def wanted_on(self, terminal: ExpectedTerminal | None) -> tuple[str, ...]:
        """Of these, those for one terminal."""
        return (terminal.releases if terminal else ()) or self.releases


def same(text: str) -> str:
    """A number or name as it is compared: without regard to case, spaces and hyphens."""
    return "".join(text.split()).replace("-", "").casefold()


def missing_terminals(visit: VisitRecord) -> tuple[ExpectedTerminal, ...]:
    """Terminals that the visit's order expects and that were not reached, in the order's sequence."""
    return tuple(visit.order.terminals[place] for place in missing_places(visit)) if visit.order else ()


def missing_places(visit: VisitRecord) -> tuple[int, ...]:
    """Where in the order they stand. Only of a record as it was read: masked numbers are each other's.

    One that the order names neither by serial nor by terminal number counts as reached by any terminal of its model
    that the order does not name otherwise.
    """
    if visit.order is None:
        return ()
    reached = [lane for lane in visit.lanes if lane.serial]
    left = list(reached)
    missing: list[int] = []
    for place, terminal in enumerate(visit.order.terminals):
        lane = next((lane for lane in left if _is(terminal, lane, visit.order)), None)
        if lane is not None:
            left.remove(lane)
        elif terminal.serial or terminal.tid:
            missing.append(place)
    for place, terminal in enumerate(visit.order.terminals):
        if terminal.serial or terminal.tid:
            continue
        lane = next(
            (lane for lane in left if fits_model(terminal, lane.before.identity if lane.before else None)), None
        )
        if lane is None:
            missing.append(place)
        else:
            left.remove(lane)
    return tuple(sorted(missing))


def reached_as(terminal: ExpectedTerminal, visit: VisitRecord) -> LaneRecord | None:
    """The visit's terminal that the order names by its serial or terminal number; None: not reached, or not named."""
    order = visit.order
    return next((lane for lane in visit.lanes if lane.serial and order and _is(terminal, lane, order)), None)


def _is(terminal: ExpectedTerminal, lane: LaneRecord, order: WorkOrder) -> bool:
    if not (terminal.serial or terminal.tid):
        return False
    return order.expected(lane.serial, (lane.before.tid or "") if lane.before else "") is terminal


def fits_model(terminal: ExpectedTerminal, found: Identity | None) -> bool:
    """Whether a terminal is of the model that is expected; what the order leaves out fits everything."""
    if found is None:
        return not (terminal.vendor or terminal.model)
    vendors = {same(""), same(found.vendor), same(found.vendor_name)}
    models = {same(""), same(found.model), same(found.model_name), same(f"{found.vendor_name} {found.model_name}")}
    return same(terminal.vendor) in vendors and same(terminal.model) in models


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who met whom, and where; taken once at the begin of a visit. Empty: not recorded, and the report says so."""

    arrived_at: datetime
    identity_shown: bool | None = None
    """The technician's identity card and the order were shown to the merchant; None: not asked."""
    identity_checked_by: str = ""
    """Who at the merchant's confirmed it."""
    identity_check_method: str = ""
    """How: card and order seen, call to the service company …"""
    second_person: str = ""
    address_match: str = ""
    """``yes``, ``no``, or empty: the place is the one of the order."""
    geo: str = ""
    geo_source: str = ""
    """``typed``, ``photo``."""


class BindingProblem(StrEnum):
    """What does not fit; the first three stop the work on that terminal."""

    LABEL_DIFFERS = "label-differs"
    NOT_IN_ORDER = "not-in-order"
    """The order lists terminals and this one is none of them."""
    DUPLICATE_SERIAL = "duplicate-serial"
    """Another unit with the same serial number was seen (one device, one code)."""
    WRONG_MODEL = "wrong-model"
    TID_DIFFERS = "tid-differs"
    MID_DIFFERS = "mid-differs"
    DUPLICATE_TID = "duplicate-tid"
    """Another terminal had this terminal number when it was seen last."""
    RELOCATED = "relocated"
    """It was seen last at another site (移机)."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Label, software and order compared for one terminal, and what this laptop remembers of it."""

    label_serial: str
    """As the technician read it from the label; empty: not read."""
    software_serial: str
    order_serial: str
    """Empty: the order names none, or there is no order."""
    expected: ExpectedTerminal | None = None
    problems: tuple[BindingProblem, ...] = ()
