"""Key files as programs nobody here wrote make them, and what they tell without their passphrase."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from techtool.bundles.publish.keyfiles import hex_of, look_at, look_into, read_public
from techtool.bundles.publish.keys import KeyRing, load_key, ring_of, write_key
from techtool.errors import BadFile, PublisherError, WrongPassphrase
from tests.peers.tools import need
from tests.unit.bundles.office import Office, private_key, public

SECRET = "correct horse"
PUBLIC = hex_of(private_key("lab-1").public_key())


def pkcs8(path: Path, owner: str = "lab-1", secret: str = "") -> Path:
    protection = BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    path.write_bytes(private_key(owner).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    return path


def openssh(path: Path, owner: str = "lab-1", secret: str = "") -> Path:
    write_key(path, private_key(owner), secret)
    return path


class TestLook:
    @pytest.mark.parametrize(("secret", "protected"), [("", False), (SECRET, True)])
    def test_openssh_tells_its_public_half_in_any_case(self, tmp_path: Path, secret: str, protected: bool) -> None:
        found = look_at(openssh(tmp_path / "x.key", secret=secret))
        assert found is not None
        assert (found.protected, found.public) == (protected, PUBLIC)

    def test_pkcs8_tells_it_only_without_a_passphrase(self, tmp_path: Path) -> None:
        bare, locked = look_at(pkcs8(tmp_path / "a.pem")), look_at(pkcs8(tmp_path / "b.pem", secret=SECRET))
        assert bare is not None
        assert locked is not None
        assert (bare.protected, bare.public) == (False, PUBLIC)
        assert (locked.protected, locked.public) == (True, "")

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"hello",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----\n",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ],
    )
    def test_what_is_no_key_is_none(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x.key").write_bytes(data)
        assert look_at(tmp_path / "x.key") is None
        assert list(look_into(tmp_path)) == []

    def test_nothing_there(self, tmp_path: Path) -> None:
        assert look_at(tmp_path / "x.key") is None
        assert list(look_into(tmp_path / "none")) == []


class TestPublic:
    def test_openssh_line_and_pem(self, tmp_path: Path) -> None:
        key = private_key("anna").public_key()
        line, pem = tmp_path / "anna.pub", tmp_path / "anna.pem"
        line.write_bytes(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" anna@office\n")
        pem.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        assert hex_of(read_public(line)) == hex_of(read_public(pem)) == hex_of(key)

    def test_a_private_key_is_not_taken_for_one(self, tmp_path: Path) -> None:
        for path in (openssh(tmp_path / "a.key"), pkcs8(tmp_path / "b.pem")):
            with pytest.raises(BadFile, match="private"):
                read_public(path)

    @pytest.mark.parametrize("data", [b"", b"hello", b"ssh-ed25519 AAAA x", b"-----BEGIN PUBLIC KEY-----\nAAAA\n"])
    def test_what_is_none(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x.pub").write_bytes(data)
        with pytest.raises(BadFile):
            read_public(tmp_path / "x.pub")
        with pytest.raises(BadFile):
            read_public(tmp_path / "none.pub")


def asked(secrets: dict[str, str], log: list[str]) -> KeyRing:
    """A ring that notes for which files it asked."""

    def answer(path: Path) -> str:
        log.append(path.name)
        return secrets[path.name]

    return KeyRing(passphrases=answer)


class TestRing:
    def test_a_key_is_known_by_itself_not_by_its_name(self, tmp_path: Path) -> None:
        openssh(tmp_path / "id_ed25519")
        signer = KeyRing((tmp_path,)).signer(public("lab-1"), "lab-1")
        assert signer is not None
        assert signer.public_key.keyid == public("lab-1").keyid
        assert KeyRing((tmp_path,)).signer(public("lab-2"), "lab-2") is None

    def test_nobody_is_asked_for_a_key_that_is_not_needed(self, tmp_path: Path) -> None:
        openssh(tmp_path / "lab-1.key", secret=SECRET)
        openssh(tmp_path / "vendor-acme-1.key", "vendor-acme-1", secret="another")
        log: list[str] = []
        ring = asked({"lab-1.key": SECRET}, log)
        ring.places = (tmp_path,)
        assert ring.signer(public("lab-1"), "lab-1") is not None
        assert ring.signer(public("lab-1"), "lab-1") is not None
        assert log == ["lab-1.key"], "once"

    def test_an_empty_answer_leaves_a_key_alone(self, tmp_path: Path) -> None:
        openssh(tmp_path / "lab-1.key", secret=SECRET)
        assert KeyRing((tmp_path,), lambda _path: "").signer(public("lab-1"), "lab-1") is None
        with pytest.raises(WrongPassphrase):
            KeyRing((tmp_path,), lambda _path: "wrong").signer(public("lab-1"), "lab-1")

    def test_an_encrypted_pkcs8_goes_by_its_name(self, tmp_path: Path) -> None:
        pkcs8(tmp_path / "lab-1.pem", secret=SECRET)
        pkcs8(tmp_path / "other.pem", "lab-2", secret="x")
        assert KeyRing((tmp_path,), lambda _path: SECRET).signer(public("lab-1"), "lab-1") is not None

    def test_an_encrypted_pkcs8_that_is_named_is_opened_once(self, tmp_path: Path) -> None:
        path = pkcs8(tmp_path / "my own.pem", secret=SECRET)
        log: list[str] = []
        ring = asked({"my own.pem": SECRET}, log)
        ring.places = (path,)
        assert ring.signer(public("lab-2"), "lab-2") is None
        assert ring.signer(public("lab-1"), "lab-1") is not None
        assert log == ["my own.pem"]

    def test_an_encrypted_pkcs8_of_somebody_else(self, tmp_path: Path) -> None:
        pkcs8(tmp_path / "lab-1.key", "stranger", secret=SECRET)
        with pytest.raises(PublisherError, match="another key"):
            KeyRing((tmp_path,), lambda _path: SECRET).signer(public("lab-1"), "lab-1")

    def test_only_some_owners(self, tmp_path: Path) -> None:
        openssh(tmp_path / "lab-1.key")
        assert KeyRing((tmp_path,), only=frozenset({"lab-2"})).signer(public("lab-1"), "lab-1") is None

    def test_a_single_file_may_be_named(self, tmp_path: Path) -> None:
        path = openssh(tmp_path / "mine")
        openssh(tmp_path / "vendor-acme-1.key", "vendor-acme-1")
        ring = ring_of(tmp_path / "keys", [path], lambda _path: "")
        assert ring.signer(public("lab-1"), "lab-1") is not None
        assert ring.signer(public("vendor-acme-1"), "vendor-acme-1") is None

    def test_what_is_not_there_or_no_key_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("hello")
        for place in (tmp_path / "none", tmp_path / "text"):
            with pytest.raises(BadFile):
                ring_of(tmp_path, [place], lambda _path: "")


@pytest.mark.peers
class TestRealPrograms:
    def run(self, program: str, *words: str | Path) -> str:
        command = [need(program), *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @pytest.mark.parametrize("secret", ["", SECRET])
    def test_ssh_keygen_makes_it(self, office: Office, tmp_path: Path, secret: str) -> None:
        path = tmp_path / "id_ed25519"
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", secret, "-C", "anna", "-f", path)
        found = look_at(path)
        assert found is not None
        assert found.protected == bool(secret)
        assert found.public == hex_of(read_public(tmp_path / "id_ed25519.pub"))
        assert hex_of(load_key(path, lambda _path: secret).public_key()) == found.public

    @pytest.mark.parametrize("secret", ["", SECRET])
    def test_openssl_makes_it(self, tmp_path: Path, secret: str) -> None:
        path, half = tmp_path / "key.pem", tmp_path / "key.pub"
        protection = ["-aes256", "-pass", f"pass:{secret}"] if secret else []
        self.run("openssl", "genpkey", "-algorithm", "ed25519", "-out", path, *protection)
        given = ["-passin", f"pass:{secret}"] if secret else []
        self.run("openssl", "pkey", "-in", path, "-pubout", "-out", half, *given)
        found = look_at(path)
        assert found is not None
        assert found.protected == bool(secret)
        assert hex_of(load_key(path, lambda _path: secret).public_key()) == hex_of(read_public(half))

    def test_ssh_keygen_changes_the_passphrase_of_ours(self, tmp_path: Path) -> None:
        path = openssh(tmp_path / "lab-1.key", secret=SECRET)
        self.run("ssh-keygen", "-q", "-p", "-P", SECRET, "-N", "another one", "-f", path)
        assert hex_of(load_key(path, lambda _path: "another one").public_key()) == PUBLIC
        with pytest.raises(WrongPassphrase):
            load_key(path, lambda _path: SECRET)

    def test_ssh_keygen_reads_the_public_half_of_ours(self, tmp_path: Path) -> None:
        path = openssh(tmp_path / "lab-1.key")
        (tmp_path / "lab-1.pub").write_text(self.run("ssh-keygen", "-y", "-f", path))
        assert hex_of(read_public(tmp_path / "lab-1.pub")) == PUBLIC

    @pytest.mark.parametrize("kind", [["-t", "rsa", "-b", "2048"], ["-t", "ecdsa"]])
    def test_other_kinds_of_keys_are_said_to_be_so(self, tmp_path: Path, kind: list[str]) -> None:
        path = tmp_path / "id"
        self.run("ssh-keygen", "-q", *kind, "-N", "", "-f", path)
        assert look_at(path) is None
        with pytest.raises(BadFile, match="Ed25519"):
            load_key(path)
        with pytest.raises(BadFile, match="Ed25519"):
            read_public(tmp_path / "id.pub")
