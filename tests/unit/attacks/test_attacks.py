"""Every attack of the table through the command that a technician uses, and through the door behind it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from techtool.domain.release import Release
from techtool.errors import TrustError, UnknownOffice
from tests.unit.attacks.conftest import Told, Verify
from tests.unit.attacks.scene import LAPTOPS, NEW, SEEN, Scene, make_office
from tests.unit.attacks.table import ATTACKS, Attack

pytestmark = pytest.mark.timeout(60)
"""A hang is a finding."""


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Release, Mapping[str, bytes]]]:
    """What the office published, on either stick: each release with the content of its files."""
    folder = tmp_path_factory.mktemp("genuine")
    make_office(folder)
    scene = Scene(folder, folder)
    found = {}
    for stick in (scene.older, scene.stick):
        opened = scene.open(NEW, stick)
        for item in opened.releases:
            files = {f.sha256: opened.fetch(item, f, folder / "files").read_bytes() for f in item.release.files}
            found[item.release.key] = (item.release, files)
    return found


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(
    attack: Attack, scene: Scene, verify: Verify, genuine: Mapping[str, tuple[Release, Mapping[str, bytes]]]
) -> None:
    started = scene.clock.at
    attack.spoil(scene)
    before = {name: scene.state(name) for name in LAPTOPS}
    moved = scene.clock.at != started
    commanded = attack.laptops if attack.learns else (one_of(attack),)
    for name in commanded:
        refused(attack, verify(name))
        assert_unchanged(attack, name, before[name], scene.state(name), moved=moved)
    for name in LAPTOPS:
        if name == SEEN or attack.learns or name not in commanded:  # else the command has just shown it
            nothing_false_comes_through(scene, name, genuine)


def one_of(attack: Attack) -> str:
    """The laptop on which the command is run: half of the attacks on each, always the same ones."""
    return attack.laptops[zlib.crc32(attack.name.encode()) % len(attack.laptops)]


def refused(attack: Attack, told: Told) -> None:
    """The exit code, one JSON document that a script can act on, and a text that a person can."""
    error = told.json["error"]
    stranger = UnknownOffice.code if "does not know who made" in error["what"] else attack.code
    assert (told.exit, error["code"], error["exit"]) == (attack.exits, stranger, attack.exits), error
    assert re.search(attack.says, error["what"]), error
    assert error["what"].isprintable()
    assert len(error["what"]) < 700
    assert len(told.out) < 4_000
    assert error["next_actions"]
    assert all(line.isprintable() for line in told.err.splitlines())
    assert f"✗ {stranger}" in told.err
    assert "Traceback" not in told.err + told.out


def assert_unchanged(
    attack: Attack, laptop: str, before: Mapping[str, bytes], after: Mapping[str, bytes], *, moved: bool
) -> None:
    """A refused stick leaves a laptop as it was; one with genuine metadata may teach it that, and the time."""
    allowed = {"trust/clock.json", "trust/lock"} if attack.learns or moved else set()
    if attack.learns:
        allowed |= {name for name in after if name.startswith("trust/mirror/")}
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= allowed, (attack.name, laptop)


def nothing_false_comes_through(
    scene: Scene, laptop: str, genuine: Mapping[str, tuple[Release, Mapping[str, bytes]]]
) -> None:
    """Whatever is opened, listed and fetched is what the office published, or nothing is."""
    before = scene.state(laptop)
    payloads = scene.laptop(laptop).payloads
    try:
        stick = scene.open(laptop)
    except TrustError:
        assert scene.state(laptop) == before
        return
    for item in stick.releases:
        release, contents = genuine[item.release.key]
        assert item.release == release
        for file in release.files:
            try:
                path = stick.fetch(item, file, payloads)
            except TrustError:
                assert not (payloads / file.sha256).exists()
            else:
                assert path.read_bytes() == contents[file.sha256]
    left = [path for path in payloads.iterdir() if path.suffix == ".part"] if payloads.exists() else []
    assert all(path.stat().st_size < 100 for path in left), "at most what was signed stays for another attempt"


def test_the_table_is_whole() -> None:
    """Each exit code of a refused stick is in it, and each laptop."""
    assert {attack.exits for attack in ATTACKS} == {10, 11, 12, 13, 14}
    assert {name for attack in ATTACKS for name in attack.laptops} == {NEW, SEEN}
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 300


@pytest.mark.parametrize("laptop", LAPTOPS)
def test_the_stick_that_is_attacked_is_good(scene: Scene, verify: Verify, laptop: str) -> None:
    """Without this the table would prove nothing."""
    told = verify(laptop)
    assert told.exit == 0
    assert [r["id"] + "@" + r["version"] for r in told.json["releases"]] == [
        "com.acme.pay@1.0",
        "com.acme.pay@2.0",
        "org.beta.app@3.1",
    ]


def test_the_older_stick_is_good_where_the_newer_was_never_seen(scene: Scene, verify: Verify) -> None:
    assert verify(NEW, scene.older).exit == 0
    assert Path(verify(NEW, scene.older).json["path"]) == scene.older
