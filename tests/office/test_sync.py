"""Sealed visits into a real server that speaks CouchDB's API: all of them, once, and told truly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from techtool.cli.main import run
from techtool.errors import Exit, OfficeDenied, OfficeError
from techtool.office.address import parse_address
from techtool.office.documents import line_id
from techtool.office.laptop import laptop_id
from techtool.office.marks import STICK, Marks
from techtool.office.sync import waiting
from techtool.paths import Paths
from techtool.reports.keys import allowed_signers_line
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.store.home import Home
from techtool.store.index import Index
from tests.make_store_fixtures import FOLDER, OPEN, SEALED
from tests.office.laptops import IMPATIENT, KEY, NOW, add_visit, expected, held, laptop, sync, synced
from tests.peers.pouchdb_server import PouchServer

pytestmark = pytest.mark.peers

NewDatabase = Callable[[], tuple[str, str]]
PHOTO = b"\xff\xd8" + bytes(range(256)) * 100


def test_every_sealed_visit_is_there_to_the_last_byte_and_marked(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop", photo=PHOTO, lines=230)
    add_visit(paths, "V20261130-090000-open", seal=False)
    result = synced(paths, url)
    assert (len(result.home), result.troubles, result.conflicts) == (2, (), ())
    assert held(couch.documents(name)) == expected(paths)
    heads = Marks(Home(paths)).known(result.to).heads
    assert set(heads) == {one.visit for one in result.home}
    file = next(doc for doc in couch.documents(name).values() if doc["type"] == "techtool-file")
    assert httpx.get(f"{url}/{file['_id']}/file", trust_env=False).content == PHOTO


def test_again_and_after_the_marks_are_lost_nothing_is_doubled(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop")
    synced(paths, url)
    assert synced(paths, url).brought == ()
    (paths.office / "home.jnl").unlink()
    again = synced(paths, url)
    assert [one.new for one in again.brought] == [0, 0]
    assert held(couch.documents(name)) == expected(paths)


def test_a_damaged_list_of_marks_is_set_aside_and_harmless(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop")
    synced(paths, url)
    journal = paths.office / "home.jnl"
    data = bytearray(journal.read_bytes())
    data[200] ^= 1
    journal.write_bytes(data)
    assert len(synced(paths, url).home) == 2
    assert held(couch.documents(name)) == expected(paths)
    assert [path.name for path in paths.office.glob("home.jnl.*")] == ["home.jnl.damaged-1"]


def test_what_differs_at_the_office_is_named_kept_and_not_marked(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop")
    synced(paths, url)
    (paths.office / "home.jnl").unlink()
    visit = Home(paths).visit_ids()[0]
    # A restored disk image: the same visit was closed once more, with another end.
    (paths.visits / f"{visit}.jnl").unlink()
    add_visit(paths, visit, note="another one")
    before = couch.documents(name)
    result = synced(paths, url)
    assert [one.visit for one in result.conflicts] == [visit]
    assert visit not in Marks(Home(paths)).known(result.to).heads
    assert len(result.home) == 1
    first = line_id(laptop_id(paths), visit, 1)
    after = couch.documents(name)
    assert first in result.conflicts[0].conflicts
    both = {str(after[first]["_rev"]), *after[first]["_conflicts"]}  # type: ignore[misc]
    assert str(before[first]["_rev"]) in both
    assert len(both) == 2


def test_a_damaged_visit_stays_and_the_others_go(tmp_path: Path, new_database: NewDatabase) -> None:
    _name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=3)
    broken = Home(paths).visit_ids()[1]
    path = paths.visits / f"{broken}.jnl"
    path.write_bytes(path.read_bytes().replace(b'"number":3', b'"number":4'))
    result = synced(paths, url)
    assert [trouble.visit for trouble in result.troubles] == [broken]
    assert len(result.home) == 2


def test_photos_that_are_not_what_the_record_names_stay(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop", photo=PHOTO)
    visit = Home(paths).visit_ids()[0]
    folder = paths.evidence(visit)
    (photo,) = folder.iterdir()
    photo.write_bytes(b"another picture")
    (folder / f"{'0' * 64}.jpg").write_bytes(b"named by nobody")
    result = synced(paths, url)
    told = [note.text("en") for note in result.brought[0].notes]
    assert told == [f"{photo.name} is not the file that the record names"]
    assert all(doc["type"] == "techtool-line" for doc in couch.documents(name).values())


def test_a_record_of_the_first_schema_goes_home_and_comes_back_as_it_was(
    tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _name, url = new_database()
    shutil.copytree(FOLDER / "v1" / "home", tmp_path / "home")
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "home"))
    home = Home(Paths(tmp_path / "home"))
    assert waiting(home, url).waiting == (SEALED,)
    assert run(["sync", "--to", url, "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert [one["visit"] for one in said["visits"]] == [SEALED], f"{OPEN} is not closed"
    assert waiting(home, url).waiting == ()
    assert run(["sync", "--to", url]) == Exit.NOTHING_TO_DO
    signers = str(FOLDER / "v1" / "office" / "allowed_signers")
    fetch = ["office", "fetch", "--from", url, "--to", str(tmp_path / "out"), "--allowed-signers", signers]
    assert run(fetch) == Exit.DONE
    (file,) = (tmp_path / "out").rglob("*.jnl")
    assert file.read_bytes() == (tmp_path / "home" / "visits" / f"{SEALED}.jnl").read_bytes()
    assert run(["visit", "verify", str(file), "--allowed-signers", signers]) == Exit.DONE


def test_fetch_believes_the_seal_and_not_the_server(
    tmp_path: Path, couch: PouchServer, new_database: NewDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=3, photo=PHOTO)
    synced(paths, url)
    first, second, third = Home(paths).visit_ids()
    documents = couch.documents(name)
    altered = next(d for d in documents.values() if d["visit"] == second and d.get("seq") == 4)
    altered["line"] = str(altered["line"]).replace("2", "3")
    httpx.put(f"{url}/{altered['_id']}", json=altered, trust_env=False).raise_for_status()
    gone = next(d for d in documents.values() if d["visit"] == third and d.get("seq") == 5)
    httpx.delete(f"{url}/{gone['_id']}", params={"rev": str(gone["_rev"])}, trust_env=False).raise_for_status()
    signers = tmp_path / "signers"
    signers.write_text(allowed_signers_line(KEY.public_line(), "li", (SEAL_NAMESPACE,)) + "\n")
    fetch = ["office", "fetch", "--from", url, "--to", str(tmp_path / "out"), "--allowed-signers", str(signers)]
    assert run([*fetch, "--json"]) == Exit.DAMAGED_BUNDLE
    found = json.loads(capsys.readouterr().out.splitlines()[0])["visits"]
    assert [(one["visit"], bool(one["path"])) for one in found] == [(first, True), (second, False), (third, False)]
    assert [path.stem for path in (tmp_path / "out").rglob("*.jnl")] == [first]
    (photo,) = (tmp_path / "out").rglob("*.jpg")
    assert photo.read_bytes() == PHOTO


def test_what_somebody_else_put_among_the_entries_hides_no_visit(
    tmp_path: Path, new_database: NewDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    _name, url = new_database()
    paths = laptop(tmp_path / "laptop")
    synced(paths, url)
    mine, (first, second) = laptop_id(paths), Home(paths).visit_ids()
    strange: dict[str, dict[str, object]] = {
        f"{mine}:{first}:000001a": {"laptop": mine, "visit": second, "type": "techtool-line", "seq": 1, "line": "x"},
        f"{mine}:{first}:000002a": {"laptop": 5, "visit": [], "seq": "one"},
        "L": {"line": None},
    }
    for identity, body in strange.items():
        httpx.put(f"{url}/{identity}", json=body, trust_env=False).raise_for_status()
    signers = tmp_path / "signers"
    signers.write_text(allowed_signers_line(KEY.public_line(), "li", (SEAL_NAMESPACE,)) + "\n")
    fetch = ["office", "fetch", "--from", url, "--to", str(tmp_path / "out"), "--allowed-signers", str(signers)]
    assert run([*fetch, "--json"]) == Exit.DONE
    found = json.loads(capsys.readouterr().out.splitlines()[0])["visits"]
    assert [one["visit"] for one in found] == [first, second]


def test_a_visit_that_went_without_a_photo_is_told_until_a_stick_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(FOLDER / "v1" / "home", tmp_path / "home")
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "home"))
    home, url = Home(Paths(tmp_path / "home")), "https://office.example:443/records"
    (head,) = (one.head for one in Index(home).visits() if one.id == SEALED)
    Marks(home).home(url, {SEALED: head}, NOW, partly=True)
    assert run(["sync", "--to", url, "--status", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["partly"] == [SEALED]
    assert run(["sync", "--to", url, "--status"]) == Exit.DONE
    assert "without all of their photos" in capsys.readouterr().err
    Marks(home).home(STICK, {SEALED: head}, NOW)
    assert (waiting(home, url).waiting, waiting(home, url).partly) == ((), ())


class Poisoned(httpx.AsyncBaseTransport):
    """A server that fails over one visit, every time."""

    def __init__(self, visit: str) -> None:
        self._visit = visit.encode()
        self._real = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/_bulk_docs") and self._visit in request.content:
            return httpx.Response(500, stream=httpx.ByteStream(b"{}"))
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


async def test_a_visit_over_which_the_server_fails_does_not_keep_the_later_ones_here(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    _name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=3)
    first, second, third = Home(paths).visit_ids()
    with pytest.raises(OfficeError):
        await sync(paths, url, patience=IMPATIENT, transport=Poisoned(first))
    marks = Marks(Home(paths)).known(parse_address(url).url)
    assert set(marks.heads) == {second, third}
    assert marks.last is None
    await sync(paths, url)
    assert set(Marks(Home(paths)).known(parse_address(url).url).heads) == {first, second, third}


async def test_nor_does_it_hide_a_conflict(tmp_path: Path, new_database: NewDatabase) -> None:
    _name, url = new_database()
    paths = laptop(tmp_path / "laptop", visits=2)
    await sync(paths, url)
    first, second = Home(paths).visit_ids()
    (paths.office / "home.jnl").unlink()
    for visit, note in ((first, "has to be sent again"), (second, "another one")):
        (paths.visits / f"{visit}.jnl").unlink()
        add_visit(paths, visit, note=note)
    result = await sync(paths, url, patience=IMPATIENT, transport=Poisoned(first))
    assert [one.visit for one in result.conflicts] == [second]
    assert [one.visit for one in result.troubles] == [first]


async def test_a_missing_database_is_told_and_nothing_is_marked(tmp_path: Path, couch: PouchServer) -> None:
    paths = laptop(tmp_path / "laptop")
    with pytest.raises(OfficeDenied, match="there is no database “nowhere”"):
        await sync(paths, f"{couch.origin}/nowhere")
    assert not paths.office.exists()
