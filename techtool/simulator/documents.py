"""Read the simulator's own TOML and JSON files strictly: a misspelt key is an error, not a fault that never happens."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from techtool.domain.codec import CodecError, convert_exactly, decode_json_untyped, decode_toml
from techtool.errors import BadFile

T = TypeVar("T")


def read_document(path: Path, kind: type[T]) -> T:
    """The file as ``kind`` (JSON when its name ends so, else TOML); raises :class:`BadFile` naming the place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or type(error).__name__) from error
    try:
        if path.suffix == ".json":
            return convert_exactly(decode_json_untyped(data), kind)
        return decode_toml(data, kind, strict=True)
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error
