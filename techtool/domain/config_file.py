"""A terminal's configuration file: which of its keys are kept, and how they come back. Pure.

Only keys that are named are kept; passwords stay where they are and are entered again by hand (class D of the field
research, §3.3). Counters only ever go upward: a batch or trace number that goes down is refused by the host (§0.5).
A file that says a later version than the terminal's own is never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from techtool.domain.codec import CodecError, decode_json, decode_json_untyped, encode_json
from techtool.i18n import Phrase, phrase

LARGEST_BYTES: Final = 1 << 20
"""A larger one is no configuration file."""
FOLDER: Final = "config"
"""Where the kept keys stand in a backup."""
_COUNT: Final = re.compile(r"[0-9]{1,18}")
_VERSION: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")

Value = str | int | bool
"""What a key may hold; a nested or a broken value is left alone."""


class Format(StrEnum):
    """How the file is written."""

    JSON = "json"
    """One object; only its own keys count, not those of objects in it."""
    KEY_VALUE = "key-value"
    """``KEY=VALUE`` lines; empty lines and those that begin with ``#`` stay."""


class ConfigRefused(Exception):
    """The file may not be written, and why."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason.text("en"))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ConfigRule:
    """What may be done with one configuration file."""

    path: str
    format: Format
    version: str
    """The key that says which version of the file it is."""
    keys: tuple[str, ...]
    """Keys that are kept and put back."""
    counters: tuple[str, ...] = ()
    """Of these keys: those that only ever go upward."""
    reenter: tuple[str, ...] = ()
    """Passwords: left as they are on the terminal, never kept."""

    @property
    def item(self) -> str:
        """Its name in a backup."""
        return f"{FOLDER}{self.path}"


@dataclass(frozen=True, slots=True)
class FormerConfig:
    """What a backup keeps of a file."""

    version: str
    values: Mapping[str, Value] = field(default_factory=dict)
    reenter: tuple[str, ...] = ()
    """Passwords that the file had."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The file as it is to be: the terminal's own, with what the backup keeps."""

    content: bytes
    changed: tuple[str, ...]
    """Keys that are written with another value; none: nothing is to be written."""
    kept_higher: tuple[str, ...]
    """Counters that stand higher on the terminal and stay as they are."""
    reenter: tuple[str, ...]
    """Passwords that a person enters again."""


@dataclass(frozen=True, slots=True)
class ConfigBack:
    """One file that is not as in the backup, by the names of its keys; never by their values."""

    item: str
    path: str
    changed: tuple[str, ...]
    reenter: tuple[str, ...]
    kept_higher: tuple[str, ...] = ()
    """Counters that were left as they are because they stand higher; known once it was written, for sales go on."""


@dataclass(frozen=True, slots=True)
class RestoredConfig:
    """One file that was written back and read again."""

    backup: str
    backup_serial: str
    path: str
    changed: tuple[str, ...]
    """Keys that the plan named."""
    reenter: tuple[str, ...]


def keep(rule: ConfigRule, data: bytes) -> FormerConfig:
    """What may be kept of the file ``data``; raises :class:`ConfigRefused` where it is none."""
    found = _parse(rule, data)
    values = {key: value for key in rule.keys if isinstance(value := found.get(key), str | int)}
    return FormerConfig(_version_of(rule, found), values, tuple(key for key in rule.reenter if key in found))


def former_bytes(former: FormerConfig) -> bytes:
    """As it stands in a backup."""
    return encode_json(former, indent=1)


def read_former(data: bytes) -> FormerConfig:
    """Read back from a backup; raises :class:`CodecError`."""
    return decode_json(data, FormerConfig)


def merge(rule: ConfigRule, data: bytes, former: FormerConfig) -> Merged:
    """The terminal's file ``data`` with the kept keys in it; every counter the higher of the two.

    Raises :class:`ConfigRefused`: where the file or a counter in it cannot be read, nobody knows what higher is.
    """
    now = _parse(rule, data)
    _same_or_earlier(former.version, _version_of(rule, now))
    wanted = {key: former.values[key] for key in rule.keys if key in former.values}
    higher: list[str] = []
    for key in rule.counters:
        value, is_higher = _counter(rule, key, now, wanted.get(key))
        wanted[key] = value
        if is_higher:
            higher.append(key)
    changed = {key: value for key, value in wanted.items() if key not in now or not _same(now[key], value)}
    content = _render(rule, data, now, changed) if changed else data
    reenter = tuple(key for key in rule.reenter if key in now or key in former.reenter)
    return Merged(content, tuple(changed), tuple(higher), reenter)


def _same(one: object, other: object) -> bool:
    """Equal and of the same type: JSON's 1 is not its true."""
    return type(one) is type(other) and one == other


def _counter(rule: ConfigRule, key: str, now: Mapping[str, object], before: Value | None) -> tuple[Value, bool]:
    """The value to stand, and whether it is the terminal's own, higher one."""
    current = now.get(key)
    count = _count_of(current)
    if count is None or not isinstance(current, str | int):
        raise ConfigRefused(
            phrase("the counter {key} in {path} cannot be read on the terminal", key=key, path=rule.path)
        )
    former = _count_of(before)
    if former is None or former <= count:
        return current, former is not None and former < count
    return (str(former).zfill(len(current)) if isinstance(current, str) else former), False


def _count_of(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    text = str(value) if isinstance(value, str | int) else ""
    return int(text) if _COUNT.fullmatch(text) else None


def _same_or_earlier(then: str, now: str) -> None:
    if _ordered(then) > _ordered(now):
        raise ConfigRefused(
            phrase("it was version {then} when the backup was made, and the terminal has {now}", then=then, now=now)
        )


def _ordered(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _version_of(rule: ConfigRule, found: Mapping[str, object]) -> str:
    version = str(found.get(rule.version, ""))
    if not _VERSION.fullmatch(version):
        raise ConfigRefused(phrase("{path} does not say which version it is", path=rule.path))
    return version


def _parse(rule: ConfigRule, data: bytes) -> dict[str, object]:
    """Keys and values; the file's own bytes are never part of an error, for they may hold a password."""
    refused = ConfigRefused(phrase("{path} cannot be read as a configuration file", path=rule.path))
    if rule.format is Format.JSON:
        try:
            found = decode_json_untyped(data)
        except CodecError:
            raise refused from None
        if not isinstance(found, dict):
            raise refused
        return found
    try:
        lines = list(_key_values(data.decode("utf-8")))
    except (UnicodeDecodeError, ValueError):
        raise refused from None
    if len(dict(lines)) != len(lines):
        raise refused
    return dict(lines)


def _key_values(text: str) -> Iterator[tuple[str, str]]:
    """Raises :class:`ValueError` where a line is neither empty, nor a remark, nor ``KEY=VALUE``."""
    for line in text.split("\n"):
        plain = line.strip()
        if plain and not plain.startswith("#"):
            key, equals, value = plain.partition("=")
            if not equals or not key.strip():
                raise ValueError
            yield key.strip(), value.strip()


def _render(rule: ConfigRule, data: bytes, now: Mapping[str, object], changed: Mapping[str, Value]) -> bytes:
    """The new file; read again it must say exactly what it should, or it is not written."""
    wanted = {**now, **changed}
    refused = ConfigRefused(phrase("{path} cannot be written without a change to its other keys", path=rule.path))
    try:
        content = encode_json(wanted, indent=1) if rule.format is Format.JSON else _lines(data, changed)
    except (ValueError, OverflowError):
        raise refused from None
    if _parse(rule, content) != wanted:
        raise refused
    return content


def _lines(data: bytes, changed: Mapping[str, Value]) -> bytes:
    """``KEY=VALUE`` lines, every other line as it was."""
    left = dict(changed)
    lines: list[str] = []
    for line in data.decode("utf-8").split("\n"):
        key = line.partition("=")[0].strip()
        lines.append(f"{key}={left.pop(key)}" if key in left else line)
    if left and lines[-1:] == [""]:
        lines.pop()
        lines += [*(f"{key}={value}" for key, value in left.items()), ""]
    else:
        lines += [f"{key}={value}" for key, value in left.items()]
    return "\n".join(lines).encode("utf-8")
