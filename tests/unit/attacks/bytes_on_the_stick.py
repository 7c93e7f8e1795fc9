"""Attacks of somebody who holds no key and changes bytes: payloads, descriptions, each metadata file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.attacks.registry import Change, add, attack, file_of, on
from tests.unit.attacks.scene import Scene

GIB = 1 << 30
METADATA_ROLES = ("timestamp", "snapshot", "targets", "vendor-acme", "vendor-beta", "root")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * 100_000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


def make_endless(path: Path) -> None:
    """A sparse file that reads as gigabytes of zeros after its content."""
    with path.open("ab") as file:
        file.truncate(64 * GIB)


def make_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HOW: dict[str, Change] = {
    "one flipped bit": flip,
    "cut short": cut,
    "too long": lengthen,
    "empty": empty,
    "missing": remove,
    "endless": make_endless,
    "zeros": make_zeros,
    "a folder": make_folder,
}

_PAYLOAD_SAYS = {
    "one flipped bit": "its content is not what was signed",
    "cut short": "it ends after",
    "too long": "it is longer than",
    "empty": "it ends after 0 of",
    "missing": "it is missing",
    "endless": "it is longer than",
    "zeros": "its content is not what was signed",
}
_METADATA_SAYS = {"missing": "a metadata file is missing|it has no root", "a folder": "no ordinary file"}
_ALTERED = "cannot be read|was altered|signature|does not know who made"

for _how, _spoil in HOW.items():
    _folder = _how == "a folder"
    add(
        f"payload: {_how}",
        on(Scene.payload, _spoil),
        "no ordinary file" if _folder else _PAYLOAD_SAYS[_how],
        exits=10 if _folder else 13,
        learns=True,
    )
    add(
        f"description: {_how}",
        on(Scene.description, _spoil),
        "no ordinary file" if _folder else "it is missing" if _how == "missing" else "not what was signed",
        exits=10 if _folder else 13,
    )
    for _role in METADATA_ROLES:
        if (_role, _how) == ("vendor-acme", "missing") or (_role, _how) == ("vendor-beta", "missing"):
            continue  # a stick for some of the vendors is no attack
        add(
            f"{_role}: {_how}",
            on(file_of(_role), _spoil),
            _METADATA_SAYS.get(_how, _ALTERED),
        )


@attack("two payloads exchanged", "it is longer than", exits=13, learns=True)
def _exchanged(scene: Scene) -> None:
    one, other = scene.payload("com.acme.pay-1.0.bin"), scene.payload("org.beta.app-3.1.bin")
    one_data, other_data = one.read_bytes(), other.read_bytes() + b"!"
    one.write_bytes(other_data)
    other.write_bytes(one_data)


@attack("two descriptions exchanged", "not what was signed", exits=13)
def _descriptions_exchanged(scene: Scene) -> None:
    one, other = scene.description("com.acme.pay-1.0.json"), scene.description()
    one_data, other_data = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_data)
    other.write_bytes(one_data)


@attack("every payload gone", "it is missing", exits=13, learns=True)
def _no_payloads(scene: Scene) -> None:
    for path in scene.root.glob("targets/*/*/*.bin"):
        path.unlink()


@attack("the targets folder is a file", "it is missing", exits=13)
def _targets_is_a_file(scene: Scene) -> None:
    (scene.root / "targets").rename(scene.stick / "moved")
    (scene.root / "targets").write_bytes(b"")


@attack("metadata altered after signing", "altered")
def _altered(scene: Scene) -> None:
    path = scene.role_file("vendor-acme")
    path.write_bytes(path.read_bytes().replace(b"com.acme.pay", b"com.acme.pax"))
