"""The other commands that read a stick: learning from its metadata, and enrolling with its root."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from techtool.bundles.reading import root_of_stick
from techtool.bundles.refresh import learn
from techtool.errors import BadFile, TechtoolError, TrustError, Untrusted
from tests.unit.attacks.scene import NEW, Scene
from tests.unit.attacks.sizes import many_parts, write_sparse_json
from tests.unit.attacks.table import ATTACKS, Attack

pytestmark = pytest.mark.timeout(60)

METADATA = [
    attack
    for attack in ATTACKS
    if attack.exits == 10 and not any(word in attack.name for word in ("payload", "description", "release described"))
]


@pytest.mark.parametrize("attack", METADATA[::11], ids=lambda attack: attack.name)
def test_nothing_is_learnt_from_it(attack: Attack, scene: Scene) -> None:
    """``trust refresh STICK`` takes the same metadata, and refuses the same."""
    attack.spoil(scene)
    laptop = attack.laptops[0]
    before = scene.state(laptop)
    with pytest.raises(TrustError):
        learn(scene.stick, scene.laptop(laptop), scene.clock)
    assert scene.state(laptop) == before


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    path.rename(path.with_name("root"))
    path.symlink_to("root")


SPOILT_ROOTS: dict[str, tuple[Callable[[Path], object], type[TechtoolError]]] = {
    "endless": (lambda path: write_sparse_json(path, 1 << 36), BadFile),
    "many objects": (lambda path: path.write_bytes(many_parts(150_000)), BadFile),
    "deep": (lambda path: path.write_bytes(b"[" * 500_000), BadFile),
    "empty": (lambda path: path.write_bytes(b""), BadFile),
    "no text": (lambda path: path.write_bytes(bytes(range(256))), BadFile),
    "a pipe": (pipe, Untrusted),
    "a link": (link, Untrusted),
}


@pytest.mark.parametrize(("spoil", "error"), SPOILT_ROOTS.values(), ids=SPOILT_ROOTS)
def test_a_root_to_enrol_with(scene: Scene, spoil: Callable[[Path], object], error: type[TechtoolError]) -> None:
    """``trust add STICK`` reads the root of a stick that nobody vouches for yet."""
    spoil(scene.role_file("root"))
    before = scene.state(NEW)
    with pytest.raises(error):
        root_of_stick(scene.stick)
    assert scene.state(NEW) == before


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(many_parts(5_300_000), id="many objects"),
        pytest.param(b"[" * 16_000_000, id="deep"),
        pytest.param(b'{"schema":1,"files":{"metadata/timestamp.json":7}}', id="no text"),
        pytest.param(b'{"schema":1,"files":{"../../etc/passwd":""}}', id="outside"),
        pytest.param(b'{"schema":1,"files":{},"files":{}}', id="a key twice"),
        pytest.param(b"x" * 17_000_000, id="too long"),
    ],
)
def test_a_refresh_file(scene: Scene, data: bytes) -> None:
    """It comes over a telephone, from whoever sent it."""
    path = scene.folder / "refresh.json"
    path.write_bytes(data)
    before = scene.state(NEW)
    tracemalloc.start()
    try:
        with pytest.raises(BadFile, match="no refresh file"):
            learn(path, scene.laptop(NEW), scene.clock)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert scene.state(NEW) == before
