"""Attacks on parsers: JSON that is deep, ambiguous, wrongly encoded, or of another shape than it should have.

In the files that need no digest (timestamp, root) anybody can put it; in the others whoever holds the online key; in a
description a vendor and a lab together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.unit.attacks.registry import (
    Change,
    Spoil,
    add,
    always,
    attack,
    below,
    described,
    file_of,
    listed,
    on,
    replaced,
    write,
)
from tests.unit.attacks.scene import Scene

SHAPES: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n ",
    "null": b"null",
    "a number": b"7",
    "a text": b'"text"',
    "a list": b"[]",
    "an empty object": b"{}",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep and unfinished": b"[" * 200_000,
    "not a number": b'{"signatures": [], "signed": {"version": NaN}}',
    "infinite": b'{"signatures": [], "signed": {"version": 1e999}}',
    "minus infinity": b'{"signatures": [], "signed": {"version": -Infinity}}',
    "a huge integer": b'{"signatures": [], "signed": {"version": ' + b"9" * 10_000 + b"}}",
    "a lone surrogate": b'{"signatures": [], "signed": {"_type": "\\ud800"}}',
    "surrogates as bytes": b'{"signatures": [], "signed": {"_type": "\xed\xa0\x80"}}',
    "no UTF-8": b'{"signatures": [], "signed": {"_type": "\xff\xfe"}}',
    "Latin-1": '{"signatures": [], "signed": {"_type": "Gerät"}}'.encode("latin-1"),
    "UTF-16": '{"signatures": [], "signed": {}}'.encode("utf-16"),
    "UTF-32": '{"signatures": [], "signed": {}}'.encode("utf-32"),
    "a NUL inside": b'{"signatures": [], "signed": {"_type": "a\0b"}}',
    "more after the end": b'{"signatures": [], "signed": {}} {}',
    "a comment": b'{"signatures": [], /* trust me */ "signed": {}}',
    "a trailing comma": b'{"signatures": [], "signed": {},}',
    "single quotes": b"{'signatures': [], 'signed': {}}",
    "a key twice": b'{"signatures": [], "signatures": [], "signed": {}}',
    "a huge key twice": b'{"' + b"k" * 3_000 + b'": 1, "' + b"k" * 3_000 + b'": 2}',
    "a key twice, once escaped": b'{"signed": {}, "\\u0073igned": {}, "signatures": []}',
    "no signatures": b'{"signed": {"_type": "timestamp"}}',
    "signatures that are no list": b'{"signatures": {}, "signed": {"_type": "timestamp"}}',
    "a signed text": b'{"signatures": [], "signed": "text"}',
    "another kind": b'{"signatures": [], "signed": {"_type": "mirrors", "version": 1}}',
}
_UNREADABLE = "cannot be read"

for _name, _data in SHAPES.items():
    add(f"timestamp: {_name}", on(file_of("timestamp"), write(_data)), _UNREADABLE)
    add(f"vendor's list: {_name}", listed("vendor-acme", _data), _UNREADABLE)
    add(f"description: {_name}", described(always(_data)), _UNREADABLE)


def snapshot_of(data: bytes) -> Spoil:
    """Any bytes as the snapshot, by the online key."""

    def spoil(scene: Scene) -> None:
        scene.forger.restamp()
        scene.role_file("snapshot").write_bytes(data)
        scene.refit_timestamp(data)

    return spoil


for _name in ("deep lists", "a key twice", "no UTF-8", "an empty object", "another kind", "infinite"):
    add(f"snapshot: {_name}", snapshot_of(SHAPES[_name]), _UNREADABLE)
    add(f"top list: {_name}", listed("targets", SHAPES[_name]), _UNREADABLE)
    add(f"root 2: {_name}", on(below("metadata/2.root.json"), write(SHAPES[_name])), _UNREADABLE)
    add(f"root: {_name}", on(file_of("root"), write(SHAPES[_name])), "does not know who made")


def marked(path: Path) -> None:
    """What some editors put in front of a text."""
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def encoded(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode().encode(encoding)


def file_encoded(encoding: str) -> Change:
    return lambda path: path.write_bytes(encoded(encoding)(path.read_bytes()))


add("timestamp: genuine after a byte order mark", on(file_of("timestamp"), marked), "timestamp.json")
for _encoding in ("utf-16", "utf-32"):
    add(
        f"timestamp: genuine in {_encoding}",
        on(file_of("timestamp"), file_encoded(_encoding)),
        "timestamp.json",
    )
    add(
        f"description: genuine in {_encoding}",
        described(encoded(_encoding)),
        "cannot be read",
    )


@attack("timestamp: a key twice in what is signed", "timestamp.json")
def _twice(scene: Scene) -> None:
    """The signature is over what a parser makes of it, so every parser must make the same of it."""
    path = scene.role_file("timestamp")
    path.write_bytes(path.read_bytes().replace(b'"version":', b'"version":99,"version":', 1))


@attack("a vendor's list: a key twice in what is signed", "vendor-acme.json")
def _twice_in_a_list(scene: Scene) -> None:
    data = scene.role_file("vendor-acme").read_bytes()
    scene.put_list("vendor-acme", data.replace(b'"version":', b'"version":7,"version":', 1))


@attack("a description with a field that nobody knows", "install_twice")
def _unknown_field(scene: Scene) -> None:
    scene.described(lambda data: data.replace(b'"id":', b'"install_twice": true,\n "id":', 1))


@attack("a description with a long field that nobody knows", "unknown field")
def _long_field(scene: Scene) -> None:
    name = json.dumps("\x1b[2J" + "x" * 400_000).encode()
    scene.described(lambda data: data.replace(b'"id":', name + b': true,\n "id":', 1))


@attack("a description of 600 kB", "is too long")
def _too_long(scene: Scene) -> None:
    scene.described(lambda data: data + b" " * 600_000)


@attack("a description of no length", "cannot be read")
def _no_length(scene: Scene) -> None:
    scene.described(lambda _data: b"")


_FIELDS = {
    "a size of 10^30": (b'"size": 23', b'"size": 1000000000000000000000000000000'),
    "a size below nothing": (b'"size": 23', b'"size": -23'),
    "a broken size": (b'"size": 23', b'"size": 23.5'),
    "a size as text": (b'"size": 23', b'"size": "23"'),
    "an id that leads outside": (b'"id": "com.acme.pay"', b'"id": "../../com.acme.pay"'),
    "an id that drives the terminal": (b'"id": "com.acme.pay"', b'"id": "com.acme\\u001b[2J"'),
    "a version of blanks": (b'"version": "2.0"', b'"version": "  "'),
    "a very long version": (b'"version": "2.0"', b'"version": "' + b"2." * 400 + b'0"'),
    "a kind that nobody knows": (b'"kind": "parameters"', b'"kind": "spyware"'),
    "no files": (b'"files": [', b'"files": [], "files2": ['),
    "a schema below one": (b'"schema": 1', b'"schema": 0'),
    "a schema as text": (b'"schema": 1', b'"schema": "1"'),
    "a schema that is true": (b'"schema": 1', b'"schema": true'),
}
for _name, (_old, _new) in _FIELDS.items():
    add(
        f"a description with {_name}",
        replaced(_old, _new),
        "cannot be read",
    )
