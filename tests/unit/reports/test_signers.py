"""Reading what OpenSSH reads: lists of signers and signatures; ssh-keygen is the judge."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from techtool.domain.codec import CodecError
from techtool.errors import BadFile
from techtool.paths import Paths
from techtool.reports.keys import ReportKey, make_report_key
from techtool.reports.signers import fingerprint, key_of_line, own_signers, parse_signature, read_signers
from techtool.reports.sshsig import armored, ssh_string
from tests.peers.tools import need

KEY = ReportKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
LINE = KEY.public_line()
NOW = datetime.now(UTC)
DATA = b"V1 7 00\n"


def blob() -> bytes:
    found = key_of_line(LINE)
    assert found is not None
    return found


def test_a_signature_fits_its_data_and_namespace_only() -> None:
    signature = parse_signature(KEY.sign(DATA, "techtool-visit"))
    assert signature.key == blob()
    assert signature.fits(DATA, "techtool-visit")
    assert not signature.fits(DATA + b" ", "techtool-visit")
    assert not signature.fits(DATA, "techtool-report")


def test_every_changed_character_of_a_signature_is_found() -> None:
    text = KEY.sign(DATA, "techtool-visit")
    for place, letter in enumerate(text):
        for other in ("A", "B", "\n", ""):
            if other == letter:
                continue
            try:
                signature = parse_signature(text[:place] + other + text[place + 1 :])
            except CodecError:
                continue
            assert signature.key != blob() or not signature.fits(DATA, "techtool-visit"), (place, other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSHSIG",
        b"SSHSIG\0\0\0\2" + ssh_string(b"x") * 5,
        b"SSHSIG\0\0\0\1" + ssh_string(b"x") * 5,
        b"SSHSIG\0\0\0\1" + ssh_string(b"x") * 4,
        b"SSHSIG\0\0\0\1\xff\xff\xff\xff",
    ],
)
def test_what_is_no_signature_is_told(data: bytes) -> None:
    with pytest.raises(CodecError):
        parse_signature(armored(data))


def test_cut_anywhere_it_is_no_signature() -> None:
    whole = base64.b64decode("".join(KEY.sign(DATA).splitlines()[1:-1]))
    for size in range(len(whole)):
        with pytest.raises(CodecError):
            parse_signature(armored(whole[:size]))
    with pytest.raises(CodecError):
        parse_signature(armored(whole + b"\0"))


def test_own_key(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert own_signers(paths) == ()
    make_report_key(paths.report_key, "a passphrase", "Zhang Wei")
    (own,) = own_signers(paths)
    assert own.principal == "Zhang Wei"
    paths.report_key.with_name("report.key.pub").write_text("ssh-ed25519 AAAA\n")
    with pytest.raises(BadFile):
        own_signers(paths)


# What stands before the key, whether it may sign for techtool-visit now; ssh-keygen must say the same.
RULES = [
    ("wei ", True),
    ("wei,li ", True),
    ('wei namespaces="techtool-visit" ', True),
    ('wei namespaces="techtool-report,techtool-visit" ', True),
    ('wei namespaces="techtool-*" ', True),
    ('wei namespaces="techtool-visi?" ', True),
    ('wei namespaces="techtool-report" ', False),
    ('wei namespaces="*,!techtool-visit" ', False),
    ('wei valid-after="20200101" ', True),
    ('wei valid-after="20200101000000Z" ', True),
    ('wei valid-after="20990101" ', False),
    ('wei valid-before="20990101Z" ', True),
    ('wei valid-before="202001010000" ', False),
    ('wei valid-after="20200101",valid-before="20990101",namespaces="techtool-visit" ', True),
]


@pytest.mark.peers
@pytest.mark.parametrize(("rule", "allowed"), RULES)
def test_a_rule_means_what_it_means_to_ssh_keygen(tmp_path: Path, rule: str, allowed: bool) -> None:
    (tmp_path / "signers").write_text(f"# list\n\n{rule}{LINE} a comment\n")
    (tmp_path / "sig").write_text(KEY.sign(DATA, "techtool-visit"))
    command = [need("ssh-keygen"), "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "wei"]
    command += ["-n", "techtool-visit", "-s", str(tmp_path / "sig")]
    done = subprocess.run(command, input=DATA, capture_output=True, check=False, timeout=30)
    assert (done.returncode == 0) is allowed, done
    (signer,) = read_signers(tmp_path / "signers")
    assert signer.may_sign(blob(), "techtool-visit", NOW) is allowed


@pytest.mark.peers
def test_the_fingerprint_is_the_one_ssh_keygen_shows(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(LINE + "\n")
    shown = subprocess.run(
        [need("ssh-keygen"), "-l", "-f", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True
    )
    assert fingerprint(blob()) == shown.stdout.split()[1]


def test_a_key_counts_only_as_itself() -> None:
    other = key_of_line(ReportKey(Ed25519PrivateKey.from_private_bytes(bytes(32))).public_line())
    assert other is not None
    assert other != blob()
    from techtool.reports.signers import Signer

    assert not Signer("wei", blob()).may_sign(other, "techtool-visit", NOW)
    assert not Signer("wei", blob(), valid_before=NOW).may_sign(blob(), "techtool-visit", NOW)
    assert Signer("wei", blob(), valid_after=NOW).may_sign(blob(), "techtool-visit", NOW + timedelta(0))


def test_lines_for_other_keys_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(
        f"li ssh-rsa AAAAB3\nca cert-authority {LINE}\nli sk-ssh-ed25519@openssh.com AAAA\nwei {LINE}\n"
    )
    assert [signer.principal for signer in read_signers(tmp_path / "signers")] == ["wei"]


@pytest.mark.parametrize(
    "line",
    [
        "wei",
        "wei ssh-ed25519",
        "wei ssh-ed25519 AAAA",
        f'wei verify-required="x" {LINE}',
        f"wei namespaces {LINE}",
        f'wei valid-after="soon" {LINE}',
        f'wei valid-after="20261399" {LINE}',
        f'wei namespaces="a",namespaces="b" {LINE}',
    ],
)
def test_a_line_that_is_not_understood_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "signers").write_text(f"# list\n{line}\n")
    with pytest.raises(BadFile, match="line 2"):
        read_signers(tmp_path / "signers")


def test_what_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "signers").write_bytes(b"\xff\xfe")
    for name in ("signers", "none"):
        with pytest.raises(BadFile):
            read_signers(tmp_path / name)
