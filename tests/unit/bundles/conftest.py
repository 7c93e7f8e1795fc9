from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.bundles.conformance import Client, Repository
from tests.unit.bundles.line import Line
from tests.unit.bundles.office import Office


@pytest.fixture(scope="session")
def made_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two releases of acme and one of beta, and a stick of it: copied for each test."""
    folder = tmp_path_factory.mktemp("office")
    office = Office.make(folder)
    office.add("com.acme.pay", "1.0")
    office.add("com.acme.kernel", "7.0")
    office.add("org.beta.app", "3.1", publisher="beta")
    office.stick()
    office.enrol()
    return folder


@pytest.fixture
def office(made_office: Path, tmp_path: Path) -> Office:
    return Office(Path(shutil.copytree(made_office, tmp_path / "office")))


@pytest.fixture
def stick(office: Office) -> Path:
    return office.folder / "stick"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository of the conformance suite, at version 1."""
    return Repository(tmp_path / "stick")


@pytest.fixture
def client(repo: Repository, tmp_path: Path) -> Client:
    """A laptop that was enrolled with its first root."""
    client = Client(tmp_path / "laptop", repo)
    client.init()
    return client


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(capsys)


@pytest.fixture
def shop(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The office of the other tests, at today's date as the command line has it, and its technician's laptop."""
    monkeypatch.setenv("TECHTOOL_HOME", str(office.laptop.home))
    monkeypatch.setattr("techtool.clock.SystemClock", lambda: office.clock)
    return office
