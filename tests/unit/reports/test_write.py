from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from techtool.errors import DiskFull, UsageError
from techtool.reports.formats import FORMATS
from techtool.reports.keys import ReportKey, allowed_signers_line
from techtool.reports.sshsig import NAMESPACE
from techtool.reports.statement import statement
from techtool.reports.write import SUMS, write_reports
from tests import factories as f
from tests.peers.tools import need
from tests.unit.store.disks import FullDisk


@pytest.fixture
def key() -> ReportKey:
    return ReportKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def endings(languages: tuple[str, ...]) -> list[str]:
    """What a writing of every format leaves behind, in its order."""
    per_language = {
        "html": ["html"],
        "merchant": ["merchant.html", "merchant.pdf"],
        "pdf": ["pdf"],
        "csv": ["register.csv", "inspection.csv"],
    }
    names = [f".{language}.{end}" for word in per_language for language in languages for end in per_language[word]]
    return [*names, ".json", ".json.sig", ".SHA256SUMS", ".SHA256SUMS.sig"]


def test_every_file_that_was_asked_for_is_written_and_named(tmp_path: Path, key: ReportKey) -> None:
    visit = f.visit_record()
    written = write_reports(visit, FORMATS, tmp_path / "reports", ("en", "zh"), key)
    names = [f"{visit.id}{ending}" for ending in endings(("en", "zh"))]
    assert [p.name for p in written] == names
    assert sorted(p.name for p in (tmp_path / "reports").iterdir()) == sorted(names)
    assert (tmp_path / "reports" / f"{visit.id}.json").read_bytes() == statement(visit)


def test_the_list_of_digests_names_every_other_file(tmp_path: Path, key: ReportKey) -> None:
    visit = f.visit_record()
    written = write_reports(visit, FORMATS, tmp_path, ("en",), key)
    lines = (tmp_path / f"{visit.id}.{SUMS}").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    others = [p for p in written if SUMS not in p.name]
    assert listed == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in others}


def test_without_a_key_there_is_no_signature(tmp_path: Path) -> None:
    written = write_reports(f.visit_record(), ["json"], tmp_path, ("en",), None)
    assert [p.suffix for p in written] == [".json"]


def test_writing_again_gives_the_same_bytes(tmp_path: Path, key: ReportKey) -> None:
    first = [p.read_bytes() for p in write_reports(f.visit_record(), FORMATS, tmp_path, ("zh",), key)]
    again = [p.read_bytes() for p in write_reports(f.visit_record(), FORMATS, tmp_path, ("zh",), key)]
    assert first == again


def test_a_signature_that_fits_no_more_does_not_stay(tmp_path: Path, key: ReportKey) -> None:
    visit = f.visit_record()
    write_reports(visit, ["json"], tmp_path, ("en",), key)
    write_reports(visit, ["json"], tmp_path, ("en",), None)
    assert (tmp_path / f"{visit.id}.json.sig").exists(), "the same bytes: it still fits"
    write_reports(replace(visit, merchant="another"), ["json"], tmp_path, ("en",), None)
    assert not (tmp_path / f"{visit.id}.json.sig").exists()


def test_the_page_names_the_digest_of_the_json(tmp_path: Path) -> None:
    page, record = write_reports(f.visit_record(), ["html", "json"], tmp_path, ("en",), None)
    assert hashlib.sha256(record.read_bytes()).hexdigest() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("formats", "languages"), [(["docx"], ["en"]), (["html"], ["de"])])
def test_what_there_is_not_is_refused_before_anything_is_written(
    formats: list[str], languages: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        write_reports(f.visit_record(), formats, tmp_path / "reports", languages, None)
    assert not (tmp_path / "reports").exists()


def test_a_full_disk_leaves_whole_files_only(tmp_path: Path, key: ReportKey) -> None:
    visit = f.visit_record()
    with pytest.raises(DiskFull):
        write_reports(visit, FORMATS, tmp_path, ("en",), key, FullDisk(1))
    assert [p.name for p in tmp_path.iterdir()] == [f"{visit.id}.en.html"]


@pytest.mark.peers
def test_ssh_keygen_accepts_the_report_as_it_lies_there(tmp_path: Path, key: ReportKey) -> None:
    written = {
        p.name.removeprefix(f.visit_record().id): p
        for p in write_reports(f.visit_record(), FORMATS, tmp_path, ("en",), key)
    }
    signers = tmp_path / "allowed_signers"
    signers.write_text(allowed_signers_line(key.public_line(), "zhang") + "\n")

    def verdict(name: str) -> int:
        command = [need("ssh-keygen"), "-Y", "verify", "-f", str(signers), "-I", "zhang"]
        command += ["-n", NAMESPACE, "-s", str(written[f"{name}.sig"])]
        with written[name].open("rb") as data:
            return subprocess.run(command, stdin=data, capture_output=True, check=False, timeout=30).returncode

    for name in (".json", f".{SUMS}"):
        assert verdict(name) == 0
        data = bytearray(written[name].read_bytes())
        data[len(data) // 2] ^= 1
        written[name].write_bytes(bytes(data))
        assert verdict(name) != 0


@pytest.mark.peers
def test_sha256sum_finds_a_changed_byte_in_any_format(tmp_path: Path, key: ReportKey) -> None:
    visit = f.visit_record()
    write_reports(visit, FORMATS, tmp_path, ("zh",), key)
    command = [need("sha256sum"), "--check", "--quiet", f"{visit.id}.{SUMS}"]

    def good() -> bool:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30).returncode == 0

    assert good()
    for path in sorted(p for p in tmp_path.iterdir() if SUMS not in p.name and not p.name.endswith(".sig")):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
        assert not good(), path.name
        path.write_bytes(whole)
    assert good()
