"""JSON and TOML in and out of typed values: the one module that knows msgspec.

A decoding problem names the place (``$.files[1].size``) and never shows a traceback; deep nesting, NaN, lone surrogates
and (with ``strict``) unknown fields are refused.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class CodecError(ValueError):
    """Bytes that are not what they should be; the text names the place."""


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise CodecError(f"the key “{key}” stands twice")
        seen[key] = value
    return seen


def decode_json(data: bytes, kind: type[T]) -> T:
    """Read one JSON document as ``kind`` (a dataclass, a mapping …); raises :class:`CodecError`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CodecError(str(error)) from error
    except RecursionError as error:
        raise CodecError("nested too deeply") from error


def decode_json_untyped(data: bytes) -> object:
    """Read any JSON document, refusing duplicate keys; for input whose keys are the message."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except CodecError:
        raise
    except (ValueError, UnicodeDecodeError) as error:
        raise CodecError(str(error)) from error
    except RecursionError as error:
        raise CodecError("nested too deeply") from error


def decode_toml(data: bytes, kind: type[T]) -> T:
    """Read one TOML document as ``kind``; raises :class:`CodecError`."""
    try:
        return convert(tomllib.loads(data.decode("utf-8")), kind)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodecError(str(error)) from error
    except RecursionError as error:
        raise CodecError("nested too deeply") from error


def convert(value: object, kind: type[T]) -> T:
    """Plain JSON-like values (dicts, lists, strings) as ``kind``; raises :class:`CodecError`."""
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.MsgspecError as error:
        raise CodecError(str(error)) from error


def plain(value: object) -> Any:
    """A typed value as JSON-like values that :func:`convert` reads back."""
    return msgspec.to_builtins(value)


def encode_json(value: object, *, indent: int = 0) -> bytes:
    """``value`` as JSON in UTF-8; the same value gives the same bytes."""
    data = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(data, indent=indent) if indent else data
