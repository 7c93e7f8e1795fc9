"""A visit's journal in typed words: intents before commands, results after; and the record read back from it.

Tables of a visit's database: ``visit`` (one document), ``lanes``, ``steps``, ``answers``, ``checks``, ``backups``,
``installed``, ``restored``, ``restored_configs``, ``issues``, ``incidents``, ``evidence``, ``sessions``, ``runs``,
``notices``. Every method is one transaction, so one line and one fsync of the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tinydb import where
from tinydb.queries import QueryInstance

from techtool.clock import Clock
from techtool.domain.backup import BackupManifest, StoredBackup
from techtool.domain.codec import CodecError, convert, plain
from techtool.domain.config_file import RestoredConfig
from techtool.domain.evidence import EvidenceFile, Incident
from techtool.domain.known_issues import IssueRecord
from techtool.domain.outcome import Outcome
from techtool.domain.plan import Plan, PlanRecord, StepKind
from techtool.domain.question import AnswerKind, CheckAnswer, Question
from techtool.domain.redacting import Cleaner
from techtool.domain.release import TrustFacts
from techtool.domain.required_tests import ChosenTest
from techtool.domain.restore import RestoredPackage
from techtool.domain.risk import RiskRecord
from techtool.domain.sensitive import redact
from techtool.domain.settlement import Settlement
from techtool.domain.sign_off import SignOff
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import (
    AnswerRecord,
    BackupRecord,
    CatmAction,
    CatmResult,
    CheckRecord,
    ErrorRecord,
    InstalledFile,
    StepRecord,
    StepState,
    VisitRecord,
)
from techtool.domain.work_order import Arrival, Binding
from techtool.errors import Interrupted, StoreDamaged, TechtoolError
from techtool.i18n import Phrase, phrase
from techtool.store.db import JournalDB
from techtool.store.home import Content
from techtool.store.salvage import salvages_of
from techtool.visit.clean_table import CleanTable

T = TypeVar("T")

WHOLE_VISIT = ""
"""The lane of what concerns the visit and not one terminal."""


def record_of(error: TechtoolError) -> ErrorRecord:
    """An error as it is recorded and shown."""
    record = ErrorRecord(error.code, error.what_phrase, error.state_phrase, error.action_phrases, error.detail)
    return Cleaner().clean(record)


@dataclass(frozen=True, slots=True)
class OpenStep:
    """An intent that is on disk and has no end yet."""

    doc_id: int
    lane: str
    step: StepKind
    item: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """An installation session that was asked of a terminal and is not known to be closed."""

    package: str
    """Empty: it holds the sessions of several packages."""
    session: str
    """Its number; empty: the terminal's answer never came."""
    size_bytes: int
    """What it was asked for; 0: an older record does not say."""


def first_documents(visit: VisitRecord, wanted: Sequence[str] = ()) -> Content:
    """What a visit's journal begins with: who, when, with which stick; the lanes with their addresses."""
    head = plain(visit)
    for derived in ("lanes", "sealed", "head", "answers", "salvaged", "evidence"):
        del head[derived]
    lanes = [
        {"lane": lane.lane, "address": lane.address, "serial": lane.serial, "announced": lane.announced}
        for lane in visit.lanes
    ]
    return Cleaner().clean(
        {
            "visit": {"1": {**head, "wanted": list(wanted)}},
            "lanes": {str(number): lane for number, lane in enumerate(lanes, 1)},
        }
    )


class VisitLog:
    """Writes one visit; every write is on disk when the method returns."""

    def __init__(self, db: JournalDB, clock: Clock, visit_id: str) -> None:
        self._db = db
        self._clock = clock
        self.visit_id = visit_id
        serials = {str(doc["serial"]) for doc in db.table("lanes").all() if doc.get("serial")}
        self._cleaner = Cleaner(serials)
        """Lets the serial numbers of this visit's terminals stand, also where they look like card numbers."""

    @property
    def db(self) -> JournalDB:
        """The database underneath."""
        return self._db

    def _table(self, name: str) -> CleanTable:
        return CleanTable(self._db.table(name), self._cleaner)

    # -- the visit --------------------------------------------------------------------------------------------------

    def set_visit(self, **fields: object) -> None:
        """Change fields of the visit's document (``merchant``, ``outcome`` …)."""
        self._table("visit").update({key: plain(value) for key, value in fields.items()})

    def wanted(self) -> tuple[str, ...]:
        """The release ids that were asked for when the visit began; empty: everything that fits."""
        found = self._table("visit").all()
        return tuple(str(r) for r in found[0].get("wanted", ())) if found else ()

    def resumed(self, tool_version: str, stick: str, technician: str) -> None:
        """Who went on with this visit when, with what; of the first run the visit's own document says it."""
        entry = {"tool_version": tool_version, "stick": stick, "technician": technician}
        self._table("runs").insert({**entry, "at": plain(self._clock.now())})

    def clock_moved(self, note: Mapping[str, str]) -> None:
        """Both times of a clock that was moved, beside what was noted when the stick was opened."""
        found = self._table("visit").all()
        before = found[0].get("clock_note") if found else None
        self.set_visit(clock_note={**(before or {}), **note})

    def noted(self, lane: str, text: Phrase, *, warning: bool) -> None:
        """What the person was told."""
        entry = {"lane": lane, "text": plain(text), "warning": warning, "at": plain(self._clock.now())}
        self._table("notices").insert(entry)

    # -- lanes ------------------------------------------------------------------------------------------------------

    def _set_lane(self, lane: str, **fields: object) -> None:
        self._table("lanes").update({key: plain(value) for key, value in fields.items()}, where("lane") == lane)

    def moved(self, lane: str, address: str) -> None:
        """The terminal is reached elsewhere now (``--address SERIAL=ADDRESS``): somebody named it."""
        self._set_lane(lane, address=address, announced=False)

    def identified(self, lane: str, state: TerminalState) -> None:
        """Which terminal it is and what it was like before the work."""
        self._cleaner = self._cleaner.knowing((state.identity.serial,))
        self._set_lane(lane, serial=state.identity.serial, before=state)

    def planned(self, lane: str, plan: Plan, trust: TrustFacts | None) -> None:
        """What will be put to the person."""
        self._set_lane(lane, plan=PlanRecord.of(plan), trust=trust)

    def confirmed(self, lane: str, digest: str) -> None:
        """The person typed the last four, for the plan of this digest."""
        self._set_lane(lane, confirmed_at=self._clock.now(), confirmed_digest=digest)

    def read_again(self, lane: str, state: TerminalState) -> None:
        """What the terminal is like after the work."""
        self._set_lane(lane, after=state)

    def undo_begun(self, lane: str) -> None:
        """From here on what ran before is put back; a resumed lane goes on with that and with nothing else."""
        self._set_lane(lane, undo_at=self._clock.now())

    def finished(self, lane: str, outcome: Outcome, exit_code: int, error: ErrorRecord | None) -> None:
        """The terminal's outcome: final for this visit."""
        self._set_lane(lane, outcome=outcome, exit_code=exit_code, error=error)

    def stopped(self, lane: str, error: ErrorRecord, exit_code: int) -> None:
        """Stopped without an outcome: resume goes on from here."""
        self._set_lane(lane, error=error, exit_code=exit_code)

    # -- steps ------------------------------------------------------------------------------------------------------

    def begin(self, lane: str, step: StepKind, item: str = "", action: CatmAction | None = None) -> OpenStep:
        """The intent; call it before the first command of the step goes out."""
        steps = self._table("steps")
        record = StepRecord(len(steps) + 1, step, item, StepState.STARTED, self._clock.now(), action=action)
        return OpenStep(steps.insert({"lane": lane, **plain(record)}), lane, step, item)

    def done(
        self,
        step: OpenStep,
        result: Phrase | None = None,
        *,
        catm: CatmResult | None = None,
        bytes_confirmed: int = 0,
        bytes_resumed: int = 0,
        sent_at: datetime | None = None,
    ) -> None:
        """The step ended well."""
        moved = {"bytes_confirmed": bytes_confirmed, "bytes_resumed": bytes_resumed, "sent_at": sent_at}
        self._end(step, StepState.DONE, result=result, action_result=catm, **moved)

    def failed(self, step: OpenStep, error: ErrorRecord, *, catm: CatmResult | None = None) -> None:
        """The step ended badly, and its effect on the terminal is known."""
        self._end(step, StepState.FAILED, error=error, action_result=catm)

    def steps_of(self, lane: str) -> tuple[StepRecord, ...]:
        """Every step of a terminal so far, of earlier runs too."""
        return _all(self._db, "steps", lane, StepRecord)

    def close_interrupted(self, lane: str, *, except_step: OpenStep) -> None:
        """Intents left open by a stop: the terminal was read again, so they count as failed, not as unknown."""
        open_ones = (where("lane") == lane) & (where("state") == StepState.STARTED.value)
        steps = self._table("steps")
        ids = [doc.doc_id for doc in steps.search(open_ones) if doc.doc_id != except_step.doc_id]
        if ids:
            error = plain(record_of(Interrupted()))
            steps.update({"state": StepState.FAILED.value, "error": error}, doc_ids=ids)

    def _end(self, step: OpenStep, state: StepState, **fields: object) -> None:
        values = {key: plain(value) for key, value in fields.items()}
        values |= {"state": state.value, "ended_at": plain(self._clock.now())}
        self._table("steps").update(values, doc_ids=[step.doc_id])

    # -- what the steps found ---------------------------------------------------------------------------------------

    def answered(self, lane: str, question: Question, answer: str) -> None:
        """What a person said; a secret is never recorded, and a card number typed into it neither.

        Of a file the copy is recorded when it is on disk, not where it lay before.
        """
        if question.kind in (AnswerKind.SECRET, AnswerKind.FILE):
            return
        record = AnswerRecord(question.id, question.text, redact(answer), self._clock.now())
        self._table("answers").insert({"lane": lane, **plain(record)})

    def checked(
        self,
        lane: str,
        check_id: str,
        title: Phrase,
        answer: CheckAnswer,
        *,
        value: str = "",
        mode: str = "",
        host: bool = False,
        required: bool = False,
        evidence: Sequence[str] = (),
        because: Phrase | None = None,
        said: Phrase | None = None,
    ) -> None:
        """A functional test or inspection item; done again, the newest result stands last."""
        record = CheckRecord(
            check_id,
            title,
            answer.result.value,
            redact(answer.reason or (said.text() if said is not None else "")),
            self._clock.now(),
            value=redact(value),
            mode=mode,
            host=host,
            required=required,
            evidence=tuple(evidence),
            because=because,
            said=said,
        )
        self._table("checks").insert({"lane": lane, **plain(record)})

    def checks_of(self, lane: str) -> tuple[CheckRecord, ...]:
        """Every test and inspection item so far, of this run and of earlier ones, oldest first."""
        return _all(self._db, "checks", lane, CheckRecord)

    def issues_of(self, lane: str) -> tuple[IssueRecord, ...]:
        """What was found of known issues so far."""
        return _all(self._db, "issues", lane, IssueRecord)

    def answers_of(self, lane: str) -> tuple[AnswerRecord, ...]:
        """What a person said so far, oldest first."""
        return _all(self._db, "answers", lane, AnswerRecord)

    def tests_chosen(self, lane: str, tests: Sequence[ChosenTest]) -> None:
        """The list of tests this terminal calls for: written before the first of them is done."""
        self._set_lane(lane, tests=tuple(tests))

    def read_before(self, lane: str, baseline: Mapping[str, str]) -> None:
        """What probes read before the work."""
        self._set_lane(lane, baseline=dict(baseline))

    def inspected(self, lane: str, records: Sequence[CheckRecord]) -> None:
        """Items of one list and the list itself, as one: there is no half of an inspection."""
        self._table("checks").insert_multiple({"lane": lane, **plain(record)} for record in records)

    def baseline_of(self, lane: str) -> Mapping[str, str]:
        """What probes read before the work, in this run or an earlier one."""
        found = self._db.table("lanes").search(where("lane") == lane)
        return {str(key): str(value) for key, value in (found[0].get("baseline") or {}).items()} if found else {}

    def binding_of(self, lane: str) -> Binding | None:
        """Label, software and order as they were compared."""
        found = self._db.table("lanes").search(where("lane") == lane)
        binding = found[0].get("binding") if found else None
        return convert(binding, Binding) if binding else None

    def settled(self, lane: str, settlement: Settlement) -> None:
        """What the slip of a settlement said that a person saw; the newest stands."""
        self._set_lane(lane, settlement=settlement)

    def arrived(self, arrival: Arrival) -> None:
        """Who met whom, and where."""
        self.set_visit(arrival=arrival)

    def bound(self, lane: str, binding: Binding) -> None:
        """Label, software and order were compared."""
        self._set_lane(lane, binding=binding)

    def risk(self, lane: str, record: RiskRecord) -> None:
        """The risk as it was put to the person, and who took it on."""
        self._set_lane(lane, risk=record)

    def issue(self, lane: str, record: IssueRecord) -> None:
        """A known issue was looked at; the newest word on it stands."""
        same = (where("release_key") == record.release_key) & (where("id") == record.id)
        self._put("issues", lane, same, record)

    def incident(self, lane: str, record: Incident) -> None:
        """An anomaly that stopped the work; told again, the newest word stands."""
        self._put("incidents", lane, where("no") == record.no, record)

    def took_in(self, lane: str, file: EvidenceFile) -> None:
        """A photo, a slip, a log: its copy is on disk already."""
        self._table("evidence").insert({"lane": lane, **plain(file)})

    def evidence_of(self, lane: str) -> tuple[EvidenceFile, ...]:
        """What was taken in so far, in this run and before."""
        return _all(self._db, "evidence", lane, EvidenceFile)

    def incidents_of(self, lane: str) -> tuple[Incident, ...]:
        """What was opened so far, in this run and before."""
        return _all(self._db, "incidents", lane, Incident)

    def signed_off(self, sign_off: SignOff) -> None:
        """How it was signed off at the merchant's."""
        self.set_visit(sign_off=sign_off)

    def backed_up(self, lane: str, stored: StoredBackup) -> None:
        """A verified snapshot; its manifest is kept whole."""
        manifest = stored.manifest
        record = BackupRecord(
            id=manifest.id,
            file=stored.file,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            items=len(manifest.items),
            not_read=tuple(f"{n.name}: {n.reason}" for n in manifest.not_read),
            recipients=stored.recipients,
            verified=stored.verified,
            at=manifest.made_at,
        )
        self._table("backups").insert({"lane": lane, **plain(record), "manifest": plain(manifest)})

    def sessions_wanted(self, lane: str, sizes_bytes: Mapping[str, int]) -> None:
        """Installation sessions will be asked for: package id (empty: of a session that holds the others) → its size.

        Written before the terminal hears of it, because its answer, which brings the number, may never reach us.
        """
        entry = {"lane": lane, "session": "", "open": True}
        self._table("sessions").insert_multiple(
            {**entry, "package": package, "size_bytes": size} for package, size in sizes_bytes.items()
        )

    def session_opened(self, lane: str, package: str, session: str) -> None:
        """It exists on the terminal under this number; written before its first byte."""
        wanted = (where("lane") == lane) & (where("package") == package) & (where("open") == True)  # noqa: E712
        self._table("sessions").update({"session": session}, wanted)

    def sessions_closed(self, lane: str, package: str | None = None) -> None:
        """All of the lane's, or one package's: committed, or abandoned, or found gone."""
        ended = (where("lane") == lane) & (where("open") == True)  # noqa: E712
        self._table("sessions").update(
            {"open": False}, ended if package is None else ended & (where("package") == package)
        )

    def open_sessions(self, lane: str) -> tuple[OpenSession, ...]:
        """Sessions that may still lie on the terminal, one that holds others before those."""
        found = self._table("sessions").search((where("lane") == lane) & (where("open") == True))  # noqa: E712
        return tuple(OpenSession(str(d["package"]), str(d["session"]), int(d.get("size_bytes", 0))) for d in found)

    def installed(self, lane: str, file: InstalledFile) -> None:
        """What was read back from the terminal after an installation; the newest reading stands."""
        self._put("installed", lane, where("package")["id"] == file.package.id, file)

    def restored(self, lane: str, package: RestoredPackage) -> None:
        """What was put back from a backup and read again; the newest reading stands."""
        self._put("restored", lane, where("package")["id"] == package.package.id, package)

    def config_restored(self, lane: str, config: RestoredConfig) -> None:
        """A configuration file that was written back and read again; the newest reading stands."""
        self._put("restored_configs", lane, where("path") == config.path, config)

    def _put(self, name: str, lane: str, same: QueryInstance, record: object) -> None:
        """In the place of what there is of the same thing."""
        table = self._table(name)
        with self._db.transaction():
            table.remove((where("lane") == lane) & same)
            table.insert({"lane": lane, **plain(record)})


def _docs(db: JournalDB, table: str, lane: str) -> list[dict[str, Any]]:
    found = [dict(d) for d in db.table(table).search(where("lane") == lane)]
    for doc in found:
        del doc["lane"]
    return found


def _all(db: JournalDB, table: str, lane: str, kind: type[T]) -> tuple[T, ...]:
    return tuple(convert(doc, kind) for doc in _docs(db, table, lane))


def _lane(db: JournalDB, doc: Mapping[str, Any]) -> dict[str, Any]:
    """A terminal's document with what other tables hold of it, as :class:`LaneRecord` has it."""
    lane = str(doc.get("lane"))
    tables = ("steps", "answers", "checks", "installed", "restored_configs", "restored", "issues", "incidents")
    backups = _docs(db, "backups", lane)
    parts = {name: _docs(db, name, lane) for name in (*tables, "evidence")}
    return {**doc, **parts, "backup": backups[-1] if backups else None}


def read_visit(db: JournalDB, path_shown: str = "") -> VisitRecord:
    """The visit as its journal tells it; raises :class:`StoreDamaged` when the documents are not a visit's."""
    heads = db.table("visit").all()
    if len(heads) != 1:
        raise StoreDamaged(path=path_shown, problem=phrase("no visit is in it"))
    lanes = [_lane(db, doc) for doc in db.table("lanes").all()]
    derived: dict[str, Any] = {"lanes": lanes, "sealed": db.sealed, "head": db.head}
    derived |= {name: _docs(db, name, WHOLE_VISIT) for name in ("answers", "evidence")}
    try:
        derived["salvaged"] = plain(salvages_of(db))
        return convert({**heads[0], **derived}, VisitRecord)
    except CodecError as error:
        problem = phrase("its entries are whole but not understood; a newer techtool may have written them")
        raise StoreDamaged(path=path_shown, problem=problem, detail=str(error)) from error


def manifest_of(db: JournalDB, backup_id: str) -> BackupManifest | None:
    """The manifest of a backup made in this visit."""
    found = db.table("backups").search(where("id") == backup_id)
    return convert(found[-1]["manifest"], BackupManifest) if found else None
