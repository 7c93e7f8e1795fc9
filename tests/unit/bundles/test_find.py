"""Which folder is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.bundles.find import Drive, drives, find_sticks, locate, the_stick
from techtool.errors import AmbiguousChoice, Exit, NoStick, Untrusted


def make(mount: Path, name: str = "TECHTOOL") -> Path:
    (mount / name / "metadata").mkdir(parents=True)
    return mount / name


def drive(mount: Path, *, removable: bool = True) -> Drive:
    return Drive("/dev/sdx1", mount, "exfat", removable)


def test_mount_root_or_folder(tmp_path: Path) -> None:
    root = make(tmp_path)
    assert locate(tmp_path) == root
    assert locate(root) == root


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path)
    monkeypatch.chdir(root)
    assert locate(Path()) == root


def test_fat_may_show_small_letters(tmp_path: Path) -> None:
    assert locate(tmp_path) if make(tmp_path, "techtool") else False


@pytest.mark.parametrize("what", ["missing", "empty", "file", "half"])
def test_no_stick(tmp_path: Path, what: str) -> None:
    if what == "half":
        (tmp_path / "TECHTOOL").mkdir()
    path = {"missing": tmp_path / "none", "file": tmp_path / "file"}.get(what, tmp_path)
    if what == "file":
        path.touch()
    with pytest.raises(NoStick) as caught:
        locate(path)
    assert caught.value.exit_code is Exit.NOT_FOUND


def test_two_that_answer_to_the_name(tmp_path: Path) -> None:
    make(tmp_path)
    make(tmp_path, "techtool")
    with pytest.raises(AmbiguousChoice):
        locate(tmp_path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    root = make(tmp_path / "elsewhere")
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick/TECHTOOL").symlink_to(root)
    with pytest.raises(Untrusted):
        locate(tmp_path / "stick")


def test_only_removable_drives_with_a_bundle(tmp_path: Path) -> None:
    make(tmp_path / "b")
    make(tmp_path / "a")
    make(tmp_path / "fixed")
    (tmp_path / "empty").mkdir()
    mounted = [drive(tmp_path / n) for n in ("b", "a", "empty", "gone")] + [drive(tmp_path / "fixed", removable=False)]
    assert [stick.mount.name for stick in find_sticks(mounted)] == ["a", "b"]


def test_the_only_one_is_taken_and_two_are_asked(tmp_path: Path) -> None:
    first, second = make(tmp_path / "one"), make(tmp_path / "two")
    assert the_stick(None, [drive(tmp_path / "one")]) == first
    with pytest.raises(AmbiguousChoice) as caught:
        the_stick(None, [drive(tmp_path / "one"), drive(tmp_path / "two")])
    assert caught.value.exit_code is Exit.USAGE
    assert str(tmp_path / "one") in str(caught.value)
    assert str(tmp_path / "two") in str(caught.value)
    assert the_stick(tmp_path / "two", [drive(tmp_path / "one")]) == second
    with pytest.raises(NoStick):
        the_stick(None, [])


def test_this_machine_can_be_asked() -> None:
    assert all(isinstance(d.mount, Path) and d.file_system for d in drives())
