"""age keys and the office's recipients."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.backups.keys import new_identity, public_of, read_recipients
from techtool.errors import BadFile


def test_a_new_key_is_an_age_key_and_never_the_same() -> None:
    one, other = new_identity(), new_identity()
    assert one.secret.startswith("AGE-SECRET-KEY-1")
    assert one.public.startswith("age1")
    assert one.secret != other.secret
    assert public_of(one.secret + "\n") == one.public


def test_recipients_are_read_with_comments_and_each_once(tmp_path: Path) -> None:
    office, spare = new_identity().public, new_identity().public
    path = tmp_path / "recipients.txt"
    path.write_text(f"# office\n{office}\n\n  {spare}  \n{office}\n")
    assert read_recipients(path) == (office, spare)


def test_no_file_yet_means_no_recipients(tmp_path: Path) -> None:
    assert read_recipients(tmp_path / "none.txt") == ()


def test_a_mistyped_recipient_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "recipients.txt"
    good = new_identity().public
    path.write_text(f"{good}\n{good[:-1]}{'q' if good[-1] != 'q' else 'p'}\n")
    with pytest.raises(BadFile, match="line 2"):
        read_recipients(path)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"ssh-ed25519 AAAA me\n", b"AGE-SECRET-KEY-1QQ\n"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "recipients.txt"
    path.write_bytes(data)
    with pytest.raises(BadFile):
        read_recipients(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        read_recipients(tmp_path)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(BadFile):
        public_of("AGE-SECRET-KEY-1NONSENSE")
