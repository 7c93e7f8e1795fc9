"""A laptop's clock, wrong in every way: which time is used, what is said, what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from techtool.bundles.clock_floor import BUILT, raise_floor, read_floor
from techtool.clock import from_stamp
from techtool.errors import Expired
from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.scene import LAPTOPS, NEW, SEEN, Scene
from tests.unit.bundles.office import NOW

ISSUED = NOW + timedelta(days=1)
"""Of the newer stick, and the last time the laptop ``seen`` saw."""
USE_BY = "2027-04-01"


def months(count: int) -> datetime:
    return ISSUED + timedelta(days=round(count * 30.44))


@dataclass(frozen=True)
class Case:
    """What a clock says, and what becomes of it."""

    name: str
    system: datetime
    exits: int
    used: datetime
    floor: datetime
    says: str = ""


SLOW = "which is before 2026-12-02T09:00:00.000Z: the later one is used. Correct the clock;"
FAST = "years after anything it has seen (2026-12-02T09:00:00.000Z). Correct it if it is wrong."
END = datetime(2027, 4, 1, 9, tzinfo=UTC)
FAR = datetime(9999, 12, 31, tzinfo=UTC)
CASES = [
    Case("2000", datetime(2000, 1, 1, tzinfo=UTC), 0, ISSUED, ISSUED, f"clock says 2000-01-01T00:00:00.000Z, {SLOW}"),
    Case("a year slow", months(-12), 0, ISSUED, ISSUED, SLOW),
    Case("two days slow", ISSUED - timedelta(days=2), 0, ISSUED, ISSUED, SLOW),
    Case("hours slow", ISSUED - timedelta(hours=23), 0, ISSUED, ISSUED),
    Case("right", ISSUED, 0, ISSUED, ISSUED),
    Case("three months on", months(3), 0, months(3), months(3)),
    Case("at the last second", END - timedelta(seconds=1), 0, END - timedelta(seconds=1), END - timedelta(seconds=1)),
    Case("at the first second after", END, 11, END, END),
    Case("+12 months", months(12), 11, months(12), months(12)),
    Case("+14 months", months(14), 11, months(14), months(14)),
    Case("+40 months", months(40), 11, months(40), ISSUED, FAST),
    Case("the year 9999", FAR, 11, FAR, ISSUED, FAST),
]


@pytest.mark.parametrize("laptop", LAPTOPS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_laptop_whose_clock_is(case: Case, laptop: str, scene: Scene, verify: Verify) -> None:
    scene.clock.at = case.system
    told = verify(laptop)
    assert told.exit == case.exits
    if case.exits == 11:
        error = told.json["error"]
        assert error["code"] == "TT-211"
        assert f"timestamp was valid until {USE_BY}" in error["what"]
        assert len(error["next_actions"]) == 3
    shown = verify(laptop, command="inspect")
    assert shown.exit == 0, "an expired stick can be read"
    tree = shown.json
    assert len(tree["releases"]) == 3
    assert from_stamp(tree["trust"]["reference_time"]) == case.used
    assert from_stamp(tree["trust"]["system_time"]) == case.system
    assert (case.says in " ".join(tree["notes"])) if case.says else not tree["notes"]
    assert read_floor(scene.laptop(laptop)) == case.floor
    fetching(scene, laptop, expired=case.exits == 11)


def fetching(scene: Scene, laptop: str, *, expired: bool) -> None:
    stick = scene.open(laptop)
    item = stick.releases[0]
    (file,) = item.release.files
    assert item.trust.system_time == scene.clock.at, "both times go into every record"
    assert item.trust.reference_time == stick.trust.reference_time
    stick.check(item, file)
    if expired:
        with pytest.raises(Expired):
            stick.fetch(item, file, scene.laptop(laptop).payloads)
        assert not scene.laptop(laptop).payloads.exists()
    else:
        assert stick.fetch(item, file, scene.laptop(laptop).payloads).is_file()


@pytest.mark.parametrize("laptop", LAPTOPS)
class TestSetBack:
    def test_between_two_openings(self, scene: Scene, verify: Verify, laptop: str) -> None:
        """The floor remembers; the stick does not become good again."""
        scene.clock.at = months(5)
        assert verify(laptop).exit == 11
        scene.clock.at = ISSUED
        told = verify(laptop)
        assert told.exit == 11
        tree = verify(laptop, command="inspect").json
        assert from_stamp(tree["trust"]["reference_time"]) == months(5)
        assert "which is before" in tree["notes"][0]
        assert read_floor(scene.laptop(laptop)) == months(5)

    def test_by_a_little(self, scene: Scene, verify: Verify, laptop: str) -> None:
        """A time zone, a drift: no warning, and no step back either."""
        scene.clock.at = months(1)
        assert verify(laptop).exit == 0
        scene.clock.at -= timedelta(hours=8)
        tree = verify(laptop, command="inspect").json
        assert tree["notes"] == []
        assert from_stamp(tree["trust"]["reference_time"]) == months(1)

    def test_again_and_again(self, scene: Scene, verify: Verify, laptop: str) -> None:
        """Steps that each look like a drift do not add up to a year."""
        scene.clock.at = months(4) - timedelta(days=3)
        assert verify(laptop).exit == 0
        for _ in range(5):
            scene.clock.at -= timedelta(hours=23)
            verify(laptop)
        assert read_floor(scene.laptop(laptop)) == months(4) - timedelta(days=3)

    def test_after_it_ran_years_ahead(self, scene: Scene, verify: Verify, laptop: str) -> None:
        """A clock that was wrong for a day does not shut out good sticks for years."""
        scene.clock.at = months(40)
        assert verify(laptop).exit == 11
        scene.clock.at = ISSUED + timedelta(days=1)
        assert verify(laptop).exit == 0
        assert verify(laptop, command="inspect").json["notes"] == []

    def test_to_before_techtool_was_made(self, scene: Scene, laptop: str) -> None:
        raise_floor(scene.laptop(laptop), datetime(1999, 1, 1, tzinfo=UTC))
        assert read_floor(scene.laptop(laptop)) >= BUILT


class TestSetForward:
    def test_within_two_years_it_is_believed(self, scene: Scene, verify: Verify) -> None:
        """That is the price of a floor: the office's next stick, or a refresh, is good by its own dates."""
        scene.clock.at = months(20)
        assert verify(SEEN).exit == 11
        scene.clock.at = ISSUED
        assert verify(SEEN).exit == 11
        assert read_floor(scene.laptop(SEEN)) == months(20)

    def test_step_by_step(self, scene: Scene, verify: Verify) -> None:
        """Two steps of a year each are two years in which the laptop was used."""
        for count in (12, 24):
            scene.clock.at = months(count)
            verify(SEEN)
        assert read_floor(scene.laptop(SEEN)) == months(24)


def test_a_stick_from_tomorrow(scene: Scene, verify: Verify) -> None:
    """Its signed date is proof: nothing can be signed in the future."""
    scene.clock.at = NOW - timedelta(days=10)
    tree: dict[str, Any] = verify(NEW, command="inspect").json
    assert from_stamp(tree["trust"]["reference_time"]) == ISSUED
    assert read_floor(scene.laptop(NEW)) == ISSUED
    assert "Correct the clock" in tree["notes"][0]


def test_an_older_stick_beside_a_newer_mirror_is_judged_by_the_newer(scene: Scene, verify: Verify) -> None:
    scene.clock.at = datetime(2027, 3, 31, 12, tzinfo=UTC)
    assert verify(NEW, scene.older).exit == 11
    assert verify(SEEN, scene.older).exit == 14, "withdrawn, but not expired: the newer metadata holds a day longer"


def test_a_refused_stick_moves_no_clock(scene: Scene, verify: Verify) -> None:
    scene.clock.at = months(6)
    scene.role_file("timestamp").write_bytes(b"{}")
    before = scene.state(SEEN)
    assert verify(SEEN).exit == 10
    assert scene.state(SEEN) == before
