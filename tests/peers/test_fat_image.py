"""Our rules for a terminal's stick against FAT as others write it: dosfstools formats and checks, mtools copies."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from techtool.catalogue.guides import guide_for
from techtool.domain.fat import FileSystem, Letters, Names, clashes, name_problem, read_boot_sector
from techtool.links.medium.volume import Volume
from techtool.links.medium.write import disturbing, load_for, move_aside, put
from tests.peers.tools import need

pytestmark = pytest.mark.peers

KINDS = {
    FileSystem.FAT12: (["-F", "12"], 2 << 20),
    FileSystem.FAT16: (["-F", "16"], 32 << 20),
    FileSystem.FAT32: (["-F", "32"], 64 << 20),
}
GOOD = (
    "FW20.UPD",
    "dl.app-1.2.tar",
    "!SB_S80_33.33",
    "固件 2.0.bin",
    "x" * 251 + ".tgz",
    "Größe 2026.bin",
    "A B C.txt",
    "a.b.c.d",
)
BAD = ("a:b", "a*c", "wh?t", 'q"r', "a<d", "a>e", "a|f", "a\\g", "end.", "end ")
QUIET = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}


def run(*argv: str) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, env=QUIET, timeout=60)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace")


def formatted(path: Path, kind: FileSystem = FileSystem.FAT32, label: str = "") -> Path:
    options, size = KINDS[kind]
    with path.open("wb") as image:
        image.truncate(size)
    run(need("mkfs.vfat"), *options, *(["-n", label] if label else []), str(path))
    return path


def copied(image: Path, *sources: Path) -> None:
    run(need("mcopy"), "-s", "-o", "-i", str(image), *map(str, sources), "::")


def names_in(image: Path, into: Path) -> dict[str, bytes]:
    """Everything on the image by its own names."""
    into.mkdir()
    if not run(need("mdir"), "-b", "-i", str(image), "::").strip():
        return {}
    run(need("mcopy"), "-s", "-n", "-i", str(image), "::*", str(into))
    return {p.relative_to(into).as_posix(): p.read_bytes() for p in into.rglob("*") if p.is_file()}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("label", ["", "UPDATE"])
def test_the_first_sector_says_what_it_was_formatted_as(kind: FileSystem, label: str, tmp_path: Path) -> None:
    found = read_boot_sector(formatted(tmp_path / "image", kind, label).read_bytes()[:512])
    assert (found.file_system, found.label) == (kind, label)


def test_names_that_we_take_come_back_and_others_do_not(tmp_path: Path) -> None:
    """mtools and the Linux file system are the judges: what FAT cannot hold comes back under another name."""
    image, folder = formatted(tmp_path / "image"), tmp_path / "files"
    folder.mkdir()
    for name in (*GOOD, *BAD):
        (folder / name).write_text(name)
    copied(image, *(folder / name for name in GOOD))
    assert set(names_in(image, tmp_path / "good")) == set(GOOD)
    assert [name for name in GOOD if name_problem(name) is not None] == []
    run(need("fsck.fat"), "-n", str(image))
    for number, name in enumerate(BAD):
        assert name_problem(name) is not None
        other = formatted(tmp_path / "other", FileSystem.FAT12)
        argv = (need("mcopy"), "-o", "-i", str(other), str(folder / name), "::")
        subprocess.run(argv, check=False, capture_output=True, env=QUIET, timeout=60)
        assert name not in names_in(other, tmp_path / f"bad{number}")


def test_eight_and_three_in_capitals_needs_no_long_name(tmp_path: Path) -> None:
    image, folder = formatted(tmp_path / "image"), tmp_path / "files"
    folder.mkdir()
    names = ("FW20.UPD", "12345678.123", "!SB_S80_.33", "A", "fw21.upd", "Fw22.Upd", "long-name-23.upd")
    for name in names:
        (folder / name).write_text(name)
    copied(image, *(folder / name for name in names))
    listing = run(need("mdir"), "-i", str(image), "::")
    long_names = {name for name in names if any(line.rstrip().endswith(f" {name}") for line in listing.splitlines())}
    short = {name for name in names if name_problem(name, Names.SHORT, Letters.UPPER) is None}
    assert short == {"FW20.UPD", "12345678.123", "!SB_S80_.33", "A"}
    assert not short & long_names
    assert {"Fw22.Upd", "long-name-23.upd"} <= long_names


def test_capitals_make_no_second_file(tmp_path: Path) -> None:
    image, folder = formatted(tmp_path / "image"), tmp_path / "files"
    folder.mkdir()
    (folder / "fw.upd").write_text("first")
    (folder / "FW.UPD").write_text("second")
    assert clashes(["fw.upd", "FW.UPD"])
    copied(image, folder / "fw.upd")
    copied(image, folder / "FW.UPD")
    assert list(names_in(image, tmp_path / "back").values()) == [b"second"]


def test_a_prepared_stick_through_a_real_file_system(tmp_path: Path) -> None:
    """What we lay out, carried onto FAT32 by mtools: checked by fsck.fat, and every byte as it was."""
    root, image = tmp_path / "stick", formatted(tmp_path / "image")
    (root / "UPDATE").mkdir(parents=True)
    (root / "UPDATE" / "OLD.UPD").write_text("old")
    content = bytes(range(256)) * 9000
    (tmp_path / "payload").write_bytes(content)
    volume, layout = Volume(root, FileSystem.FAT32), guide_for("example/S1").layout
    load = load_for(layout, "fw@2", "targets/FW20.UPD", len(content), hashlib.sha256(content).hexdigest())
    move_aside(volume, disturbing(volume, layout, [load]))
    put(volume, load, tmp_path / "payload")
    copied(image, *sorted(root.iterdir()))
    run(need("fsck.fat"), "-n", str(image))
    assert names_in(image, tmp_path / "back") == {"UPDATE/FW20.UPD": content, "TTMOVED/1/OLD.UPD": b"old"}
