"""Seal and report: what makes a visit an audit record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from techtool.domain.outcome import Outcome
from techtool.domain.visit import VisitRecord
from techtool.errors import UsageError
from techtool.i18n import LANGUAGES, phrase
from techtool.reports.keys import ReportKey
from techtool.reports.seals import SEAL_NAMESPACE, seal_text
from techtool.reports.write import write_reports
from techtool.visit.log import VisitLog
from techtool.visit.office_key import give_to_office
from techtool.visit.services import Services


def seal_visit(
    services: Services,
    log: VisitLog,
    key: ReportKey | None,
    outcome: Outcome,
    exit_code: int,
    *,
    abandoned: bool = False,
) -> None:
    """Set the outcome and seal the journal with a signature over its head.

    The reports are written from the sealed record; a stop in between loses nothing, they can be written again.
    """
    give_to_office(log.db, services.home.keys, services.paths)
    log.set_visit(finished_at=services.clock.now(), outcome=outcome, exit_code=exit_code, abandoned=abandoned)
    head, count = log.db.head, log.db.line_count
    signature = key.sign(seal_text(log.visit_id, count, head), SEAL_NAMESPACE) if key else ""
    log.db.seal({"signed_head": head, "signed_count": count, "signature": signature})


def write_visit_reports(
    services: Services,
    visit: VisitRecord,
    key: ReportKey | None,
    *,
    formats: Sequence[str] | None = None,
    languages: Sequence[str] = LANGUAGES,
    folder: Path | None = None,
) -> list[Path]:
    """Write the reports, times in the laptop's zone; without ``formats`` those of the house.

    Raises :class:`UsageError` where reports with masks would take the place of others.
    """
    zone = services.clock.now().astimezone().tzinfo or UTC
    folder = folder or services.paths.reports / visit.id
    if visit.id in services.home.keys.masked and any(folder.glob(f"{visit.id}.*")):
        raise UsageError(
            problem=phrase(
                "There are reports of visit {visit} in {folder} already, and those written now would show “****” for "
                "what the key opens. Put the key back (“techtool doctor”), or write them into another folder: --to "
                "FOLDER.",
                visit=visit.id,
                folder=str(folder),
            )
        )
    return write_reports(
        visit,
        formats or services.report_formats,
        folder,
        languages,
        key,
        services.disk,
        zone,
    )


def drop_payloads(services: Services) -> None:
    """Verified copies are kept only while a visit needs them."""
    folder = services.paths.payloads
    if folder.is_dir():
        for path in folder.iterdir():
            services.disk.unlink(path)
