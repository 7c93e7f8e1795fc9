"""Attacks on the chain of roots: gaps, forks, and roots that too few have signed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence

from tuf.api.metadata import Root

from tests.unit.attacks.registry import Spoil, add, attack
from tests.unit.attacks.scene import ROOTS, SEEN, Scene, signed_file
from tests.unit.bundles.office import Forger, public

_NEW_ROOTS = ("next-1", "next-2", "next-3")


def rotate(scene: Scene, owners: Sequence[str] = ROOTS, change: Callable[[Root], None] = lambda _root: None) -> None:
    scene.forger.rotate_root(change, owners)


def other_people(root: Root) -> None:
    """Everybody who signs roots is replaced."""
    for keyid in list(root.roles["root"].keyids):
        root.revoke_key(keyid, "root")
    for owner in _NEW_ROOTS:
        root.add_key(public(owner), "root")


def other_maker(root: Root) -> None:
    """The online key is replaced."""
    for role in ("snapshot", "timestamp"):
        root.revoke_key(public("stick-maker").keyid, role)
        root.add_key(public("new-maker"), role)


@attack("root 2 is missing, root 3 is there", "root 2 is missing")
def _gap(scene: Scene) -> None:
    rotate(scene)
    rotate(scene)
    (scene.metadata / "2.root.json").unlink()


@attack("root 999999 is there", "root 2 is missing")
def _far(scene: Scene) -> None:
    (scene.metadata / "999999.root.json").write_bytes(scene.role_file("root").read_bytes())


@attack("the root that this laptop was enrolled with is missing", "root 1 is missing")
def _no_first(scene: Scene) -> None:
    rotate(scene)
    (scene.metadata / "1.root.json").unlink()


def rotated(owners: Sequence[str], change: Callable[[Root], None]) -> Spoil:
    return lambda scene: rotate(scene, owners, change)


def numbered(version: int) -> Spoil:
    """A second root that is properly signed and has another number inside."""

    def spoil(scene: Scene) -> None:
        signed = json.loads(scene.role_file("root").read_bytes())["signed"]
        (scene.metadata / "2.root.json").write_bytes(signed_file({**signed, "version": version}, ROOTS))

    return spoil


def nobody(_root: Root) -> None:
    """The same people as before."""


_TOO_FEW: dict[str, tuple[Sequence[str], Callable[[Root], None]]] = {
    "root 2 signed by one of two": (ROOTS[:1], nobody),
    "root 2 signed by nobody": ((), nobody),
    "root 2 signed by strangers": (("stranger-1", "stranger-2"), nobody),
    "root 2 signed by the online key": (("stick-maker",), nobody),
    "root 2 signed by the release board": (("targets-1", "targets-2"), nobody),
    "root 2 of new people signed by them only": (_NEW_ROOTS, other_people),
    "root 2 of new people signed by the old ones only": (ROOTS, other_people),
    "root 2 of new people signed by too few of the old ones": (("root-1", *_NEW_ROOTS), other_people),
    "root 2 of new people signed by too few of the new ones": ((*ROOTS, "next-1"), other_people),
}
for _name, (_owners, _change) in _TOO_FEW.items():
    add(
        _name,
        rotated(_owners, _change),
        "signature",
    )


@attack("root 2 with one signature twice", "cannot be read")
def _twice(scene: Scene) -> None:
    rotate(scene, ROOTS[:1])
    path = scene.metadata / "2.root.json"
    tree = json.loads(path.read_bytes())
    tree["signatures"] *= 2
    path.write_text(json.dumps(tree))


for _version in (0, 1, 3, -1):
    add(f"root 2 says that it is root {_version}", numbered(_version), "cannot be read" if _version < 1 else "mixed")


@attack("a timestamp in the place of root 2", "inconsistent")
def _another_type(scene: Scene) -> None:
    shutil.copyfile(scene.role_file("timestamp"), scene.metadata / "2.root.json")


@attack("root 2 names files without their digests", "not named by their digests")
def _not_consistent(scene: Scene) -> None:
    for name in ("snapshot", "targets", "vendor-acme", "vendor-beta", "recall"):
        shutil.copyfile(scene.role_file(name), scene.metadata / f"{name}.json")
    rotate(scene, change=lambda root: setattr(root, "consistent_snapshot", False))


@attack("root 2 took the online key away, whose thief goes on", "signature")
def _revoked(scene: Scene) -> None:
    rotate(scene, change=other_maker)
    scene.forger.restamp(version=99)


@attack("root 2 took the online key away, and the stick leaves it out", "signature", laptops=(SEEN,))
def _left_out(scene: Scene) -> None:
    thief = scene.folder / "thief"
    shutil.copytree(scene.stick, thief)
    Forger(thief, at=scene.clock.at).restamp(version=99)
    rotate(scene, change=other_maker)
    Forger(scene.stick, at=scene.clock.at, online_key="new-maker").restamp()
    scene.open(SEEN)
    scene.replace_stick(thief)


@attack("a fork of a root that this laptop knows", "root 2 is not the one", laptops=(SEEN,))
def _fork(scene: Scene) -> None:
    fork = scene.folder / "fork"
    shutil.copytree(scene.stick, fork)
    rotate(scene)
    scene.forger.restamp()
    scene.open(SEEN)
    Forger(fork).rotate_root(lambda root: root.unrecognized_fields.update({"x": "y"}), ROOTS)
    Forger(fork, at=scene.clock.at).restamp(version=9)
    scene.replace_stick(fork)
