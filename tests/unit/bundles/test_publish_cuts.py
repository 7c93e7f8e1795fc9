"""The power is cut between any two effects of a command: the folder is good, and the command can be repeated."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from techtool.bundles.publish.delegating import add_publisher
from techtool.bundles.publish.keys import KeySource
from techtool.bundles.publish.recalling import RecallOrder, recall_release
from techtool.bundles.publish.rotating import rotate
from techtool.bundles.publish.status import status
from techtool.bundles.publish.workspace import Workspace
from techtool.errors import DiskFull, PublisherError
from tests.unit.bundles.office import PUBLISHERS, Office, copy_of, private_key
from tests.unit.bundles.stops import CutDisk, PowerCut
from tests.unit.store.disks import FailingDisk

MAKE = KeySource(make=private_key)
Command = Callable[[Workspace, Office], object]


def after(office: Office, bundle: Path, name: str) -> Office:
    """The same office, whose folder is now that one."""
    folder = office.folder / f"office-{name}"
    folder.mkdir()
    shutil.move(bundle, folder / "bundle")
    shutil.copytree(office.laptop.home, folder / "laptop")
    return Office(folder, office.clock)


def cuts(office: Office, command: Command) -> list[tuple[int, Office]]:
    """For every effect of ``command`` the office as it is after a cut there."""
    bundle = office.folder / "bundle"
    whole = CutDisk()
    command(Workspace.open(copy_of(bundle, "whole"), whole), office)
    assert whole.effects > 4
    left = []
    for at in range(whole.effects):
        torn = copy_of(bundle, f"torn-{at}")
        with pytest.raises(PowerCut):
            command(Workspace.open(torn, CutDisk(at)), office)
        left.append((at, after(office, torn, str(at))))
    return left


def stage_much(office: Office) -> None:
    """A new release, a recall, and another stick-maker: everything that a publication can hold at once."""
    office.add("com.acme.pay", "2.0")
    recall_release(office.workspace, RecallOrder("com.acme.kernel", "7.0", {"en": "x"}), office.clock)
    rotate(office.workspace, "stick-maker", "stick-maker-2", MAKE, office.clock)
    rotate(office.workspace, "lab-1", "lab-3", MAKE, office.clock)


@pytest.mark.slow
def test_publishing(office: Office, stick: Path) -> None:
    office.open(stick)
    stage_much(office)
    before = [r.release.key for r in office.open(stick).releases]
    old = office.workspace.timestamp_data()
    for at, torn in cuts(office, lambda workspace, o: workspace.sign(o.clock)):
        status(torn.workspace, torn.clock)
        try:
            torn.workspace.write(copy_of(stick, f"early-{at}"), torn.clock)
        except PublisherError:
            assert torn.workspace.timestamp_data() != old, "until the timestamp, what was published can be written"
        else:
            opened = torn.open(stick.with_name(f"early-{at}"))
            assert [r.release.key for r in opened.releases] in (before, sorted([*before, "com.acme.pay@2.0"]))
        torn.workspace.sign(torn.clock)
        assert torn.workspace.staged_roles() == ()
        torn.workspace.write(torn.folder / "stick", torn.clock)
        opened = torn.open(torn.folder / "stick")
        assert sorted(r.release.key for r in opened.releases) == sorted([*before, "com.acme.pay@2.0"]), at
        assert [r.key for r in opened.recalls] == ["com.acme.kernel@7.0"]
        assert opened.trust.root_version == 2


COMMANDS: dict[str, Command] = {
    "rotate a lab": lambda w, o: rotate(w, "lab-1", "lab-3", MAKE, o.clock),
    "rotate a root": lambda w, o: rotate(w, "root-1", "root-4", MAKE, o.clock, lost=True),
    "rotate the board": lambda w, o: rotate(w, "targets-1", "targets-3", MAKE, o.clock),
    "add a publisher": lambda w, o: add_publisher(w, "zeta", MAKE, o.clock),
    "recall": lambda w, o: recall_release(w, RecallOrder("com.acme.kernel", "7.0", {"en": "x"}), o.clock),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_was_cut_off_is_repeated(office: Office, stick: Path, name: str) -> None:
    office.open(stick)
    command = COMMANDS[name]
    for at, torn in cuts(office, command):
        status(torn.workspace, torn.clock)
        done = False
        try:
            command(torn.workspace, torn)
        except PublisherError:
            done = True  # it had come so far that there is nothing to repeat; what is left is finished by signing
        torn.workspace.sign(torn.clock)
        assert torn.workspace.staged_roles() == (), (at, done)
        torn.workspace.write(torn.folder / "stick", torn.clock)
        assert len(torn.open(torn.folder / "stick").releases) == 3
        found = status(torn.workspace, torn.clock)
        wanted = {
            "rotate a lab": "lab-3",
            "rotate a root": "root-4",
            "rotate the board": "targets-3",
            "add a publisher": "vendor-zeta-1",
            "recall": "recall-1",
        }[name]
        assert wanted in {owner.owner for role in found.roles for owner in role.owners}, at


@pytest.mark.parametrize("effect", ["write", "replace", "fsync"])
def test_a_full_disk_leaves_no_half_made_bundle(tmp_path: Path, office: Office, effect: str) -> None:
    count = FailingDisk(effect, 1 << 30)
    Workspace.create(tmp_path / "whole", PUBLISHERS, office.clock, make_key=private_key, disk=count)
    assert count.calls > 10
    for nth in range(1, count.calls + 1):
        disk = FailingDisk(effect, nth, errno.ENOSPC)
        with pytest.raises(DiskFull):
            Workspace.create(tmp_path / "b", PUBLISHERS, office.clock, make_key=private_key, disk=disk)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["office", "whole"]
    Workspace.create(tmp_path / "b", PUBLISHERS, office.clock, make_key=private_key)


def test_what_a_cut_left_beside_is_cleared_away(tmp_path: Path, office: Office) -> None:
    (tmp_path / "b").mkdir()
    disk = CutDisk(25)
    with pytest.raises(PowerCut):
        Workspace.create(tmp_path / "b", PUBLISHERS, office.clock, make_key=private_key, disk=disk)
    assert list((tmp_path / "b").iterdir()) == []
    Workspace.create(tmp_path / "b", PUBLISHERS, office.clock, make_key=private_key)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "office"]
