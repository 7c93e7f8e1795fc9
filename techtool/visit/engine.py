"""The engine: one visit over one or many terminals, journalled, resumable, told as a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from techtool.bundles.clock_floor import note_time
from techtool.bundles.trust import Stick, open_stick
from techtool.clock import stamp
from techtool.domain.outcome import Outcome, worst
from techtool.domain.question import AnswerKind, Question
from techtool.domain.release import VerifiedRelease
from techtool.domain.sensitive import redact
from techtool.domain.terminal import Address
from techtool.domain.visit import LaneRecord, VisitKind, VisitRecord
from techtool.domain.work_order import VisitType, missing_terminals
from techtool.errors import (
    Exit,
    NotFoundError,
    NotSetUp,
    StoreError,
    TechtoolError,
    UsageError,
    gravest,
)
from techtool.events import Event, Finished, Notice, VisitStarted
from techtool.i18n import Phrase, phrase
from techtool.logbook import places, writer
from techtool.reports.keys import ReportKey, load_report_key
from techtool.visit.arrive import arrive
from techtool.visit.awake import Awake
from techtool.visit.clock_watch import ClockWatch
from techtool.visit.closing import drop_payloads, seal_visit, write_visit_reports
from techtool.visit.fleet import work_all
from techtool.visit.kept_backups import backup_log
from techtool.visit.lane import CHANGES, Lane, Shared
from techtool.visit.log import WHOLE_VISIT, VisitLog, first_documents, read_visit
from techtool.visit.office_key import give_to_office
from techtool.visit.operator import PASSPHRASE, Operator
from techtool.visit.outlet import Outlet
from techtool.visit.restore_source import Restoring
from techtool.visit.runner import LaneResult
from techtool.visit.services import ResumeRequest, Services, VisitRequest
from techtool.visit.steps.sign_off import sign_off
from techtool.visit.visits import note_torn, put_in_index, to_resume


@dataclass(frozen=True, slots=True)
class _Session:
    """One run over a visit: its journal, its stick, its key."""

    log: VisitLog
    stick: Stick | None
    key: ReportKey
    watch: ClockWatch
    shared: Shared
    identity: Path | None
    """Opens the backup of a restore where this laptop's own key is gone."""


class Engine:
    """Runs and resumes visits. ``run`` and ``resume`` yield events until ``Finished``.

    An error before the visit's journal exists (no stick, untrusted stick, locked home, not set up) is raised; from
    then on everything is an event and a record. Whoever stops iterating stops the work at the next await: what was
    begun stays open in the journal.
    """

    def __init__(self, services: Services, operator: Operator) -> None:
        self._services = services
        self._operator = operator
        self._log = writer(services.paths)

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        """A new visit."""
        outlet = Outlet(self._log)
        async with contextlib.aclosing(outlet.events_of(self._logged(self._run(request, outlet)))) as events:
            async for event in events:
                yield event

    async def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        """Go on with an unfinished visit, after reading each terminal's real state."""
        outlet = Outlet(self._log)
        async with contextlib.aclosing(outlet.events_of(self._logged(self._resume(request, outlet)))) as events:
            async for event in events:
                yield event

    async def _logged(self, job: Coroutine[None, None, None]) -> None:
        """What ends a job before it can tell of it in an event stands in the log at least."""
        try:
            await job
        except TechtoolError as error:
            self._log(f"visit not begun or gone on with: {error.code}")
            raise
        except Exception as error:
            self._log(f"defect {type(error).__name__} at {places(error)}")
            raise

    # -- opening ----------------------------------------------------------------------------------------------------

    async def _run(self, request: VisitRequest, outlet: Outlet) -> None:
        services = self._services
        _not_an_inspection(request)
        with services.home.lock("visit run"):
            stick, key = await self._prepare(request.bundle)
            order = request.order
            wanted = request.releases or (order.wanted if order and stick else ())
            _all_there(wanted, stick.releases if stick else (), stick.withdrawn if stick else ())
            kind = order.type if order else VisitType.UPDATE
            met = await arrive(
                self._operator, services.clock, services.settings, order, request.merchant, request.work_order, kind
            )
            now = services.clock.now()
            visit = VisitRecord(
                id=services.new_id(now),
                started_at=now,
                finished_at=None,
                technician=services.settings.technician,
                tool_version=services.tool_version,
                language=services.settings.language or "en",
                stick=str(request.bundle.absolute()) if request.bundle else "",
                merchant=redact(met.merchant),
                work_order=redact(met.work_order),
                lanes=tuple(
                    LaneRecord(str(n), str(a), "", announced=a.announced) for n, a in enumerate(request.addresses, 1)
                ),
                clock_note=_clock_note(stick) if stick else {},
                kind=_kind(request),
                restore=request.restore,
                pace=request.pace,
                type=VisitType.INSPECTION if request.inspection else kind,
                order=order,
                staff_no=services.settings.staff_no,
                arrival=met.arrival,
            )
            db = services.home.create_visit(visit.id, first_documents(visit, wanted))
            give_to_office(db, services.home.keys, services.paths)
            services.home.working_on(visit.id)
            log = VisitLog(db, services.clock, visit.id)
            outlet.emit(VisitStarted(visit.id, now))
            watch = ClockWatch(services.clock)
            await self._work(
                _Session(log, stick, key, watch, self._shared(visit, log, outlet), request.identity),
                outlet,
                wanted,
            )

    async def _resume(self, request: ResumeRequest, outlet: Outlet) -> None:
        services = self._services
        with services.home.lock("visit resume"):
            visit_id = to_resume(services, request.visit, request.addresses)
            db = services.home.open_visit(visit_id, write=True)
            services.home.working_on(visit_id)
            visit = read_visit(db, visit_id)
            give_to_office(db, services.home.keys, services.paths)
            log = VisitLog(db, services.clock, visit_id)
            torn = note_torn(log)
            note_time(services.paths, visit.last_at, services.disk)
            bundle = (request.bundle or Path(visit.stick)) if _installs(visit) else None
            stick, key = await self._prepare(bundle)
            _move(log, visit, request.addresses)
            outlet.emit(VisitStarted(visit_id, services.clock.now(), resumed=True))
            if torn is not None:
                outlet.emit(Notice(WHOLE_VISIT, None, services.clock.now(), torn, warning=True))
            log.resumed(services.tool_version, str(stick.root) if stick else "", services.settings.technician)
            watch = ClockWatch(services.clock, visit.last_at)
            await self._work(
                _Session(log, stick, key, watch, self._shared(visit, log, outlet), request.identity),
                outlet,
                log.wanted(),
            )

    async def _prepare(self, bundle: Path | None) -> tuple[Stick | None, ReportKey]:
        """What must be there before a terminal is touched: set-up, a trusted stick, the unlocked report key.

        A visit that installs nothing has no ``bundle`` and needs none.
        """
        services = self._services
        paths = services.paths
        for missing, text in (
            (not services.settings.technician, phrase("the technician's name")),
            (not paths.report_key.is_file(), phrase("the report key")),
            (not paths.recipients.is_file(), phrase("the office's backup recipients")),
        ):
            if missing:
                raise NotSetUp(missing=text)
        stick = None
        if bundle is not None:
            stick = await asyncio.to_thread(open_stick, bundle, paths, services.clock, disk=services.disk)
        question = Question(PASSPHRASE, AnswerKind.SECRET, phrase("Passphrase of your report key"))
        passphrase = await self._operator.ask(question)
        key = await asyncio.to_thread(load_report_key, paths.report_key, passphrase)
        return stick, key

    # -- working ----------------------------------------------------------------------------------------------------

    async def _work(self, session: _Session, outlet: Outlet, wanted: tuple[str, ...]) -> None:
        visit = read_visit(session.log.db)
        lanes = [self._lane(session, visit, record, outlet, wanted) for record in visit.lanes if record.outcome is None]
        results = [LaneResult(r.outcome, r.exit_code, final=True) for r in visit.lanes if r.outcome is not None]
        try:
            remade = put_in_index(self._services, visit)
            if remade is not None:
                self._notice(session.log, outlet, remade)
            proven = any(result.outcome.is_good for result in results)
            tell = partial(self._notice, session.log, outlet)
            results += await work_all(lanes, session.shared.pace, tell, proven=proven)
        except StoreError as error:
            # The visit's journal exists by now, so this is told like everything else; no terminal was reached yet.
            self._notice(session.log, outlet, phrase("{code} {what}", code=error.code, what=error.what_phrase))
            results += [LaneResult(Outcome.FAILED_TRANSIENT, int(error.exit_code), final=False)] * len(lanes)
        finally:
            for lane in lanes:
                await lane.disconnect()
        await self._finish(session, results, outlet)

    def _lane(
        self,
        session: _Session,
        visit: VisitRecord,
        record: LaneRecord,
        outlet: Outlet,
        wanted: tuple[str, ...],
    ) -> Lane:
        wish = visit.restore
        restoring = Restoring(wish, session.identity, backup_log(self._services)) if wish is not None else None
        return Lane(
            restoring=restoring,
            id=record.lane,
            address=replace(Address.parse(record.address), announced=record.announced),
            record=record,
            services=self._services,
            log=session.log,
            operator=self._operator,
            opened=session.stick,
            outlet=outlet,
            watch=session.watch,
            wanted=wanted,
            visit=visit,
            shared=session.shared,
            changing=record.gap or any(step.action in CHANGES for step in record.steps),
        )

    def _shared(self, visit: VisitRecord, log: VisitLog, outlet: Outlet) -> Shared:
        def asleep() -> None:
            text = phrase("This laptop cannot be kept awake: connect its charger, leave the lid open, touch a key.")
            self._notice(log, outlet, text)

        return Shared(visit.pace, Awake(self._services.keep_awake, asleep))

    def _tell_missing(self, log: VisitLog, outlet: Outlet) -> None:
        """Terminals that the order expects and that nobody reached, before the merchant signs; told once."""
        visit = read_visit(log.db)
        missing = missing_terminals(visit)
        if missing and visit.sign_off is None:
            names = ", ".join(t.serial or t.tid or t.model or t.counter or "?" for t in missing)
            text = phrase("The order expects {count} more terminals: {names}", count=len(missing), names=names)
            self._notice(log, outlet, text)

    def _notice(self, log: VisitLog, outlet: Outlet, text: Phrase) -> None:
        """Tell it, and record it where the journal still takes it."""
        if not log.db.sealed:
            with contextlib.suppress(StoreError):
                log.noted(WHOLE_VISIT, text, warning=True)
        outlet.emit(Notice(WHOLE_VISIT, None, self._services.clock.now(), text, warning=True))

    async def _finish(self, session: _Session, results: list[LaneResult], outlet: Outlet) -> None:
        """Seal and report when every terminal has an outcome; else leave the visit open. Ends in ``Finished``."""
        services, log = self._services, session.log
        code = gravest([Exit(r.exit_code) for r in results])
        outcome = worst([r.outcome for r in results])
        sealed = False
        try:
            note_time(services.paths, services.clock.now(), services.disk)
            if all(r.final for r in results):
                self._tell_missing(log, outlet)
                await outlet.settle()
                await sign_off(services, log, self._operator)
                seal_visit(services, log, session.key, outcome, int(code))
                sealed = True
                await asyncio.to_thread(write_visit_reports, services, read_visit(log.db), session.key)
                drop_payloads(services)
            put_in_index(services, read_visit(log.db))
        except TechtoolError as error:
            text = phrase("{code} {what}", code=error.code, what=error.what_phrase)
            if sealed:
                text = phrase("{problem} The visit is closed; “techtool report” writes its report again.", problem=text)
            self._notice(log, outlet, text)
            code = gravest([code, error.exit_code])
        reports = str(services.paths.reports / log.visit_id) if sealed else ""
        outlet.emit(Finished(log.visit_id, services.clock.now(), outcome, int(code), sealed, reports))


def _not_an_inspection(request: VisitRequest) -> None:
    """An order that only asks for a look is never the reason of an installation; raises :class:`UsageError`."""
    order = request.order
    if order is not None and order.type is VisitType.INSPECTION and request.bundle is not None:
        problem = phrase(
            "Order {number} is an inspection, and nothing is installed on one: use “techtool visit inspect”.",
            number=order.number,
        )
        raise UsageError(problem=problem)


def _all_there(
    wanted: tuple[str, ...], releases: tuple[VerifiedRelease, ...], withdrawn: tuple[tuple[str, str], ...]
) -> None:
    """A release asked for by a name that is not on the stick is found out before a visit begins."""
    known = {name for v in releases for name in (v.release.id, v.release.key)}
    known |= {name for i, version in withdrawn for name in (i, f"{i}@{version}")}
    for name in wanted:
        if name not in known:
            raise NotFoundError(what=name)


def _move(log: VisitLog, visit: VisitRecord, addresses: Mapping[str, Address]) -> None:
    """Terminals reached elsewhere now, by serial number or, before they were identified, by their old address."""
    for name, address in addresses.items():
        lane = next((lane for lane in visit.lanes if name in (lane.serial, lane.address)), None)
        if lane is None:
            raise NotFoundError(what=name)
        log.moved(lane.lane, str(address))


def _installs(visit: VisitRecord) -> bool:
    """Whether something may still come from the stick: what is being undone comes from this laptop's own backup."""
    left = [lane for lane in visit.lanes if lane.outcome is None]
    return visit.kind is VisitKind.UPDATE and any(lane.undo_at is None for lane in left)


def _kind(request: VisitRequest) -> VisitKind:
    if request.restore is not None:
        return VisitKind.RESTORE
    if request.inspection:
        return VisitKind.INSPECTION
    return VisitKind.UPDATE if request.bundle is not None else VisitKind.BACKUP


def _clock_note(stick: Stick) -> dict[str, str]:
    """Both times, when the laptop's clock stands before what was signed."""
    trust = stick.trust
    if abs((trust.reference_time - trust.system_time).total_seconds()) < 1:
        return {}
    return {"system": stamp(trust.system_time), "reference": stamp(trust.reference_time)}
