"""The first run: what must be on a laptop before its first visit, made in one place for screens and command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from techtool.backups.keys import read_recipients
from techtool.bundles.roots import pin_root, pinned_root
from techtool.errors import BadFile, UsageError
from techtool.i18n import LANGUAGES, _, phrase
from techtool.paths import DISK, Disk, Paths, os_problem
from techtool.reports.keys import make_report_key
from techtool.settings import read_settings, write_settings

MIN_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class Missing:
    """What the first run still has to ask for."""

    technician: bool
    report_key: bool
    root: bool
    recipients: bool

    @property
    def any(self) -> bool:
        """Whether this laptop cannot begin a visit yet."""
        return self.technician or self.report_key or self.root or self.recipients


def missing(paths: Paths) -> Missing:
    """What this home folder lacks; raises :class:`BadSettings` when its settings cannot be read."""
    return Missing(
        technician=not read_settings(paths.settings).technician,
        report_key=not paths.report_key.is_file(),
        root=pinned_root(paths) is None,
        recipients=not paths.recipients.is_file(),
    )


def save_person(
    paths: Paths,
    language: str,
    technician: str,
    disk: Disk = DISK,
    *,
    staff_no: str | None = None,
    service_company: str | None = None,
) -> None:
    """Language and name, into the settings; of staff number and company None leaves what stands there."""
    if language not in LANGUAGES:
        raise UsageError(problem=_("The language is en or zh."))
    if not technician.strip():
        raise UsageError(problem=_("The name may not be empty; it stands in every report."))
    settings = replace(read_settings(paths.settings), language=language, technician=technician.strip())
    if staff_no is not None:
        settings = replace(settings, staff_no=staff_no.strip())
    if service_company is not None:
        settings = replace(settings, service_company=service_company.strip())
    write_settings(paths.settings, settings, disk)


def make_key(paths: Paths, technician: str, passphrase: str, disk: Disk = DISK) -> str:
    """The technician's report key; returns the public line that the office needs. An existing key is never replaced."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise UsageError(problem=_("The passphrase needs at least 8 characters."))
    if paths.report_key.exists():
        raise UsageError(problem=_("There is a report key already; it is not replaced."))
    disk.make_folder(paths.report_key.parent)
    return make_report_key(paths.report_key, passphrase, technician, disk)


def trust_root(paths: Paths, root_file: Path, disk: Disk = DISK) -> str:
    """Pin the office's root after the person has compared its fingerprint; returns the fingerprint."""
    return pin_root(paths, _read(root_file), disk=disk)


def save_recipients(paths: Paths, source: Path, disk: Disk = DISK) -> tuple[str, ...]:
    """Keep the office's age recipients; raises :class:`BadFile` when the file holds none."""
    data = _read(source)
    recipients = read_recipients(source)
    if not recipients:
        raise BadFile(path=str(source), problem=phrase("no age recipient is in it"))
    disk.make_folder(paths.recipients.parent)
    disk.write_file(paths.recipients, data)
    return recipients


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
