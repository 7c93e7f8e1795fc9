"""JSON and TOML in and out of typed values: the one module that knows msgspec.

A decoding problem names the place (``$.files[1].size``) and never shows a traceback; deep nesting, NaN, lone surrogates
and (with :func:`convert_exactly`) unknown fields are refused.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

Unread = msgspec.Raw
"""A value that is passed over without being read."""

_MAX_TEXT: Final = 400
_HEAD: Final = 200
_TAIL: Final = 150
"""The place stands at the end."""


class CodecError(ValueError):
    """Bytes that are not what they should be; the text names the place, and is bounded and fit to be shown.

    What it quotes (a key, a value) comes from the bytes, which may be a stranger's.
    """

    def __init__(self, text: str) -> None:
        plain = text if len(text) <= _MAX_TEXT else f"{text[:_HEAD]} … {text[-_TAIL:]}"
        super().__init__("".join(letter if letter.isprintable() else "�" for letter in plain))


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
        msgspec.json.decode(data)  # refuses what json lets pass: NaN, lone surrogates, bytes after the end
        return json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except CodecError:
        raise
    except (ValueError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise CodecError(str(error)) from error
    except RecursionError as error:
        raise CodecError("nested too deeply") from error


def decode_toml(data: bytes, kind: type[T], *, strict: bool = False) -> T:
    """Read one TOML document as ``kind``, with ``strict`` refusing unknown keys; raises :class:`CodecError`."""
    try:
        document = tomllib.loads(data.decode("utf-8"))
        return convert_exactly(document, kind) if strict else convert(document, kind)
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


def convert_exactly(value: object, kind: type[T]) -> T:
    """Like :func:`convert`, and a field that ``kind`` lacks is an error too: what is signed must mean all it says."""
    result = convert(value, kind)
    unknown = _unknown(value, result)
    if unknown is not None:
        raise CodecError(f"unknown field “{unknown[0]}” - at `${unknown[1]}`")
    return result


def _unknown(tree: object, value: object) -> tuple[str, str] | None:
    """Walk a document beside what was read from it: the first key that was not read, and its place."""
    if isinstance(tree, dict):
        names = _names_of(type(value))
        for key, item in tree.items():
            if names is not None and key not in names:
                return str(key), ""
            if isinstance(item, dict | list):
                below = value.get(key) if isinstance(value, Mapping) else getattr(value, key)
                found = _unknown(item, below)
                if found is not None:
                    return found[0], f".{key}{found[1]}"
    elif isinstance(tree, list) and isinstance(value, list | tuple):
        for place, (item, below) in enumerate(zip(tree, value, strict=True)):
            found = _unknown(item, below)
            if found is not None:
                return found[0], f"[{place}]{found[1]}"
    return None


_FIELDS: dict[type, frozenset[str] | None] = {}


def _names_of(kind: type) -> frozenset[str] | None:
    """The fields of a dataclass; None for anything else."""
    if kind not in _FIELDS:
        _FIELDS[kind] = frozenset(field.name for field in fields(kind)) if is_dataclass(kind) else None
    return _FIELDS[kind]


def plain(value: object) -> Any:
    """A typed value as JSON-like values that :func:`convert` reads back."""
    return msgspec.to_builtins(value)


def encode_json(value: object, *, indent: int = 0) -> bytes:
    """``value`` as JSON in UTF-8; the same value gives the same bytes."""
    data = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(data, indent=indent) if indent else data
