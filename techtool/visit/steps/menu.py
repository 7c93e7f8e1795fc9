"""Install through the terminal's own menu: a prepared stick, guided steps, and what the terminal says of it.

Every step of the guide is a question, so what was seen stands in the record. The intent is journalled before the first
step that changes the terminal; after a stop in the middle a person is asked how far it came.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from techtool.domain.components import Relation, relation
from techtool.domain.evidence import EvidenceKind
from techtool.domain.guide import GUIDE, Ask, Guide, GuideStep, Then
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.release import Release
from techtool.domain.terminal import Evidence
from techtool.domain.visit import CatmAction, CatmResult, StepState
from techtool.errors import BadEvidence, InstallFailed, MediumUnfit
from techtool.i18n import N_, Phrase, bilingual, phrase, raw
from techtool.links.medium.volume import volume_at
from techtool.links.medium.write import Load, read_result
from techtool.visit.by_hand import guide_of
from techtool.visit.evidence import take_in
from techtool.visit.lane import Lane
from techtool.visit.operator import YES
from techtool.visit.steps.check import ask_again, said_just_now
from techtool.visit.steps.terminal_stick import fill_stick

NOT_STARTED: Final = "not-started"
FINISHED: Final = "finished"
FAILED: Final = "failed"
_MOST_REPEATS: Final = 5
_SHOWN: Final = 200
_KNOWN_FROM: Final = {
    Evidence.DOCUMENTED: N_("Known from: {source}. Nobody here has tried it on a terminal."),
    Evidence.RECORDED: N_("Known from a terminal's owner: {source}."),
    Evidence.SIMULATED: N_("There is no such terminal: {source}."),
    Evidence.ASKED: N_("Known from: {source}. Nobody here has tried it on a terminal."),
}


async def install_by_stick(lane: Lane) -> None:
    """Release by release: prepare the stick, carry it, work the menu. What the terminal runs already is passed over.

    Raises what preparing the stick raises, and :class:`InstallFailed` where the terminal's screen says no.
    """
    guide = guide_of(lane.known)
    for verified in lane.agreed.releases:
        release = verified.release
        if lane.typed_anew and relation(release, lane.known) is Relation.SAME:
            await _pass_over(lane, release)
            continue
        if await _was_done(lane, release):
            continue
        loads = await fill_stick(lane, guide, verified)
        # What came before may have taken minutes, and sales may have come in: what the menu erases nobody sees from
        # here. Asked while the slip can still be printed, and again where the way into the menu took long.
        if lane.changing or not said_just_now(lane):
            await ask_again(lane)
        await _carry(lane, guide, release, loads)
        if not said_just_now(lane):
            await ask_again(lane)
        await _work_menu(lane, guide, release, loads)


async def _pass_over(lane: Lane, release: Release) -> None:
    """What the screen shows already is not done again, also where a stop left its step without an end."""
    title = phrase("The terminal's screen shows {release} already.", release=release.key)
    async with lane.step(StepKind.INSTALL, f"shown:{release.key}", title=title) as step:
        step.result = title


async def _was_done(lane: Lane, release: Release) -> bool:
    """Whether the menu has brought it already: by the record, and by a person's word where that ends in the middle.

    Asked too where the screen showed another version afterwards: only so can the menu be worked once more.
    """
    item = _menu(release)
    known = lane.log.steps_of(lane.id)
    steps = [s for s in known if s.step is StepKind.INSTALL and s.item == item]
    if not steps:
        return False
    doubted = any(s.step is StepKind.VERIFY and s.state is StepState.FAILED and s.seq > steps[-1].seq for s in known)
    if steps[-1].state is StepState.DONE and not doubted:
        return True
    question = Question(
        "install.resume",
        AnswerKind.CHOICE,
        phrase("The work stopped while {release} was being updated. What does the terminal show?", release=release.key),
        help=phrase("Look at the terminal before you answer. If it is still busy, wait until it is done."),
        choices=(
            Choice(NOT_STARTED, phrase("The update was not started, or must be done once more")),
            Choice(FINISHED, phrase("The update was started, and the terminal is back")),
            Choice(FAILED, phrase("The update was started, and the terminal shows an error")),
        ),
        serial=lane.known.identity.serial,
    )
    said = await lane.ask(StepKind.INSTALL, question)
    if said == NOT_STARTED:
        return False
    async with lane.step(StepKind.INSTALL, item, title=_title(release), action=CatmAction.INSTALL) as step:
        lane.typed_anew = False
        if said == FAILED:
            step.catm = CatmResult.INVALID
            await _say_no(lane, release, "install.resume.shown")
        step.catm = CatmResult.SUCCESS
        step.result = phrase("The terminal came back after the stop, as the technician says")
    return True


async def _carry(lane: Lane, guide: Guide, release: Release, loads: Sequence[Load]) -> None:
    """From the laptop to the terminal; nothing on it is changed yet."""
    title = phrase("Carry the stick to the terminal")
    async with lane.step(StepKind.INSTALL, f"carry:{release.key}", title=title) as step:
        question = Question(
            "install.eject",
            AnswerKind.CONFIRM,
            phrase("Eject the stick on this laptop and pull it out. Is it out?"),
            help=phrase("“Safely remove” first: what was read back may still wait for its last entry in the folder."),
            serial=lane.known.identity.serial,
        )
        while await lane.ask(StepKind.INSTALL, question) != YES:
            lane.notice(phrase("Go on when the stick is out."), step=StepKind.INSTALL)
        for one in guide.step:
            if not one.changes:
                await _do(lane, guide, release, loads, one)
        step.result = phrase("The stick is in the terminal")


async def _work_menu(lane: Lane, guide: Guide, release: Release, loads: Sequence[Load]) -> None:
    """The steps after which the terminal is another one, and its own word on how it went."""
    async with lane.step(StepKind.INSTALL, _menu(release), title=_title(release), action=CatmAction.INSTALL) as step:
        lane.typed_anew = False
        try:
            for one in guide.step:
                if one.changes:
                    await _do(lane, guide, release, loads, one)
            log = await _read_log(lane, guide, release)
        except InstallFailed:
            step.catm = CatmResult.INVALID
            raise
        step.catm = CatmResult.SUCCESS
        step.result = phrase("The terminal's screen said that it is done")
        if log:
            step.result = phrase("The terminal's screen and its file on the stick said that it is done")


async def _do(lane: Lane, guide: Guide, release: Release, loads: Sequence[Load], step: GuideStep) -> None:
    """One step of the guide; raises :class:`InstallFailed` where the terminal shows something else."""
    question = _question(guide, step, loads, lane.known.identity.serial)
    for _time in range(_MOST_REPEATS):
        answer = await lane.ask(StepKind.INSTALL, question)
        if step.ask is Ask.TYPED or answer == YES:
            return
        if step.ask is Ask.DONE:
            await _say_no(lane, release, f"{question.id}.instead")
        chosen = next(choice for choice in step.choice if choice.value == answer)
        if chosen.then is Then.FAILED:
            await _say_no(lane, release, f"{question.id}.instead", bilingual(chosen.text))
        if chosen.then is Then.ON:
            return
    raise _failed(release, phrase("the same step was done {count} times", count=_MOST_REPEATS))


def _question(guide: Guide, step: GuideStep, loads: Sequence[Load], serial: str) -> Question:
    kinds = {Ask.DONE: AnswerKind.CONFIRM, Ask.CHOICE: AnswerKind.CHOICE, Ask.TYPED: AnswerKind.TEXT}
    source, evidence = guide.known_from(step)
    shows = bilingual(step.shows) if step.ask is Ask.CHOICE else phrase("On the screen: {shows}.", shows=_shown(step))
    parts = [
        shows if step.shows else None,
        phrase("Take care: {trap}", trap=bilingual(step.trap)) if step.trap else None,
        phrase("On the stick: {names}.", names=", ".join(load.path for load in loads)),
        Phrase(_KNOWN_FROM[evidence], {"source": source}),
    ]
    text = bilingual(step.text)
    return Question(
        f"{GUIDE}{step.id}",
        kinds[step.ask],
        phrase("{text} Is it done, and as described?", text=text) if step.ask is Ask.DONE else text,
        help=_joined([part for part in parts if part is not None]),
        choices=tuple(Choice(choice.value, bilingual(choice.text)) for choice in step.choice),
        serial=serial,
    )


def _shown(step: GuideStep) -> Phrase:
    return bilingual(step.shows) if step.shows else raw("")


def _joined(parts: Sequence[Phrase]) -> Phrase:
    joined = parts[0]
    for part in parts[1:]:
        joined = phrase("{first} {second}", first=joined, second=part)
    return joined


async def _say_no(lane: Lane, release: Release, name: str, known: Phrase | None = None) -> None:
    """Have the terminal's own words typed; always raises :class:`InstallFailed`."""
    question = Question(
        name,
        AnswerKind.TEXT,
        phrase("What exactly does the terminal's screen show?"),
        help=phrase("Word for word, with every number; a photo can be added later (techtool visit attach)."),
        serial=lane.known.identity.serial,
        optional=known is not None,
    )
    said = (await lane.ask(StepKind.INSTALL, question)).strip()[:_SHOWN]
    raise _failed(release, raw(said) if said or known is None else known)


def _failed(release: Release, reason: Phrase) -> InstallFailed:
    remedy = phrase("Look up what the screen said in the maker's manual; do not try the same file a third time.")
    state = phrase("What the terminal runs now is known only from its screen: read its versions there.")
    return InstallFailed(package=release.key, reason=reason, remedy=remedy, state=state)


async def _read_log(lane: Lane, guide: Guide, release: Release) -> bool:
    """The file that the terminal left on the stick, kept as evidence; False: none is known of, or nobody brought it.

    It stands beside the technician's word and does not make it more: anybody could have written it.
    """
    if not guide.layout.result_file:
        return False
    question = Question(
        "install.log",
        AnswerKind.CONFIRM,
        phrase("Put the stick back into this laptop, so that the terminal's own file can be read. Is it in?"),
        help=phrase("No: the work goes on without it, and the record says so."),
        serial=lane.known.identity.serial,
    )
    if await lane.ask(StepKind.INSTALL, question) != YES:
        lane.notice(phrase("What the terminal wrote on the stick was not read."), step=StepKind.INSTALL)
        return False
    try:
        volume = await asyncio.to_thread(volume_at, Path(lane.address.target))
        text = await asyncio.to_thread(read_result, volume, guide.layout)
    except MediumUnfit as problem:
        lane.notice(problem.what_phrase, step=StepKind.INSTALL, warning=True)
        return False
    if text is None:
        reason = phrase("it left no {name} on the stick", name=guide.layout.result_file)
        raise _failed(release, reason)
    await _keep_log(lane, volume.root / guide.layout.result_file, release)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not any(re.fullmatch(guide.layout.result_good, line) for line in lines):
        raise _failed(release, raw((lines[-1] if lines else "–")[:_SHOWN]))
    return True


async def _keep_log(lane: Lane, path: Path, release: Release) -> None:
    try:
        await asyncio.to_thread(
            take_in, lane.services, lane.log, lane.id, path, EvidenceKind.LOG, f"install.log.{release.key}"
        )
    except BadEvidence as problem:
        lane.notice(problem.what_phrase, step=StepKind.INSTALL, warning=True)


def _menu(release: Release) -> str:
    return f"menu:{release.key}"


def _title(release: Release) -> Phrase:
    return phrase("Update the terminal with {release} by its own menu", release=release.key)
