"""Reports as files: every format and language asked for, signatures beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from techtool.domain.visit import VisitRecord
from techtool.errors import UsageError
from techtool.i18n import LANGUAGES, phrase
from techtool.paths import DISK, Disk
from techtool.reports.html import render_html
from techtool.reports.keys import ReportKey
from techtool.reports.model import build
from techtool.reports.statement import statement

FORMATS: Final = ("html", "json")
"""What can be written, by the words of ``--format``."""


def write_reports(
    visit: VisitRecord,
    formats: Iterable[str],
    folder: Path,
    languages: Sequence[str],
    key: ReportKey | None = None,
    disk: Disk = DISK,
    zone: tzinfo = UTC,
) -> list[Path]:
    """Write ``<visit-id>.<language>.html``, ``<visit-id>.json`` and, with a key, ``<visit-id>.json.sig``.

    Each file appears whole or not at all; a signature is written after what it signs, and one that fits no more goes
    before the text changes. Raises :class:`UsageError` for a format or language there is not.
    """
    wanted = tuple(dict.fromkeys(formats))
    _check(wanted, FORMATS)
    _check(tuple(languages), LANGUAGES)
    disk.make_folder(folder)
    written: list[Path] = []

    def put(name: str, data: bytes) -> None:
        path = folder / name
        disk.write_file(path, data)
        written.append(path)

    if "html" in wanted:
        for language in languages:
            put(f"{visit.id}.{language}.html", render_html(build(visit, language, zone)).encode())
    if "json" in wanted:
        data = statement(visit)
        _drop_stale_signature(folder / f"{visit.id}.json", data, disk)
        put(f"{visit.id}.json", data)
        if key is not None:
            put(f"{visit.id}.json.sig", key.sign(data).encode())
    return written


def _drop_stale_signature(path: Path, data: bytes, disk: Disk) -> None:
    signature = path.with_name(path.name + ".sig")
    if signature.exists() and not (path.is_file() and path.read_bytes() == data):
        disk.unlink(signature)


def _check(wanted: Sequence[str], known: Sequence[str]) -> None:
    for word in wanted:
        if word not in known:
            raise UsageError(problem=phrase("“{word}” is none of: {known}", word=word, known=", ".join(known)))
