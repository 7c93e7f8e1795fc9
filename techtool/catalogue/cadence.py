"""The one reader of what is documented about update cycles and the end of support."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.due import Cycles
from techtool.errors import BadFile

_FILE: Final = Path(__file__).parent / "data" / "cadence.toml"


@cache
def load_cycles(path: Path = _FILE) -> Cycles:
    """What is documented; raises :class:`BadFile` naming file and place."""
    try:
        cycles = decode_toml(path.read_bytes(), Cycles, strict=True)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or type(error).__name__) from error
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    for place, cadence in enumerate(cycles.cadence):
        if cadence.days < 1 or not cadence.source:
            raise BadFile(path=str(path), problem=f"$.cadence[{place}]: days from 1, with a source")
    return cycles
