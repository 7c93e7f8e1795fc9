"""The office's newest metadata comes back the two ways the visits go, and is judged as a stick is judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from techtool.bundles.publish.published import write_refresh
from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.refresh import known, read_refresh
from techtool.bundles.roots import pin_root
from techtool.cli.main import run
from techtool.clock import SystemClock
from techtool.errors import Exit
from techtool.office.couch import REFRESH, REFRESH_FILE
from techtool.paths import Paths
from tests.office.laptops import laptop
from tests.peers.pouchdb_server import PouchServer
from tests.unit.bundles.office import QUORUM, Office, private_key

NewDatabase = Callable[[], tuple[str, str]]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """One whose stick was never seen by the laptop; its clock is this computer's."""
    folder = tmp_path / "office"
    office = Office(folder)
    office.clock.at = SystemClock().now()
    Workspace.create(folder / "bundle", ("acme",), office.clock, quorum=QUORUM, make_key=private_key)
    office.add("com.acme.pay")
    office.stick()
    return office


@pytest.fixture
def paths(tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch) -> Paths:
    paths = laptop(tmp_path / "laptop", visits=1)
    pin_root(paths, office.workspace.root_data())
    monkeypatch.setenv("TECHTOOL_HOME", str(paths.home))
    return paths


def refresh_file(office: Office, path: Path) -> Path:
    write_refresh(office.workspace, path, office.clock)
    return path


@pytest.mark.peers
def test_over_the_network(
    tmp_path: Path,
    office: Office,
    paths: Paths,
    couch: PouchServer,
    new_database: NewDatabase,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _name, url = new_database()
    file = str(refresh_file(office, tmp_path / "refresh.json"))
    assert run(["sync", "--to", url, "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["refresh"] == {"found": False, "news": False, "error": None}
    assert run(["office", "publish", file, "--to", url]) == Exit.DONE
    assert run(["office", "publish", file, "--to", url]) == Exit.NOTHING_TO_DO
    assert run(["sync", "--to", url]) == Exit.DONE, "there was news"
    (found,) = known(paths, SystemClock())
    assert run(["sync", "--to", url]) == Exit.NOTHING_TO_DO
    office.withdraw("com.acme.pay")
    office.stick("newer")
    refresh_file(office, tmp_path / "refresh.json")
    assert run(["office", "publish", file, "--to", url]) == Exit.DONE
    assert run(["sync", "--to", url]) == Exit.DONE
    (newer,) = known(paths, SystemClock())
    assert newer.trust.issued >= found.trust.issued
    assert newer.trust != found.trust


@pytest.mark.peers
def test_what_the_server_made_up_is_told_and_the_visits_still_go(
    tmp_path: Path,
    office: Office,
    paths: Paths,
    couch: PouchServer,
    new_database: NewDatabase,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _name, url = new_database()
    file = refresh_file(office, tmp_path / "refresh.json")
    files = {name: data.decode() for name, data in read_refresh(file).files.items()}
    forged = {name: text.replace("com.acme.pay", "com.evil.pay") for name, text in files.items()}
    assert forged != files
    body = json.dumps({"schema": 1, "files": forged}).encode()
    httpx.put(f"{url}/{REFRESH}/{REFRESH_FILE}", content=body, trust_env=False).raise_for_status()
    assert run(["sync", "--to", url, "--json"]) in (Exit.UNTRUSTED, Exit.DAMAGED_BUNDLE)
    said = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [one["new"] > 0 for one in said["visits"]] == [True]
    assert known(paths, SystemClock()) == ()


def test_on_a_stick(tmp_path: Path, office: Office, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert run(["sync", "--to", str(plain)]) == Exit.DONE
    assert known(paths, SystemClock()) == ()
    refresh_file(office, plain / REFRESH_FILE)
    assert run(["sync", "--to", str(plain)]) == Exit.DONE
    assert len(known(paths, SystemClock())) == 1
    assert run(["sync", "--to", str(plain)]) == Exit.NOTHING_TO_DO
    office.withdraw("com.acme.pay")
    assert run(["sync", "--to", str(office.stick("newer")), "--json"]) == Exit.DONE, (
        "a bundle's own metadata counts too"
    )
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["refresh"]["news"]
    assert (tmp_path / "office" / "newer" / "outbox").is_dir()
