"""Pinning a root and keeping the mirror."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from techtool.bundles.reading import root_of_stick
from techtool.bundles.roots import (
    fingerprint,
    grouped,
    pin_root,
    pinned,
    pinned_root,
    read_mirror,
    read_root,
    write_mirror,
)
from techtool.domain.typed import told_fits
from techtool.errors import BadFile, StoreDamaged
from techtool.paths import Paths
from tests.unit.bundles.office import Forger, Office


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "laptop")


def test_pin_and_list(office: Office, paths: Paths) -> None:
    data = office.workspace.root_data()
    assert pinned(paths) == ()
    assert pinned_root(paths) is None
    assert pin_root(paths, data) == fingerprint(data)
    (root,) = pinned(paths)
    assert (root.version, root.keys, root.threshold, root.data) == (1, 3, 2, data)
    assert pinned_root(paths) == root


def test_the_newest_root_of_a_stick_is_offered(office: Office, stick: Path) -> None:
    Forger(stick).rotate_root(lambda _root: None, ("root-1", "root-2"))
    assert root_of_stick(stick).version == 2
    assert read_root(stick / "TECHTOOL/metadata/2.root.json") == root_of_stick(stick)


def test_a_laptop_that_pins_root_2_follows_from_there(office: Office, stick: Path, paths: Paths) -> None:
    Forger(stick).rotate_root(lambda _root: None, ("root-1", "root-2"))
    pin_root(paths, root_of_stick(stick).data)
    office.laptop.trust.rename(office.folder / "aside")
    paths.trust.rename(office.laptop.trust)
    assert office.open(stick).trust.root_version == 2


@pytest.mark.parametrize("what", ["text", "unsigned", "timestamp", "long", "half"])
def test_what_is_no_root(office: Office, stick: Path, paths: Paths, what: str) -> None:
    good = office.workspace.root_data()
    tree = json.loads(good)
    half = {**tree, "signatures": tree["signatures"][:1]}
    data = {
        "text": b"hello",
        "unsigned": json.dumps({**tree, "signatures": []}).encode(),
        "timestamp": (stick / "TECHTOOL/metadata/timestamp.json").read_bytes(),
        "long": good + b" " * 600_000,
        "half": json.dumps(half).encode(),
    }[what]
    with pytest.raises(BadFile):
        pin_root(paths, data)
    assert not paths.trust.exists()


def test_a_pinned_root_that_was_exchanged(office: Office, stick: Path, paths: Paths) -> None:
    pin_root(paths, office.workspace.root_data())
    Forger(stick).rotate_root(lambda _root: None, ("root-1", "root-2"))
    (file,) = (paths.trust / "roots").iterdir()
    file.write_bytes((stick / "TECHTOOL/metadata/2.root.json").read_bytes())
    with pytest.raises(StoreDamaged):
        pinned(paths)


def test_fingerprints_as_people_type_them() -> None:
    digest = fingerprint(b"x")
    assert grouped(digest).replace(" ", "") == digest
    assert told_fits(grouped(digest).upper(), digest)
    assert told_fits(":".join(digest[i : i + 2] for i in range(0, 64, 2)), digest)
    assert told_fits(grouped(digest)[-19:], digest)
    assert told_fits("".join(chr(ord(sign) + 0xFEE0) for sign in digest[-16:]), digest), "by an input method"
    assert not told_fits(digest[-15:], digest)
    assert not told_fits(digest[:-1], digest)
    assert not told_fits("", digest)


def test_mirror(paths: Paths) -> None:
    assert read_mirror(paths, "ab") == {}
    files = {"root_history/1.root.json": b"{}", "timestamp.json": b'{"a":"\xc3\xa9"}'}
    write_mirror(paths, "ab", files)
    assert read_mirror(paths, "ab") == files


@pytest.mark.parametrize(
    "data", ["", "[]", '{"schema":1,"files":{"../x.json":"{}"}}', '{"schema":1,"files":{"a/":""}}']
)
def test_a_damaged_mirror_is_said(paths: Paths, data: str) -> None:
    write_mirror(paths, "ab", {})
    (paths.trust / "mirror/ab.json").write_text(data)
    with pytest.raises(StoreDamaged):
        read_mirror(paths, "ab")
