"""The shop, the stick and the laptop of the scenes. Frozen: clock, ids and sizes never change.

The plan is made by the real planner.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from techtool.domain.outcome import Outcome
from techtool.domain.plan import Plan, StepKind
from techtool.domain.planner import make_plan
from techtool.domain.recall import Recall
from techtool.domain.release import (
    ApkFacts,
    Compare,
    Provides,
    Release,
    ReleaseFile,
    ReleaseKind,
    Requirement,
    Rollback,
    Urgency,
    VerifiedRelease,
)
from techtool.domain.rules import Environment
from techtool.domain.terminal import BatchState, Battery, InstalledPackage, TamperState, TerminalState
from techtool.domain.visit import LaneRecord, StepRecord, StepState, VisitRecord
from techtool.domain.visit_state import VisitState
from techtool.store.index import VisitSummary
from tests.factories import SIGNER, digest_of, identity, trust

START: Final = datetime(2026, 11, 22, 13, 58, 0, tzinfo=UTC)
VISIT: Final = "V20261122-135800-7f3a"
SERIAL: Final = "P2A0123450093"
ADDRESS: Final = "adb+server:P2A0123450093"
MERCHANT: Final = "南门小吃 South Gate Snacks"
STICK: Final = "/media/wei/TECHKIT"
PAY, KERNEL = "com.example.pay", "com.example.emvkernel"


def at(seconds: float) -> datetime:
    """A moment of the visit."""
    return START + timedelta(seconds=seconds)


def _release(
    name: str, version: str, code: int, size: int, kind: ReleaseKind, text: dict[str, str], *rules: Requirement
) -> Release:
    target = f"payloads/{name}-{version}.apk"
    facts = ApkFacts(name, version, code, min_sdk=22, abis=(), signer=SIGNER)
    return Release(
        id=name,
        version=version,
        version_format="dotted",
        kind=kind,
        files=(ReleaseFile("apk", target, size, digest_of(target), facts),),
        provides=(Provides("sunmi", "P2"),),
        requires=(Requirement("battery", percent=30), *rules),
        install_duration_s=40,
        rollback=Rollback(allowed=False),
        text=text,
    )


def releases() -> tuple[Release, ...]:
    """A stick with four releases: two for this terminal, one that wants a charged battery, one for another maker."""
    settled = Requirement("no-open-batch")
    kernel = Requirement("component", Compare.GE, "7.1.0", id=KERNEL)
    pay = _release(
        PAY,
        "1.5.0",
        10500,
        18_204_331,
        ReleaseKind.APPLICATION,
        {
            "en": "Faster contactless payments; receipts show the merchant number.",
            "zh": "非接支付更快；签购单显示商户号。",
        },
        settled,
        kernel,
    )
    emv = _release(
        KERNEL,
        "7.1.0",
        70100,
        4_112_880,
        ReleaseKind.KERNEL,
        {"en": "EMV kernel with the limits of this autumn.", "zh": "含今年秋季限额的 EMV 内核。"},
    )
    demanding = _release(
        "com.example.loyalty",
        "3.0.2",
        302,
        9_800_000,
        ReleaseKind.APPLICATION,
        {"en": "Members' points on the slip.", "zh": "签购单显示会员积分。"},
        Requirement("battery", percent=90),
    )
    other = replace(pay, id="com.example.verifone.pay", provides=(Provides("verifone", "T650p"),))
    return pay, emv, demanding, other


def state() -> TerminalState:
    """The terminal before the work."""
    return TerminalState(
        identity=identity(SERIAL, address=ADDRESS, model_name="SUNMI P2", os_version="11", sdk=30),
        packages=(
            InstalledPackage(PAY, "1.4.0", 10400, SIGNER),
            InstalledPackage(KERNEL, "7.0.0", 70000, SIGNER),
            InstalledPackage("com.example.loyalty", "2.9.0", 290, SIGNER),
        ),
        battery=Battery(78, external_power=True),
        free_storage_bytes=1_834_000_000,
        batch=BatchState.SETTLED,
        tamper=TamperState.NORMAL,
    )


def plan() -> Plan:
    """By the real planner."""
    verified = tuple(VerifiedRelease(release, trust()) for release in releases())
    return make_plan(state(), verified, Environment(tool_version="0.1.0"), link="adb+server")


def unfinished() -> VisitRecord:
    """Yesterday's visit, stopped during an installation."""
    yesterday = START - timedelta(hours=19)
    cut = StepRecord(9, StepKind.INSTALL, PAY, StepState.STARTED, yesterday)
    lane = LaneRecord("1", "adb://192.0.2.21:5555", "P2A0987654321", before=state(), steps=(cut,))
    return VisitRecord(
        id="V20261121-185800-0416",
        started_at=yesterday,
        finished_at=None,
        technician="Li Wei",
        tool_version="0.1.0",
        language="en",
        stick=STICK,
        merchant="Noodle House 兰州面馆",
        work_order="WO-2026-0416",
        lanes=(lane,),
    )


def summaries() -> tuple[VisitSummary, ...]:
    """What is on record."""
    rows = (
        ("V20261119-093000-11aa", "Corner Books 街角书店", VisitState.SEALED, Outcome.SUCCESS, ("T650-806655003",)),
        ("V20261120-141500-22bb", "Tea & Co 茶叶公司", VisitState.SEALED, Outcome.FAILED_DEVICE_OK, ("SIMF2030002",)),
        (
            "V20261121-101200-33cc",
            "Old Town Inn 老城",
            VisitState.ABANDONED,
            Outcome.CANCELLED,
            ("P2A0555550001",),
        ),
        ("V20261121-185800-0416", "Noodle House 兰州面馆", VisitState.OPEN, None, ("P2A0987654321",)),
    )
    return tuple(
        VisitSummary(visit, START - timedelta(days=4 - n), None, "Li Wei", merchant, state, outcome, serials, "")
        for n, (visit, merchant, state, outcome, serials) in enumerate(rows)
    )


def recalls() -> tuple[Recall, ...]:
    """The office took one release of the stick back."""
    why = {"en": "Receipts lose their last line", "zh": "签购单丢失最后一行"}
    key = releases()[-1]
    return (Recall(key.id, key.version, Urgency.HIGH, START.date() - timedelta(days=2), why),)
