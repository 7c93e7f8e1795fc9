"""Copy-and-hash: proven, resumed, and honest about whose fault it is."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from techtool.bundles import payload
from techtool.bundles.medium import StickFolder
from techtool.bundles.payload import Payload, check, fetch
from techtool.errors import Damaged, DiskError, DiskFull, Exit, Withdrawn
from techtool.paths import Disk
from tests.unit.bundles.office import Office, copy_of
from tests.unit.store.disks import FullAfterBytes

MIB = 1 << 20
CONTENT = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(3 * MIB // 32)) + b"end"
PAYLOAD = Payload("acme/x/app.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> StickFolder:
    path = tmp_path / "stick" / PAYLOAD.place
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return StickFolder(tmp_path / "stick")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "laptop/payloads"


def part_of(into: Path) -> Path:
    return into / f"{PAYLOAD.sha256}.part"


def on_stick(folder: StickFolder) -> Path:
    return folder.root / PAYLOAD.place


class Pulled(io.RawIOBase):
    """An open file of a stick that goes away after so many bytes."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file, self._left = file, left

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise OSError(errno.EIO, "Input/output error")
        data = self._file.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def close(self) -> None:
        self._file.close()
        super().close()


class PulledAt(StickFolder):
    """A stick that goes away after so many bytes of one opening."""

    def __init__(self, root: Path, after: int) -> None:
        super().__init__(root)
        self.after = after

    def open(self, path: str) -> BinaryIO:
        return cast("BinaryIO", Pulled(super().open(path), self.after))


def test_copied_proven_and_named_by_its_digest(
    folder: StickFolder, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "_SYNC_EVERY", MIB)
    seen: list[int] = []
    path = fetch(folder, PAYLOAD, into, seen.append)
    assert path == into / PAYLOAD.sha256
    assert path.read_bytes() == CONTENT
    assert seen == [0, MIB, 2 * MIB, 3 * MIB, len(CONTENT)]
    assert os.listdir(into) == [PAYLOAD.sha256]


def test_bytes_are_told_only_after_they_are_synced(
    folder: StickFolder, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    class Watched(Disk):
        def fsync(self, fd: int, path: Path) -> None:
            events.append("sync")
            super().fsync(fd, path)

        def replace(self, source: Path, target: Path) -> None:
            events.append("rename")
            super().replace(source, target)

    monkeypatch.setattr(payload, "_SYNC_EVERY", 2 * MIB)
    fetch(folder, PAYLOAD, into, lambda count: events.append(str(count)), Watched())
    assert events == ["0", "sync", str(2 * MIB), "sync", str(len(CONTENT)), "rename"]


def test_an_earlier_copy_is_proven_again(folder: StickFolder, into: Path) -> None:
    path = fetch(folder, PAYLOAD, into)
    on_stick(folder).unlink()
    seen: list[int] = []
    assert fetch(folder, PAYLOAD, into, seen.append) == path
    assert seen == [len(CONTENT)]


def test_an_earlier_copy_that_rotted_is_made_again(folder: StickFolder, into: Path) -> None:
    path = fetch(folder, PAYLOAD, into)
    path.write_bytes(CONTENT[:-1] + b"!")
    assert fetch(folder, PAYLOAD, into).read_bytes() == CONTENT


class TestResume:
    def test_goes_on_where_the_stick_was_pulled(self, folder: StickFolder, into: Path) -> None:
        with pytest.raises(Damaged) as caught:
            fetch(PulledAt(folder.root, 2 * MIB), PAYLOAD, into)
        assert caught.value.exit_code is Exit.DAMAGED_BUNDLE
        assert "Input/output error" in caught.value.what_phrase.text("en")
        assert part_of(into).read_bytes() == CONTENT[: 2 * MIB]
        rest = len(CONTENT) - 2 * MIB
        seen: list[int] = []
        fetch(PulledAt(folder.root, rest + 1), PAYLOAD, into, seen.append)
        assert (into / PAYLOAD.sha256).read_bytes() == CONTENT
        assert seen[0] == 2 * MIB

    @pytest.mark.parametrize("left", [b"", b"torn write" * 100, CONTENT + b"more", CONTENT], ids=range(4))
    def test_whatever_lies_there(self, folder: StickFolder, into: Path, left: bytes) -> None:
        into.mkdir(parents=True)
        part_of(into).write_bytes(left)
        assert fetch(folder, PAYLOAD, into).read_bytes() == CONTENT
        assert not part_of(into).exists()


class TestDamage:
    @pytest.mark.parametrize("operation", ["fetch", "check"])
    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda data: data[:70] + b"!" + data[71:], id="flipped"),
            pytest.param(lambda data: data[:-5], id="truncated"),
            pytest.param(lambda data: data + b"x" * 100_000, id="too long"),
            pytest.param(lambda _data: b"", id="empty"),
        ],
    )
    def test_content(self, folder: StickFolder, into: Path, operation: str, spoil: Callable[[bytes], bytes]) -> None:
        on_stick(folder).write_bytes(spoil(CONTENT))
        with pytest.raises(Damaged) as caught:
            fetch(folder, PAYLOAD, into) if operation == "fetch" else check(folder, PAYLOAD)
        assert caught.value.exit_code is Exit.DAMAGED_BUNDLE
        assert not (into / PAYLOAD.sha256).exists()

    def test_a_wrong_copy_is_not_kept(self, folder: StickFolder, into: Path) -> None:
        on_stick(folder).write_bytes(b"?" + CONTENT[1:])
        with pytest.raises(Damaged):
            fetch(folder, PAYLOAD, into)
        assert os.listdir(into) == []

    def test_endless_content_is_read_to_the_signed_length_and_no_further(self, folder: StickFolder) -> None:
        with on_stick(folder).open("ab") as file:
            file.truncate(1 << 36)
        with pytest.raises(Damaged, match="longer"):
            check(folder, PAYLOAD)

    def test_missing(self, folder: StickFolder, into: Path) -> None:
        on_stick(folder).unlink()
        with pytest.raises(Damaged, match="missing"):
            fetch(folder, PAYLOAD, into)

    def test_a_file_that_changes_between_check_and_copy(self, folder: StickFolder, into: Path) -> None:
        check(folder, PAYLOAD)
        on_stick(folder).write_bytes(CONTENT.replace(b"end", b"END"))
        with pytest.raises(Damaged):
            fetch(folder, PAYLOAD, into)


class TestDisk:
    def test_full_while_writing(self, folder: StickFolder, into: Path) -> None:
        with pytest.raises(DiskFull) as caught:
            fetch(folder, PAYLOAD, into, disk=FullAfterBytes(2 * MIB))
        assert caught.value.exit_code is Exit.DISK_FULL
        assert os.listdir(into) == [], "nothing half-written stays on a full disk"

    def test_full_before_the_start(self, folder: StickFolder, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Usage:
            free = MIB

        monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
        with pytest.raises(DiskFull):
            fetch(folder, PAYLOAD, into)
        assert os.listdir(into) == []

    def test_a_folder_that_cannot_be(self, folder: StickFolder, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DiskError):
            fetch(folder, PAYLOAD, tmp_path / "file/below")


def test_memory_does_not_depend_on_the_size(folder: StickFolder, into: Path) -> None:
    import tracemalloc

    big = Payload("acme/x/big.bin", 64 * MIB, hashlib.sha256(bytes(64 * MIB)).hexdigest())
    with (folder.root / big.place).open("wb") as file:
        file.truncate(big.size_bytes)
    tracemalloc.start()
    try:
        check(folder, big)
        fetch(folder, big, into)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


class TestThroughTheStick:
    def test_fetch_and_check(self, office: Office, stick: Path) -> None:
        opened = office.open(stick)
        item = opened.releases[0]
        (file,) = item.release.files
        opened.check(item, file)
        assert opened.fetch(item, file, office.laptop.payloads).name == file.sha256

    def test_a_release_of_another_stick_is_looked_up_again(self, office: Office, stick: Path) -> None:
        old = copy_of(stick, "old")
        item = next(r for r in office.open(stick).releases if r.release.id == "com.acme.kernel")
        office.later(days=1)
        office.withdraw("com.acme.kernel", "7.0")
        office.open(office.stick())
        with pytest.raises(Withdrawn) as caught:
            office.open(old).fetch(item, item.release.files[0], office.laptop.payloads)
        assert caught.value.exit_code is Exit.WITHDRAWN

    def test_a_release_this_stick_never_had(self, office: Office, stick: Path) -> None:
        office.add("com.acme.new")
        item = next(r for r in office.open(office.stick("newer")).releases if r.release.id == "com.acme.new")
        office.laptop.trust.rename(office.folder / "aside")
        office.enrol()
        with pytest.raises(Damaged, match="does not list"):
            office.open(stick).fetch(item, item.release.files[0], office.laptop.payloads)

    def test_a_stick_pulled_while_it_is_opened(
        self, office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At each file that is opened: a clear error, and the laptop is as it was."""
        real, before = StickFolder.open, office.trust_state()
        opened: list[str] = []
        pull_at = 0

        def pulled(self: StickFolder, path: str) -> BinaryIO:
            file = real(self, path)
            opened.append(path)
            return cast("BinaryIO", Pulled(file, 10)) if len(opened) == pull_at else file

        def attempt() -> Damaged | None:
            opened.clear()
            try:
                office.open(stick)
            except Damaged as error:
                return error
            return None

        monkeypatch.setattr(StickFolder, "open", pulled)
        errors = []
        for pull_at in range(1, 100):  # noqa: B007 - read by the patched method
            error = attempt()
            if error is None:
                break
            errors.append(str(error))
            assert office.trust_state() == before
        assert len(errors) == len(opened) > 8
        assert all("Input/output error" in text for text in errors)
