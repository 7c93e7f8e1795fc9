"""Adding evidence to a visit from outside its work: between two runs, before it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from techtool.domain.evidence import EvidenceFile, EvidenceKind
from techtool.domain.sensitive import redact
from techtool.domain.visit import VisitRecord
from techtool.errors import NotFoundError, SignedOff
from techtool.visit.evidence import take_in
from techtool.visit.log import WHOLE_VISIT, VisitLog
from techtool.visit.services import Services
from techtool.visit.visits import note_torn, to_close


def attach(
    services: Services,
    visit_id: str,
    files: Sequence[Path],
    kind: EvidenceKind,
    about: str,
    terminal: str = "",
    note: str = "",
) -> tuple[EvidenceFile, ...]:
    """Take files into an open visit; ``terminal``: its lane or serial number, empty: the visit as a whole.

    Raises :class:`BadEvidence`, ``NoSuchVisit`` and ``VisitClosed``, ``StoreLocked``, :class:`NotFoundError`; and
    :class:`SignedOff` between sign-off and seal, which a stop may part: what was confirmed stays what was confirmed.
    """
    with services.home.lock("visit attach"):
        visit = to_close(services, visit_id)
        if visit.sign_off is not None:
            raise SignedOff(visit=visit_id)
        lane = _lane(visit, terminal)
        db = services.home.open_visit(visit_id, write=True)
        try:
            log = VisitLog(db, services.clock, visit_id)
            note_torn(log)
            return tuple(take_in(services, log, lane, path, kind, redact(about), note) for path in files)
        finally:
            db.close()


def _lane(visit: VisitRecord, terminal: str) -> str:
    if not terminal:
        return WHOLE_VISIT
    for lane in visit.lanes:
        if terminal in (lane.lane, lane.serial, lane.address):
            return lane.lane
    raise NotFoundError(what=terminal)
