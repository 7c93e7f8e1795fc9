"""Records made by hand, with everything in them that a visit can leave behind; for tests of any room."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from techtool.domain.outcome import Outcome
from techtool.domain.plan import Estimate, PlanRecord, PlanStep, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.release import ApkFacts, Provides, Release, ReleaseFile, ReleaseKind, TrustFacts
from techtool.domain.rules import Force, Verdict
from techtool.domain.terminal import (
    BatchState,
    Battery,
    Evidence,
    Identity,
    InstalledPackage,
    TamperState,
    TerminalState,
)
from techtool.domain.visit import (
    AnswerRecord,
    BackupRecord,
    CatmAction,
    CatmResult,
    CheckRecord,
    ErrorRecord,
    InstalledFile,
    LaneRecord,
    StepRecord,
    StepState,
    VisitRecord,
)
from techtool.i18n import Phrase, phrase, raw

START = datetime(2026, 3, 14, 9, 0, 0, tzinfo=UTC)
PAY = "com.acme.pay"
RECEIPT = "com.acme.receipt"
SIGNER = hashlib.sha256(b"signer").hexdigest()


def at(seconds: float) -> datetime:
    """A moment of the hand-made visit."""
    return START + timedelta(seconds=seconds)


def digest_of(name: str) -> str:
    """A SHA-256 that stands for a file of that name."""
    return hashlib.sha256(name.encode()).hexdigest()


def identity(serial: str = "P2A0123456789", **changes: object) -> Identity:
    made = Identity(
        address="adb://192.0.2.11:5555",
        vendor="sunmi",
        vendor_name="SUNMI",
        model="P2",
        model_name="P2",
        family="android",
        hw_revision="V3.1",
        serial=serial,
        serial_source="ro.serialno",
        serial_trusted=True,
        os_version="7.1.1",
        firmware="P2_3.5.29_20250611",
        abis=("arm64-v8a", "armeabi-v7a"),
        sdk=25,
        evidence=Evidence.DOCUMENTED,
        source="maker's developer pages",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def package(package_id: str = PAY, version: str = "3.1.0", code: int = 310) -> InstalledPackage:
    return InstalledPackage(package_id, version, code, SIGNER)


def terminal_state(*packages: InstalledPackage, who: Identity | None = None, **changes: object) -> TerminalState:
    made = TerminalState(
        identity=who or identity(),
        packages=packages or (package(), package(RECEIPT, "1.0.4", 104)),
        battery=Battery(82, external_power=True),
        free_storage_bytes=1_834_000_000,
        tid="10203040",
        mid="898310112345678",
        batch=BatchState.SETTLED,
        tamper=TamperState.NORMAL,
        clock_offset_s=-3.0,
        evidence={
            "batch": Evidence.ASKED,
            "tamper": Evidence.SIMULATED,
            "tid": Evidence.SIMULATED,
            "mid": Evidence.SIMULATED,
        },
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def apk(package_id: str = PAY, version: str = "3.2.0", code: int = 320) -> ApkFacts:
    return ApkFacts(package_id, version, code, min_sdk=22, abis=(), signer=SIGNER)


def release(release_id: str = "acme-pay", version: str = "3.2.0", facts: ApkFacts | None = None) -> Release:
    name = f"payloads/{release_id}-{version}.apk"
    facts = facts or apk(version=version)
    return Release(
        id=release_id,
        version=version,
        version_format="semver",
        kind=ReleaseKind.APPLICATION,
        files=(ReleaseFile("apk", name, 18_204_331, digest_of(name), facts),),
        provides=(Provides("sunmi", "P2"),),
        install_duration_s=40,
        text={"en": "Faster contactless", "zh": "挥卡更快"},
    )


def trust(**changes: object) -> TrustFacts:
    made = TrustFacts(
        root_version=3,
        root_sha256=digest_of("root.json"),
        metadata_issued=at(-86_400 * 4),
        use_by=at(86_400 * 26),
        reference_time=at(0),
        system_time=at(0),
        publisher="vendor-acme",
        keys=(digest_of("vendor key"), digest_of("lab key")),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def rule(what: str, reason: Phrase, *, ok: bool = True, force: Force = Force.GATE, remedy: str = "") -> Verdict:
    return Verdict(what, ok, reason, raw(remedy) if remedy else None, force)


def plan_record(serial: str = "P2A0123456789") -> PlanRecord:
    pay = release()
    findings = (
        ReleaseFinding(
            pay.id,
            pay.version,
            ReleaseVerdict.INSTALL,
            (
                rule("model", phrase("Made for {model}; this is one.", model="SUNMI P2")),
                rule("battery", phrase("At least {percent} % is needed; it has {found} %.", percent=50, found=82)),
                rule(
                    "free-storage",
                    phrase("{need} are recommended; {found} are free.", need="2.0 GB", found="1.8 GB"),
                    ok=False,
                    force=Force.WARNING,
                    remedy="Clear old logs on the terminal, or go on.",
                ),
            ),
        ),
        ReleaseFinding(
            "acme-firmware",
            "4.0.1",
            ReleaseVerdict.NOT_FOR_THIS_MODEL,
            (rule("model", phrase("Made for {model}; this is a P2.", model="P2 PRO"), ok=False),),
        ),
    )
    steps = (
        PlanStep(StepKind.BACKUP, phrase("Back up"), phrase("reads only"), Estimate(20, 35)),
        PlanStep(StepKind.INSTALL, phrase("Install {name}", name=pay.key), phrase("replaces 3.1.0"), Estimate(60, 95)),
        PlanStep(StepKind.TEST, phrase("Test"), phrase("changes nothing"), Estimate(120, 240), attended=True),
    )
    undo = phrase("The old version can be put back by hand; data stays.")
    total, downtime = Estimate(200, 370), Estimate(75, 120)
    return PlanRecord(serial, findings, (pay,), steps, total, downtime, undo, digest_of("plan"))


def error_record(detail: str = "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]") -> ErrorRecord:
    return ErrorRecord(
        "TT-410",
        phrase("The terminal did not install {package}: {reason}", package=PAY, reason="no space"),
        phrase("What was not installed runs what it ran before; what went in before it stays in."),
        (phrase("{remedy}", remedy="Free some storage on the terminal and resume."),),
        detail,
    )


def step(
    seq: int,
    kind: StepKind,
    start: float,
    took: float | None,
    item: str = "",
    result: Phrase | None = None,
    **changes: object,
) -> StepRecord:
    state = StepState.STARTED if took is None else StepState.DONE
    ended = None if took is None else at(start + took)
    made = StepRecord(seq, kind, item, state, at(start), ended, result)
    return replace(made, **changes)  # type: ignore[arg-type]


def steps_done() -> tuple[StepRecord, ...]:
    upload = {"action": CatmAction.UPLOAD, "action_result": CatmResult.SUCCESS}
    install = {"action": CatmAction.INSTALL, "action_result": CatmResult.SUCCESS, "bytes_confirmed": 18_204_331}
    return (
        step(1, StepKind.IDENTIFY, 4, 1.4, result=phrase("{model}, serial {serial}", model="P2", serial="P2A…789")),
        step(2, StepKind.BACKUP, 30, 19.6, result=phrase("{n} items", n=14), **upload),
        step(3, StepKind.INSTALL, 60, 48.2, PAY, phrase("Success"), **install),
        step(4, StepKind.VERIFY, 109, 6.0, PAY, phrase("as planned")),
        step(5, StepKind.TEST, 120, 95.0),
    )


def backup_record(backup_id: str = "b-1") -> BackupRecord:
    return BackupRecord(
        id=backup_id,
        file=f"{backup_id}.age",
        sha256=digest_of(f"{backup_id}.age"),
        size_bytes=41_220_118,
        items=14,
        not_read=("packages/com.acme.hidden/base.apk: permission denied",),
        recipients=("age1office", "age1spare"),
        verified=True,
        at=at(49),
    )


def checks() -> tuple[CheckRecord, ...]:
    titles = (("print", "Print a slip"), ("sale", "Sale and void"), ("contactless", "Contactless"), ("base", "Base"))
    results = (("pass", ""), ("pass", ""), ("not-done", "no card at hand"), ("not-applicable", "has no base"))
    return tuple(
        CheckRecord(f"test.{name}", raw(title), result, reason, at(130 + i * 20))
        for i, ((name, title), (result, reason)) in enumerate(zip(titles, results, strict=True))
    )


def lane_done(lane: str = "1", serial: str = "P2A0123456789") -> LaneRecord:
    """A terminal that was updated and verified."""
    who = identity(serial)
    expected = release().files[0].sha256
    answers = (
        AnswerRecord("check.batch", phrase("Is the batch settled?"), "yes", at(12)),
        AnswerRecord("inspect.seals", phrase("Are the seals whole?"), "yes", at(18)),
    )
    return LaneRecord(
        lane=lane,
        address=who.address,
        serial=serial,
        before=terminal_state(who=who),
        after=terminal_state(
            package(PAY, "3.2.0", 320), package(RECEIPT, "1.0.4", 104), who=who, free_storage_bytes=1_797_000_000
        ),
        plan=plan_record(serial),
        trust=trust(),
        steps=steps_done(),
        answers=answers,
        checks=checks(),
        backup=backup_record(f"b-{lane}"),
        installed=(InstalledFile("acme-pay@3.2.0", package(PAY, "3.2.0", 320), expected, expected),),
        confirmed_at=at(26),
        outcome=Outcome.SUCCESS,
    )


def lane_failed(lane: str = "2", serial: str = "P2A0987654321") -> LaneRecord:
    """A terminal whose installation failed and that works as before."""
    done = lane_done(lane, serial)
    error = error_record()
    failed = replace(done.steps[2], state=StepState.FAILED, result=None, error=error)
    failed = replace(failed, action_result=CatmResult.OVERFLOW, bytes_confirmed=0)
    return replace(
        done,
        address="adb://192.0.2.12:5555",
        after=done.before,
        steps=(*done.steps[:2], failed),
        checks=(),
        installed=(),
        outcome=Outcome.FAILED_DEVICE_OK,
        error=error,
        exit_code=1,
    )


def lane_cut(lane: str = "1", serial: str = "P2A0123456789") -> LaneRecord:
    """A terminal whose installation has no recorded end."""
    done = lane_done(lane, serial)
    cut = replace(done.steps[2], state=StepState.STARTED, ended_at=None, result=None, action_result=None)
    steps = (*done.steps[:2], cut)
    return replace(done, after=None, steps=steps, checks=(), installed=(), outcome=None, answers=done.answers[:1])


def lane_unreached(lane: str = "3") -> LaneRecord:
    """An address where nothing answered."""
    error = ErrorRecord("TT-301", phrase("No answer from {address}.", address="adb://192.0.2.13:5555"), raw(""), ())
    return LaneRecord(lane, "adb://192.0.2.13:5555", "", outcome=Outcome.FAILED_TRANSIENT, error=error, exit_code=20)


def visit_record(*lanes: LaneRecord, **changes: object) -> VisitRecord:
    """A finished, sealed visit; without lanes given: one terminal done, one failed, one not reached."""
    made = VisitRecord(
        id="20260314-090000-7f3a",
        started_at=at(0),
        finished_at=at(260),
        technician="Zhang Wei",
        tool_version="0.1.0",
        language="en",
        stick="TECHTOOL",
        merchant="南门小吃 South Gate Snacks",
        work_order="WO-2026-0417",
        lanes=lanes or (lane_done(), lane_failed(), lane_unreached()),
        sealed=True,
        head=digest_of("journal"),
        outcome=Outcome.FAILED_DEVICE_OK if not lanes else lanes[0].outcome,
        exit_code=1 if not lanes else lanes[0].exit_code,
        answers=(AnswerRecord("sign_off.name", phrase("Who saw the result?"), "王秀英 (店长)", at(250)),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def unfinished_visit() -> VisitRecord:
    """Stopped in the middle of an installation."""
    return visit_record(lane_cut(), finished_at=None, sealed=False, outcome=None, answers=())


def abandoned_visit() -> VisitRecord:
    """Given up after the same stop."""
    return visit_record(lane_cut(), finished_at=None, sealed=True, outcome=None, answers=(), abandoned=True)


def strings_in(value: object) -> list[str]:
    """Every text in JSON-like values, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for part in pair for text in strings_in(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in strings_in(part)]
    return []
