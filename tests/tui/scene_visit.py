"""What the engine tells and asks in the scenes of one terminal; every sentence is one of techtool's own."""

from __future__ import annotations

from typing import Final

from techtool.catalogue.reader import load_catalogue
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.errors import InstallFailed, LinkLost
from techtool.events import (
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    LanePlanned,
    StepDone,
    StepStarted,
    VisitStarted,
)
from techtool.i18n import Phrase, phrase, raw
from techtool.visit.checks import question_for
from tests.tui.scene_shop import ADDRESS, KERNEL, PAY, SERIAL, VISIT, at, plan, state


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
