"""Genuine sticks that are older, newer, two at a time, read only, or no sticks at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from techtool.bundles.find import Drive
from techtool.errors import Withdrawn
from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.scene import LAPTOPS, NEW, SEEN, Scene, tree_of
from tests.unit.bundles.office import Forger

KEYS = ["com.acme.pay@1.0", "com.acme.pay@2.0", "org.beta.app@3.1"]


class TestOlderStick:
    def test_what_is_still_listed_installs_and_the_rest_is_withdrawn(self, scene: Scene, verify: Verify) -> None:
        told = verify(SEEN, scene.older)
        assert told.exit == 14
        assert "com.acme.kernel 7.0" in told.json["error"]["what"]
        opened = scene.open(SEEN, scene.older)
        assert [item.release.key for item in opened.releases] == ["com.acme.pay@1.0", "org.beta.app@3.1"]
        assert opened.withdrawn == (("com.acme.kernel", "7.0"),)
        for item in opened.releases:
            (file,) = item.release.files
            assert opened.fetch(item, file, scene.laptop(SEEN).payloads).is_file()
        kernel = next(i for i in scene.open(NEW, scene.older).releases if i.release.id == "com.acme.kernel")
        with pytest.raises(Withdrawn):
            opened.fetch(kernel, kernel.release.files[0], scene.laptop(SEEN).payloads)

    def test_inspect_shows_it(self, scene: Scene, verify: Verify) -> None:
        told = verify(SEEN, scene.older, command="inspect")
        assert told.exit == 0
        assert told.json["withdrawn"]
        assert told.json["trust"]["from_mirror"] is True

    def test_after_both_are_past_their_date(self, scene: Scene, verify: Verify) -> None:
        """The mirror is past its date like the stick: that is no reason to call either of them untrusted."""
        scene.later(days=130)
        assert verify(SEEN, scene.older, command="inspect").exit == 0
        assert verify(SEEN, scene.older).exit == 11

    def test_a_list_that_was_not_on_the_first_stick(self, scene: Scene) -> None:
        """The laptop knows a state without one vendor's list: that list comes from the next stick that has it."""
        scene.role_file("vendor-beta").unlink()
        laptop = scene.laptop(NEW)
        assert scene.open(NEW).notes
        assert (laptop.trust / "mirror").is_dir()
        opened = scene.open(NEW, scene.made / "stick")
        assert [item.release.key for item in opened.releases] == KEYS


class TestTwoSticks:
    @pytest.fixture
    def mounted(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[Drive]:
        twin = scene.folder / "twin"
        shutil.copytree(scene.stick, twin)
        found = [Drive("/dev/x", scene.stick, "exfat", True), Drive("/dev/y", twin, "vfat", True)]
        monkeypatch.setattr("techtool.bundles.find.drives", lambda: found)
        return found

    def without_path(self, scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> tuple[int, str]:
        from techtool.cli.main import run

        monkeypatch.setattr("techtool.clock.SystemClock", lambda: scene.clock)
        monkeypatch.setenv("TECHTOOL_HOME", str(scene.laptop(NEW).home))
        code = run(["bundle", "verify", "--json"])
        return code, capsys.readouterr().out

    def test_both_are_named(self, scene: Scene, mounted: list[Drive], capsys: Any, monkeypatch: Any) -> None:
        code, out = self.without_path(scene, capsys, monkeypatch)
        assert code == 4
        assert str(mounted[0].mount) in out
        assert str(mounted[1].mount) in out

    def test_the_only_one_is_taken(self, scene: Scene, mounted: list[Drive], capsys: Any, monkeypatch: Any) -> None:
        mounted.pop()
        assert self.without_path(scene, capsys, monkeypatch)[0] == 0

    def test_a_spoilt_one_is_still_one_of_two(
        self, scene: Scene, mounted: list[Drive], capsys: Any, monkeypatch: Any
    ) -> None:
        """Nobody's choice is made by a stick that hides itself."""
        twin = mounted[1].mount
        (twin / "TECHTOOL").rename(twin / "real")
        (twin / "TECHTOOL").symlink_to(twin / "real")
        code, out = self.without_path(scene, capsys, monkeypatch)
        assert code == 4
        assert str(twin) in out
        mounted.pop(0)
        code, out = self.without_path(scene, capsys, monkeypatch)
        assert code == 10
        assert "is a link" in out


def metadata_is_a_file(scene: Scene) -> None:
    shutil.rmtree(scene.metadata)
    scene.metadata.write_bytes(b"")


def bundle_is_a_file(scene: Scene) -> None:
    shutil.rmtree(scene.root)
    scene.root.write_bytes(b"")


def no_metadata(scene: Scene) -> None:
    shutil.rmtree(scene.metadata)


def look_alike(scene: Scene) -> None:
    """Letters of another alphabet."""
    scene.root.rename(scene.stick / "TECHT\u041e\u041eL")


@pytest.mark.parametrize(
    "empty", [metadata_is_a_file, bundle_is_a_file, no_metadata, look_alike], ids=lambda empty: empty.__name__
)
def test_what_is_no_bundle_is_not_found(empty: Callable[[Scene], None], scene: Scene, verify: Verify) -> None:
    empty(scene)
    told = verify()
    assert told.exit == 3
    assert told.json["error"]["code"] == "TT-111"


def test_a_folder_of_that_name_inside(scene: Scene, verify: Verify) -> None:
    """However the stick is named, the same folder is meant: the outer one."""
    shutil.copytree(scene.older / "TECHTOOL", scene.root / "TECHTOOL")
    for path in (scene.stick, scene.root):
        told = verify(NEW, path)
        assert told.exit == 0
        assert [f"{r['id']}@{r['version']}" for r in told.json["releases"]] == KEYS


def test_a_stick_that_is_called_like_its_folder(scene: Scene, verify: Verify) -> None:
    mount = scene.folder / "media/TECHTOOL"
    shutil.copytree(scene.stick, mount)
    assert verify(NEW, mount).exit == 0


class TestReadOnly:
    def test_nothing_is_written_to_a_stick(self, scene: Scene, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        """A switch on its side, or a system that mounts it so: all of it works without one write."""
        real = os.open

        def watched(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            assert not (writes and str(path).startswith(str(scene.stick))), path
            return real(path, flags, *rest, **named)

        before = tree_of(scene.stick)
        monkeypatch.setattr("os.open", watched)
        for laptop in LAPTOPS:
            assert verify(laptop).exit == 0
            assert verify(laptop, command="inspect").exit == 0
            opened = scene.open(laptop)
            for item in opened.releases:
                opened.fetch(item, item.release.files[0], scene.laptop(laptop).payloads)
        assert tree_of(scene.stick) == before

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such permissions")
    def test_files_that_nobody_may_write(self, scene: Scene, verify: Verify) -> None:
        for path in (scene.root, *scene.root.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            assert verify().exit == 0
        finally:
            for path in (scene.root, *scene.root.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_newer_state_is_no_attack(scene: Scene, verify: Verify) -> None:
    scene.later(days=3)
    office = scene.office()
    office.add("com.acme.pay", "3.0")
    newer = office.stick("newer")
    assert verify(SEEN, newer).exit == 0
    assert verify(NEW, newer).exit == 0
    assert verify(SEEN).exit == 0, "nothing was withdrawn"


def test_the_state_of_another_stick_maker_of_the_same_version(scene: Scene, verify: Verify) -> None:
    """Two genuine timestamps of one number: what was seen first stays, nothing is refused."""
    Forger(scene.stick, at=scene.clock.at).restamp(version=3)
    assert verify(SEEN).exit == 0
