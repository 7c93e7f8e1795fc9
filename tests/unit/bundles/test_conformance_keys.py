"""tuf-conformance, continued (the table is in ``test_conformance``): keys, thresholds and their rotation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata, Root

from tests.unit.bundles.conformance import ACME, LISTS, Client, Repository, make_signer


class TestKeys:
    def test_snapshot_does_not_meet_threshold(self, client: Client, repo: Repository) -> None:
        repo.set_keys("snapshot", [1, 2, 3], 3)
        repo.sign_with("snapshot", [1, 2, 3])
        repo.publish("root", "targets", "snapshot", "timestamp")
        assert client.usable()
        repo.sign_with("snapshot", [1, 2])
        repo.publish("targets", "snapshot", "timestamp")
        assert not client.refresh()
        assert client.trusted()["snapshot"] == 2

    def test_snapshot_has_too_few_keys(self, client: Client, repo: Repository) -> None:
        repo.set_keys("snapshot", [1, 2, 3, 4, 5], 6)
        repo.sign_with("snapshot", [1, 2, 3, 4, 5])
        repo.publish("root", "snapshot", "timestamp")
        assert not client.refresh()
        assert client.trusted() == {}

    def test_duplicate_keys(self, client: Client, repo: Repository) -> None:
        """One key many times, in the root and under the snapshot."""
        tree = json.loads(repo.file("root").read_bytes())["signed"]
        tree["roles"]["snapshot"]["keyids"] *= 9
        tree["roles"]["snapshot"]["threshold"] = 6
        tree["version"] = 2
        repo.metadata.joinpath("2.root.json").write_bytes(_signed_tree(repo, "root", tree))
        assert not client.refresh()
        repo.metadata.joinpath("2.root.json").unlink()
        repo.root.roles["snapshot"].threshold = 6
        repo.publish("root", "snapshot", "timestamp")
        _repeat_signature(repo, "snapshot", 9)
        assert not client.refresh()
        assert client.trusted() == {}

    @pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", ACME])
    def test_duplicate_sig_keyids(self, client: Client, repo: Repository, role: str) -> None:
        """One signature twice is refused even where one would do."""
        repo.publish(*LISTS)
        _repeat_signature(repo, role, 2)
        assert not client.refresh()
        assert client.trusted() == {}

    @pytest.mark.parametrize("scheme", ["rsassa-pss-sha256", "ecdsa-sha2-nistp256", "ed25519"])
    def test_keytype_and_scheme(self, client: Client, repo: Repository, scheme: str) -> None:
        signer = _signer_of(scheme)
        repo.root.add_key(signer.public_key, "root")
        repo.root.roles["root"].threshold = 2
        repo.signers["root"].append(signer)
        repo.publish("root")
        assert client.usable()
        assert client.trusted()["root"] == 2
        repo.publish("root")
        metadata = Metadata[Root].from_bytes(repo.file("root").read_bytes())
        signature = metadata.signatures[signer.public_key.keyid]
        signature.signature = _plausible(signature.signature)
        repo.file("root").write_bytes(metadata.to_bytes())
        assert not client.refresh()
        assert client.trusted()["root"] == 2

    @pytest.mark.parametrize("bad", ["plausible", "empty"])
    def test_invalid_sig_in_valid_metadata(self, client: Client, repo: Repository, bad: str) -> None:
        repo.set_keys("timestamp", [1, 2], 1)
        repo.sign_with("timestamp", [1, 2])
        repo.publish("root", "timestamp")
        path = repo.file("timestamp")
        tree = json.loads(path.read_bytes())
        first = tree["signatures"][0]
        first["sig"] = "" if bad == "empty" else _plausible(first["sig"])
        path.write_text(json.dumps(tree))
        assert client.usable()


def _signed_tree(repo: Repository, role: str, tree: dict[str, Any]) -> bytes:
    from securesystemslib.formats import encode_canonical

    data = str(encode_canonical(tree)).encode()
    signatures = [signer.sign(data).to_dict() for signer in repo.signers[role]]
    return json.dumps({"signatures": signatures, "signed": tree}).encode()


def _repeat_signature(repo: Repository, role: str, count: int) -> None:
    """The file of ``role`` with its first signature so many times, and everything above it fitting again."""
    tree = json.loads(repo.file(role).read_bytes())
    tree["signatures"] = tree["signatures"][:1] * count + tree["signatures"][1:]
    repo.write(role, json.dumps(tree).encode(), repo.signed(role).version)
    above = {"timestamp": (), "snapshot": ("timestamp",)}.get(role, ("snapshot", "timestamp"))
    repo.publish(*above)


def _signer_of(scheme: str) -> CryptoSigner:
    if scheme == "ed25519":
        return make_signer("another")
    if scheme.startswith("rsa"):
        private: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
    return CryptoSigner(private, SSlibKey.from_crypto(private.public_key(), scheme=scheme))


def _plausible(signature: str) -> str:
    """Another signature of the same length and beginning."""
    return signature[:-2] + ("00" if signature[-2:] != "00" else "01")


@dataclass(frozen=True)
class Version:
    """Keys and threshold that a version states, and who signed it."""

    keys: Sequence[int]
    threshold: int
    sigs: Sequence[int]
    accepted: bool = True


FIVE = (0, 1, 2, 3, 4)
ROTATED = (0, 1, 3, 4, 5)
ROOT_ROTATIONS: dict[str, list[Version]] = {
    "1-of-1-key-rotation": [Version([1], 1, [1]), Version([2], 1, [2, 1]), Version([2], 1, [2])],
    "1-of-1-key-rotation-unused-signatures": [
        Version([1], 1, [3, 1, 4]),
        Version([2], 1, [3, 2, 1, 4]),
        Version([2], 1, [3, 2, 4]),
    ],
    "3-of-5-sign-with-different-keycombos": [
        Version(FIVE, 3, [0, 2, 4]),
        Version(FIVE, 3, [0, 4, 1]),
        Version(FIVE, 3, [0, 1, 3]),
        Version(FIVE, 3, [0, 1, 3]),
    ],
    "3-of-5-one-key-rotated": [Version(FIVE, 3, [0, 2, 4]), Version(ROTATED, 3, [0, 4, 1])],
    "3-of-5-one-key-rotated-with-intermediate-step": [
        Version(FIVE, 3, [0, 2, 4]),
        Version(ROTATED, 3, [0, 2, 4, 5]),
        Version(ROTATED, 3, [0, 4, 5]),
    ],
    "3-of-5-all-keys-rotated-with-intermediate-step": [
        Version(FIVE, 3, [0, 2, 4]),
        Version((5, 6, 7, 8, 9), 3, [0, 2, 4, 5, 6, 7]),
        Version((5, 6, 7, 8, 9), 3, [5, 6, 7]),
    ],
    "1-of-3-threshold-increase-to-2-of-3": [Version([1, 2, 3], 1, [1]), Version([1, 2, 3], 2, [1, 2])],
    "2-of-3-threshold-decrease-to-1-of-3": [
        Version([1, 2, 3], 2, [1, 2]),
        Version([1, 2, 3], 1, [1, 2]),
        Version([1, 2, 3], 1, [1]),
    ],
    "1-of-2-threshold-increase-to-2-of-2": [Version([1], 1, [1]), Version([1, 2], 2, [1, 2])],
    "1-of-1-key-rotation-fail-not-signed-with-old-key": [
        Version([1], 1, [1]),
        Version([2], 1, [2, 3, 4], accepted=False),
    ],
    "1-of-1-key-rotation-fail-not-signed-with-new-key": [
        Version([1], 1, [1]),
        Version([2], 1, [1, 3, 4], accepted=False),
    ],
    "3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys": [
        Version(FIVE, 3, [0, 2, 4]),
        Version(ROTATED, 3, [0, 2, 4], accepted=False),
    ],
    "3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys": [
        Version(FIVE, 3, [0, 2, 4]),
        Version(ROTATED, 3, [0, 4, 5], accepted=False),
    ],
    "1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached": [
        Version([1, 2, 3], 1, [1]),
        Version([1, 2, 3], 2, [2], accepted=False),
    ],
    "2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-eached": [
        Version([1, 2, 3], 2, [1, 2]),
        Version([1, 2, 3], 1, [1], accepted=False),
    ],
}
OTHER_ROTATIONS: dict[str, Version] = {
    "1-of-1-key-rotation": Version([2], 1, [2]),
    "1-of-1-key-rotation-unused-signatures": Version([1], 1, [3, 1, 4]),
    "1-of-1-key-rotation-fail-not-signed-with-new-key": Version([2], 1, [1, 3, 4], accepted=False),
    "3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys": Version(ROTATED, 3, [0, 2, 4], accepted=False),
    "2-of-5-one-key-signature-mising-threshold-not-reached": Version(ROTATED, 3, [0, 4], accepted=False),
    "3-of-5-sign-first-combo": Version(FIVE, 3, [0, 2, 4]),
    "3-of-5-sign-second-combo": Version(FIVE, 3, [0, 4, 1]),
    "3-of-5-sign-third-combo": Version(FIVE, 3, [0, 1, 3]),
    "3-of-5-sign-fourth-combo": Version(FIVE, 3, [1, 2, 3]),
    "3-of-5-sign-fifth-combo": Version(FIVE, 3, [2, 3, 4]),
}


class TestKeyRotations:
    @pytest.mark.parametrize("versions", ROOT_ROTATIONS.values(), ids=ROOT_ROTATIONS)
    def test_root_rotation(self, repo: Repository, tmp_path: Path, versions: list[Version]) -> None:
        repo.file("root").unlink()
        repo.root.version = 0
        for version in versions:
            repo.set_keys("root", version.keys, version.threshold)
            repo.sign_with("root", version.sigs)
            repo.publish("root")
        client = Client(tmp_path / "laptop", repo)
        client.init()
        assert client.usable() is versions[-1].accepted
        assert client.trusted() == {} or client.trusted()["root"] == len(versions)
        assert bool(client.trusted()) is versions[-1].accepted

    @pytest.mark.parametrize("version", OTHER_ROTATIONS.values(), ids=OTHER_ROTATIONS)
    @pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
    def test_non_root_rotations(self, client: Client, repo: Repository, role: str, version: Version) -> None:
        repo.set_keys(role, version.keys, version.threshold)
        repo.sign_with(role, version.sigs)
        repo.publish("root", "targets", "snapshot", "timestamp")
        assert client.usable() is version.accepted
        assert bool(client.trusted()) is version.accepted
