"""The terminal's stick: what is refused as one, and how a file gets there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from techtool.catalogue.guides import guide_for
from techtool.domain.fat import MAX_FILE_BYTES, FileSystem, Names
from techtool.domain.guide import Layout
from techtool.errors import MediumFailed, MediumUnfit, NotCompatible
from techtool.links.medium import drives as drives_module
from techtool.links.medium.drives import Drive, is_stick
from techtool.links.medium.volume import STAND_IN, STAND_IN_TEXT, Volume, sticks_for_menus, volume_at
from techtool.links.medium.write import (
    Load,
    disturbing,
    load_for,
    move_aside,
    put,
    read_result,
    refuse_unfit,
)
from techtool.paths import Disk, disk_error

S1 = guide_for("example/S1").layout
CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    root = tmp_path / "stick"
    root.mkdir()
    return Volume(root, FileSystem.FAT32, "")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "payload"
    path.write_bytes(CONTENT)
    return path


LOAD = Load("FW.UPD", "UPDATE/FW.UPD", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def drive(mount: Path, file_system: str = "vfat", *, removable: bool = True, device: str = "X:") -> Drive:
    return Drive(device, mount, file_system, removable)


# -- what is a stick --------------------------------------------------------------------------------------------------


def test_a_stick(tmp_path: Path) -> None:
    found = volume_at(tmp_path, [drive(tmp_path, "FAT32")])
    assert (found.root, found.file_system, found.simulated) == (tmp_path, FileSystem.FAT32, False)
    assert volume_at(tmp_path, [drive(tmp_path, "exfat")]).file_system is FileSystem.EXFAT
    assert volume_at(tmp_path, [drive(tmp_path, "ntfs")]).file_system is FileSystem.OTHER


@pytest.mark.parametrize("case", ["gone", "file", "folder", "fixed", "bundle", "inside", "home"])
def test_what_is_none(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted, place = [drive(tmp_path)], tmp_path
    if case == "gone":
        place = tmp_path / "none"
    elif case == "file":
        place = tmp_path / "file"
        place.touch()
    elif case == "folder":
        place = tmp_path / "folder"
        place.mkdir()
    elif case == "fixed":
        mounted = [drive(tmp_path, removable=False)]
    elif case == "bundle":
        (tmp_path / "TechTool").mkdir()
    elif case == "inside":
        place = tmp_path / "TECHTOOL"
        place.mkdir()
        mounted = [drive(place)]
    else:
        monkeypatch.setattr(Path, "home", lambda: tmp_path / "people" / "zhang")
    with pytest.raises(MediumUnfit) as caught:
        volume_at(place, mounted)
    assert caught.value.action_phrases[0].text("en")


def test_a_part_of_the_disk_that_this_system_runs_from(tmp_path: Path) -> None:
    mounted = [Drive("/dev/sdq1", Path("/"), "ext4", False), Drive("/dev/sdq2", tmp_path, "vfat", True)]
    with pytest.raises(MediumUnfit):
        volume_at(tmp_path, mounted)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the bus")
@pytest.mark.parametrize(
    ("place", "flag", "told"),
    [
        ("pci0/usb2/2-1/block/sdz", "0", True),
        ("pci0/usb2/2-1/block/sdz", "1", True),
        ("pci0/ata1/block/sdz", "0", False),
        ("pci0/mmc_host/mmc0/block/sdz", "0", True),
    ],
)
def test_where_the_system_tells_the_bus_the_mount_point_proves_nothing(
    place: str, flag: str, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / place
    (disk / "sdz1").mkdir(parents=True)
    (disk / "removable").write_text(f"{flag}\n")
    (disk / "sdz1" / "partition").write_text("1\n")
    known = tmp_path / "class"
    known.mkdir()
    (known / "sdz1").symlink_to(disk / "sdz1")
    monkeypatch.setattr(drives_module, "_SYS", known)
    assert is_stick(Drive("/dev/sdz1", Path("/media/x"), "vfat", True)) is told
    assert is_stick(Drive("/dev/sdy1", Path("/media/x"), "vfat", True)), "unknown to the kernel: as the desktop says"


def test_a_folder_that_stands_for_one(tmp_path: Path) -> None:
    (tmp_path / STAND_IN).write_bytes(STAND_IN_TEXT)
    assert volume_at(tmp_path, []).simulated
    (tmp_path / STAND_IN).write_bytes(STAND_IN_TEXT + b"x")
    with pytest.raises(MediumUnfit):
        volume_at(tmp_path, [])


def test_sticks_that_are_offered(tmp_path: Path) -> None:
    names = ("fat", "bundle", "exfat", "fixed")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "bundle" / "TECHTOOL").mkdir()
    mounted = [
        drive(tmp_path / name, "exfat" if name == "exfat" else "FAT32", removable=name != "fixed") for name in names
    ]
    assert sticks_for_menus(mounted) == [tmp_path / "fat"]


@pytest.mark.parametrize(
    ("found", "fits"),
    [(FileSystem.FAT32, True), (FileSystem.FAT, True), (FileSystem.FAT16, False), (FileSystem.EXFAT, False),
     (FileSystem.OTHER, False)],
)  # fmt: skip
def test_formatted_as_the_terminal_reads(found: FileSystem, fits: bool, tmp_path: Path) -> None:
    if fits:
        refuse_unfit(Volume(tmp_path, found), S1)
        return
    with pytest.raises(MediumUnfit) as caught:
        refuse_unfit(Volume(tmp_path, found), S1)
    assert found.value in str(caught.value)


def test_the_label_where_the_model_wants_one(tmp_path: Path) -> None:
    layout = Layout(label="UPDATE")
    refuse_unfit(Volume(tmp_path, FileSystem.FAT32, "update"), layout)
    refuse_unfit(Volume(tmp_path, FileSystem.FAT32, None), layout)
    with pytest.raises(MediumUnfit):
        refuse_unfit(Volume(tmp_path, FileSystem.FAT32, "MUSIC"), layout)


# -- names ------------------------------------------------------------------------------------------------------------


def test_where_a_file_belongs() -> None:
    load = load_for(S1, "fw@2", "targets/acme/fw/FW.UPD", 5, "aa")
    assert (load.name, load.path) == ("FW.UPD", "UPDATE/FW.UPD")


@pytest.mark.parametrize("name", ["firmware-2.0.UPD", "fw.upd", "FW.BIN", "CON.UPD"])
def test_a_name_that_the_menu_does_not_take(name: str) -> None:
    with pytest.raises(NotCompatible):
        load_for(S1, "fw@2", f"targets/{name}", 5, "aa")


def test_four_gibibytes() -> None:
    layout = Layout(names=Names.LONG)
    assert load_for(layout, "fw@2", "big.bin", MAX_FILE_BYTES, "aa").size_bytes == MAX_FILE_BYTES
    with pytest.raises(NotCompatible, match="4 GiB"):
        load_for(layout, "fw@2", "big.bin", MAX_FILE_BYTES + 1, "aa")


# -- what lies there --------------------------------------------------------------------------------------------------


def test_what_would_disturb_is_named_and_moved_only_aside(volume: Volume) -> None:
    folder = volume.root / "UPDATE"
    folder.mkdir()
    for name in ("OLD.UPD", "old2.upd", "fw.upd", "README.TXT", "FW.UPD"):
        (folder / name).write_text(name)
    (volume.root / "UPDATE.LOG").write_text("RESULT=OK")
    (volume.root / "OTHER.UPD").write_text("not in the folder")
    found = disturbing(volume, S1, [LOAD])
    assert found == ("UPDATE/OLD.UPD", "UPDATE/fw.upd", "UPDATE/old2.upd", "UPDATE.LOG")
    assert move_aside(volume, found) == "TTMOVED/1"
    assert disturbing(volume, S1, [LOAD]) == ()
    assert (volume.root / "TTMOVED/1/fw.upd").read_text() == "fw.upd"
    (folder / "OLD.UPD").write_text("again")
    assert move_aside(volume, ["UPDATE/OLD.UPD"]) == "TTMOVED/2"
    assert (volume.root / "TTMOVED/1/OLD.UPD").read_text() == "OLD.UPD"


# -- copying ----------------------------------------------------------------------------------------------------------


def test_a_file_gets_there_whole(volume: Volume, source: Path) -> None:
    told: list[int] = []
    assert put(volume, LOAD, source, told.append)
    assert (volume.root / LOAD.path).read_bytes() == CONTENT
    assert [p.name for p in (volume.root / "UPDATE").iterdir()] == ["FW.UPD"]
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)
    assert all(count < len(CONTENT) for count in told[:-1]), "whole only once it was read back"


def test_what_lies_there_whole_is_not_copied_twice(volume: Volume, source: Path) -> None:
    put(volume, LOAD, source)
    before = (volume.root / LOAD.path).stat().st_ino
    assert not put(volume, LOAD, source)
    assert (volume.root / LOAD.path).stat().st_ino == before
    (volume.root / LOAD.path).write_bytes(CONTENT[:-1])
    assert put(volume, LOAD, source)
    assert (volume.root / LOAD.path).read_bytes() == CONTENT


@dataclass
class BadStick(Disk):
    """Writes go well ``good`` times; then something happens."""

    then: Callable[[bytes], bytes]
    good: int = 1

    def write(self, fd: int, data: bytes, path: Path) -> None:
        self.good -= 1
        try:
            super().write(fd, data if self.good >= 0 else self.then(data), path)
        except OSError as error:
            raise disk_error(error, path) from error


def fails(number: int) -> Callable[[bytes], bytes]:
    def fail(_data: bytes) -> bytes:
        raise OSError(number, "no")

    return fail


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EIO, errno.EROFS, errno.ENOSPC, errno.EFBIG])
def test_pulled_full_or_read_only(number: int, volume: Volume, source: Path) -> None:
    (volume.root / "UPDATE").mkdir()
    (volume.root / LOAD.path).write_bytes(b"what lay there before")
    with pytest.raises(MediumFailed):
        put(volume, LOAD, source, disk=BadStick(fails(number)))
    assert (volume.root / LOAD.path).read_bytes() == b"what lay there before", "never half under its own name"
    assert put(volume, LOAD, source), "and it can be made good"


def test_a_stick_that_gives_back_something_else(volume: Volume, source: Path) -> None:
    with pytest.raises(MediumFailed) as caught:
        put(volume, LOAD, source, disk=BadStick(lambda data: data[:-1] + b"\x00"))
    assert "reads back otherwise" in str(caught.value)


def test_no_room(volume: Volume, source: Path) -> None:
    class Small(Disk):
        def free_bytes(self, folder: Path) -> int:
            return len(CONTENT)

    with pytest.raises(MediumUnfit) as caught:
        put(volume, LOAD, source, disk=Small())
    assert "free" in str(caught.value)
    assert not list((volume.root / "UPDATE").iterdir())


def test_nothing_is_written_through_a_link(volume: Volume, source: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (volume.root / "UPDATE").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MediumUnfit):
        put(volume, LOAD, source)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_where_the_folder_belongs(volume: Volume, source: Path) -> None:
    (volume.root / "UPDATE").write_text("a file")
    with pytest.raises(MediumUnfit):
        put(volume, LOAD, source)


def test_what_the_terminal_left_is_bounded(volume: Volume) -> None:
    assert read_result(volume, S1) is None
    assert read_result(volume, Layout()) is None
    (volume.root / "UPDATE.LOG").write_bytes(b"RESULT=OK\r\n\xff" + b"x" * 1_000_000)
    text = read_result(volume, S1)
    assert text is not None
    assert text.startswith("RESULT=OK\n\ufffd")
    assert len(text) <= 64 << 10
