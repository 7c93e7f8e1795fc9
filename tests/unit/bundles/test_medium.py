"""Reading from a folder that is not to be trusted."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from techtool.bundles.medium import StickFolder, is_portable, place_of, read_chunks
from techtool.errors import Damaged, Untrusted


@pytest.mark.parametrize("path", ["a", "a/b.c", "acme/x1/" + "0" * 64 + ".x1-os-2.4.0.zip", "A_b/c+d@e=f.g", "_/a"])
def test_portable(path: str) -> None:
    assert is_portable(path)


_ODD = ["", "/a", "a/", "a//b", "..", "a/../b", ".", ".a", "a/.b", "a.", "a ", "a b", "a\\b", "a:b", "c:/x", "a\0b"]
_ODDER = ["a*", "NUL", "a/Con.txt", "com1", "lpt9.x", "x" * 256, "a/" * 300 + "a", "ä", "a\n", "~a", "-a", "a?"]


@pytest.mark.parametrize("path", [*_ODD, *_ODDER])
def test_not_portable(path: str) -> None:
    assert not is_portable(path)


def test_place_of() -> None:
    assert place_of("acme/x/f.apk", "ab") == "targets/acme/x/ab.f.apk"
    assert place_of("f.apk", "ab") == "targets/ab.f.apk"


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> StickFolder:
        (tmp_path / "a").mkdir()
        (tmp_path / "a/file").write_bytes(b"0123456789")
        return StickFolder(tmp_path)

    def test_reads_within_a_limit(self, folder: StickFolder) -> None:
        assert folder.read("a/file", 10) == b"0123456789"
        assert folder.read("a/file", 4) == b"01234", "one byte more tells that there is more"

    def test_missing(self, folder: StickFolder) -> None:
        for path in ("a/none", "none/file", "a/file/below"):
            with pytest.raises(FileNotFoundError):
                folder.read(path, 10)

    @pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", ".hidden"])
    def test_paths_outside(self, folder: StickFolder, path: str) -> None:
        with pytest.raises(Untrusted):
            folder.open(path)

    def test_links_anywhere_on_the_way(self, folder: StickFolder) -> None:
        (folder.root / "link").symlink_to(folder.root / "a")
        (folder.root / "a/link").symlink_to("file")
        for path in ("link/file", "a/link"):
            with pytest.raises(Untrusted):
                folder.open(path)

    def test_pipes_and_folders(self, folder: StickFolder) -> None:
        os.mkfifo(folder.root / "pipe")
        for path in ("pipe", "a"):
            with pytest.raises(Untrusted):
                folder.open(path)

    def test_survey_counts_what_others_left(self, folder: StickFolder) -> None:
        (folder.root / "a/._file").write_bytes(b"x")
        (folder.root / ".Trashes").mkdir()
        survey = folder.survey()
        assert survey.ignored_count == 2
        assert set(survey.ignored) == {"a/._file", ".Trashes"}

    def test_survey_leaves_the_outbox_alone(self, folder: StickFolder) -> None:
        (folder.root / "outbox").mkdir()
        (folder.root / "outbox/link").symlink_to("/")
        assert folder.survey().notes == ()

    def test_the_outbox_is_no_link_itself(self, folder: StickFolder) -> None:
        (folder.root / "outbox").symlink_to("/tmp")
        with pytest.raises(Untrusted):
            folder.survey()

    def test_too_many_files(self, folder: StickFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("techtool.bundles.medium._MAX_ENTRIES", 3)
        for n in range(4):
            (folder.root / f"f{n}").touch()
        with pytest.raises(Untrusted):
            folder.survey()

    def test_unreadable_folder_is_a_damaged_stick(self, tmp_path: Path) -> None:
        with pytest.raises(Damaged):
            StickFolder(tmp_path / "gone").survey()


def test_a_read_error_names_the_file() -> None:
    class Pulled(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(Damaged) as caught:
        list(read_chunks(Pulled(), "targets/x", 10))
    assert caught.value.params["path"] == "targets/x"
    assert "Input/output error" in caught.value.what_phrase.text("en")
