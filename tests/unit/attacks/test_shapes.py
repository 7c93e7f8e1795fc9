"""Every field of every signed file with something of another kind in it, properly signed: refused, never a defect."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from techtool.bundles.description import decode_release
from techtool.domain.codec import CodecError
from techtool.errors import TrustError, Untrusted
from tests.unit.attacks.scene import NEW, ROOTS, Json, Scene, signed_file

pytestmark = pytest.mark.timeout(120)

OTHERS: list[Any] = [None, True, -1, 10**30, "text", [[]], {}]
ISSUED = "x-techtool-issued"
"""Signed by whoever signs, and read by nobody except in the timestamp."""


def changed(tree: Any, *, deep: bool) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Each way to put something else into a document: the place, and how to make the change."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        for other in OTHERS:
            if kind(other) != kind(value):
                yield f"{key}={other!r}", within(key, always(other))
        if isinstance(tree, dict):
            yield f"{key} left out", without(key)
        if deep and isinstance(value, dict | list):
            for name, change in changed(value, deep=True):
                yield f"{key}.{name}", within(key, change)


def always(other: Any) -> Callable[[Any], Any]:
    return lambda _value: other


def without(key: Any) -> Callable[[Any], Any]:
    return lambda tree: {name: item for name, item in tree.items() if name != key}


def within(key: Any, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {**tree, key: change(tree[key])}
        return [change(item) if place == key else item for place, item in enumerate(tree)]

    return apply


def kind(value: object) -> str:
    """Numbers of JSON are one kind, whatever their sign; true is none."""
    return type(value).__name__


def judged(scene: Scene, name: str) -> bool:
    """Whether the stick was refused; what is not refused lists what was published, and no more."""
    before = scene.state(NEW)
    try:
        opened = scene.open(NEW)
    except TrustError:
        assert scene.state(NEW) == before, name
        return True
    assert {item.release.key for item in opened.releases} <= {
        "com.acme.pay@1.0",
        "com.acme.pay@2.0",
        "org.beta.app@3.1",
    }
    for path in scene.laptop(NEW).trust.glob("mirror/*"):
        path.unlink()
    return False


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "vendor-acme"])
def test_top_level_fields_of(role: str, scene: Scene) -> None:
    """All of them are refused, but what says nothing to us; and without delegations there are no releases."""
    path = scene.role_file(role)
    original = json.loads(path.read_bytes())["signed"]
    passed = []
    keep = {p: p.read_bytes() for p in scene.metadata.iterdir()}
    for name, change in changed(original, deep=False):
        put(scene, role, change)
        if not judged(scene, name):
            passed.append(name)
        for file in scene.metadata.iterdir():
            if file not in keep:
                file.unlink()
        for file, data in keep.items():
            file.write_bytes(data)
    assert [name for name in passed if not name.startswith(ISSUED) or role == "timestamp"] == (
        ["delegations left out"] if role == "targets" else []
    )


def put(scene: Scene, role: str, change: Callable[[Any], Any]) -> None:
    def replace(signed: Json) -> None:
        after = change(dict(signed))
        signed.clear()
        signed.update(after)

    if role in {"timestamp", "snapshot"}:
        scene.resign_online(role, replace)
    else:
        scene.resign(role, replace)


def test_top_level_fields_of_a_new_root(scene: Scene) -> None:
    original = json.loads(scene.role_file("root").read_bytes())["signed"]
    original["version"] = 2
    passed = []
    for name, change in changed(original, deep=False):
        (scene.metadata / "2.root.json").write_bytes(signed_file(change(original), ROOTS))
        if not judged(scene, name):
            passed.append(name)
    assert [name for name in passed if not name.startswith(ISSUED)] == []


def test_fields_of_a_timestamp_within(scene: Scene) -> None:
    """Deeper down, in the one file that every attacker can put there: refused, since nobody signed it.

    No version of the specification is, to python-tuf, the version that it speaks: the same as was signed.
    """
    path = scene.role_file("timestamp")
    tree = json.loads(path.read_bytes())
    passed = []
    for name, change in changed(tree, deep=True):
        path.write_bytes(json.dumps(change(tree)).encode())
        if not judged(scene, name):
            passed.append(name)
    assert passed == ["signed.spec_version=None"]


def test_fields_of_a_delegation(scene: Scene) -> None:
    """The board's list down to its keys: whatever is in there, nothing but a refusal or what was published."""
    keep = {p: p.read_bytes() for p in scene.metadata.iterdir()}
    original = json.loads(scene.role_file("targets").read_bytes())["signed"]["delegations"]
    role = {"keys": {}, "roles": original["roles"][:1]}
    role["keys"] = {keyid: original["keys"][keyid] for keyid in role["roles"][0]["keyids"]}
    refused = 0
    for name, change in list(changed(role, deep=True))[::7]:
        scene.resign("targets", delegating(change(role)))
        refused += judged(scene, name)
        for file in scene.metadata.iterdir():
            if file not in keep:
                file.unlink()
        for file, data in keep.items():
            file.write_bytes(data)
    assert refused > 15


def delegating(delegations: Any) -> Callable[[Json], None]:
    return lambda signed: signed.update(delegations=delegations)


MAY_BE_LEFT_OUT = {
    "files.0.apk left out",
    "provides left out",
    "provides.0.hw_rev left out",
    "provides.0.region left out",
}


def test_fields_of_a_description(scene: Scene) -> None:
    tree = json.loads(scene.description().read_bytes())
    changes = list(changed(tree, deep=True))
    accepted = set()
    for name, change in changes:
        try:
            decode_release(json.dumps(change(tree)).encode())
        except CodecError:
            continue
        accepted.add(name)
    assert accepted == MAY_BE_LEFT_OUT
    assert len(changes) > 100


def test_descriptions_on_a_stick(scene: Scene) -> None:
    """A few of them with everything around: refused as a whole."""
    path = scene.description()
    tree = json.loads(path.read_bytes())
    wrong = [change for name, change in changed(tree, deep=True) if name not in MAY_BE_LEFT_OUT]
    for change in wrong[::12]:
        data = json.dumps(change(tree)).encode()
        stick = scene.folder / "spoilt"
        shutil.copytree(scene.stick, stick)
        spoilt = Scene(scene.made, scene.folder, scene.clock, "spoilt")
        spoilt.described(always(data))
        with pytest.raises(Untrusted):
            scene.open(NEW, stick)
        shutil.rmtree(stick)
