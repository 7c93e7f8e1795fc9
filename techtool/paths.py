"""Where things live on the laptop, and how a byte gets there so that it stays."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.errors import DiskError, DiskFull, TechtoolError
from techtool.i18n import N_, Phrase

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_PROBLEM: Final = {
    errno.EACCES: N_("no permission"),
    errno.EPERM: N_("no permission"),
    errno.EROFS: N_("it is on a disk that may only be read"),
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EISDIR: N_("it is a folder, not a file"),
    errno.ENOTDIR: N_("what should be a folder is a file"),
    errno.EEXIST: N_("something of that name is there already"),
    errno.EIO: N_("the disk reports an error"),
    errno.ENODEV: N_("the disk is gone"),
    errno.ENXIO: N_("the disk is gone"),
}
"""What the operating system says most often, in both languages; the rest is told in its own words."""


def os_problem(error: OSError) -> Phrase | str:
    """Why the operating system refused, for a person."""
    known = _PROBLEM.get(error.errno or 0)
    return Phrase(known) if known else error.strerror or type(error).__name__


def disk_error(error: OSError, path: Path | str) -> TechtoolError:
    """The error of our tree that an ``OSError`` at ``path`` means."""
    if error.errno in _FULL:
        return DiskFull(path=str(path), detail=str(error))
    return DiskError(path=str(path), problem=os_problem(error), detail=str(error))


class Disk:
    """The few effects by which anything is kept: tests count and stop them here."""

    def create(self, path: Path, *, exclusive: bool = False) -> int:
        """Open ``path`` for appending, made if missing; returns a file descriptor."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | (os.O_EXCL if exclusive else 0)
        try:
            return os.open(path, flags, 0o600)
        except OSError as error:
            raise disk_error(error, path) from error

    def write(self, fd: int, data: bytes, path: Path) -> None:
        """Write all of ``data``."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(fd, view) :]
        except OSError as error:
            raise disk_error(error, path) from error

    def fsync(self, fd: int, path: Path) -> None:
        """Make what was written survive a power cut (``F_FULLFSYNC`` on macOS, where the file system knows it).

        A failure is never tried again: the system may have dropped what it could not write, and the next call would
        succeed over nothing.
        """
        try:
            if sys.platform == "darwin":
                import fcntl

                try:
                    fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                    return
                except OSError as error:
                    if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                        raise
            os.fsync(fd)
        except OSError as error:
            raise disk_error(error, path) from error

    def truncate(self, fd: int, size_bytes: int, path: Path) -> None:
        """Cut a file back to its last good byte."""
        try:
            os.ftruncate(fd, size_bytes)
        except OSError as error:
            raise disk_error(error, path) from error

    def replace(self, source: Path, target: Path) -> None:
        """Rename over ``target`` and make the rename durable."""
        try:
            os.replace(source, target)
            self.fsync_folder(target.parent)
        except OSError as error:
            raise disk_error(error, target) from error

    def fsync_folder(self, folder: Path) -> None:
        """Make a new or renamed name durable; Windows has no such call and needs none."""
        if sys.platform == "win32":
            return
        try:
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise disk_error(error, folder) from error

    def unlink(self, path: Path) -> None:
        """Remove a file if it is there."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, path) from error

    def free_bytes(self, folder: Path) -> int:
        """Room left for this user on the disk that holds ``folder``."""
        import shutil

        try:
            return shutil.disk_usage(folder).free
        except OSError as error:
            raise disk_error(error, folder) from error

    def make_folder(self, folder: Path) -> None:
        """Make a private folder and its parents, private as well: ``mkdir`` gives parents everybody's mode."""
        try:
            for parent in reversed(folder.parents):
                if not parent.exists():
                    parent.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise disk_error(error, folder) from error

    def write_file(self, path: Path, data: bytes) -> None:
        """Replace ``path`` as one: ``.part`` beside it, fsync, rename; on any failure the old file stands."""
        part = path.with_name(path.name + ".part")
        self.unlink(part)
        fd = self.create(part)
        try:
            self.write(fd, data, path)
            self.fsync(fd, path)
        except BaseException:
            os.close(fd)
            with contextlib.suppress(TechtoolError):
                self.unlink(part)
            raise
        os.close(fd)
        self.replace(part, path)


DISK: Final = Disk()


@dataclass(frozen=True, slots=True)
class Paths:
    """``TECHTOOL_HOME`` and what is in it."""

    home: Path

    @classmethod
    def default(cls) -> Paths:
        """``$TECHTOOL_HOME``, else the platform's data folder."""
        given = os.environ.get("TECHTOOL_HOME")
        if given:
            return cls(Path(given).expanduser().absolute())
        from platformdirs import user_data_path

        return cls(user_data_path("techtool", appauthor=False))

    @property
    def settings(self) -> Path:
        """The person's settings."""
        return self.home / "settings.toml"

    @property
    def visits(self) -> Path:
        """One journal a visit."""
        return self.home / "visits"

    def evidence(self, visit_id: str) -> Path:
        """Photos, slips and logs of one visit, named by SHA-256."""
        return self.visits / visit_id / "evidence"

    @property
    def index(self) -> Path:
        """Derived from the visits."""
        return self.home / "index.jnl"

    @property
    def terminals(self) -> Path:
        """Derived as well: one entry for each terminal of each visit."""
        return self.home / "terminals.jnl"

    @property
    def timings(self) -> Path:
        """Derived as well: what each phase took."""
        return self.home / "timings.jnl"

    @property
    def logs(self) -> Path:
        """What techtool did, for the support desk; a few files that take each other's place."""
        return self.home / "logs"

    @property
    def facts(self) -> Path:
        """Facts about makers that the office supplies, and reference pictures."""
        return self.home / "catalogue"

    @property
    def probes(self) -> Path:
        """Who probed which network or port, and when."""
        return self.home / "probes.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the one writer."""
        return self.home / "techtool.lock"

    @property
    def backups(self) -> Path:
        """age files."""
        return self.home / "backups"

    @property
    def backup_log(self) -> Path:
        """Who opened which of them, and which were wiped."""
        return self.backups / "log.jnl"

    @property
    def trust(self) -> Path:
        """Pinned roots, newest verified metadata, clock floor."""
        return self.home / "trust"

    @property
    def recipients(self) -> Path:
        """The office's age recipients, one a line."""
        return self.trust / "recipients.txt"

    @property
    def device_certificates(self) -> Path:
        """Certificates of gateways that a person compared with the label."""
        return self.trust / "devices"

    @property
    def report_key(self) -> Path:
        """The technician's report key (OpenSSH, passphrase-protected)."""
        return self.home / "keys" / "report.key"

    @property
    def store_key(self) -> Path:
        """What opens the confidential words of this laptop's records (:mod:`techtool.store.keys`)."""
        return self.home / "keys" / "store.key"

    @property
    def visit_keys(self) -> Path:
        """One age identity a visit."""
        return self.home / "keys" / "visits"

    @property
    def payloads(self) -> Path:
        """Verified copies of payloads while a visit needs them, named by SHA-256."""
        return self.home / "payloads"

    @property
    def reports(self) -> Path:
        """Reports as they were written."""
        return self.home / "reports"

    @property
    def office(self) -> Path:
        """What is known of the exchange with the office: this laptop's id, which visits are home."""
        return self.home / "office"

    @property
    def office_login(self) -> Path:
        """Name and password for the office's server; for nobody else on this laptop to read."""
        return self.home / "keys" / "office.login"

    @property
    def office_ca(self) -> Path:
        """The one certificate authority that the office's server is judged by, when the enrolment names one."""
        return self.trust / "office-ca.pem"

    @property
    def allowed_signers(self) -> Path:
        """Whose signatures the office believes (OpenSSH's format), as the enrolment lists them."""
        return self.trust / "allowed_signers"

    @property
    def enrolment(self) -> Path:
        """By whom and with what this laptop was enrolled."""
        return self.trust / "enrolment.json"

    @property
    def outbox(self) -> Path:
        """What waits for the office."""
        return self.home / "outbox"

    @property
    def adb_key(self) -> Path:
        """The RSA key that terminals are asked to allow (ADB)."""
        return self.home / "keys" / "adb.key"
