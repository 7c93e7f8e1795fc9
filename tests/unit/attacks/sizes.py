"""Attacks by sheer size: what would cost a laptop its memory or its afternoon, were it read to the end."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.attacks.registry import add, attack, below, file_of, on, write
from tests.unit.attacks.scene import Json, Scene
from tests.unit.bundles.office import ACME

MB = 1_000_000
_ALTERED = "cannot be read|was altered|does not know who made"


def write_sparse_json(path: Path, size: int = 100 * MB) -> None:
    """A JSON document of so many bytes, most of which are a hole in the file."""
    with path.open("wb") as file:
        file.write(b'{"signatures": [], "signed": {"_type": "')
        file.truncate(size)


def many_parts(count: int) -> bytes:
    """Few bytes, many objects."""
    return b"[" + b"{}," * count + b"{}]"


for _role in ("timestamp", "snapshot", "targets", "vendor-acme", "root"):
    add(f"{_role} of 100 MB", on(file_of(_role), write_sparse_json), _ALTERED)
    add(
        f"{_role} of 2.6 million objects",
        on(file_of(_role), write(many_parts(2_600_000))),
        _ALTERED,
    )
add("root 2 of 100 MB", on(below("metadata/2.root.json"), write_sparse_json), "was altered")
add("description of 100 MB", on(Scene.description, write_sparse_json), "not what was signed", exits=13)


def _signatures(count: int) -> list[Json]:
    return [{"keyid": f"{n:064x}", "sig": "00" * 64} for n in range(count)]


@attack("timestamp with a hundred thousand signatures", "timestamp.json")
def _many_signatures(scene: Scene) -> None:
    path = scene.role_file("timestamp")
    tree = json.loads(path.read_bytes())
    tree["signatures"] += _signatures(100_000)
    path.write_text(json.dumps(tree))


@attack("a vendor's list with a hundred thousand signatures, online key", "altered")
def _many_in_a_list(scene: Scene) -> None:
    tree = json.loads(scene.role_file(ACME).read_bytes())
    tree["signatures"] += _signatures(100_000)
    scene.put_list(ACME, json.dumps(tree).encode())


@attack("root 2 with thousands of keys", "signature")
def _many_keys(scene: Scene) -> None:
    tree = json.loads(scene.role_file("root").read_bytes())
    tree["signed"]["version"] = 2
    tree["signed"]["roles"]["root"]["keyids"] += [f"{n:064x}" for n in range(5_000)]
    (scene.metadata / "2.root.json").write_text(json.dumps(tree))


@attack("a description said to have a petabyte", "is too long")
def _petabyte(scene: Scene) -> None:
    path = "releases/acme/com.acme.pay-2.0.json"
    scene.resign(ACME, lambda signed: signed["targets"][path].update(length=10**15))


@attack("a description with a hundred thousand tags", "cannot be read")
def _many_items(scene: Scene) -> None:
    tags = b", ".join([b'"t"'] * 100_000)
    scene.described(lambda data: data.replace(b'"id":', b'"tags": [' + tags + b'],\n "id":', 1))
