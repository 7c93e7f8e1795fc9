from __future__ import annotations

import base64
import stat
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

import techtool.reports.keys as keys
from techtool.errors import BadFile, NotSetUp, UsageError, WrongPassphrase
from techtool.reports.keys import ReportKey, allowed_signers_line, load_report_key, make_report_key, principal_for
from techtool.reports.sshsig import NAMESPACE, sign
from tests.peers.tools import need
from tests.quick_keys import REAL_ROUNDS

PASSPHRASE = "correct horse 电池"
DATA = b'{"report": "\xe7\x8e\x8b"}\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One key for the module, as slow as the product makes it."""
    path = tmp_path_factory.mktemp("keys") / "keys" / "report.key"
    with patch.object(keys, "_ROUNDS", REAL_ROUNDS):
        return path, make_report_key(
            path,
            PASSPHRASE,
            "Zhang  Wei\n",
        )


@pytest.fixture(scope="module")
def key(made: tuple[Path, str]) -> ReportKey:
    return load_report_key(made[0], PASSPHRASE)


def test_the_key_file_opens_again_and_is_private(made: tuple[Path, str], key: ReportKey) -> None:
    path, line = made
    assert key.public_line("Zhang Wei") == line
    assert path.with_name("report.key.pub").read_text() == f"{line}\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_guess_at_the_passphrase_costs_twice_what_openssh_asks(made: tuple[Path, str]) -> None:
    data = base64.b64decode("".join(made[0].read_text().splitlines()[1:-1])).removeprefix(b"openssh-key-v1\0")
    fields = []
    for _name in ("cipher", "way", "options"):
        size = int.from_bytes(data[:4], "big")
        fields.append(data[4 : 4 + size])
        data = data[4 + size :]
    assert fields[1] == b"bcrypt"
    assert int.from_bytes(fields[2][-4:], "big") == 32


def test_a_wrong_passphrase_is_told(made: tuple[Path, str]) -> None:
    before = made[0].read_bytes()
    for wrong in ("correct horse", ""):
        with pytest.raises(WrongPassphrase):
            load_report_key(made[0], wrong)
    assert made[0].read_bytes() == before


def test_a_key_is_never_replaced(made: tuple[Path, str]) -> None:
    before = made[0].read_bytes()
    with pytest.raises(BadFile):
        make_report_key(made[0], "another one", "")
    assert made[0].read_bytes() == before


def test_an_empty_passphrase_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_report_key(tmp_path / "report.key", "", "")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_key_file_is_told(made: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(NotSetUp):
        load_report_key(tmp_path / "none", PASSPHRASE)
    whole = made[0].read_bytes()
    for name, data in {
        "empty": b"",
        "text": b"hello\n",
        "cut": whole[: len(whole) // 2],
        "other": whole.replace(b"OPENSSH", b"RSA"),
        "noise": b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----\n",
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(BadFile):
            load_report_key(path, PASSPHRASE)


def test_a_key_without_passphrase_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    bare = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "bare").write_bytes(bare)
    with pytest.raises(BadFile):
        load_report_key(tmp_path / "bare", PASSPHRASE)
    protection = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(PASSPHRASE.encode())
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, protection)
    (tmp_path / "ecdsa").write_bytes(other)
    with pytest.raises(BadFile):
        load_report_key(tmp_path / "ecdsa", PASSPHRASE)


def test_signatures_are_the_same_every_time_and_differ_by_namespace(key: ReportKey) -> None:
    assert key.sign(DATA) == sign(DATA, key.private, NAMESPACE)
    assert key.sign(DATA) != key.sign(DATA, "other")


@pytest.mark.parametrize(
    ("name", "principal"),
    [("Zhang Wei", "Zhang-Wei"), ("张伟", "张伟"), ('a"b,c*?!', "a-b-c"), ("  ", "technician"), ("x@y.z", "x@y.z")],
)
def test_a_name_becomes_a_principal(name: str, principal: str) -> None:
    assert principal_for(name) == principal


@pytest.mark.parametrize(
    ("public", "principal"),
    [("ssh-ed25519 AAAA", "Zhang Wei"), ("ssh-ed25519 AAAA", 'x" cert-authority'), ("ssh-rsa AAAA", "x"), ("", "x")],
)
def test_what_would_break_the_list_of_signers_is_refused(public: str, principal: str) -> None:
    with pytest.raises(UsageError):
        allowed_signers_line(public, principal)


# -- stock OpenSSH ----------------------------------------------------------------------------------------------------


def verify(folder: Path, data: bytes, principal: str, namespace: str = NAMESPACE) -> subprocess.CompletedProcess[bytes]:
    command = [need("ssh-keygen"), "-Y", "verify", "-f", str(folder / "allowed_signers")]
    command += ["-I", principal, "-n", namespace, "-s", str(folder / "data.sig")]
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=30)


@pytest.fixture
def signed(tmp_path: Path, made: tuple[Path, str], key: ReportKey) -> tuple[Path, str]:
    principal = principal_for("张伟 Zhang Wei")
    (tmp_path / "allowed_signers").write_text(f"# the office\n{allowed_signers_line(made[1], principal)}\n")
    (tmp_path / "data.sig").write_text(key.sign(DATA))
    return tmp_path, principal


@pytest.mark.peers
def test_ssh_keygen_accepts_the_signature(signed: tuple[Path, str]) -> None:
    result = verify(signed[0], DATA, signed[1])
    assert result.returncode == 0, result
    assert b"Good" in result.stdout


@pytest.mark.peers
def test_ssh_keygen_refuses_any_changed_byte(signed: tuple[Path, str]) -> None:
    for index in (0, len(DATA) // 2, len(DATA) - 1):
        changed = bytearray(DATA)
        changed[index] ^= 1
        assert verify(signed[0], bytes(changed), signed[1]).returncode != 0
    assert verify(signed[0], DATA[:-1], signed[1]).returncode != 0


@pytest.mark.peers
def test_ssh_keygen_refuses_another_person_or_purpose(signed: tuple[Path, str], key: ReportKey) -> None:
    assert verify(signed[0], DATA, "somebody").returncode != 0
    (signed[0] / "data.sig").write_text(key.sign(DATA, "git"))
    assert verify(signed[0], DATA, signed[1]).returncode != 0
    assert verify(signed[0], DATA, signed[1], "git").returncode != 0, "the list allows this key for reports only"


@pytest.mark.peers
def test_ssh_keygen_opens_the_key_file(made: tuple[Path, str]) -> None:
    command = [need("ssh-keygen"), "-y", "-P", PASSPHRASE, "-f", str(made[0])]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.stdout.split()[:2] == made[1].split()[:2], result
    command[3] = "wrong"
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode != 0


@pytest.mark.peers
def test_a_key_that_ssh_keygen_made_serves_too(tmp_path: Path) -> None:
    path = tmp_path / "own.key"
    command = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)
    key = load_report_key(path, PASSPHRASE)
    assert key.public_line().split() == path.with_suffix(".key.pub").read_text().split()[:2]
