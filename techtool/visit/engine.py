"""The engine: one visit over one or many terminals, journalled, resumable, told as a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from techtool.bundles.trust import Stick, open_stick
from techtool.clock import stamp
from techtool.domain.outcome import OUTCOME_EXIT, Outcome
from techtool.domain.question import AnswerKind, Question
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Address
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.errors import (
    AmbiguousChoice,
    Exit,
    NoSuchVisit,
    NotSetUp,
    gravest,
)
from techtool.events import Event, Finished, Notice, VisitStarted
from techtool.i18n import phrase
from techtool.reports.keys import ReportKey, load_report_key
from techtool.visit.closing import close_visit, sign_off
from techtool.visit.lane import Lane
from techtool.visit.log import WHOLE_VISIT, VisitLog, first_documents, read_visit
from techtool.visit.operator import Operator
from techtool.visit.outlet import Outlet
from techtool.visit.runner import LaneResult, reach, work
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.visits import put_in_index, unfinished_visit


@dataclass(frozen=True, slots=True)
class _Session:
    """One run over a visit: its journal, its stick, its key."""

    log: VisitLog
    stick: Stick
    key: ReportKey
    resumed: bool


class Engine:
    """Runs and resumes visits. ``run`` and ``resume`` yield events until ``Finished``.

    An error before the visit's journal exists (no stick, untrusted stick, locked home, not set up) is raised; from
    then on everything is an event and a record. Whoever stops iterating stops the work at the next await: what was
    begun stays open in the journal.
    """

    def __init__(self, services: Services, operator: Operator) -> None:
        self._services = services
        self._operator = operator

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        """A new visit."""
        outlet = Outlet()
        async with contextlib.aclosing(outlet.events_of(self._run(request, outlet))) as events:
            async for event in events:
                yield event

    async def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        """Go on with an unfinished visit, after reading each terminal's real state."""
        outlet = Outlet()
        async with contextlib.aclosing(outlet.events_of(self._resume(request, outlet))) as events:
            async for event in events:
                yield event

    # -- opening ----------------------------------------------------------------------------------------------------

    async def _run(self, request: VisitRequest, outlet: Outlet) -> None:
        services = self._services
        with services.home.lock("visit run"):
            stick, key = await self._prepare(request.bundle)
            now = services.clock.now()
            visit = VisitRecord(
                id=services.new_id(now),
                started_at=now,
                finished_at=None,
                technician=services.settings.technician,
                tool_version=services.tool_version,
                language=services.settings.language or "en",
                stick=str(request.bundle),
                merchant=redact(request.merchant),
                work_order=redact(request.work_order),
                lanes=tuple(LaneRecord(str(n), str(a), "") for n, a in enumerate(request.addresses, 1)),
                clock_note=_clock_note(stick),
            )
            db = services.home.create_visit(visit.id, first_documents(visit, request.releases))
            try:
                log = VisitLog(db, services.clock, visit.id)
                put_in_index(services, read_visit(db))
                outlet.emit(VisitStarted(visit.id, now))
                await self._ask_arrival(log, request)
                await self._work(_Session(log, stick, key, resumed=False), outlet, request.releases)
            finally:
                db.close()

    async def _resume(self, request: ResumeRequest, outlet: Outlet) -> None:
        services = self._services
        with services.home.lock("visit resume"):
            visit_id = request.visit or unfinished_visit(services)
            db = services.home.open_visit(visit_id, write=True)
            try:
                visit = read_visit(db, visit_id)
                if visit.sealed:
                    raise NoSuchVisit(visit=phrase("{visit} is closed already", visit=visit_id))
                stick, key = await self._prepare(request.bundle or Path(visit.stick))
                log = VisitLog(db, services.clock, visit_id)
                for lane in visit.lanes:
                    moved = request.addresses.get(lane.serial)
                    if moved is not None:
                        log.moved(lane.lane, str(moved))
                outlet.emit(VisitStarted(visit_id, services.clock.now(), resumed=True))
                if db.torn_file is not None:
                    text = phrase(
                        "The last entry was cut off by the stop; it was set aside in {file}.", file=db.torn_file.name
                    )
                    outlet.emit(Notice(WHOLE_VISIT, None, services.clock.now(), text, warning=True))
                await self._work(_Session(log, stick, key, resumed=True), outlet, log.wanted())
            finally:
                db.close()

    async def _prepare(self, bundle: Path) -> tuple[Stick, ReportKey]:
        """What must be there before a terminal is touched: set-up, a trusted stick, the unlocked report key."""
        services = self._services
        paths = services.paths
        for missing, text in (
            (not services.settings.technician, phrase("the technician's name")),
            (not paths.report_key.is_file(), phrase("the report key")),
            (not paths.recipients.is_file(), phrase("the office's backup recipients")),
        ):
            if missing:
                raise NotSetUp(missing=text)
        stick = await asyncio.to_thread(open_stick, bundle, paths, services.clock, disk=services.disk)
        question = Question("visit.passphrase", AnswerKind.SECRET, phrase("Passphrase of your report key"))
        passphrase = await self._operator.ask(question)
        key = await asyncio.to_thread(load_report_key, paths.report_key, passphrase)
        return stick, key

    async def _ask_arrival(self, log: VisitLog, request: VisitRequest) -> None:
        fields = {"merchant": request.merchant, "work_order": request.work_order}
        texts = {
            "merchant": phrase("Merchant (name or number)"),
            "work_order": phrase("Work order number"),
        }
        for name, given in fields.items():
            if not given:
                question = Question(f"arrive.{name}", AnswerKind.TEXT, texts[name], optional=True)
                answer = await self._operator.ask(question)
                if answer:
                    log.set_visit(**{name: redact(answer)})

    # -- working ----------------------------------------------------------------------------------------------------

    async def _work(self, session: _Session, outlet: Outlet, wanted: tuple[str, ...]) -> None:
        visit = read_visit(session.log.db)
        lanes = [self._lane(session, record, outlet, wanted) for record in visit.lanes if record.outcome is None]
        results = [LaneResult(r.outcome, r.exit_code) for r in visit.lanes if r.outcome is not None]
        try:
            results += await self._lanes(lanes, outlet)
        finally:
            for lane in lanes:
                await lane.disconnect()
        await self._finish(session, results, outlet)

    async def _lanes(self, lanes: list[Lane], outlet: Outlet) -> list[LaneResult]:
        """Identify all first, then one terminal after the other; after a grave failure the rest wait."""
        results: list[LaneResult] = []
        ready: list[Lane] = []
        for lane in lanes:
            ended = await reach(lane)
            if ended is None:
                ready.append(lane)
            else:
                results.append(ended)
        _refuse_twins(ready)
        for place, lane in enumerate(ready):
            result = await work(lane)
            results.append(result)
            waiting = len(ready) - place - 1
            if result.grave and waiting:
                text = phrase(
                    "{count} more terminals were not begun, so that this one is looked at first.", count=waiting
                )
                outlet.emit(Notice(WHOLE_VISIT, None, self._services.clock.now(), text, warning=True))
                results += [LaneResult(None, int(Exit.FAILED))] * waiting
                break
        return results

    def _lane(self, session: _Session, record: LaneRecord, outlet: Outlet, wanted: tuple[str, ...]) -> Lane:
        return Lane(
            id=record.lane,
            address=Address.parse(record.address),
            record=record,
            services=self._services,
            log=session.log,
            operator=self._operator,
            stick=session.stick,
            outlet=outlet,
            wanted=wanted,
            changing=any(s.action is not None and s.action.value == "INST" for s in record.steps),
        )

    async def _finish(self, session: _Session, results: list[LaneResult], outlet: Outlet) -> None:
        """Write the reports and seal when every terminal has an outcome; else leave the visit open for resume."""
        services = self._services
        code = gravest([Exit(r.exit_code) for r in results])
        complete = all(r.outcome is not None for r in results)
        outcome = _visit_outcome(results)
        if complete:
            await sign_off(session.log, self._operator)
            close_visit(services, session.log, session.key, outcome, int(code))
        put_in_index(services, read_visit(session.log.db))
        outlet.emit(Finished(session.log.visit_id, services.clock.now(), outcome, int(code), sealed=complete))


def _refuse_twins(lanes: list[Lane]) -> None:
    """The same serial number at two addresses: one terminal reached twice, or two that lie."""
    seen: dict[str, Lane] = {}
    for lane in lanes:
        serial = lane.known.identity.serial
        if serial in seen:
            raise AmbiguousChoice(what=serial, choices=f"{seen[serial].address}, {lane.address}")
        seen[serial] = lane


def _visit_outcome(results: list[LaneResult]) -> Outcome:
    outcomes = [r.outcome or Outcome.INCONSISTENT for r in results]
    bad = [o for o in outcomes if not o.is_good]
    if bad:
        return next(o for o in bad if OUTCOME_EXIT[o] is gravest([OUTCOME_EXIT[b] for b in bad]))
    return Outcome.SUCCESS if Outcome.SUCCESS in outcomes or not outcomes else Outcome.NOTHING_TO_DO


def _clock_note(stick: Stick) -> dict[str, str]:
    """Both times, when the laptop's clock stands before what was signed."""
    trust = stick.trust
    if abs((trust.reference_time - trust.system_time).total_seconds()) < 1:
        return {}
    return {"system": stamp(trust.system_time), "reference": stamp(trust.reference_time)}
