"""Scenes with frozen data: what snapshots compare and screenshots show. Clock, ids and sizes never change.

The plan is made by the real planner, and every sentence is one of techtool's own, so that both languages are shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from textual.pilot import Pilot
from textual.widgets import Input

from techtool.bundles.memory import StickTrust
from techtool.bundles.trust import Stick
from techtool.catalogue.reader import load_catalogue
from techtool.clock import FixedClock
from techtool.domain.nearby import Nearby
from techtool.domain.outcome import Outcome
from techtool.domain.pace import WAITS_TURN
from techtool.domain.plan import Plan, StepKind
from techtool.domain.planner import make_plan
from techtool.domain.question import AnswerKind, Choice, Question
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
from techtool.domain.visit import ErrorRecord, LaneRecord, StepRecord, StepState, VisitRecord
from techtool.domain.visit_state import VisitState
from techtool.errors import InstallFailed, LinkLost, TechtoolError
from techtool.events import (
    Asked,
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    Notice,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
    VisitStarted,
)
from techtool.i18n import Phrase, phrase, raw
from techtool.paths import Paths
from techtool.store.index import VisitSummary
from techtool.tui.app import TechtoolApp
from techtool.tui.bridge import FLEET_EVERY_S, EngineLike
from techtool.tui.doors import HouseDoors
from techtool.tui.views.home import HomeFacts
from techtool.visit.checks import question_for
from techtool.visit.hints import Hints
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest
from tests.factories import SIGNER, digest_of, identity, trust
from tests.tui.scene_places import ScenePlaces

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


# -- what the house holds ---------------------------------------------------------------------------------------------


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


# -- what the engine tells --------------------------------------------------------------------------------------------


def _step(kind: StepKind, began: float, took: float, title: Phrase, result: Phrase, item: str = "") -> list[Event]:
    return [StepStarted("1", kind, at(began), item, title), StepDone("1", kind, at(began + took), item, result)]


def until_plan() -> list[Event]:
    """From the start to the plan."""
    inspection = title_of("SE-02")
    found = phrase("{model}, serial number {serial}, system {os}", model=state().identity.title, serial=SERIAL, os="11")
    return [
        VisitStarted(VISIT, at(0)),
        *_step(StepKind.IDENTIFY, 2, 3, phrase("Identify the terminal at {address}", address=ADDRESS), found),
        LaneIdentified("1", at(5), ADDRESS, SERIAL, "SUNMI", "SUNMI P2", "11"),
        *_step(StepKind.INSPECT, 6, 40, inspection, raw("pass"), "SE-02"),
        *_step(
            StepKind.CHECK,
            46,
            1,
            phrase("Check every release on the stick"),
            phrase("{count} releases to install", count=2),
        ),
        LanePlanned("1", at(47), plan()),
        StepStarted("1", StepKind.CONFIRM, at(47), "", phrase("Confirm the plan")),
    ]


def _package(name: str, version: str, began: float) -> list[Event]:
    title = phrase("Install {package} {version}", package=name, version=version)
    copy = phrase("Copy {package} {version} from the stick", package=name, version=version)
    done = phrase("{package} {version} was accepted by the terminal", package=name, version=version)
    return [
        *_step(StepKind.INSTALL, began, 1, copy, phrase("Copied, digest agrees"), f"copy:{name}"),
        *_step(StepKind.INSTALL, began + 1, 6, title, done, name),
    ]


def until_install() -> list[Event]:
    """Confirmed, backed up, the first package in, the second on its way."""
    confirmed = phrase("Confirmed for serial number {serial}", serial=SERIAL)
    saved = phrase("{items} items saved and read back, {missing} could not be read", items=41, missing=0)
    copied = phrase("Copied, digest agrees")
    copy = phrase("Copy {package} {version} from the stick", package=PAY, version="1.5.0")
    title = phrase("Install {package} {version}", package=PAY, version="1.5.0")
    return [
        *until_plan(),
        StepDone("1", StepKind.CONFIRM, at(66), "", confirmed),
        *_step(StepKind.BACKUP, 67, 24, phrase("Back up the configuration"), saved),
        *_package(KERNEL, "7.1.0", 92),
        *_step(StepKind.INSTALL, 100, 2, copy, copied, f"copy:{PAY}"),
        StepStarted("1", StepKind.INSTALL, at(102), PAY, title),
    ]


def until_end() -> list[Event]:
    """A visit that went well."""
    accepted = phrase("{package} {version} was accepted by the terminal", package=PAY, version="1.5.0")
    agree = phrase("{count} packages read back: version, signer and digest agree", count=2)
    return [
        *until_install(),
        StepDone("1", StepKind.INSTALL, at(121), PAY, accepted),
        *_step(StepKind.VERIFY, 122, 6, phrase("Read the terminal again"), agree),
        *_step(StepKind.TEST, 130, 20, title_of("SE-08"), raw("pass"), "SE-08"),
        *_step(StepKind.TEST, 150, 35, title_of("PR-02"), raw("pass"), "PR-02"),
        LaneFinished("1", at(190), ADDRESS, SERIAL, Outcome.SUCCESS, 0),
        Finished(VISIT, at(214), Outcome.SUCCESS, 0, sealed=True),
    ]


def _record(error: TechtoolError) -> ErrorRecord:
    return ErrorRecord(error.code, error.what_phrase, error.state_phrase, error.action_phrases, error.detail)


LOST: Final = LinkLost(address=ADDRESS, detail="TransportError: no reply for 30 s")
REFUSED: Final = InstallFailed(
    package=PAY,
    reason=phrase("the terminal's storage is full"),
    remedy=phrase("Free some storage on the terminal, then try again."),
)


def problem_question() -> Question:
    """As the runner asks it."""
    return Question(
        "problem.install",
        AnswerKind.CHOICE,
        LOST.what_phrase,
        help=LOST.state_phrase,
        choices=(
            Choice("retry", phrase("Try again")),
            Choice("later", phrase("Stop here; go on later")),
            Choice("leave", phrase("Leave it as it is and write it in the report")),
        ),
        serial=SERIAL,
        optional=True,
    )


def last4_question() -> Question:
    """As the confirm step asks it."""
    text = phrase("Type the last four of the serial number on the terminal's label to start")
    return Question("confirm.last4", AnswerKind.LAST4, text, serial=SERIAL)


def title_of(test: str) -> Phrase:
    """A functional test's title."""
    return load_catalogue().test(test).title_phrase


def test_question() -> Question:
    """A test, as the test step asks it."""
    return question_for(load_catalogue().test("SE-08"), StepKind.TEST, SERIAL)


@dataclass
class SceneEngine:
    """Tells its events, lets the bytes of a transfer be confirmed, asks its question, and stays there."""

    clock: FixedClock
    operator: Operator
    events: Sequence[Event]
    question: Question | None = None
    transfer: int = 0
    """Percent of the last step's bytes that are confirmed."""
    asked: Sequence[tuple[str, Question]] = ()
    """Lane and question: all of them wait at the same time."""
    later: Sequence[Event] = ()
    """What is told while they wait."""

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        for event in self.events:
            yield event
        total = 18_204_331
        for share in range(0, self.transfer + 5 if self.transfer else 0, 5):
            self.clock.elapsed_s += 0.85
            yield Progress("1", StepKind.INSTALL, at(103), PAY, total * share // 100, total)
        if self.question is not None:
            await self.operator.ask(self.question)
        if self.asked:
            async with asyncio.TaskGroup() as group:
                for lane, question in self.asked:
                    yield Asked(lane, StepKind.INSPECT, at(140), question)
                    group.create_task(self._ask(question))
                    await asyncio.sleep(0)
                    self.clock.elapsed_s += 7
                for event in self.later:
                    self.clock.elapsed_s += 0.5
                    yield event
        if not any(isinstance(event, Finished) for event in self.events):
            await asyncio.Event().wait()

    async def _ask(self, question: Question) -> None:
        await self.operator.ask(question)

    async def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        async for event in self.run(VisitRequest((), Path())):
            yield event


class SceneDoors(ScenePlaces, HouseDoors):
    """A house where everything is known beforehand."""

    def __init__(self, paths: Paths, engine: Callable[[FixedClock, Operator], EngineLike]) -> None:
        super().__init__(paths)
        self.fixed = FixedClock(START)
        self.clock = self.fixed
        self._engine = engine

    def engine(self, operator: Operator) -> EngineLike:
        return self._engine(self.fixed, operator)

    def home_facts(self) -> HomeFacts:
        return HomeFacts("Li Wei", (unfinished(),), 0, None, 4)

    def sticks(self) -> tuple[str, ...]:
        return (STICK,)

    async def nearby(self) -> Sequence[Nearby]:
        return [Nearby(ADDRESS, "device"), Nearby("adb+server:P2A0777770007", "unauthorized")]

    async def cables(self) -> AsyncGenerator[Sequence[Nearby], None]:
        return
        yield []  # never: no cable moves in a picture

    def visits(self) -> Sequence[VisitSummary]:
        return summaries()

    def reports(self, visit: str) -> tuple[Path, ...]:
        folder = Path("/home/wei/techtool/reports") / visit
        return tuple(folder / f"{visit}.{end}" for end in ("en.html", "json", "json.sig", "zh.html"))

    def open_stick(self, path: Path) -> Stick:
        when = StickTrust(
            root_version=3,
            root_sha256=digest_of("root"),
            pinned_sha256=digest_of("root"),
            issued=START - timedelta(days=9),
            use_by=START + timedelta(days=81),
            reference_time=START,
            system_time=START,
            from_mirror=False,
        )
        verified = tuple(VerifiedRelease(release, trust()) for release in releases())
        return SceneStick(
            Path(STICK, "TECHTOOL"), verified, when, (("com.example.pay", "1.4.9"),), recalls(), (), (), None, {}
        )


def recalls() -> tuple[Recall, ...]:
    """The office took one release of the stick back."""
    why = {"en": "Receipts lose their last line", "zh": "签购单丢失最后一行"}
    key = releases()[-1]
    return (Recall(key.id, key.version, Urgency.HIGH, START.date() - timedelta(days=2), why),)


class SceneStick(Stick):
    """Its payloads are whole."""

    __slots__ = ()

    def check(self, *_arguments: object) -> None:
        """Every byte is as signed."""


# -- the scenes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    events: Sequence[Event] = ()
    question: Question | None = None
    transfer: int = 0
    keys: tuple[tuple[str, ...], ...] = ()
    """Keys pressed in groups; after each the screen comes to rest."""
    terminals: int = 0
    """So many are offered besides those that are seen."""
    asked: Sequence[tuple[str, Question]] = ()
    later: Sequence[Event] = ()

    def app(self, folder: Path) -> TechtoolApp:
        """An app over a home folder that seems set up."""
        paths = Paths(folder)
        for file in (paths.report_key, paths.recipients, paths.trust / "roots" / "x.root.json"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        paths.settings.write_text('technician = "Li Wei"\n', encoding="utf-8")
        doors = SceneDoors(
            paths, lambda c, o: SceneEngine(c, o, self.events, self.question, self.transfer, self.asked, self.later)
        )
        addresses = tuple(f"adb://192.0.2.{n}:5555" for n in range(1, self.terminals + 1))
        return TechtoolApp(doors, Hints(addresses=addresses), settle_s=0)

    async def play(self, pilot: Pilot[int]) -> None:
        """Bring the app to the picture; then nothing moves any more."""
        await pilot.pause()
        for group in self.keys:
            await pilot.press(*group)
            for _turn in range(3):
                await pilot.pause(0.05)
                await pilot.pause()
        if self.terminals:
            await pilot.pause(2 * FLEET_EVERY_S)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()


_TO_VISIT: Final = (("2",), ("f2",))
_TO_FLEET: Final = (("2",), ("f4",), ("f2",))
FLEET: Final = 30


def fleet_serial(lane: int) -> str:
    """Of a terminal among many; one in four is another maker's."""
    return f"P2A01234{93 + lane:05}" if lane % 4 else f"SIMF2030{lane:03}"


def _in_fleet(lane: int) -> list[Event]:
    """One terminal as far as it is: 7 and 23 ask, 11 and 19 stopped, 3 to 6 are busy, from 24 on they wait."""
    name, serial = str(lane), fleet_serial(lane)
    address = f"adb://192.0.2.{lane}:5555"
    maker, model = ("SUNMI", "SUNMI P2") if lane % 4 else ("Castles", "Saturn1000F2")
    copy = phrase("Copy {package} {version} from the stick", package=PAY, version="1.5.0")
    told: list[Event] = [
        StepStarted(name, StepKind.IDENTIFY, at(lane)),
        LaneIdentified(name, at(lane), address, serial, maker, model, "11"),
        StepDone(name, StepKind.IDENTIFY, at(lane)),
    ]
    if lane >= 24:
        return told
    told += [StepStarted(name, StepKind.INSPECT, at(40), "SE-02", title_of("SE-02"))]
    if lane == 23:
        return told
    told += [StepDone(name, StepKind.INSPECT, at(50), "SE-02"), LanePlanned(name, at(51), plan())]
    if lane == 11:
        error = _record(REFUSED)
        told += [StepStarted(name, StepKind.CHECK, at(52)), StepFailed(name, StepKind.CHECK, at(52), error)]
        return [*told, LaneFinished(name, at(53), address, serial, Outcome.REFUSED, 1, error)]
    if lane == 4:
        return [*told, StepStarted(name, StepKind.BACKUP, at(60), "", phrase("Back up the configuration"))]
    title = phrase("Install {package} {version}", package=PAY, version="1.5.0")
    told += [StepStarted(name, StepKind.INSTALL, at(70), f"copy:{PAY}", copy)]
    told += [StepDone(name, StepKind.INSTALL, at(72), f"copy:{PAY}")]
    if lane in (21, 22):
        return [*told, Notice(name, None, at(73), Phrase(WAITS_TURN, {"count": 4}))]
    told += [StepStarted(name, StepKind.INSTALL, at(74), PAY, title)]
    if lane == 19:
        error = _record(LOST)
        told += [StepFailed(name, StepKind.INSTALL, at(90), error, PAY)]
        return [*told, LaneFinished(name, at(91), address, serial, Outcome.FAILED_TRANSIENT, 24, error)]
    if lane in (3, 5, 6, 7):
        share = {3: 61, 5: 80, 6: 3, 7: 0}[lane]
        return [*told, Progress(name, StepKind.INSTALL, at(100), PAY, 18_204_331 * share // 100, 18_204_331)]
    told += [StepDone(name, StepKind.INSTALL, at(110), PAY), StepStarted(name, StepKind.VERIFY, at(111))]
    return [*told, LaneFinished(name, at(130), address, serial, Outcome.SUCCESS, 0)]


def fleet_events() -> list[Event]:
    """A store at night: thirty terminals, each somewhere else."""
    return [VisitStarted(VISIT, at(0)), *(event for lane in range(1, FLEET + 1) for event in _in_fleet(lane))]


def fleet_transfers() -> list[Event]:
    """Three of them receive, each at its own place."""
    total = 18_204_331
    return [
        Progress(str(lane), StepKind.INSTALL, at(100 + turn), PAY, total * begun // 100 + turn * 150_000, total)
        for turn in range(1, 9)
        for lane, begun in ((3, 61), (5, 80), (6, 3))
    ]


def fleet_questions() -> list[tuple[str, Question]]:
    """Two ask at the same time."""
    problem = replace(problem_question(), serial=fleet_serial(7))
    inspection = question_for(load_catalogue().test("SE-08"), StepKind.TEST, fleet_serial(23))
    return [("7", problem), ("23", inspection)]


def scenes() -> tuple[Scene, ...]:
    """All of them, in the order of a visit."""
    failed = [*until_install(), StepFailed("1", StepKind.INSTALL, at(140), _record(LOST), PAY)]
    testing = [
        *until_install(),
        StepDone("1", StepKind.INSTALL, at(121), PAY),
        StepStarted("1", StepKind.TEST, at(130), "SE-08", title_of("SE-08")),
    ]
    return (
        Scene("home", keys=((),)),
        Scene("new-visit", keys=(("2",),)),
        Scene("plan", until_plan(), last4_question(), keys=_TO_VISIT),
        Scene("run", until_install(), transfer=60, keys=_TO_VISIT),
        Scene("problem", failed, problem_question(), keys=_TO_VISIT),
        Scene("test", testing, test_question(), keys=_TO_VISIT),
        Scene("result", until_end(), keys=_TO_VISIT),
        Scene(
            "fleet",
            fleet_events(),
            keys=_TO_FLEET,
            terminals=FLEET - 1,
            asked=fleet_questions(),
            later=fleet_transfers(),
        ),
        Scene("stick", keys=(("3",), ("enter",))),
        Scene("visits", keys=(("4",),)),
        Scene("help", keys=(("f1",),)),
        Scene("backups", keys=(("5",),)),
        Scene("restore", keys=(("5",), ("enter",), ("1",), ("f6",))),
        Scene("history", keys=(("6",),)),
        Scene("terminal", keys=(("6",), ("enter",), ("enter",))),
        Scene("due", keys=(("7",),)),
        Scene("due-terminal", keys=(("7",), ("enter",))),
        Scene("office", keys=(("8",),)),
        Scene("settings", keys=(("9",),)),
        Scene("facts", keys=(("ctrl+p",), tuple("facts"), ("enter",))),
        Scene("trust", keys=(("ctrl+p",), tuple("trust"), ("enter",))),
        Scene("palette", keys=(("ctrl+p",), ("down", "down"))),
    )


@contextlib.contextmanager
def in_utc() -> Iterator[None]:
    """One time zone for every picture."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    _tell_time_zone()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _tell_time_zone()


def _tell_time_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()
