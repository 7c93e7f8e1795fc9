"""Sticks that change while they are read, and sticks that go away: at every call, at every file, at any byte."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from techtool.bundles.medium import StickFolder
from techtool.errors import Damaged, TrustError, Untrusted
from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.scene import BOARD, LAPTOPS, NEW, SEEN, Scene
from tests.unit.bundles.office import ACME, ACME_SIGNS, Forger

pytestmark = pytest.mark.timeout(120)


class Swapping:
    """Calls ``swap`` once, after the n-th time that a file whose name ends so was opened."""

    def __init__(self, name: str, after: int, swap: Callable[[], object]) -> None:
        self.name, self.left, self.swap = name, after, swap

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = StickFolder.open

        def opened(folder: StickFolder, path: str) -> BinaryIO:
            if not path.endswith(self.name):
                return real(folder, path)
            with real(folder, path) as file:
                content = file.read()
            self.left -= 1
            if self.left == 0:
                self.swap()
            return cast("BinaryIO", io.BytesIO(content))

        monkeypatch.setattr(StickFolder, "open", opened)


class TestChanges:
    """A file that changes between check and read: a stick with a computer inside can do that."""

    def test_a_payload_between_verify_and_fetch(self, scene: Scene, verify: Verify) -> None:
        assert verify(NEW).exit == 0
        opened = scene.open(NEW)
        item = next(i for i in opened.releases if i.release.key == "com.acme.pay@2.0")
        (file,) = item.release.files
        opened.check(item, file)
        scene.payload().write_bytes(bytes(file.size_bytes))
        with pytest.raises(Damaged):
            opened.fetch(item, file, scene.laptop(NEW).payloads)
        assert list(scene.laptop(NEW).payloads.iterdir()) == []

    def test_a_payload_that_becomes_a_link_or_a_pipe(self, scene: Scene) -> None:
        opened = scene.open(NEW)
        item = next(i for i in opened.releases if i.release.key == "com.acme.pay@2.0")
        for put in (lambda path: path.symlink_to("/dev/zero"), os.mkfifo, lambda path: path.mkdir()):
            shutil.rmtree(scene.payload()) if scene.payload().is_dir() else scene.payload().unlink()
            put(scene.root / "targets/acme/com.acme.pay" / f"{item.release.files[0].sha256}.com.acme.pay-2.0.bin")
            with pytest.raises(Untrusted):
                opened.fetch(item, item.release.files[0], scene.laptop(NEW).payloads)

    def test_a_folder_that_becomes_a_link(self, scene: Scene) -> None:
        """The same content, from somewhere else: a bundle has no links, whenever they are made."""
        opened = scene.open(NEW)
        (scene.root / "targets/acme").rename(scene.stick / "real")
        (scene.root / "targets/acme").symlink_to(scene.stick / "real")
        for item in opened.releases:
            if item.trust.publisher == ACME:
                with pytest.raises(Untrusted):
                    opened.check(item, item.release.files[0])

    @pytest.mark.parametrize("laptop", LAPTOPS)
    @pytest.mark.parametrize("after", [1, 2])
    def test_a_timestamp_that_is_another_when_it_is_read_again(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch, laptop: str, after: int
    ) -> None:
        """First the version, then the content: what counts is what was verified."""
        path = scene.role_file("timestamp")
        forged = path.read_bytes().replace(b"2027-04-01", b"2029-04-01")
        Swapping("timestamp.json", after, lambda: path.write_bytes(forged)).install(monkeypatch)
        before = scene.state(laptop)
        try:
            opened = scene.open(laptop)
        except Untrusted:
            assert scene.state(laptop) == before
        else:
            assert opened.trust.use_by.year == 2027
            assert after > 1 or laptop == SEEN

    def test_an_old_timestamp_that_becomes_new(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """The way for older sticks is chosen by what the first reading says; it leads no further than the mirror."""
        newer = scene.role_file("timestamp").read_bytes()
        scene.replace_stick(scene.older)
        path = scene.role_file("timestamp")
        Swapping("timestamp.json", 1, lambda: path.write_bytes(newer)).install(monkeypatch)
        with pytest.raises(Untrusted):
            scene.open(SEEN)

    def test_a_new_timestamp_that_becomes_old(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        shutil.copytree(scene.older / "TECHTOOL/metadata", scene.metadata, dirs_exist_ok=True)
        newer = (scene.made / "stick/TECHTOOL/metadata/timestamp.json").read_bytes()
        path = scene.role_file("timestamp")
        older = path.read_bytes()
        path.write_bytes(newer)
        Swapping("timestamp.json", 1, lambda: path.write_bytes(older)).install(monkeypatch)
        with pytest.raises(Untrusted, match="older than what this laptop has seen"):
            scene.open(SEEN)

    def test_a_root_that_is_another_when_it_is_read_again(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """The fork is checked in one reading, the chain is verified in another."""
        scene.forger.rotate_root(lambda _root: None, ("root-1", "root-2"))
        scene.forger.restamp()
        scene.open(SEEN)
        fork = scene.folder / "fork"
        shutil.copytree(scene.made / "stick", fork)
        Forger(fork).rotate_root(lambda root: root.unrecognized_fields.update({"x": "y"}), ("root-1", "root-2"))
        forged = (fork / "TECHTOOL/metadata/2.root.json").read_bytes()
        path = scene.metadata / "2.root.json"
        Swapping("2.root.json", 1, lambda: path.write_bytes(forged)).install(monkeypatch)
        before = scene.state(SEEN)
        assert scene.open(SEEN).trust.root_version == 2
        assert scene.state(SEEN) == before, "what this laptop knows is not exchanged"

    def test_a_list_between_the_command_and_the_visit(self, scene: Scene, verify: Verify) -> None:
        """Good when it was verified, forged when it is opened: each opening judges for itself."""
        assert verify(NEW).exit == 0
        Forger(scene.stick, at=scene.clock.at).change_list(ACME, lambda _t: None, ("lab-1", "lab-2"))
        with pytest.raises(Untrusted):
            scene.open(NEW)

    def test_a_folder_that_shows_more_the_second_time(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """An endless folder after the survey."""
        real, seen = os.scandir, []

        class Endless:
            def __init__(self, path: Path) -> None:
                self.path = path

            def __enter__(self) -> Iterator[os.DirEntry[str]]:
                return iter(self.endless())

            def endless(self) -> Iterator[os.DirEntry[str]]:
                (entry,) = [entry for entry in real(self.path) if entry.name == "timestamp.json"]
                while True:
                    seen.append(1)
                    yield entry

            def __exit__(self, *_: object) -> None:
                pass

        folder = StickFolder(scene.root)
        folder.survey()
        with monkeypatch.context() as endless:
            endless.setattr("os.scandir", Endless)
            assert set(folder.names("metadata")) == {"timestamp.json"}
        assert len(seen) <= 50_001


class Pulled:
    """The stick is pulled at the n-th call of the operating system about it; counts them, too."""

    def __init__(self, below: Path, at: int, number: int) -> None:
        self.below, self.left, self.number = str(below), at, number
        self.calls = 0

    def is_about(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.below)

    def touch(self, path: Any) -> None:
        if self.is_about(path):
            self.calls += 1
            if self.calls > self.left:
                raise OSError(self.number, os.strerror(self.number), os.fspath(path))

    @contextmanager
    def entries(self, path: Any) -> Iterator[Iterator[Entry]]:
        self.touch(path)
        with self.real["scandir"](path) as entries:
            yield (Entry(entry, self) for entry in entries)

    def scandir(self, path: Any = ".") -> Any:
        return self.entries(path) if self.is_about(path) else self.real["scandir"](path)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real: dict[str, Any] = {name: getattr(os, name) for name in ("scandir", "open", "stat", "lstat")}
        for name in ("open", "stat", "lstat"):
            monkeypatch.setattr(os, name, self.wrapped(self.real[name]))
        monkeypatch.setattr(os, "scandir", self.scandir)
        opened = StickFolder.open

        def counted(folder: StickFolder, path: str) -> BinaryIO:
            return cast("BinaryIO", File(opened(folder, path), self, folder.root / path))

        monkeypatch.setattr(StickFolder, "open", counted)

    def wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **named: Any) -> Any:
            self.touch(path)
            return real(path, *rest, **named)

        return call


class Entry:
    """An entry of a folder whose questions may fail."""

    def __init__(self, entry: os.DirEntry[str], stick: Pulled) -> None:
        stick.touch(entry.path)
        self.entry, self.stick, self.name, self.path = entry, stick, entry.name, entry.path

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        self.stick.touch(self.path)
        return self.entry.is_dir(follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        self.stick.touch(self.path)
        return self.entry.is_file(follow_symlinks=follow_symlinks)

    def is_symlink(self) -> bool:
        self.stick.touch(self.path)
        return self.entry.is_symlink()


class File:
    """An open file whose reading may fail."""

    def __init__(self, file: BinaryIO, stick: Pulled, path: Path) -> None:
        self.file, self.stick, self.path = file, stick, path

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        self.stick.touch(self.path)
        return self.file.read(size)

    def seek(self, place: int) -> int:
        self.stick.touch(self.path)
        return self.file.seek(place)


class TestPulled:
    @pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV, errno.ENOENT, errno.EACCES, errno.ESTALE])
    def test_at_every_call(self, scene: Scene, verify: Verify, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        """Exit 13 (or 3, before it was known for a stick), a text, and the laptop as it was; never a defect."""
        before = scene.state(SEEN)
        with monkeypatch.context() as counting:
            whole = Pulled(scene.stick, 1 << 30, number)
            whole.install(counting)
            assert verify(SEEN).exit == 0
        often = number in {errno.EIO, errno.ENOENT}
        seen = set()
        for at in range(number % 5, whole.calls, 7 if often else 31):
            with monkeypatch.context() as pulling:
                Pulled(scene.stick, at, number).install(pulling)
                told = verify(SEEN)
            assert told.exit in {3, 13}, (at, told.err)
            assert told.json["error"]["code"] in {"TT-111", "TT-213"}
            assert scene.state(SEEN) == before
            seen.add(told.exit)
        assert seen == {3, 13} if often else 13 in seen
        assert whole.calls > 150

    def test_the_whole_stick_is_gone_half_way(
        self, scene: Scene, verify: Verify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Unmounted: the names are not there any more, which is another thing than a stick that lacks files."""
        for after in range(1, 14):
            shutil.rmtree(scene.stick)
            shutil.copytree(scene.made / "stick", scene.stick)
            left = [after]
            real = StickFolder.open

            def opened(folder: StickFolder, path: str, left: list[int] = left, real: Any = real) -> BinaryIO:
                left[0] -= 1
                if left[0] == 0:
                    scene.root.rename(scene.folder / "gone")
                return cast("BinaryIO", real(folder, path))

            with monkeypatch.context() as pulling:
                pulling.setattr(StickFolder, "open", opened)
                told = verify(NEW)
            assert told.exit in {3, 13}, (after, told.err)
            assert (told.exit == 3) == ("no techtool bundle" in told.json["error"]["what"])
            shutil.rmtree(scene.folder / "gone")

    def test_before_any_question(self, scene: Scene) -> None:
        """No names, no files, nothing there: all of that is said of a stick that is in, never of one that is out."""
        folder = StickFolder(scene.root)
        scene.root.rename(scene.folder / "gone")
        questions: list[Callable[[], object]] = [
            folder.survey,
            lambda: folder.names("metadata"),
            lambda: folder.exists("metadata/timestamp.json"),
            lambda: folder.read("metadata/timestamp.json", 10),
        ]
        for question in questions:
            with pytest.raises(Damaged):
                question()

    @pytest.mark.parametrize("block", [0, 1, 3])
    def test_one_block_that_cannot_be_read(
        self, scene: Scene, verify: Verify, monkeypatch: pytest.MonkeyPatch, block: int
    ) -> None:
        """A worn-out place in a payload: what was read stays, and the next attempt goes on from there."""
        office = scene.office()
        content = b"".join(n.to_bytes(4, "big") * 65_536 for n in range(4))
        office.add("com.acme.big", "1.0", content=content)
        shutil.rmtree(scene.stick)
        office.stick("stick")
        worn = [True]
        real = StickFolder.open

        class Worn(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if worn[0] and self.tell() // 262_144 == block:
                    raise OSError(errno.EIO, "Input/output error")
                return super().read(size)

        def opened(folder: StickFolder, path: str) -> BinaryIO:
            if not path.endswith(".com.acme.big-1.0.bin"):
                return real(folder, path)
            with real(folder, path) as file:
                return cast("BinaryIO", Worn(file.read()))

        monkeypatch.setattr(StickFolder, "open", opened)
        told = verify(NEW)
        assert told.exit == 13
        assert "com.acme.big" in told.json["error"]["what"]
        stick = scene.open(NEW)
        item = next(i for i in stick.releases if i.release.id == "com.acme.big")
        (file,) = item.release.files
        payloads = scene.laptop(NEW).payloads
        with pytest.raises(Damaged):
            stick.fetch(item, file, payloads)
        assert (payloads / f"{file.sha256}.part").stat().st_size == block * 262_144
        assert os.listdir(payloads) == [f"{file.sha256}.part"]
        worn[0] = False
        assert stick.fetch(item, file, payloads).stat().st_size == file.size_bytes


def test_nothing_is_believed_of_a_stick_that_failed_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forged list whose opening fails half-way, again and again, leaves no trace."""
    Forger(scene.stick, at=scene.clock.at).change_list("targets", lambda _t: None, BOARD[:1])
    Forger(scene.stick, at=scene.clock.at).change_list(ACME, lambda _t: None, ACME_SIGNS)
    before = scene.state(NEW)
    for _ in range(3):
        with pytest.raises(TrustError):
            scene.open(NEW)
        assert scene.state(NEW) == before
