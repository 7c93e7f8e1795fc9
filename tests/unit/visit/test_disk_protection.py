"""Whether records are safe from whoever has the laptop: told from the system, never guessed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from techtool.paths import DISK, Paths
from techtool.visit import disk_protection
from techtool.visit.disk_protection import check_protection, disk_encrypted

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's /sys")


def device(devices: Path, uuid: str = "", name: str = "") -> Path:
    """A block device as /sys shows it; named by its number, or by its name among another's slaves."""
    number = devices.stat().st_dev
    path = devices / (name or f"{os.major(number)}:{os.minor(number)}")
    (path / "slaves").mkdir(parents=True)
    if uuid:
        (path / "dm").mkdir()
        (path / "dm" / "uuid").write_text(f"{uuid}\n")
    return path


def test_a_plain_partition_is_not_encrypted(tmp_path: Path) -> None:
    device(tmp_path)
    assert disk_encrypted(tmp_path, tmp_path) is False


def test_luks_is(tmp_path: Path) -> None:
    device(tmp_path, "CRYPT-LUKS2-0c1d-home")
    assert disk_encrypted(tmp_path, tmp_path) is True


@pytest.mark.parametrize("kind", ["INTEGRITY", "VERITY"])
def test_a_device_that_is_only_checked_hides_nothing(tmp_path: Path, kind: str) -> None:
    volume = device(tmp_path, f"CRYPT-{kind}-home")
    assert disk_encrypted(tmp_path, tmp_path) is False
    device(volume / "slaves", "CRYPT-LUKS2-1", "dm-0")
    assert disk_encrypted(tmp_path, tmp_path) is True


@pytest.mark.parametrize("both", [True, False])
def test_volumes_are_as_safe_as_all_that_they_lie_on(tmp_path: Path, both: bool) -> None:
    volume = device(tmp_path, "LVM-abc")
    device(volume / "slaves", "CRYPT-LUKS2-1", "dm-0")
    device(volume / "slaves", "CRYPT-LUKS2-2" if both else "", "dm-1")
    assert disk_encrypted(tmp_path, tmp_path) is both


def test_what_the_system_does_not_say_is_not_guessed(tmp_path: Path) -> None:
    assert disk_encrypted(tmp_path, tmp_path / "none") is None
    assert disk_encrypted(tmp_path / "gone", tmp_path) is None


@pytest.mark.parametrize(("encrypted", "says"), [(True, ""), (False, "No disk encryption"), (None, "cannot be told")])
def test_the_doctor_tells_it_and_calls_nothing_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool | None, says: str
) -> None:
    monkeypatch.setattr(disk_protection, "disk_encrypted", lambda _folder: encrypted)
    paths = Paths(tmp_path)
    DISK.make_folder(paths.visits)
    found = list(check_protection(paths))
    assert not any(one.problem for one in found)
    assert [says in one.what.text("en") for one in found] == ([True] if says else [])


def test_a_folder_that_others_can_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_protection, "disk_encrypted", lambda _folder: True)
    paths = Paths(tmp_path)
    DISK.make_folder(paths.visits)
    assert list(check_protection(paths)) == []
    paths.visits.chmod(0o755)
    (found,) = check_protection(paths)
    assert str(paths.visits) in found.actions[0].text("en")
