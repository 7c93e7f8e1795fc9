"""Below the floor the clock is not believed; far above it is not kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from techtool.bundles.clock_floor import BUILT, judge, raise_floor, read_floor
from techtool.errors import StoreDamaged
from techtool.paths import Paths

FLOOR = datetime(2027, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("off", "used", "kept", "warned"),
    [
        (timedelta(), FLOOR, FLOOR, False),
        (timedelta(days=3), FLOOR + timedelta(days=3), FLOOR + timedelta(days=3), False),
        (timedelta(hours=-20), FLOOR, FLOOR, False),
        (timedelta(days=-2), FLOOR, FLOOR, True),
        (timedelta(days=729), FLOOR + timedelta(days=729), FLOOR + timedelta(days=729), False),
        (timedelta(days=731), FLOOR + timedelta(days=731), FLOOR, True),
    ],
)
def test_judge(off: timedelta, used: datetime, kept: datetime, warned: bool) -> None:
    found = judge(FLOOR + off, FLOOR)
    assert (found.at, found.floor, found.warning is not None) == (used, kept, warned)
    assert found.system == FLOOR + off


def test_the_floor_is_kept_and_never_sinks(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert read_floor(paths) == BUILT
    raise_floor(paths, FLOOR)
    assert read_floor(paths) == FLOOR
    raise_floor(paths, FLOOR - timedelta(days=5))
    assert read_floor(paths) == FLOOR


def test_never_before_this_techtool_was_made(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    raise_floor(paths, datetime(2001, 1, 1, tzinfo=UTC))
    assert read_floor(paths) == BUILT


@pytest.mark.parametrize(
    "data", ["", "{}", '{"schema":1,"floor":"soon"}', '{"schema":1,"floor":"2027-01-01T00:00:00"}']
)
def test_a_damaged_floor_is_said(tmp_path: Path, data: str) -> None:
    paths = Paths(tmp_path)
    paths.trust.mkdir()
    (paths.trust / "clock.json").write_text(data)
    with pytest.raises(StoreDamaged):
        read_floor(paths)
