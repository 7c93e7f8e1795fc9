"""Closing an unfinished visit as stopped: truthful outcomes, a seal, a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE
from techtool.domain.outcome import OUTCOME_EXIT, Outcome, worst
from techtool.domain.plan import StepKind
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import CatmAction, LaneRecord, StepState, VisitRecord
from techtool.i18n import Phrase, phrase, raw
from techtool.reports.keys import load_report_key
from techtool.terminals.config_files import NEW as UNPLACED
from techtool.visit.closing import drop_payloads, seal_visit, write_visit_reports
from techtool.visit.lane import CHANGES
from techtool.visit.log import VisitLog, read_visit
from techtool.visit.services import Services
from techtool.visit.steps.configs import CONFIGS, config_of
from techtool.visit.visits import note_torn, put_in_index, to_close

_PACKAGES: Final = "packages"


def abandon(services: Services, visit_id: str, passphrase: str | None) -> VisitRecord:
    """Close ``visit_id``; the seal is signed where the passphrase is given.

    Raises :class:`NoSuchVisit`, and :class:`VisitDamaged` for one that must be salvaged first.
    """
    key = load_report_key(services.paths.report_key, passphrase) if passphrase is not None else None
    with services.home.lock("visit abandon"):
        visit = to_close(services, visit_id)
        db = services.home.open_visit(visit_id, write=True)
        try:
            log = VisitLog(db, services.clock, visit_id)
            note_torn(log)
            saved_at = visit.salvaged[-1].at if visit.salvaged else None
            outcomes = [lane.outcome or _set_outcome(log, lane, saved_at) for lane in visit.lanes]
            for lane in visit.lanes:
                _note_unplaced(log, lane)
            # Of a record that lost all its terminals nobody knows what was done to them.
            rest = Outcome.INCONSISTENT if visit.salvaged and not visit.lanes else Outcome.CANCELLED
            outcome = worst([*outcomes, rest])
            seal_visit(services, log, key, outcome, int(OUTCOME_EXIT[outcome]), abandoned=True)
            record = read_visit(db, visit_id)
            write_visit_reports(services, record, key)
            drop_payloads(services)
            put_in_index(services, record)
            return record
        finally:
            db.close()


def _note_unplaced(log: VisitLog, lane: LaneRecord) -> None:
    """A configuration file whose writing was broken off may lie on the terminal twice, and nobody comes to look."""
    for item in dict.fromkeys(step.item for step in lane.steps if step.state is StepState.STARTED):
        path = config_of(item)
        if path:
            text = phrase(
                "A copy of {path}, with the passwords in it, may lie beside it on the terminal as {copy}. A restore of "
                "this terminal removes it.",
                path=path,
                copy=path + UNPLACED,
            )
            log.noted(lane.lane, text, warning=True)


def _set_outcome(log: VisitLog, lane: LaneRecord, saved_at: datetime | None) -> Outcome:
    """Nothing sent, or what ran before is back: cancelled. All else is inconsistent, never success.

    That is something sent that no later verification stands for; and something installed and read back, by us or by a
    person, for the terminal is another one than before, and its tests were not finished.

    Packages and configuration files are verified in steps of their own. Where entries are missing, something may have
    been sent; then only a verification after the salvage counts.
    """
    open_to = {_PACKAGES} if lane.gap else set()
    for step in lane.steps:
        if step.action in CHANGES:
            open_to.add(CONFIGS if step.action is CatmAction.UPDATE else _PACKAGES)
        fresh = not lane.gap or (saved_at is not None and step.started_at >= saved_at)
        if step.step is StepKind.VERIFY and step.state is StepState.DONE and fresh:
            open_to.discard(step.item or _PACKAGES)
    changed = _changed(lane)
    if changed and not open_to:
        what = _shown(changed)
        if lane.after is not None and lane.after.typed:
            text = phrase(
                "{what}: installed as the technician reports it, but the tests of this terminal were not finished. "
                "Test it before use.",
                what=what,
            )
        else:
            text = phrase(
                "{what}: installed and verified, but the tests of this terminal were not finished. Test it before use.",
                what=what,
            )
        log.noted(lane.lane, text, warning=True)
    outcome = Outcome.INCONSISTENT if open_to or changed else Outcome.CANCELLED
    log.finished(lane.lane, outcome, int(OUTCOME_EXIT[outcome]), lane.error)
    return outcome


def _changed(lane: LaneRecord) -> tuple[str, ...]:
    """What the terminal, by its newest reading, runs or holds otherwise than before the work."""
    configs = tuple(config.path for config in lane.restored_configs)
    if lane.before is None or lane.after is None:
        return configs
    before, after = _marks(lane.before), _marks(lane.after)
    return (*sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)), *configs)


def _marks(state: TerminalState) -> dict[str, int | str]:
    """By what each thing a terminal runs is told from another version of it."""
    system: dict[str, int | str] = {FIRMWARE: state.identity.firmware, BOOTLOADER: state.bootloader or ""}
    return system | {package.id: package.mark for package in state.packages}


def _shown(names: Sequence[str]) -> Phrase:
    """Names as people say them, in a row."""
    system = {FIRMWARE: phrase("firmware"), BOOTLOADER: phrase("boot loader")}
    shown = [system.get(name) or raw(name) for name in names]
    first = shown[0]
    for second in shown[1:]:
        first = phrase("{first}, {second}", first=first, second=second)
    return first
