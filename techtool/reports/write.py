"""Reports as files: every format and language asked for, signatures beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from techtool.domain.visit import VisitRecord
from techtool.errors import UsageError
from techtool.i18n import LANGUAGES, phrase
from techtool.paths import DISK, Disk
from techtool.reports.csv_rows import inspection_csv, register_csv
from techtool.reports.formats import FORMATS
from techtool.reports.html import render_html, render_merchant_html
from techtool.reports.keys import ReportKey
from techtool.reports.merchant import build_merchant
from techtool.reports.model import build
from techtool.reports.statement import statement

SUMS: Final = "SHA256SUMS"
"""Every file of one writing by its digest, in the form that ``sha256sum -c`` reads; signed like the JSON."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One writing of one visit."""

    visit: VisitRecord
    languages: Sequence[str]
    zone: tzinfo

    def html(self) -> Iterator[tuple[str, bytes]]:
        for language in self.languages:
            yield f"{language}.html", render_html(build(self.visit, language, self.zone)).encode()

    def merchant(self) -> Iterator[tuple[str, bytes]]:
        from techtool.reports.pdf import render_merchant_pdf

        for language in self.languages:
            page = build_merchant(self.visit, language, self.zone)
            yield f"{language}.merchant.html", render_merchant_html(page).encode()
            yield f"{language}.merchant.pdf", render_merchant_pdf(page)

    def pdf(self) -> Iterator[tuple[str, bytes]]:
        from techtool.reports.pdf import render_pdf

        for language in self.languages:
            yield f"{language}.pdf", render_pdf(build(self.visit, language, self.zone))

    def csv(self) -> Iterator[tuple[str, bytes]]:
        for language in self.languages:
            yield f"{language}.register.csv", register_csv(self.visit, language, self.zone)
            yield f"{language}.inspection.csv", inspection_csv(self.visit, language, self.zone)

    def json(self) -> Iterator[tuple[str, bytes]]:
        yield "json", statement(self.visit)


def write_reports(
    visit: VisitRecord,
    formats: Iterable[str],
    folder: Path,
    languages: Sequence[str],
    key: ReportKey | None = None,
    disk: Disk = DISK,
    zone: tzinfo = UTC,
) -> list[Path]:
    """Write ``<visit-id>.<language>.html``, ``….<language>.merchant.html`` and so on, and ``<visit-id>.json``.

    With a key also ``<visit-id>.json.sig``, ``<visit-id>.SHA256SUMS`` over what was written now, and its signature.
    Each file appears whole or not at all; a signature is written after what it signs, and one that fits no more goes
    before the text changes. Raises :class:`UsageError` for a format or language there is not.
    """
    wanted = tuple(dict.fromkeys(formats))
    _check(wanted, FORMATS)
    _check(tuple(languages), LANGUAGES)
    disk.make_folder(folder)
    written: list[Path] = []
    sums: list[str] = []

    def put(ending: str, data: bytes) -> None:
        path = folder / f"{visit.id}.{ending}"
        if ending in ("json", SUMS):
            _drop_stale_signature(path, data, disk)
        disk.write_file(path, data)
        written.append(path)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {path.name}")

    job = _Job(visit, languages, zone)
    writers = {"html": job.html, "merchant": job.merchant, "pdf": job.pdf, "csv": job.csv, "json": job.json}
    for word in FORMATS:
        if word not in wanted:
            continue
        for ending, data in writers[word]():
            put(ending, data)
            if word == "json" and key is not None:
                put("json.sig", key.sign(data).encode())
    if key is not None:
        listing = ("\n".join(sums) + "\n").encode()
        put(SUMS, listing)
        put(f"{SUMS}.sig", key.sign(listing).encode())
    return written


def _drop_stale_signature(path: Path, data: bytes, disk: Disk) -> None:
    signature = path.with_name(path.name + ".sig")
    if signature.exists() and not (path.is_file() and path.read_bytes() == data):
        disk.unlink(signature)


def _check(wanted: Sequence[str], known: Sequence[str]) -> None:
    for word in wanted:
        if word not in known:
            raise UsageError(problem=phrase("“{word}” is none of: {known}", word=word, known=", ".join(known)))
