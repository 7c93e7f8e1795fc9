"""Photos, slips and logs: asked for, copied into the visit, and only then recorded."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from techtool.domain.confidential import Words, numbers_in
from techtool.domain.evidence import EvidenceFile, EvidenceKind
from techtool.domain.evidence_paths import paths_in
from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.sensitive import redact
from techtool.errors import AnswerUnusable, BadEvidence
from techtool.i18n import N_, Phrase, phrase
from techtool.visit.evidence_read import TEXTS, ReadFile, read_evidence, written
from techtool.visit.lane import Lane
from techtool.visit.log import WHOLE_VISIT, VisitLog
from techtool.visit.operator import Operator
from techtool.visit.services import Services

_TRIES: Final = 5
_COPYING: Final = threading.Lock()
"""Two terminals may be given the same file at the same moment."""
_PHOTO: Final = N_("Photo (path of the file)")
_HELP: Final = N_(
    "Type the path or drag the file into this window; several are parted by semicolons. Cover card numbers: what a "
    "picture shows cannot be searched for them."
)


def take_in(
    services: Services, log: VisitLog, lane: str, path: Path, kind: EvidenceKind, about: str, note: str = ""
) -> EvidenceFile:
    """Copy a file into the visit's evidence folder and record it; ``lane`` empty: it is about the whole visit.

    The copy is complete and on disk before the record says so: a stop in between leaves a copy that no record names,
    never a record without its file. The same file for the same thing is recorded once. Raises :class:`BadEvidence`,
    ``StoreError``.
    """
    found = _without_numbers(read_evidence(path), log)
    digest = hashlib.sha256(found.data).hexdigest()
    for known in log.evidence_of(lane):
        if (known.sha256, known.about) == (digest, about):
            return known
    folder = services.paths.evidence(log.visit_id)
    with _COPYING:
        services.disk.make_folder(folder)
        services.disk.write_file(folder / f"{digest}{found.suffix}", found.data)
    file = EvidenceFile(
        sha256=digest,
        name=redact(written(path.name)),
        suffix=found.suffix,
        size_bytes=len(found.data),
        kind=kind,
        about=about,
        at=services.clock.now(),
        modified_at=found.modified_at,
        taken_at=found.taken_at,
        geo=found.geo,
        camera=found.camera,
        note=redact(note),
        masked=found.masked,
    )
    log.took_in(lane, file)
    return file


def _without_numbers(found: ReadFile, log: VisitLog) -> ReadFile:
    """Of a text: terminal and merchant numbers that the record knows by their last four, for only the record is sealed.

    The record itself says which they are, so nothing is lost by it.
    """
    if found.suffix not in TEXTS:
        return found
    db = log.db
    words = Words(n for table in db.tables() for document in db.table(table) for n in numbers_in(document))
    text = found.data.decode()
    clean = words.mask_known(text)
    return found if clean == text else replace(found, data=clean.encode(), masked=True)


def digests(files: Collection[EvidenceFile]) -> tuple[str, ...]:
    """For a check's or an incident's record."""
    return tuple(dict.fromkeys(file.sha256 for file in files))


async def ask_photo(
    lane: Lane,
    about: str,
    kind: EvidenceKind,
    *,
    step: StepKind = StepKind.TEST,
    question: str = "",
    text: Phrase | None = None,
    help_text: Phrase | None = None,
) -> tuple[EvidenceFile, ...]:
    """Ask for photos (or slips, logs) of one terminal; none is an answer too.

    ``question``: the question's id, else ``ABOUT.photo``. What was taken in for ``about`` before a stop is not asked
    for again. A file that cannot be taken is told, and asked for again.
    """
    known = tuple(file for file in lane.log.evidence_of(lane.id) if file.about == about)
    if known:
        return known
    serial = lane.known.identity.serial if lane.state else lane.record.serial
    return await _asked(
        _question(question or f"{about}.photo", text, help_text, serial),
        lambda question: lane.ask(step, question),
        lambda path: take_in(lane.services, lane.log, lane.id, path, kind, about),
        lambda problem: lane.notice(problem, step=step, warning=True),
    )


async def ask_visit_photo(
    services: Services,
    log: VisitLog,
    operator: Operator,
    about: str,
    kind: EvidenceKind,
    *,
    question: str = "",
    text: Phrase | None = None,
    help_text: Phrase | None = None,
    tell: Callable[[Phrase], None] | None = None,
) -> tuple[EvidenceFile, ...]:
    """The same about the visit as a whole; ``tell``: how a file that cannot be taken is said (default: a notice)."""
    known = tuple(file for file in log.evidence_of(WHOLE_VISIT) if file.about == about)
    if known:
        return known
    return await _asked(
        _question(question or f"{about}.photo", text, help_text),
        operator.ask,
        lambda path: take_in(services, log, WHOLE_VISIT, path, kind, about),
        tell or (lambda problem: log.noted(WHOLE_VISIT, problem, warning=True)),
    )


def _question(name: str, text: Phrase | None, help_text: Phrase | None, serial: str = "") -> Question:
    return Question(
        name, AnswerKind.FILE, text or Phrase(_PHOTO), help=help_text or Phrase(_HELP), serial=serial, optional=True
    )


async def _asked(
    question: Question,
    ask: Callable[[Question], Awaitable[str]],
    take: Callable[[Path], EvidenceFile],
    tell: Callable[[Phrase], None],
) -> tuple[EvidenceFile, ...]:
    """Until every file named was taken in; the same unusable answer twice is nobody's who can mend it."""
    before = None
    for _attempt in range(_TRIES):
        answer = await ask(question)
        if not paths_in(answer):
            return ()
        try:
            return tuple([await asyncio.to_thread(take, path) for path in _paths(answer)])
        except BadEvidence as error:
            problem = error.what_phrase
        if answer == before:
            shown = redact(answer)[:40]
            raise AnswerUnusable(question=question.id, text=question.text, answer=shown, allowed=problem)
        tell(problem)
        before = answer
    return ()


def _paths(answer: str) -> tuple[Path, ...]:
    return tuple(_at_home(path) for path in paths_in(answer))


def _at_home(text: str) -> Path:
    """``~`` stands for the home folder, as in a shell; raises :class:`BadEvidence` for a person there is not."""
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)
    except RuntimeError as error:
        raise BadEvidence(path=written(text), problem=phrase("there is no such folder")) from error
