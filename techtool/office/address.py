"""Where the office's database is, read strictly: what is sent there is the record of a shop. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from techtool.errors import UsageError
from techtool.i18n import phrase

_MAX: Final = 500
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/[a-z][a-z0-9_$()+-]*")
"""Folders of a server that stands behind another one, and last the database by CouchDB's rule for its name."""
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class OfficeAddress:
    """A database on a server."""

    scheme: str
    host: str
    """As it stands in the address: an IPv6 address in brackets."""
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Whom a name and password are meant for."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Always the same for the same database: what is home is remembered by it."""
        return self.origin + self.path


def is_url(text: str) -> bool:
    """Whether a person means a server, not a folder."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def parse_address(text: str, *, plain_http: bool = False) -> OfficeAddress:
    """The address of a database; raises :class:`UsageError`.

    ``plain_http``: the enrolment allows an unprotected connection, which else is for this computer itself only.
    """
    if "@" in text:
        # The text is not quoted: a password stands in it.
        raise UsageError(
            problem=phrase("Name and password do not belong in the address; enter them with “techtool office login”.")
        )
    if len(text) > _MAX or not text.isascii() or not text.isprintable():
        raise UsageError(problem=phrase("That is no address of a server."))
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise UsageError(problem=phrase("“{text}” is no address of a server.", text=text)) from None
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or parts.query or parts.fragment:
        problem = phrase("“{text}” is no address of a server: write https://HOST/DATABASE.", text=text)
        raise UsageError(problem=problem)
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path) or "/.." in path or "/./" in path:
        problem = phrase("“{text}” names no database: write https://HOST/DATABASE.", text=text)
        raise UsageError(problem=problem)
    if parts.scheme == "http" and not plain_http and not _is_here(parts.hostname or ""):
        problem = phrase(
            "“{text}” is not protected: write https://. Only the office's enrolment may allow it.", text=text
        )
        raise UsageError(problem=problem)
    return OfficeAddress(parts.scheme, host, port, path)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
