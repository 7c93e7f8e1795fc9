"""Names, kinds and limits of FAT, as its specification and Windows' documents say them."""

from __future__ import annotations

import pytest

from techtool.domain.fat import (
    BootSector,
    FileSystem,
    Letters,
    Names,
    clashes,
    kind_by_clusters,
    name_problem,
    path_problem,
    read_boot_sector,
)


@pytest.mark.parametrize(
    "name",
    ["FW20.UPD", "dl.app-1.2.tar", "!SB_S80_33.33", "固件 2.0.bin", "a" * 255, "x" * 251 + ".tgz", "COM10", "É.BIN"],
)
def test_names_a_stick_takes(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a:b", "a*", "wh?t", 'q"', "a<b", "a>b", "a|b", "a\\b", "a\x01b", "a\x7fb", "a\nb", "end.", "end ",
     "con", "NUL.txt", "Com1.UPD", "lpt9", "a" * 256, "😀" * 128, "a\u202eb"],
)  # fmt: skip
def test_names_it_does_not_take(name: str) -> None:
    assert name_problem(name) is not None


@pytest.mark.parametrize(
    ("name", "fits"),
    [("FW20.UPD", True), ("A", True), ("12345678.123", True), ("!SB_S80_.33", True), ("123456789.A", False),
     ("A.1234", False), ("A B.UPD", False), ("A.B.C", False), (".UPD", False), ("固件.UPD", False), ("A+B.UPD", False)],
)  # fmt: skip
def test_eight_and_three(name: str, fits: bool) -> None:
    assert (name_problem(name, Names.SHORT) is None) is fits


def test_letters() -> None:
    assert name_problem("fw.upd", letters=Letters.UPPER) is not None
    assert name_problem("FW.UPD", letters=Letters.LOWER) is not None
    assert name_problem("Fw.Upd", letters=Letters.ANY) is None
    assert name_problem("FW-1.UPD", Names.SHORT, Letters.UPPER) is None


def test_paths() -> None:
    assert path_problem("UPDATE/FW20.UPD", Names.SHORT, Letters.UPPER) is None
    for path in ("/FW20.UPD", "UPDATE//FW20.UPD", "../FW20.UPD", "A/../B", "/".join(["d" * 100] * 3)):
        assert path_problem(path) is not None, path


def test_what_differs_in_capitals_only() -> None:
    assert clashes(["a.upd", "B.UPD", "A.UPD"]) == ("a.upd", "A.UPD")
    assert clashes(["a", "b"]) == ()


def test_the_count_of_clusters_decides() -> None:
    counts = (1, 4084, 4085, 65524, 65525, 10_000_000)
    assert [kind_by_clusters(n).value for n in counts] == ["fat12", "fat12", "fat16", "fat16", "fat32", "fat32"]


@pytest.mark.parametrize("sector", [b"", b"\0" * 512, b"\xff" * 512, b"\0" * 510 + b"\x55\xaa", b"NTFS" * 200])
def test_what_is_no_fat(sector: bytes) -> None:
    assert read_boot_sector(sector) == BootSector(FileSystem.OTHER)
