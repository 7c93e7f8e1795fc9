"""What the engine tells and asks in the scene of thirty terminals."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from techtool.catalogue.reader import load_catalogue
from techtool.domain.outcome import Outcome
from techtool.domain.pace import WAITS_TURN
from techtool.domain.plan import StepKind
from techtool.domain.question import Question
from techtool.events import (
    Event,
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
from techtool.i18n import Phrase, phrase
from techtool.visit.checks import question_for
from techtool.visit.log import record_of
from tests.tui.scene_shop import PAY, VISIT, at, plan
from tests.tui.scene_visit import LOST, REFUSED, problem_question, title_of

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
        error = record_of(REFUSED)
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
        error = record_of(LOST)
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
