from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from techtool.paths import DISK
from techtool.simulator.files import Errno, FileRefused, FileTree, normal


def tree(root: Path) -> FileTree:
    return FileTree(
        root,
        DISK,
        apks=dict,
        texts=lambda: {"/proc/uptime": b"1 1\n"},
        sealed=lambda: frozenset({"/system/app/A.apk"}),
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/local/tmp/../../../etc/passwd", "/etc/passwd"),
        ("sdcard//x/./y/", "/sdcard/x/y"),
        ("/storage/emulated/0/a", "/sdcard/a"),
        ("//sdcard", "/sdcard"),
        ("", "/"),
    ],
)
def test_normal(path: str, expected: str) -> None:
    assert normal(path) == expected


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/etc/passwd", Errno.DENIED),
        ("/sdcard/../etc/passwd", Errno.DENIED),
        ("/system/x", Errno.READ_ONLY),
        ("/x", Errno.READ_ONLY),
        ("/data/app/x/base.apk", Errno.DENIED),
        ("/data/local/tmp", Errno.IS_A_FOLDER),
        ("/data/local/tmp/a\0b", Errno.INVALID),
        ("/sdcard/" + "长" * 90, Errno.TOO_LONG),
        ("/sdcard" + "/abcdefgh" * 200, Errno.TOO_LONG),
    ],
    ids=lambda value: value.name if isinstance(value, Errno) else None,
)
def test_where_nothing_may_be_written(tmp_path: Path, path: str, number: Errno) -> None:
    with pytest.raises(FileRefused) as refused:
        tree(tmp_path).place(path)
    assert refused.value.errno == number


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=40), st.booleans())
def test_no_name_leaves_the_folder(tmp_path: Path, name: str, deep: bool) -> None:
    files = tree(tmp_path / "root")
    try:
        place = files.place(f"/sdcard/{'d/' if deep else ''}{name}")
    except FileRefused:
        return
    relative = place.relative_to(tmp_path / "root")
    assert not {"..", "."} & set(relative.parts)
    assert not any(mark in part for part in relative.parts for mark in '\\:*?"<>|\0')
    assert place.resolve().is_relative_to((tmp_path / "root").resolve())


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    files = tree(tmp_path)
    files.place("/sdcard/a").write_bytes(b"")
    with pytest.raises(FileRefused):
        files.place("/sdcard/a/b")


def test_listing_shows_names_as_they_were_pushed(tmp_path: Path) -> None:
    files = tree(tmp_path)
    for name in ("b 升级.bin", "a:b", "c%20d"):
        files.place(f"/sdcard/{name}").write_bytes(b"1")
    assert [entry.name for entry in files.list("/sdcard")] == ["a:b", "b 升级.bin", "c%20d"]
    assert {entry.name for entry in files.list("/")} >= {"data", "proc", "sdcard", "system"}


def test_sealed_files_exist_and_may_not_be_read(tmp_path: Path) -> None:
    files = tree(tmp_path)
    assert not files.stat("/system/app/A.apk").is_folder
    with pytest.raises(FileRefused) as refused:
        files.open("/system/app/A.apk")
    assert refused.value.errno == Errno.DENIED
    with files.open("/proc/uptime") as stream:
        assert stream.read() == b"1 1\n"
