"""A visit with everything that a report can tell, made by hand; and one made by reflection: one text everywhere."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from techtool.domain.evidence import EvidenceFile, EvidenceKind, Incident
from techtool.domain.known_issues import IssueFinding, IssueRecord, IssueResult
from techtool.domain.risk import Band, Factor, Floor, Risk, RiskRecord, Side
from techtool.domain.sign_off import SignOff, SignOffWay
from techtool.domain.visit import CheckRecord, LaneRecord, VisitRecord
from techtool.domain.work_order import (
    Arrival,
    Binding,
    BindingProblem,
    ExpectedTerminal,
    Site,
    VisitType,
    WorkOrder,
)
from techtool.i18n import Phrase, bilingual, raw
from tests import factories as f

SERIAL = "P2A0123456789"


def file(name: str, kind: EvidenceKind, about: str) -> EvidenceFile:
    return EvidenceFile(
        f.digest_of(name), name, ".jpg", 240_112, kind, about, f.at(100), camera="PhoneMaker 12", geo="31.2304,121.4737"
    )


def order() -> WorkOrder:
    site = Site(
        merchant_name="南门小吃",
        mid="898310112345678",
        merchant_contact="王秀英",
        merchant_phone="021-55501234",
        mcc="5812",
        credit_code="91310000MA1FL0XY99",
        site_id="SITE-17",
        site_address="上海市南门路 7 号",
        trading_hours="10:00-22:00",
    )
    terminals = (
        ExpectedTerminal(SERIAL, "sunmi", "P2", "10203040", "898310112345678", "AS-1", "1 号台", ("SL-1", "SL-2")),
        ExpectedTerminal("P2A0000000042", "sunmi", "P2", "10203041", counter="2 号台"),
    )
    return WorkOrder(
        "WO-2026-0417",
        VisitType.SWAP,
        "派单中心",
        "Acquirer Bank",
        "Service Company Ltd",
        site,
        terminals,
        ("acme-pay",),
        date(2026, 4, 1),
        "ring twice",
        "order.json",
        f.digest_of("order.json"),
    )


def risk() -> RiskRecord:
    factors = (
        Factor("power", Side.LIKELIHOOD, 3, raw("battery 22 %, no adapter"), "our own", raw("Plug the adapter in.")),
        Factor("trading", Side.IMPACT, 4, bilingual({"en": "only terminal", "zh": "唯一终端"}), "our own"),
    )
    floors = (Floor("no-way-back", Band.HIGH, raw("cannot be undone")),)
    found = Risk(factors, 3, 4, 3, 4, 12, Band.HIGH, floors)
    return RiskRecord(found, mitigated=True, accepted_by="王秀英", supervisor="Li Hua", at=f.at(25))


def full_lane() -> LaneRecord:
    inspection = (
        CheckRecord("SE-02", raw("Casing"), "fail", "glue at the slot", f.at(20), mode="H", required=True),
        CheckRecord(
            "SE-02.card-slot", raw("Card slot"), "fail", "glue", f.at(20), mode="H", evidence=(f.digest_of("slot.jpg"),)
        ),
        CheckRecord("SE-04", raw("Seals"), "pass", "", f.at(21), value="SL-1, SL-2", mode="H"),
    )
    tests = (
        CheckRecord("HW-07", raw("Clock"), "pass", "", f.at(130), value="12 s off", mode="A", required=True),
        CheckRecord("TX-02", raw("Sale"), "not-done", "no card", f.at(131), mode="H", host=True, required=True),
    )
    issue = IssueRecord(
        "acme-pay@3.2.0",
        "CVE-2026-1",
        bilingual({"en": "Slow tap", "zh": "挥卡慢"}),
        IssueFinding.PRESENT,
        IssueFinding.ABSENT,
        IssueResult.VERIFIED,
        automatic=False,
    )
    incident = Incident("V-1-1", "SE-02.card-slot", "overlay", f.at(22), True, True, "hotline", "17:10", ())
    expected = order().terminals[0]
    return replace(
        f.lane_done("1", SERIAL),
        checks=(*inspection, *tests),
        binding=Binding(SERIAL, SERIAL, SERIAL, expected, (BindingProblem.RELOCATED,)),
        risk=risk(),
        issues=(issue,),
        incidents=(incident,),
        evidence=(file("slot.jpg", EvidenceKind.ANOMALY, "inspect.SE-02.card-slot"),),
    )


def signed(way: SignOffWay = SignOffWay.TYPED, **changes: object) -> SignOff:
    made = SignOff(
        way,
        f.at(255),
        "王秀英",
        "店长",
        "ACD-EFH",
        code_typed=True,
        head=f.digest_of("journal"),
        findings="SIM changed, 2 rolls of paper",
        training="Li: settlement",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def full_visit(**changes: object) -> VisitRecord:
    """With an order, an arrival, an anomaly, a risk, an issue, photos, and a sign-off."""
    arrival = Arrival(f.at(-300), True, "王秀英", "card-and-order", "Zhao Min", "yes", "31.23,121.47", "typed")
    made = f.visit_record(
        full_lane(),
        type=VisitType.SWAP,
        order=order(),
        staff_no="E-0815",
        arrival=arrival,
        evidence=(file("front.jpg", EvidenceKind.STOREFRONT, "arrive.photo"),),
        sign_off=signed(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


# -- by reflection ----------------------------------------------------------------------------------------------------

IDENTITIES = frozenset({"serial", "address", "software_serial", "backup_serial", "serial_source"})
"""Fields that hold a terminal's own identity: a serial number may look like a card number and still must stand."""
NUMBERS = frozenset({"tid", "mid", "credit_code", "merchant_phone"})
"""Fields whose whole text is masked wherever it stands again: they get another text, or nothing else were tested."""


def everywhere(kind: Any, text: str, name: str = "") -> Any:
    """A value of this type with ``text`` in every free text of it, whatever the type is made of."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return everywhere(next(x for x in inner if x is not type(None)), text, name)
    if origin in (tuple, list) or (isinstance(origin, type) and origin in (Sequence, Collection, frozenset)):
        return (everywhere(inner[0], text, name),)
    if origin is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {text: everywhere(inner[1], text, name)}
    if origin is typing.ClassVar:
        raise TypeError(kind)
    if kind is Phrase:
        return Phrase("{text}", {"text": text})
    if isinstance(kind, type):
        return _plain(kind, text, name)
    raise TypeError(f"{kind} of {name}")


def _plain(kind: type, text: str, name: str) -> Any:
    if issubclass(kind, Enum):
        return next(iter(kind))
    if kind is str:
        return "SN-PLAIN-1" if name in IDENTITIES else f"no {text}" if name in NUMBERS else text
    if kind is bool:
        return True
    if kind in (int, float):
        return kind(7)
    if kind is datetime:
        return f.at(50)
    if kind is date:
        return date(2026, 3, 14)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        values = {x.name: everywhere(hints[x.name], text, x.name) for x in dataclasses.fields(kind) if x.init}
        if kind is VisitRecord:
            values["id"] = "20260314-090000-7f3a"
        return kind(**values)
    raise TypeError(f"{kind} of {name}")
