"""By whom this laptop was enrolled: the office's key, which alone enrols it again, and what came with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import ENROLMENT, check_schema, newest
from techtool.errors import StoreDamaged
from techtool.i18n import phrase
from techtool.paths import DISK, Disk, Paths, disk_error
from techtool.reports.signers import key_of_line


@dataclass(frozen=True, slots=True)
class Enrolled:
    """``trust/enrolment.json``"""

    office: str
    """As it calls itself."""
    key: str
    """Its public key, as a line of OpenSSH."""
    issued: str
    """Of the newest file that was accepted; an older one is refused."""
    digest: str
    """SHA-256 of what that file says."""
    roots: tuple[str, ...]
    """Fingerprints of the roots that it brought."""
    at: str
    """When it was accepted here."""
    plain_http_url: str = ""
    """The one address that may be spoken to without protection, when the office says so."""
    schema: int = newest(ENROLMENT)

    @property
    def key_blob(self) -> bytes:
        """The key in SSH's wire format."""
        return key_of_line(self.key) or b""


def read_enrolled(paths: Paths) -> Enrolled | None:
    """None: not enrolled yet. Raises :class:`StoreDamaged`: another office's file would be a first one then."""
    path = paths.enrolment
    try:
        data = path.read_bytes()
        check_schema(ENROLMENT, data, path)
        found = decode_json(data, Enrolled)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path) from error
    except CodecError as error:
        raise _damaged(path, str(error)) from error
    if not found.key_blob:
        raise _damaged(path, "key")
    return found


def write_enrolled(paths: Paths, enrolled: Enrolled, disk: Disk = DISK) -> None:
    """Replace it as one."""
    disk.write_file(paths.enrolment, encode_json(enrolled))


def _damaged(path: Path, detail: str) -> StoreDamaged:
    return StoreDamaged(path=str(path), problem=phrase("it cannot be read"), detail=detail)
