"""The record as an in-toto Statement v1: exact bytes, in no language, to be signed as they are.

https://in-toto.io/Statement/v1: ``subject`` names what the statement is about by digest, ``predicate`` says what was
done. Sentences stand as ``{text, msgid, params}``: English for people, the rest for programs and other languages.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Final

from techtool.clock import stamp
from techtool.domain.codec import encode_json
from techtool.domain.conclusion import CameTo, came_to, lane_conclusion, open_required
from techtool.domain.plan import PlanRecord, ReleaseFinding
from techtool.domain.schema import STATEMENT, newest
from techtool.domain.timing import times
from techtool.domain.visit import InstalledFile, LaneRecord, VisitRecord
from techtool.i18n import Phrase
from techtool.reports.facts import evidence_kinds, outcome_word, recovery_s, simulated, state_of, totals
from techtool.reports.redaction import redacted

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:techtool:visit-report:v1"
SCHEMA: Final = newest(STATEMENT)
"""Grows when a field changes its meaning or goes; new fields do not change it."""
JOURNAL_HEAD: Final = "techtoolJournalHead"
"""Digest kind of a visit's journal: the hex SHA-256 chain head after its last record (not a hash of the file)."""


def neutral(value: object) -> object:
    """A part of a record in JSON's own types: RFC 3339 times in UTC, enum words, phrases with their values."""
    if isinstance(value, Phrase):
        return value.to_json()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): neutral(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [neutral(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: neutral(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def _subject(visit: VisitRecord) -> list[dict[str, object]]:
    subjects: list[dict[str, object]] = []
    if visit.head:
        subjects.append({"name": f"visits/{visit.id}.jnl", "digest": {JOURNAL_HEAD: visit.head}})
    for lane in visit.lanes:
        where = f"terminals/{lane.serial or lane.lane}"
        for file in lane.installed:
            name = f"{where}/{file.release_key}/{file.package.id}"
            subjects.append({"name": name, "digest": {"sha256": file.sha256_found or file.sha256_expected}})
        if lane.backup:
            subjects.append({"name": f"backups/{lane.backup.file}", "digest": {"sha256": lane.backup.sha256}})
    return subjects


def _finding(finding: ReleaseFinding) -> dict[str, object]:
    return {
        "id": finding.release_id,
        "version": finding.version,
        "verdict": finding.verdict.value,
        "rules": neutral(finding.rules),
        "highest_for_hardware": finding.highest,
    }


def _plan(plan: PlanRecord) -> dict[str, object]:
    return {
        "digest": plan.digest,
        "releases": [_finding(f) for f in plan.findings],
        "install": neutral(plan.releases),
        "steps": neutral(plan.steps),
        "estimate_s": {"p50": plan.total.p50_s, "p90": plan.total.p90_s},
        "downtime_s": {"p50": plan.downtime.p50_s, "p90": plan.downtime.p90_s},
        "undo": plan.undo.to_json(),
        "rollback": neutral(plan.rollback),
        "put_back": neutral(plan.put_back),
        "configs": neutral(plan.configs),
    }


def _installed(file: InstalledFile) -> dict[str, object]:
    return {
        "release": file.release_key,
        "package": neutral(file.package),
        "sha256_expected": file.sha256_expected,
        "sha256_found": file.sha256_found or None,
        "read_back": bool(file.sha256_found) and file.sha256_found == file.sha256_expected,
    }


def _terminal(lane: LaneRecord) -> dict[str, object]:
    return {
        "lane": lane.lane,
        "address": lane.address,
        "serial": lane.serial,
        "outcome": outcome_word(lane),
        "exit": lane.exit_code,
        "error": neutral(lane.error),
        "confirmed_at": neutral(lane.confirmed_at),
        "self_reported": lane.before is not None and lane.before.typed,
        "before": neutral(lane.before),
        "after": neutral(lane.after),
        "trust": neutral(lane.trust),
        "plan": _plan(lane.plan) if lane.plan else None,
        "steps": neutral(lane.steps),
        "answers": neutral(lane.answers),
        "checks": neutral(lane.checks),
        "backup": neutral(lane.backup),
        "installed": [_installed(f) for f in lane.installed],
        "restored": neutral(lane.restored),
        "restored_configs": neutral(lane.restored_configs),
        "undo_at": neutral(lane.undo_at),
        "recovery_s": recovery_s(lane),
        "settlement": neutral(lane.settlement),
        "evidence": neutral(evidence_kinds(lane)),
        "conclusion": lane_conclusion(lane).value,
        "open_required": neutral(open_required(lane)),
        "binding": neutral(lane.binding),
        "risk": neutral(lane.risk),
        "times": neutral(times(lane)),
        "tests": neutral(lane.tests),
        "issues": neutral(lane.issues),
        "incidents": neutral(lane.incidents),
        "files": neutral(lane.evidence),
    }


def _visit(visit: VisitRecord, whole: CameTo) -> dict[str, object]:
    return {
        "id": visit.id,
        "type": visit.kind.value,
        "state": state_of(visit).value,
        "sealed": visit.sealed,
        "journal_head": visit.head,
        "started_at": stamp(visit.started_at),
        "finished_at": neutral(visit.finished_at),
        "outcome": neutral(visit.outcome),
        "exit": visit.exit_code,
        "technician": visit.technician,
        "merchant": visit.merchant,
        "work_order": visit.work_order,
        "stick": visit.stick,
        "restore": neutral(visit.restore),
        "language": visit.language,
        "tool_version": visit.tool_version,
        "clock_note": neutral(visit.clock_note),
        "salvaged": neutral(visit.salvaged),
        "answers": neutral(visit.answers),
        "visit_type": visit.type.value,
        "staff_no": visit.staff_no,
        "order": neutral(visit.order),
        "arrival": neutral(visit.arrival),
        "conclusion": whole.conclusion.value,
        "not_reached": neutral([visit.order.terminals[place] for place in whole.missing] if visit.order else []),
        "files": neutral(visit.evidence),
        "sign_off": neutral(visit.sign_off),
    }


def statement(visit: VisitRecord) -> bytes:
    """The report file: the same record gives the same bytes. Already redacted; takes the record as it was read."""
    clean = redacted(visit)
    document = {
        "_type": STATEMENT_TYPE,
        "subject": _subject(clean),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "schema": SCHEMA,
            "redacted": True,
            "simulated": simulated(clean),
            "visit": _visit(clean, came_to(visit)),
            "terminals": [_terminal(lane) for lane in clean.lanes],
            "totals": neutral(totals(clean)),
        },
    }
    return encode_json(document, indent=2) + b"\n"
