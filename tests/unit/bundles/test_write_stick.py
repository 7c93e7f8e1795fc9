"""Writing a stick: the order, the reading back, and what must not be overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.bundles.publish.workspace import Workspace
from techtool.errors import Damaged, DiskFull, PublisherError
from techtool.paths import Disk
from tests.unit.bundles.office import PUBLISHERS, QUORUM, Office, copy_of, private_key


def files_on(stick: Path) -> dict[str, bytes]:
    root = stick / "TECHTOOL"
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


class Recorder(Disk):
    """Remembers where files came to stand."""

    def __init__(self, stop_after: int = 1 << 30) -> None:
        self.placed: list[Path] = []
        self.stop_after = stop_after

    def replace(self, source: Path, target: Path) -> None:
        if len(self.placed) == self.stop_after:
            raise DiskFull(path=str(target))
        super().replace(source, target)
        self.placed.append(target)


@pytest.mark.parametrize("place", [".", "keys", "new/stick"])
def test_a_stick_in_the_bundle_folder_is_refused(office: Office, place: str) -> None:
    before = sorted((office.folder / "bundle").rglob("*"))
    with pytest.raises(PublisherError, match="bundle folder"):
        office.workspace.write(office.folder / "bundle" / place, office.clock)
    assert sorted((office.folder / "bundle").rglob("*")) == before


def test_a_file_is_no_stick(office: Office) -> None:
    path = office.payload("afile", b"x")
    with pytest.raises(PublisherError, match="--metadata-only"):
        office.workspace.write(path, office.clock)
    assert path.read_bytes() == b"x"


def test_layout(office: Office, stick: Path) -> None:
    names = list(files_on(stick))
    assert [n for n in names if n.startswith("metadata/")] == [
        "metadata/1.recall.json",
        "metadata/1.root.json",
        "metadata/1.targets.json",
        "metadata/2.snapshot.json",
        "metadata/2.vendor-acme.json",
        "metadata/2.vendor-beta.json",
        "metadata/timestamp.json",
    ]
    assert all(len(n.rpartition("/")[2].split(".")[0]) == 64 for n in names if n.startswith("targets/"))
    assert (stick / "TECHTOOL/outbox").is_dir()
    assert all(n.isascii() for n in names)


def test_read_me_is_for_people(office: Office, stick: Path) -> None:
    data = (stick / "TECHTOOL/READ-ME.txt").read_bytes()
    text = data.decode("utf-8-sig")
    assert data.startswith(b"\xef\xbb\xbf")
    assert "\r\n" in text
    for word in ("2026-12-01", "2027-03-31", "com.acme.pay-1.0", "org.beta.app-3.1"):
        assert word in text


def test_the_timestamp_comes_last_and_everything_is_read_back(office: Office) -> None:
    disk = Recorder()
    written = Workspace.open(office.folder / "bundle", disk).write(office.folder / "new", office.clock)
    assert disk.placed[-1].name == "timestamp.json"
    assert written.files == written.copied + 1 == len(disk.placed) - 1
    assert [r.release.id for r in written.stick.releases] == ["com.acme.kernel", "com.acme.pay", "org.beta.app"]


def test_until_the_timestamp_the_stick_is_what_it_was(office: Office, stick: Path) -> None:
    office.open(stick)
    office.add("com.acme.pay", "2.0")
    office.workspace.sign(office.clock)
    total = Recorder()
    Workspace.open(office.folder / "bundle", total).write(copy_of(stick, "whole"), office.clock)
    for stop in range(len(total.placed)):
        torn = copy_of(stick, f"torn-{stop}")
        with pytest.raises(DiskFull):
            Workspace.open(office.folder / "bundle", Recorder(stop)).write(torn, office.clock)
        opened = office.open(torn)
        assert [r.release.key for r in opened.releases] == [
            "com.acme.kernel@7.0",
            "com.acme.pay@1.0",
            "org.beta.app@3.1",
        ]
        office.workspace.write(torn, office.clock)
        assert files_on(torn) == files_on(office.folder / "whole")


def test_again_copies_only_what_is_new_and_removes_what_is_old(office: Office, stick: Path) -> None:
    assert office.workspace.write(stick, office.clock).copied == 0
    (stick / "TECHTOOL/outbox/visit.age").write_bytes(b"home")
    (stick / "TECHTOOL/metadata/._1.root.json").write_bytes(b"mac")
    office.withdraw("com.acme.kernel", "7.0")
    office.add("com.acme.pay", "2.0")
    office.workspace.sign(office.clock)
    written = office.workspace.write(stick, office.clock)
    assert written.copied == 4, "payload, description, list, snapshot"
    assert written.removed == 4, "payload, description, former list, former snapshot"
    names = files_on(stick)
    assert "outbox/visit.age" in names
    assert "metadata/._1.root.json" in names
    assert not any("kernel" in name for name in names)


def test_a_file_that_rotted_on_the_stick_is_written_again(office: Office, stick: Path) -> None:
    path = next((stick / "TECHTOOL/targets/acme/com.acme.pay").iterdir())
    path.write_bytes(b"rotten")
    assert office.workspace.write(stick, office.clock).copied == 1
    item = next(r for r in office.open(stick).releases if r.release.id == "com.acme.pay")
    office.open(stick).check(item, item.release.files[0])


def test_a_stick_that_does_not_keep_what_it_is_given(office: Office) -> None:
    class Forgetful(Disk):
        def replace(self, source: Path, target: Path) -> None:
            if target.name.endswith(".bin"):
                source.write_bytes(bytes(source.stat().st_size))
            super().replace(source, target)

    with pytest.raises(Damaged, match="does not read back"):
        Workspace.open(office.folder / "bundle", Forgetful()).write(office.folder / "new", office.clock)
    assert not (office.folder / "new/TECHTOOL/metadata/timestamp.json").exists()


def test_the_mount_root_or_its_folder(office: Office, stick: Path) -> None:
    office.workspace.write(office.folder / "other/TECHTOOL", office.clock)
    assert files_on(office.folder / "other").keys() == files_on(stick).keys()


def test_another_offices_stick_is_left_alone(office: Office, stick: Path, tmp_path: Path) -> None:
    before = files_on(stick)
    other = Workspace.create(tmp_path / "other", ["acme"], office.clock)
    with pytest.raises(PublisherError, match="another publisher"):
        other.write(stick, office.clock)
    assert files_on(stick) == before


def test_a_newer_stick_is_left_alone(office: Office, stick: Path, tmp_path: Path) -> None:
    old = Workspace.create(tmp_path / "old", PUBLISHERS, office.clock, quorum=QUORUM, make_key=private_key)
    with pytest.raises(PublisherError, match="newer"):
        old.write(stick, office.clock)


def test_an_expired_state_is_not_written(office: Office, stick: Path) -> None:
    office.later(days=120)
    with pytest.raises(PublisherError, match="--renew"):
        office.workspace.write(stick, office.clock)


def test_what_is_not_signed_is_not_on_the_stick(office: Office, stick: Path) -> None:
    office.add("com.acme.pay", "2.0")
    written = office.workspace.write(stick, office.clock)
    assert len(written.stick.releases) == 3
    assert "vendor-acme" in written.notes[0].text("en")


def test_no_room(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    with pytest.raises(DiskFull):
        office.workspace.write(office.folder / "new", office.clock)
    assert files_on(office.folder / "new") == {}


def test_a_file_too_large_for_fat32(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("techtool.bundles.publish.stick._FAT_LIMIT", 10)
    monkeypatch.setattr("techtool.bundles.publish.stick._file_system", lambda _root: "vfat")
    with pytest.raises(PublisherError, match="exFAT"):
        office.workspace.write(office.folder / "new", office.clock)
