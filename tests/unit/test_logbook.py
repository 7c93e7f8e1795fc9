"""The log for the support desk: bounded, without card data, and never a reason for anything to fail."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from techtool import logbook
from techtool.logbook import KEPT, MAX_BYTES, NAME, note, places
from techtool.paths import Paths

CARD = "4111111111111111"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "home").mkdir()
    return Paths(tmp_path / "home")


def lines(paths: Paths) -> list[str]:
    return (paths.logs / NAME).read_text("utf-8").splitlines()


def test_a_line_has_time_process_and_words(paths: Paths) -> None:
    note(paths, "lane 1 install begun")
    (line,) = lines(paths)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+ lane 1 install begun", line)


def test_no_card_number_and_no_second_line(paths: Paths) -> None:
    note(paths, f"said {CARD}\nand %s more {'x' * 900}")
    (line,) = lines(paths)
    assert CARD not in line
    assert "and %s more" in line
    assert len(line) == 400


def test_its_size_is_bounded(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "MAX_BYTES", 2_000)
    for number in range(300):
        note(paths, f"line {number}")
    files = sorted(paths.logs.iterdir())
    assert [path.name for path in files] == [NAME, *(f"{NAME}.{n}" for n in range(1, KEPT + 1))]
    assert sum(path.stat().st_size for path in files) <= 2_000 * (KEPT + 1)
    assert lines(paths)[-1].endswith("line 299")
    assert MAX_BYTES * (KEPT + 1) <= 1 << 20


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_its_owner_reads_it(paths: Paths) -> None:
    note(paths, "begun")
    assert stat.S_IMODE((paths.logs / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.logs.stat().st_mode) == 0o700


def test_where_it_cannot_be_written_nothing_fails(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    note(Paths(paths.home / "none"), "no home yet")
    assert not (paths.home / "none").exists()
    (paths.logs / NAME).mkdir(parents=True)
    note(paths, "a folder in its place")
    (paths.logs / NAME).rmdir()
    monkeypatch.setattr(os, "open", _full)
    note(paths, "full disk")


def test_a_home_that_cannot_be_looked_at(tmp_path: Path) -> None:
    note(Paths(tmp_path / ("a" * 5_000)), "a name that is too long")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_disk_that_fills_up_while_it_is_written(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.logs.mkdir()
    (paths.logs / NAME).symlink_to("/dev/full")
    note(paths, "full disk")
    assert capsys.readouterr().err == ""


def _full(*_given: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_defect_is_named_by_its_places_alone() -> None:
    with pytest.raises(AttributeError) as broken:
        note(None, CARD)  # type: ignore[arg-type]
    assert re.fullmatch(r"techtool\.logbook:\d+ note", places(broken.value))
