"""After the online key was stolen: what its thief can spoil, and how the office gets its laptops back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techtool.bundles.clock_floor import read_floor
from techtool.errors import Untrusted
from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.roots import other_maker, rotate
from tests.unit.attacks.scene import NEW, ROOTS, SEEN, Scene
from tests.unit.bundles.office import Forger

FAR = [99, 2**31, 2**63, 10**40]


def thief(scene: Scene) -> Forger:
    """With a copy of the genuine stick."""
    shutil.copytree(scene.stick, scene.folder / "thief")
    return Forger(scene.folder / "thief", at=scene.clock.at)


def rotated(scene: Scene) -> Path:
    """The office replaces the key and makes its stick again, at the versions it had itself."""
    rotate(scene, change=other_maker)
    Forger(scene.stick, at=scene.clock.at, online_key="new-maker").restamp()
    return scene.stick


@pytest.mark.parametrize("version", FAR)
def test_versions_sent_far_ahead(scene: Scene, verify: Verify, version: int) -> None:
    """Each genuine stick is older from then on; a new root, and it counts again (TUF specification 5.3.11)."""
    spoilt = thief(scene)
    spoilt.restamp(version=version)
    assert verify(SEEN, spoilt.stick).exit == 0, "it says what the office said, only with a higher number"
    assert scene.open(SEEN).trust.from_mirror
    told = verify(SEEN, rotated(scene))
    assert told.exit == 0, told.err
    assert told.json["trust"]["root_version"] == 2
    assert told.json["trust"]["from_mirror"] is False


def test_the_thief_after_that(scene: Scene, verify: Verify) -> None:
    spoilt = thief(scene)
    spoilt.restamp(version=99)
    assert verify(SEEN, rotated(scene)).exit == 0
    told = verify(SEEN, spoilt.stick)
    assert told.exit == 10
    spoilt.restamp(version=100)
    before = scene.state(SEEN)
    assert verify(SEEN, spoilt.stick).exit == 10
    assert scene.state(SEEN) == before


def test_a_snapshot_sent_far_ahead(scene: Scene, verify: Verify) -> None:
    """The thief names a list of a version that nobody has: a publisher is missing, and the laptop remembers."""
    spoilt = thief(scene)
    spoilt.put_state({}, {}, 10**6, 10**6)
    assert verify(SEEN, spoilt.stick).exit == 10, "lists cannot be left out"
    data = spoilt.newest("vendor-acme").read_bytes()
    lists = {role: spoilt.newest(role).read_bytes() for role in ("targets", "vendor-beta", "recall")}
    versions = {role: int(spoilt.newest(role).name.split(".")[0]) for role in lists}
    spoilt.put_state({**lists, "vendor-acme": data}, {**versions, "vendor-acme": 999}, 10**6, 10**6)
    told = verify(SEEN, spoilt.stick)
    assert told.exit == 0
    assert [r["id"] for r in told.json["releases"]] == ["org.beta.app"]
    assert "vendor-acme" in told.json["notes"][0]
    told = verify(SEEN, rotated(scene))
    assert told.exit == 0, told.err
    assert len(told.json["releases"]) == 3


def test_a_new_root_without_a_new_key_is_no_way_back(scene: Scene, verify: Verify) -> None:
    """Only where the key was replaced do its signatures stop to count: else it is a rollback like any other."""
    spoilt = thief(scene)
    spoilt.restamp(version=99)
    assert verify(SEEN, spoilt.stick).exit == 0
    rotate(scene)
    scene.forger.restamp()
    told = verify(SEEN)
    assert told.exit == 10
    assert "older than what this laptop has seen" in told.json["error"]["what"]


def test_a_date_of_issue_decades_ahead(scene: Scene, verify: Verify) -> None:
    """The stick is past its date by its own word; the laptop does not believe that it is that late."""
    floor = read_floor(scene.laptop(SEEN))
    spoilt = thief(scene)
    spoilt.at = datetime(2056, 1, 1, tzinfo=UTC)
    spoilt.restamp()
    assert verify(SEEN, spoilt.stick).exit == 11
    assert read_floor(scene.laptop(SEEN)) == floor
    assert verify(SEEN, rotated(scene)).exit == 0


def test_a_date_of_issue_as_far_ahead_as_the_lists_hold(scene: Scene) -> None:
    """That much a thief can do: the lists' own dates end it, and a stick with a longer use-by date gets around it."""
    spoilt = thief(scene)
    spoilt.at = datetime(2028, 1, 1, tzinfo=UTC)
    spoilt.restamp()
    scene.open(SEEN, spoilt.stick)
    assert read_floor(scene.laptop(SEEN)).year == 2028
    assert scene.open(SEEN, rotated(scene)).expired is not None
    assert scene.open(NEW).expired is None


def test_the_thief_cannot_bring_back_what_was_withdrawn(scene: Scene) -> None:
    """Neither on a laptop that knows better, nor under a higher number."""
    spoilt = Forger(Path(shutil.copytree(scene.older, scene.folder / "thief")), at=scene.clock.at)
    spoilt.restamp(version=99)
    spoilt.restamp(version=100)
    before = scene.state(SEEN)
    with pytest.raises(Untrusted, match="older than what this laptop has seen"):
        scene.open(SEEN, spoilt.stick)
    assert scene.state(SEEN) == before


def test_who_holds_the_roots_is_somebody_else(scene: Scene) -> None:
    """The online key makes no root."""
    Forger(scene.stick).rotate_root(other_maker, ("stick-maker", *ROOTS[:1]))
    with pytest.raises(Untrusted, match="signature"):
        scene.open(NEW)
