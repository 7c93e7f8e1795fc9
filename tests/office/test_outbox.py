"""Home on a stick: copied whole, read back, judged at the office, and the same in the database as over the network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.errors import DiskError, Exit, NotFoundError, OfficeRefused
from techtool.i18n import Phrase
from techtool.office.documents import file_entry
from techtool.office.marks import STICK, Marks
from techtool.office.outbox import Delivered, in_outbox, write_outbox
from techtool.office.sealed import EvidenceCopy, evidence_in, read_sealed
from techtool.office.sync import Step, Synced
from techtool.paths import Disk, Paths
from techtool.reports.keys import allowed_signers_line
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.store.home import Home
from tests.office.laptops import CLOCK, FORGER, KEY, NOW, QUICK, SIGNERS, add_visit, expected, held, laptop, synced
from tests.peers.pouchdb_server import PouchServer
from tests.unit.bundles.stops import CutDisk, PowerCut

PHOTO = b"\xff\xd8" + bytes(range(256)) * 100
NewDatabase = Callable[[], tuple[str, str]]


def to_stick(paths: Paths, stick: Path, disk: Disk = QUICK) -> Synced:
    def quiet(_step: Step) -> None:
        pass

    stick.mkdir(exist_ok=True)
    return write_outbox(stick, Home(paths, disk), "", CLOCK, quiet)


def files_in(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture
def signers(tmp_path: Path) -> str:
    path = tmp_path / "signers"
    path.write_text(allowed_signers_line(KEY.public_line(), "li", (SEAL_NAMESPACE,)) + "\n")
    return str(path)


def test_what_is_on_the_stick_is_what_is_on_the_laptop(tmp_path: Path) -> None:
    paths = laptop(tmp_path / "laptop", photo=PHOTO)
    add_visit(paths, "V20261130-090000-open", seal=False)
    result = to_stick(paths, tmp_path / "stick")
    assert len(result.home) == 2
    (below,) = (tmp_path / "stick" / "outbox").iterdir()
    on_stick, here = files_in(below), files_in(paths.visits)
    assert on_stick == {name: digest for name, digest in here.items() if "open" not in name}
    assert any(name.endswith(".jpg") for name in on_stick)
    assert set(Marks(Home(paths)).known(STICK).heads) == {one.visit for one in result.home}
    assert [one.new for one in to_stick(paths, tmp_path / "stick").brought] == [0, 0]


def test_a_stick_pulled_at_any_moment_is_made_whole_the_next_time(tmp_path: Path) -> None:
    whole = laptop(tmp_path / "laptop", photo=PHOTO)
    counting = CutDisk()
    shutil.copytree(whole.home, tmp_path / "counted")
    to_stick(Paths(tmp_path / "counted"), tmp_path / "stick", counting)
    assert counting.effects >= 15
    for at in range(counting.effects):
        paths, stick = Paths(tmp_path / f"laptop{at}"), tmp_path / f"stick{at}"
        shutil.copytree(whole.home, paths.home)
        with pytest.raises(PowerCut):
            to_stick(paths, stick, CutDisk(at))
        assert not to_stick(paths, stick).conflicts
        (below,) = (stick / "outbox").iterdir()
        left = {name: digest for name, digest in files_in(below).items() if not name.endswith(".part")}
        assert left == files_in(paths.visits), at


def test_another_record_on_the_stick_is_never_written_over(tmp_path: Path) -> None:
    paths = laptop(tmp_path / "laptop")
    to_stick(paths, tmp_path / "stick")
    visit = Home(paths).visit_ids()[0]
    (paths.visits / f"{visit}.jnl").unlink()
    add_visit(paths, visit, note="another one")
    before = files_in(tmp_path / "stick")
    result = to_stick(paths, tmp_path / "stick")
    assert [one.visit for one in result.conflicts] == [visit]
    assert files_in(tmp_path / "stick") == before


def test_half_a_copy_is_made_again(tmp_path: Path) -> None:
    paths = laptop(tmp_path / "laptop")
    to_stick(paths, tmp_path / "stick")
    path = next((tmp_path / "stick").rglob("*.jnl"))
    whole = path.read_bytes()
    for left in (b"", whole[:-1], whole[: len(whole) // 2], b"\x00" * len(whole)):
        path.write_bytes(left)
        to_stick(paths, tmp_path / "stick")
        assert path.read_bytes() == whole


@pytest.mark.peers
def test_stick_and_network_together_double_nothing(
    tmp_path: Path,
    couch: PouchServer,
    new_database: NewDatabase,
    signers: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=3, photo=PHOTO)
    to_stick(paths, tmp_path / "stick")
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "office-laptop"))
    command = ["office", "import", str(tmp_path / "stick"), "--to", url, "--allowed-signers", signers]
    assert run([*command, "--json"]) == Exit.DONE
    assert len(json.loads(capsys.readouterr().out)["visits"]) == 3
    assert held(couch.documents(name)) == expected(paths)
    assert run(command) == Exit.NOTHING_TO_DO
    assert [one.new for one in synced(paths, url).home] == [0, 0, 0]
    assert held(couch.documents(name)) == expected(paths)


@pytest.mark.peers
def test_a_photo_too_large_for_the_network_goes_on_the_stick(
    tmp_path: Path,
    couch: PouchServer,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _name, url = new_database()
    monkeypatch.setattr("techtool.office.bring.MAX_FILE_BYTES", len(PHOTO) - 1)
    paths = laptop(tmp_path / "laptop", visits=2, photo=PHOTO)
    first, _second = Home(paths).visit_ids()
    result = synced(paths, url)
    assert [bool(one.notes) for one in result.home] == [True, False]
    assert synced(paths, url).brought == (), "it would not fit the next time either"
    (tmp_path / "stick").mkdir()
    way = result.to
    copied = write_outbox(tmp_path / "stick", Home(paths, QUICK), way, CLOCK, lambda _step: None)
    assert [one.visit for one in copied.home] == [first]
    assert next((tmp_path / "stick").rglob("*.jpg")).read_bytes() == PHOTO


@pytest.mark.peers
def test_forged_and_damaged_ones_are_refused_by_name_and_the_others_go_on(
    tmp_path: Path,
    couch: PouchServer,
    new_database: NewDatabase,
    signers: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=1)
    add_visit(paths, "V20261130-100000-forged", key=FORGER)
    add_visit(paths, "V20261130-110000-unsigned", key=None)
    add_visit(paths, "V20261130-120000-rotten")
    to_stick(paths, tmp_path / "stick")
    (below,) = (tmp_path / "stick" / "outbox").iterdir()
    rotten = below / "V20261130-120000-rotten.jnl"
    rotten.write_bytes(rotten.read_bytes().replace(b'rotten"', b'r0tten"', 1))
    (below / "V20261130-130000-open.jnl").write_bytes(b"".join(rotten.read_bytes().splitlines(True)[:1]))
    os.symlink("/etc/hostname", below / "V20261130-140000-link.jnl")
    (below / "notes.txt").write_text("not ours")
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "office-laptop"))
    command = ["office", "import", str(tmp_path / "stick"), "--to", url, "--allowed-signers", signers, "--json"]
    assert run(command) == Exit.UNTRUSTED
    said = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [one["visit"] for one in said["visits"]] == [Home(paths).visit_ids()[0]]
    told = {one["visit"][17:]: one["error"]["code"] for one in said["troubles"]}
    assert told.pop("open") == "TT-213", "its first line is that of another visit"
    assert told == {"forged": "TT-705", "unsigned": "TT-705", "rotten": "TT-213", "link": "TT-102"}
    assert {doc["visit"] for doc in couch.documents(name).values()} == {Home(paths).visit_ids()[0]}
    assert run([*command, "--unsigned"]) == Exit.UNTRUSTED
    assert "V20261130-110000-unsigned" in {doc["visit"] for doc in couch.documents(name).values()}


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        in_outbox(tmp_path / "no-stick")
    (tmp_path / "stick").mkdir()
    with pytest.raises(NotFoundError):
        in_outbox(tmp_path / "stick")
    os.symlink(tmp_path, tmp_path / "stick" / "outbox")
    with pytest.raises(NotFoundError):
        in_outbox(tmp_path / "stick")


def test_a_photo_that_was_exchanged_is_not_taken(tmp_path: Path) -> None:
    paths = laptop(tmp_path / "laptop", photo=PHOTO)
    to_stick(paths, tmp_path / "stick")
    photo = next((tmp_path / "stick").rglob("*.jpg"))
    photo.write_bytes(b"another picture")

    first = in_outbox(tmp_path / "stick")[0].judge(SIGNERS, NOW)
    assert isinstance(first, Delivered)
    assert [isinstance(one, Phrase) for one in evidence_in(first.evidence, first.sealed)] == [True]


def test_a_photo_that_changes_after_it_was_looked_at_is_not_sent(tmp_path: Path) -> None:
    """Sent once, it would lie at the office under another photo's digest for ever."""
    paths = laptop(tmp_path / "laptop", photo=PHOTO)
    visit = Home(paths).visit_ids()[0]
    path = paths.visits / f"{visit}.jnl"
    sealed = read_sealed(path, path.read_bytes(), visit)
    assert sealed is not None
    (photo,) = evidence_in(paths.evidence(visit), sealed)
    assert isinstance(photo, EvidenceCopy)
    entry = file_entry("L0123456789abcdef", visit, photo)
    photo.path.write_bytes(b"another picture")
    with pytest.raises(OfficeRefused, match="not the file that the record names"):
        entry.wire()
    photo.path.unlink()
    with pytest.raises(DiskError):
        entry.wire()
