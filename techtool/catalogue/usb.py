"""Whose USB vendor id it is: only a name beside what is plugged in; what a device can do is told by its interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.terminal import Evidence
from techtool.errors import BadFile

_FILE: Final = Path(__file__).parent / "data" / "usb.toml"


@dataclass(frozen=True, slots=True)
class UsbVendor:
    """One vendor's ids."""

    name: str
    ids: tuple[int, ...]
    source: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _UsbFile:
    schema: int
    vendor: tuple[UsbVendor, ...]


@cache
def usb_vendors(path: Path = _FILE) -> Mapping[int, UsbVendor]:
    """By id; raises :class:`BadFile` naming file and place."""
    try:
        vendors = decode_toml(path.read_bytes(), _UsbFile, strict=True).vendor
    except (OSError, CodecError) as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    found: dict[int, UsbVendor] = {}
    for place, vendor in enumerate(vendors):
        for one in vendor.ids:
            if not 0 < one <= 0xFFFF or one in found or not vendor.source:
                raise BadFile(path=str(path), problem=f"$.vendor[{place}]: an id of its own, with a source")
            found[one] = vendor
    return found
