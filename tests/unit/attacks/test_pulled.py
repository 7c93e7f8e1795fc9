"""Sticks that go away: at every call of the system about them, at every file, in one block."""

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
from techtool.errors import Damaged
from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.scene import NEW, SEEN, Scene

pytestmark = pytest.mark.timeout(120)


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
