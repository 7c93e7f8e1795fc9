"""What must not be refused: what other systems, and people, leave on a stick."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable

import pytest

from tests.unit.attacks.conftest import Verify
from tests.unit.attacks.scene import LAPTOPS, Json, Scene
from tests.unit.bundles.office import public

KEYS = ["com.acme.pay@1.0", "com.acme.pay@2.0", "org.beta.app@3.1"]


def apple_twins(scene: Scene) -> None:
    """What macOS writes beside each file, and its folders."""
    for path in [p for p in scene.root.rglob("*") if p.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7junk")
    for folder in (scene.stick, scene.root, scene.metadata):
        (folder / ".DS_Store").write_bytes(b"x")
    for name in (".Spotlight-V100", ".Trashes", ".fseventsd"):
        (scene.stick / name / "deep").mkdir(parents=True)
    (scene.metadata / ".link").symlink_to("/etc/passwd")


def windows_folders(scene: Scene) -> None:
    (scene.stick / "System Volume Information").mkdir()
    (scene.stick / "System Volume Information/IndexerVolumeGuid").write_bytes(b"x")
    (scene.stick / "$RECYCLE.BIN/S-1-5-21").mkdir(parents=True)
    (scene.stick / "autorun.inf").write_bytes(b"[autorun]\r\nopen=evil.exe\r\n")
    (scene.root / "desktop.ini").write_bytes(b"x")
    (scene.root / "targets/Thumbs.db").write_bytes(b"x")


def found_clusters(scene: Scene) -> None:
    """What a repair of the file system leaves."""
    (scene.stick / "FOUND.000").mkdir()
    (scene.stick / "FOUND.000/FILE0000.CHK").write_bytes(b"{}")
    (scene.stick / "LOST.DIR").mkdir()
    (scene.stick / "lost+found").mkdir()


def beside(scene: Scene) -> None:
    """Somebody keeps other things on the stick."""
    (scene.stick / "Holiday photos \u2600.zip").write_bytes(b"x" * 1000)
    (scene.stick / "evil.apk").write_bytes(b"PK")
    (scene.stick / "link").symlink_to("/etc")
    os.mkfifo(scene.stick / "pipe")


def unknown_inside(scene: Scene) -> None:
    """Files that no list names are not read."""
    (scene.root / "targets/acme/other.bin").write_bytes(b"x")
    (scene.root / "notes.txt").write_bytes(b"for people")
    (scene.metadata / "99.vendor-acme.json").write_bytes(b"[" * 1000)
    (scene.metadata / "02.root.json").write_bytes(b"")
    (scene.root / "targets/releases/acme/evil.json").write_bytes(b"{}")


def full_of_foreign_files(scene: Scene) -> None:
    for n in range(300):
        (scene.stick / f"IMG_{n:04}.JPG").touch()
        (scene.root / f"IMG_{n:04}.JPG").touch()


def names_of_every_kind(scene: Scene) -> None:
    """Composed and decomposed letters are two files here, and are both nobody's."""
    for name in ("caf\u00e9", "cafe\u0301", "\u30d5\u30a1\u30a4\u30eb", "trailing.", "blank ", "a:b", "\x1b[31mred"):
        (scene.root / "targets" / name).touch()


def hard_links(scene: Scene) -> None:
    """One file under two names is as good as two files."""
    for path in (scene.payload(), scene.description(), scene.role_file("timestamp")):
        os.link(path, scene.stick / path.name)


def small_letters(scene: Scene) -> None:
    """As some systems show FAT's short names."""
    scene.root.rename(scene.stick / "techtool")


def older_metadata_left(scene: Scene) -> None:
    """A stick that was written twice and not cleaned."""
    for path in (scene.older / "TECHTOOL").rglob("*"):
        target = scene.root / path.relative_to(scene.older / "TECHTOOL")
        if path.is_file() and not target.exists():
            target.parent.mkdir(exist_ok=True, parents=True)
            shutil.copyfile(path, target)


def outbox_in_use(scene: Scene) -> None:
    """What goes home is not looked at."""
    (scene.root / "outbox/visit.age").write_bytes(b"x")
    (scene.root / "outbox/link").symlink_to("/")


def white_space(scene: Scene) -> None:
    """An editor ended the file with a line break; the signature is over what it says."""
    path = scene.role_file("timestamp")
    path.write_bytes(path.read_bytes() + b"\r\n")


def ids_of_keys(scene: Scene) -> None:
    """The release board may call a key what it likes; what counts is the key."""

    def rename(signed: Json) -> None:
        old = signed["delegations"]["roles"][0]["keyids"][0]
        signed["delegations"]["keys"]["the vendor's key"] = signed["delegations"]["keys"].pop(old)
        for role in signed["delegations"]["roles"]:
            role["keyids"] = ["the vendor's key" if keyid == old else keyid for keyid in role["keyids"]]

    scene.resign("targets", rename)
    path = scene.role_file("vendor-acme")
    tree = json.loads(path.read_bytes())
    for signature in tree["signatures"]:
        if signature["keyid"] == public("vendor-acme-1").keyid:
            signature["keyid"] = "the vendor's key"
    path.write_text(json.dumps(tree))
    scene.forger.restamp()


HARMLESS: list[Callable[[Scene], None]] = [
    apple_twins,
    windows_folders,
    found_clusters,
    beside,
    unknown_inside,
    full_of_foreign_files,
    names_of_every_kind,
    hard_links,
    small_letters,
    older_metadata_left,
    outbox_in_use,
    white_space,
    ids_of_keys,
]


@pytest.mark.parametrize("laptop", LAPTOPS)
@pytest.mark.parametrize("leave", HARMLESS, ids=lambda leave: leave.__name__)
def test_not_refused(leave: Callable[[Scene], None], laptop: str, scene: Scene, verify: Verify) -> None:
    leave(scene)
    told = verify(laptop)
    assert told.exit == 0, told.err
    assert [f"{r['id']}@{r['version']}" for r in told.json["releases"]] == KEYS
    assert all(line.isprintable() for line in told.err.splitlines())


def test_hidden_files_are_noted(scene: Scene, verify: Verify) -> None:
    apple_twins(scene)
    (note,) = verify().json["notes"]
    assert "hidden files" in note


def test_a_stick_for_some_of_the_vendors(scene: Scene, verify: Verify) -> None:
    scene.role_file("vendor-beta").unlink()
    shutil.rmtree(scene.root / "targets/beta")
    shutil.rmtree(scene.root / "targets/releases/beta")
    told = verify()
    assert told.exit == 0
    assert [r["id"] for r in told.json["releases"]] == ["com.acme.pay", "com.acme.pay"]
    assert told.json["notes"] == [
        "The newest list of vendor-beta is not here: nothing of it is installed from this stick."
    ]
