"""Sign off, seal, report: what makes a visit an audit record."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from techtool.domain.outcome import Outcome
from techtool.domain.question import AnswerKind, Question
from techtool.domain.visit import VisitRecord
from techtool.i18n import LANGUAGES, phrase
from techtool.reports.keys import ReportKey
from techtool.reports.write import FORMATS, write_reports
from techtool.visit.log import WHOLE_VISIT, VisitLog, read_visit
from techtool.visit.operator import Operator
from techtool.visit.services import Services

SEAL_NAMESPACE = "techtool-visit"
"""Namespace of the SSH signature in a seal; what it signs is ``VISIT COUNT HEAD`` and a line end."""


async def sign_off(log: VisitLog, operator: Operator) -> None:
    """Ask who at the merchant's saw the result."""
    question = Question(
        "sign_off.name",
        AnswerKind.TEXT,
        phrase("Name of the person at the merchant's who saw the result"),
        optional=True,
    )
    name = await operator.ask(question)
    if name:
        log.answered(WHOLE_VISIT, question, name)


def close_visit(
    services: Services,
    log: VisitLog,
    key: ReportKey | None,
    outcome: Outcome,
    exit_code: int,
    *,
    abandoned: bool = False,
) -> VisitRecord:
    """Set the outcome, seal the journal with a signature over its head, write the reports from the sealed record.

    A stop between seal and report loses nothing: the report can be written again from the journal.
    """
    log.set_visit(finished_at=services.clock.now(), outcome=outcome, exit_code=exit_code, abandoned=abandoned)
    head, count = log.db.head, log.db.line_count
    signature = key.sign(f"{log.visit_id} {count} {head}\n".encode(), SEAL_NAMESPACE) if key else ""
    log.db.seal({"signed_head": head, "signed_count": count, "signature": signature})
    visit = read_visit(log.db, log.visit_id)
    write_visit_reports(services, visit, key)
    _drop_payloads(services)
    return visit


def write_visit_reports(services: Services, visit: VisitRecord, key: ReportKey | None) -> list[Path]:
    """Every format in both languages, times in the laptop's zone."""
    zone = services.clock.now().astimezone().tzinfo or UTC
    return write_reports(visit, FORMATS, services.paths.reports / visit.id, LANGUAGES, key, services.disk, zone)


def _drop_payloads(services: Services) -> None:
    """Verified copies are kept only while a visit needs them."""
    folder = services.paths.payloads
    if folder.is_dir():
        for path in folder.iterdir():
            services.disk.unlink(path)
