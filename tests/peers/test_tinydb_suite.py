"""TinyDB's own tests, from its source distribution, against our journal."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

import pytest
from filelock import FileLock

from tests.peers.tools import REPO, PeerMissing, checked, missing, peers_dir

FILES = ("test_tinydb.py", "test_tables.py", "test_operations.py")
"""Those that use a database; the others test queries, utilities and stock storages without one."""

DIFFERENT = {
    "test_tinydb::test_repr": "our class has another name",
    "test_tables::test_table_repr": "our classes have other names",
    "test_tinydb::test_access_storage": "asks that the storage be a MemoryStorage",
    "test_tinydb::test_storage_access": "asks that the storage be a MemoryStorage",
}
"""Tests of the suite that fail on the journal, and why that is right; a pass is an error too."""

NOT_OURS = {
    "test_tinydb::test_storage_closed_once": "brings a storage class of its own",
}
"""Tests that never open a journal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one test of the suite ended."""

    passed: bool
    journals: int
    message: str


def sdist() -> Path:
    """The source distribution of the TinyDB that is installed, fetched once by pip; raises :class:`PeerMissing`."""
    archive = peers_dir() / "tinydb" / f"tinydb-{version('tinydb')}.tar.gz"
    with FileLock(peers_dir() / "tinydb.lock"):
        if not archive.is_file():
            wanted = f"tinydb=={version('tinydb')}"
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "tinydb"]
            checked([*pip, "--dest", str(archive.parent), wanted])
    if not archive.is_file():
        raise PeerMissing(f"pip fetched no {archive.name}")
    return archive


def lay_out(archive: Path, folder: Path) -> None:
    """Put the suite's test modules into a package of their own, with our conftest."""
    folder.mkdir()
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = PurePosixPath(member.name)
            content = tar.extractfile(member) if path.parent.name == "tests" and path.name in FILES else None
            if content is not None:
                (folder / path.name).write_bytes(content.read())
    (folder / "conftest.py").write_text("from tests.peers.tinydb_shim import db, ours\n")
    (folder / "pytest.ini").write_text("[pytest]\n")


def run(folder: Path) -> dict[str, Verdict]:
    """Run the suite in a process of its own; its verdicts by ``module::test``."""
    report = folder / "report.xml"
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*argv, f"--junitxml={report}", f"--rootdir={folder}", str(folder)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**environment, "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    verdicts = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        failure = next(
            (found for kind in ("failure", "error", "skipped") if (found := case.find(kind)) is not None), None
        )
        journals = [p.get("value") for p in case.iter("property") if p.get("name") == "journals"]
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        verdicts[name] = Verdict(failure is None, int(journals[0] or 0), "" if failure is None else str(failure.text))
    return verdicts


@pytest.mark.peers
def test_tinydbs_own_suite_passes_on_the_journal(tmp_path: Path) -> None:
    try:
        archive = sdist()
    except PeerMissing as error:
        missing(str(error))
    folder = tmp_path / "tinydb_suite"
    lay_out(archive, folder)
    assert sorted(path.name for path in folder.glob("test_*.py")) == sorted(FILES), f"{archive.name} has no tests"

    verdicts = run(folder)

    failed = {name for name, verdict in verdicts.items() if not verdict.passed}
    unexpected = {name: verdicts[name].message for name in failed - set(DIFFERENT)}
    assert not unexpected, "\n\n".join(f"{name}\n{text}" for name, text in unexpected.items())
    assert failed == set(DIFFERENT), "named as different, but passes"
    assert {name for name, verdict in verdicts.items() if not verdict.journals} == set(NOT_OURS)
    assert len(verdicts) > 80, "TinyDB 4.9.0 has 86 of these tests"
    print(f"TinyDB {version('tinydb')}: {len(verdicts) - len(failed)} of {len(verdicts)} tests pass on the journal")
