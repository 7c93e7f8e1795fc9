"""Whom to call about a terminal, without a network: what the makers themselves published, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.terminal import Evidence
from techtool.errors import BadFile

_FILE: Final = Path(__file__).parent / "data" / "contacts.toml"


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to a vendor's support; empty: none was found in any document."""

    vendor: str
    """Catalogue id."""
    name: str
    region: Mapping[str, str]
    """For whom, per language."""
    source: str
    page: str = ""
    phone: str = ""
    mail: str = ""
    evidence: Evidence = Evidence.DOCUMENTED


@dataclass(frozen=True, slots=True)
class _ContactsFile:
    schema: int
    contact: tuple[Contact, ...] = ()


@cache
def vendor_contacts() -> tuple[Contact, ...]:
    """All of them, in the file's order; raises :class:`BadFile`."""
    try:
        return decode_toml(_FILE.read_bytes(), _ContactsFile, strict=True).contact
    except (OSError, CodecError) as error:
        raise BadFile(path=str(_FILE), problem=str(error)) from error
