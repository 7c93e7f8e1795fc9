"""Sticks that change while they are read."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

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


def test_nothing_is_believed_of_a_stick_that_failed_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forged list whose opening fails half-way, again and again, leaves no trace."""
    Forger(scene.stick, at=scene.clock.at).change_list("targets", lambda _t: None, BOARD[:1])
    Forger(scene.stick, at=scene.clock.at).change_list(ACME, lambda _t: None, ACME_SIGNS)
    before = scene.state(NEW)
    for _ in range(3):
        with pytest.raises(TrustError):
            scene.open(NEW)
        assert scene.state(NEW) == before
