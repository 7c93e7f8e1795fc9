"""The cases of theupdateframework/tuf-conformance, written anew against ``open_stick``, under their names.

Their suite drives a client over HTTP; ours opens a stick. Three things are decided otherwise, and the tests say so:

- What is past its date is still accepted for reading; nothing is installed from it (``Client.usable`` is both).
- A stick that is refused leaves a laptop as it was (their clients keep what came before the fault).
- A timestamp older than the one that is known makes an older genuine stick, which the newer metadata judges.

=============================================================  =======================================================
their test                                                     here
=============================================================  =======================================================
test_basic_init_and_refresh, test_basic_refresh_requests       as test_basic_refresh_requests: files instead of requests
test_basic_refresh_trusted_data                                the same
test_implicit_refresh                                          not: a release comes from an opened stick, and there is
                                                               no other way to a payload
test_invalid_initial_root, test_unsigned_initial_root          the same
test_unsigned_metadata                                         the same; also for a publisher's list
test_url_and_metadata_version_mismatch                         the same; also for a publisher's list
test_timestamp_content_changes                                 the same
test_basic_metadata_hash_support, test_metadata_bytes_match    the same
test_custom_fields, test_deprecated_keyid_hash_algorithms      the same
test_snapshot_404, test_targets_404, test_timestamp_404        the same
test_incorrect_metadata_type                                   the same
test_faketime                                                  the same: our time is given, not the system's
test_new_targets_version_mismatch                              the same (from earlier versions of their suite)
test_new_targets_hash_mismatch                                 the same (from earlier versions of their suite)
test_new_timestamp_version_rollback                            the same: an older stick, judged by the newer metadata
test_snapshot_rollback, test_targets_rollback                  the same; the latter also for a publisher's list
test_simple_snapshot_rollback                                  the same (from earlier versions of their suite)
test_new_snapshot_version_mismatch                             the same (from earlier versions of their suite)
test_targets_role_removal                                      the same
test_targets_fast_forward_recovery                             the same
test_new_snapshot_fast_forward_recovery                        the same
test_new_timestamp_fast_forward_recovery                       the same
test_snapshot_does_not_meet_threshold                          the same
test_snapshot_has_too_few_keys                                 the same
test_duplicate_keys, test_duplicate_sig_keyids                 the same
test_keytype_and_scheme, test_invalid_sig_in_valid_metadata    the same
test_root_expired, test_timestamp_expired                      as test_expired
test_snapshot_expired, test_targets_expired                    as test_expired
test_expired_local_root, test_expired_local_timestamp          the same
test_delegated_targets_expired                                 the same
test_expired_local_delegated_targets                           the same
test_expired_local_delegated_targets_updates                   the same
test_client_downloads_expected_file                            the same
test_client_downloads_expected_file_in_sub_dir                 the same: every payload lies in a folder
test_repository_substitutes_target_file                        the same
test_multiple_changes_to_target                                the same
test_download_with_hash_algorithms                             the same; SHA-256 must be among them: it names the file
test_download_with_unknown_hash_algorithm                      the same
test_artifact_cache                                            the same
test_root_rotation, test_non_root_rotations                    the same
test_graph_traversal                                           the same: one level of publishers is accepted, every
                                                               deeper graph is refused
test_targetfile_search                                         the same
test_cached_role_is_verified_against_current_delegator         the same
test_unusual_role_name                                         the same: refused instead of quoted
test_static_repository                                         not: whether other programs' repositories can be read;
                                                               a stick has a profile of its own
test_repository_simulator                                      not: tests of their simulator
=============================================================  =======================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, MetaFile, Root, TargetFile

from techtool.bundles.metadata import StickSource
from techtool.bundles.profile import paths_of
from techtool.errors import BadFile, Damaged, StoreDamaged, Untrusted
from tests.unit.bundles.conformance import ACME, TOP, Client, Repository, days_from_now, make_signer

ALL = ("root", ACME, "targets", "snapshot", "timestamp")
LISTS = (ACME, "targets", "snapshot", "timestamp")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "stick")


@pytest.fixture
def client(repo: Repository, tmp_path: Path) -> Client:
    client = Client(tmp_path / "laptop", repo)
    client.init()
    return client


class TestBasic:
    def test_basic_refresh_requests(self, client: Client, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        real = StickSource.read

        def read(source: StickSource, name: str) -> bytes | None:
            asked.append(name)
            return real(source, name)

        monkeypatch.setattr(StickSource, "read", read)
        assert client.usable()
        assert set(asked) == {
            "1.root.json",
            "2.root.json",
            "timestamp.json",
            "1.snapshot.json",
            "1.targets.json",
            "1.vendor-acme.json",
        }

    def test_basic_refresh_trusted_data(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        assert client.kept("root_history/1.root.json") == repo.file("root").read_bytes()
        for role in ("timestamp", "snapshot", "targets", ACME):
            assert client.kept(f"{role}.json") == repo.file(role).read_bytes()

    def test_invalid_initial_root(self, repo: Repository, tmp_path: Path) -> None:
        tree = json.loads(repo.file("root").read_bytes())
        del tree["signed"]["version"]
        client = Client(tmp_path / "new", repo)
        with pytest.raises(BadFile):
            client.init(json.dumps(tree).encode())
        assert not client.home.exists()

    def test_unsigned_initial_root(self, client: Client, repo: Repository, tmp_path: Path) -> None:
        tree = json.loads(repo.file("root").read_bytes())
        tree["signatures"][0]["sig"] = "30" * 64
        new = Client(tmp_path / "new", repo)
        with pytest.raises(BadFile):
            new.init(json.dumps(tree).encode())
        (pinned,) = (client.paths.trust / "roots").iterdir()
        pinned.write_text(json.dumps(tree))
        with pytest.raises(StoreDamaged):
            client.refresh()

    @pytest.mark.parametrize("role", ALL)
    def test_unsigned_metadata(self, client: Client, repo: Repository, role: str) -> None:
        repo.signers[role].pop()
        repo.publish(*ALL)
        assert not client.refresh()
        assert "signature" in str(client.error)
        assert client.trusted() == {}

    @pytest.mark.parametrize("role", ["root", "snapshot", "targets", ACME])
    def test_url_and_metadata_version_mismatch(self, client: Client, repo: Repository, role: str) -> None:
        """The number in a name and the number inside are one."""
        repo.publish(*ALL)
        signed = repo.signed(role)
        signed.version += 1
        repo.write(role, repo.sign(role, signed), 2)
        signed.version -= 1
        repo.publish(*(r for r in LISTS[1:] if r != role), bump=False)
        assert not client.refresh()
        assert client.trusted() == {}

    def test_timestamp_content_changes(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        before = client.kept("timestamp.json")
        repo.timestamp.snapshot_meta.version = 100
        repo.publish("timestamp", bump=False)
        assert client.usable()
        assert client.kept("timestamp.json") == before

    def test_basic_metadata_hash_support(self, client: Client, repo: Repository) -> None:
        repo.publish(*LISTS)
        assert client.usable()
        repo.publish("targets")
        assert repo.snapshot.meta["targets.json"].hashes
        repo.snapshot.meta["targets.json"].hashes["sha256"] = "46" * 32
        repo.publish("snapshot", "timestamp")
        assert not client.refresh()
        assert client.trusted()["targets"] == 2

    def test_metadata_bytes_match(self, client: Client, repo: Repository) -> None:
        data = repo.file("timestamp").read_bytes() + b" "
        repo.file("timestamp").write_bytes(data)
        assert client.usable()
        assert client.kept("timestamp.json") == data

    def test_custom_fields(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        signer = make_signer("another")
        signer.public_key.unrecognized_fields["extra-field"] = {"a": 1, "b": 2}
        repo.root.unrecognized_fields["custom-field"] = "value"
        repo.root.roles["root"].unrecognized_fields["another-field"] = "value"
        repo.root.add_key(signer.public_key, "root")
        repo.publish("root")
        assert client.usable()
        assert client.trusted()["root"] == 2

    def test_deprecated_keyid_hash_algorithms(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        repo.rotate_keys("snapshot")
        key = repo.root.keys[repo.root.roles["snapshot"].keyids[0]]
        key.unrecognized_fields["keyid_hash_algorithms"] = "md5"
        repo.publish("root", "snapshot", "timestamp")
        assert client.usable()
        assert client.trusted()["snapshot"] == 2

    def test_snapshot_404(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        repo.timestamp.snapshot_meta.version += 1
        repo.publish("timestamp")
        before = client.trusted()
        assert not client.refresh()
        assert "missing" in str(client.error)
        assert client.trusted() == before

    def test_targets_404(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        repo.snapshot.meta["targets.json"].version += 1
        repo.publish("snapshot", "timestamp")
        before = client.trusted()
        assert not client.refresh()
        assert client.trusted() == before

    def test_timestamp_404(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        repo.file("timestamp").unlink()
        assert not client.refresh()
        assert "missing" in str(client.error)

    def test_incorrect_metadata_type(self, client: Client, repo: Repository) -> None:
        """A snapshot that would be a valid timestamp, were it called one."""
        repo.root.add_key(repo.signers["timestamp"][0].public_key, "snapshot")
        repo.snapshot.meta = {"snapshot.json": MetaFile(1)}
        repo.signers["snapshot"] = repo.signers["timestamp"]
        repo.publish("root")
        repo.file("timestamp").write_bytes(repo.sign("snapshot", repo.snapshot))
        assert not client.refresh()
        assert client.trusted() == {}

    def test_faketime(self, client: Client, repo: Repository) -> None:
        repo.root.expires = days_from_now(7)
        repo.publish("root")
        assert client.usable()
        client.days(8)
        assert client.refresh()
        assert client.opened.expired is not None
        assert client.opened.expired.params["role"] == "root"

    def test_new_targets_version_mismatch(self, client: Client, repo: Repository) -> None:
        """A newer list that no snapshot names is not looked at."""
        assert client.usable()
        repo.publish("targets")
        assert client.usable()
        assert client.trusted()["targets"] == 1

    def test_new_targets_hash_mismatch(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        old = repo.snapshot.meta["targets.json"]
        repo.publish("targets")
        repo.snapshot.meta["targets.json"] = MetaFile(2, old.length, old.hashes)
        repo.publish("snapshot", "timestamp")
        assert not client.refresh()
        assert client.trusted()["snapshot"] == 1


class TestRollback:
    def test_new_timestamp_version_rollback(self, client: Client, repo: Repository) -> None:
        older = repo.file("timestamp").read_bytes()
        repo.publish("timestamp")
        assert client.usable()
        repo.file("timestamp").write_bytes(older)
        assert client.usable()
        assert client.opened.trust.from_mirror
        assert client.trusted()["timestamp"] == 2

    @pytest.mark.parametrize("hashes", [False, True], ids=["basic", "with hashes"])
    def test_snapshot_rollback(self, client: Client, repo: Repository, hashes: bool) -> None:
        repo.hashes = hashes
        repo.publish("snapshot", "timestamp")
        assert client.usable()
        repo.snapshot.version = 0
        repo.publish("snapshot", "timestamp")
        assert not client.refresh()
        assert (client.trusted()["timestamp"], client.trusted()["snapshot"]) == (2, 2)

    def test_simple_snapshot_rollback(self, client: Client, repo: Repository) -> None:
        """Without a new timestamp: the snapshot that is known stays."""
        older = repo.file("snapshot").read_bytes()
        repo.publish("snapshot", "timestamp")
        assert client.usable()
        repo.file("snapshot").write_bytes(older)
        assert client.usable()
        assert client.trusted()["snapshot"] == 2

    def test_new_snapshot_version_mismatch(self, client: Client, repo: Repository) -> None:
        repo.snapshot.version = 7
        repo.write("snapshot", repo.sign("snapshot", repo.snapshot), 2)
        repo.publish("timestamp")
        assert not client.refresh()
        assert client.trusted() == {}

    def test_targets_role_removal(self, client: Client, repo: Repository) -> None:
        assert client.usable()
        del repo.snapshot.meta["vendor-acme.json"]
        repo.publish("snapshot", "timestamp")
        assert not client.refresh()
        assert client.trusted()["snapshot"] == 1

    def test_targets_fast_forward_recovery(self, client: Client, repo: Repository) -> None:
        """With a new key of the snapshot, lists may start again at 1, and one may go."""
        repo.add_publisher("beta")
        repo.targets.version = 99
        repo.publish("vendor-beta", "targets", "snapshot", "timestamp")
        assert client.usable()
        assert client.trusted()["targets"] == 100
        repo.rotate_keys("snapshot")
        repo.targets.version = 0
        del repo.snapshot.meta["vendor-beta.json"]
        del repo.delegations["vendor-beta"]
        _drop_unused_keys(repo)
        repo.publish("root", "targets", "snapshot", "timestamp")
        assert client.usable()
        assert client.trusted()["targets"] == 1

    def test_new_snapshot_fast_forward_recovery(self, client: Client, repo: Repository) -> None:
        repo.snapshot.version = 99
        repo.publish("snapshot", "timestamp")
        assert client.usable()
        assert client.trusted()["snapshot"] == 100
        repo.rotate_keys("snapshot")
        repo.rotate_keys("timestamp")
        repo.snapshot.version = 0
        repo.publish("root", "targets", "snapshot", "timestamp")
        assert client.usable()
        assert client.trusted()["snapshot"] == 1

    def test_new_timestamp_fast_forward_recovery(self, client: Client, repo: Repository) -> None:
        repo.timestamp.version = 99
        repo.publish("timestamp")
        assert client.usable()
        assert client.trusted()["timestamp"] == 100
        repo.rotate_keys("timestamp")
        repo.timestamp.version = 0
        repo.publish("root", "timestamp")
        assert client.usable()
        assert client.trusted()["timestamp"] == 1

    @pytest.mark.parametrize("role", ["targets", ACME])
    @pytest.mark.parametrize("hashes", [False, True], ids=["basic", "with hashes"])
    def test_targets_rollback(self, client: Client, repo: Repository, hashes: bool, role: str) -> None:
        repo.hashes = hashes
        repo.publish(*LISTS)
        assert client.usable()
        repo.signed(role).version = 0
        repo.publish(role, "snapshot", "timestamp")
        assert not client.refresh()
        assert (client.trusted()["snapshot"], client.trusted()[role]) == (2, 2)


def _drop_unused_keys(repo: Repository) -> None:
    assert repo.targets.delegations is not None
    used = {keyid for role in repo.delegations.values() for keyid in role.keyids}
    for keyid in set(repo.targets.delegations.keys) - used:
        del repo.targets.delegations.keys[keyid]


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


class TestExpiration:
    @pytest.mark.parametrize("role", TOP)
    def test_expired(self, client: Client, repo: Repository, role: str) -> None:
        """``test_root_expired``, ``test_timestamp_expired``, ``test_snapshot_expired``, ``test_targets_expired``."""
        assert client.usable()
        repo.signed(role).expires = days_from_now(-1)
        repo.publish(*ALL)
        assert client.refresh()
        assert client.opened.expired is not None
        assert client.opened.expired.params["role"] == role
        assert client.download() is None
        assert client.downloaded() == set()

    def test_expired_local_root(self, client: Client, repo: Repository) -> None:
        repo.root.expires = days_from_now(7)
        repo.publish("root")
        assert client.usable()
        repo.root.expires = days_from_now(21)
        repo.publish("root")
        client.days(18)
        assert client.usable()
        assert client.trusted()["root"] == 3

    def test_expired_local_timestamp(self, client: Client, repo: Repository) -> None:
        repo.timestamp.expires = days_from_now(7)
        repo.publish("timestamp")
        assert client.usable()
        repo.timestamp.expires = days_from_now(21)
        repo.publish("targets", "snapshot", "timestamp")
        client.days(18)
        assert client.usable()
        trusted = client.trusted()
        assert (trusted["timestamp"], trusted["snapshot"], trusted["targets"]) == (3, 2, 2)

    @pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", ACME])
    def test_rollback_protection_by_what_is_past_its_date(self, client: Client, repo: Repository, role: str) -> None:
        """Theirs is only for the timestamp: what is past its date still says what was seen."""
        repo.publish(*LISTS)
        repo.signed(role).expires = days_from_now(7)
        repo.publish(*LISTS)
        assert client.usable()
        client.days(18)
        repo.signed(role).expires = days_from_now(21)
        repo.lists[ACME].version = 0
        repo.publish(*LISTS)
        assert not client.refresh()
        assert client.trusted()[ACME] == 3

    def test_delegated_targets_expired(self, client: Client, repo: Repository) -> None:
        repo.lists[ACME].expires = days_from_now(-1)
        repo.publish(*LISTS)
        assert client.refresh()
        assert client.opened.expired is not None
        assert client.opened.expired.params["role"] == ACME
        assert client.download() is None

    def test_expired_local_delegated_targets(self, client: Client, repo: Repository) -> None:
        repo.lists[ACME].expires = days_from_now(7)
        repo.publish(*LISTS)
        assert client.download() == b"payload"
        client.days(18)
        assert client.download() is None

    def test_expired_local_delegated_targets_updates(self, client: Client, repo: Repository) -> None:
        repo.lists[ACME].expires = days_from_now(7)
        repo.publish(*LISTS)
        assert client.download() == b"payload"
        repo.lists[ACME].expires = days_from_now(21)
        repo.publish(*LISTS)
        client.days(18)
        assert client.download() == b"payload"


class TestFileDownload:
    def test_client_downloads_expected_file(self, client: Client, repo: Repository) -> None:
        assert client.refresh()
        assert client.downloaded() == set(), "opening a stick copies nothing"
        assert client.download() == b"payload"
        assert client.downloaded() == {b"payload"}

    def test_client_downloads_expected_file_in_sub_dir(self, client: Client, repo: Repository) -> None:
        payload = repo.add_release("1.0", name="deep", content=b"in a folder")
        repo.publish(*LISTS)
        assert payload.relative_to(repo.bundle).parts[:3] == ("targets", "acme", "deep")
        assert client.download("com.acme.deep") == b"in a folder"

    def test_repository_substitutes_target_file(self, client: Client, repo: Repository) -> None:
        first = repo.add_release("1.0", name="one", content=b"target file contents")
        second = repo.add_release("1.0", name="two", content=b"content")
        repo.publish(*LISTS)
        assert client.download("com.acme.one") == b"target file contents"
        for path in (first, second):
            path.write_bytes(b"malicious data - should not download")
        assert client.download("com.acme.one") == b"target file contents", "the proven copy is here already"
        assert client.download("com.acme.two") is None
        assert isinstance(client.error, Damaged)
        assert client.downloaded() == {b"target file contents"}

    def test_multiple_changes_to_target(self, client: Client, repo: Repository) -> None:
        assert client.download() == b"payload"
        expected = {b"payload"}
        for n in range(11):
            content = f"modified file contents {n}".encode()
            payload = repo.add_release(f"1.{n}", content=content)
            repo.publish(*LISTS)
            if n % 5:
                continue
            assert client.download() == content
            expected.add(content)
            assert client.downloaded() == expected
            payload.write_bytes(f"malicious contents {n}".encode())
            client.download()
            assert client.downloaded() == expected

    @pytest.mark.parametrize(
        ("digests", "accepted"),
        [(["sha256"], True), (["sha512"], False), (["sha256", "sha512"], True)],
        ids=["sha256", "sha512", "both"],
    )
    def test_download_with_hash_algorithms(
        self, client: Client, repo: Repository, digests: Sequence[str], accepted: bool
    ) -> None:
        repo.put(ACME, "acme/pay/pay.bin", b"payload", digests)
        repo.publish(*LISTS)
        assert (client.download() == b"payload") is accepted
        assert accepted or isinstance(client.error, Untrusted)

    def test_download_with_unknown_hash_algorithm(self, client: Client, repo: Repository) -> None:
        path = "acme/pay/pay.bin"
        repo.lists[ACME].targets[path] = TargetFile(7, {"unknown-hash": "00" * 32}, path)
        repo.publish(*LISTS)
        assert client.download() is None
        assert client.downloaded() == set()

    def test_artifact_cache(self, client: Client, repo: Repository) -> None:
        assert client.download() == b"payload"
        next((repo.bundle / "targets/acme/pay").iterdir()).unlink()
        assert client.download() == b"payload"


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


Edge = tuple[str, str]
GRAPHS: dict[str, tuple[list[Edge], bool]] = {
    "basic-delegation": ([("targets", "A")], True),
    "single-level-delegations": ([("targets", "A"), ("targets", "B")], True),
    "two-level-delegations": ([("targets", "A"), ("targets", "B"), ("B", "C")], False),
    "two-level-test-DFS-order-of-traversal": (
        [("targets", "A"), ("targets", "B"), ("A", "C"), ("A", "D")],
        False,
    ),
    "three-level-delegation-test-DFS-order-of-traversal": (
        [("targets", "A"), ("targets", "B"), ("A", "C"), ("C", "D")],
        False,
    ),
    "cyclic-graph": ([("targets", "A"), ("targets", "B"), ("B", "C"), ("C", "D"), ("D", "B")], False),
    "two-roles-delegating-to-a-third": ([("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C")], False),
}
"""Theirs differ besides in paths and in ``terminating``, which the profile fixes: the next test."""


def _role(letter: str) -> str:
    return "targets" if letter == "targets" else f"vendor-{letter.lower()}"


class TestDelegationGraphs:
    @pytest.mark.parametrize(("edges", "accepted"), GRAPHS.values(), ids=GRAPHS)
    @pytest.mark.parametrize("matching", [True, False], ids=["matching paths", "other paths"])
    def test_graph_traversal(
        self, client: Client, repo: Repository, edges: list[Edge], accepted: bool, matching: bool
    ) -> None:
        below: dict[str, list[str]] = {}
        for delegator, delegate in edges:
            if delegator == "targets":
                repo.add_publisher(delegate.lower())
            else:
                below.setdefault(_role(delegator), []).append(_role(delegate))
        for delegator, delegates in below.items():
            repo.add_list(delegator)
            paths = paths_of(delegator.removeprefix("vendor-")) if matching else ["*.py"]
            repo.lists[delegator].delegations = _delegations(repo, delegates, paths)
            for delegate in delegates:
                repo.add_list(delegate)
        repo.publish(*repo.lists, "targets", "snapshot", "timestamp")
        assert client.usable() is accepted
        assert bool(client.trusted()) is accepted

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"terminating": False}, id="two-level-terminating-ignores-all-but-roles-descendants"),
            pytest.param({"paths": ["*.py"]}, id="two-level-ignores-all-branches-not-matching-paths"),
            pytest.param({"paths": ["*"]}, id="every path"),
            pytest.param({"name": "A"}, id="a role of another name"),
        ],
    )
    def test_graph_traversal_outside_the_profile(
        self, client: Client, repo: Repository, change: dict[str, Any]
    ) -> None:
        role = repo.delegations.pop(ACME)
        fields = {"name": ACME, "terminating": True, "paths": role.paths, **change}
        name = str(fields["name"])
        repo.delegations[name] = DelegatedRole(
            name, role.keyids, role.threshold, terminating=fields["terminating"], paths=fields["paths"]
        )
        repo.publish("targets", "snapshot", "timestamp")
        assert not client.refresh()
        assert isinstance(client.error, Untrusted)

    @pytest.mark.parametrize(
        ("path", "publisher", "found"),
        [
            pytest.param("acme/x/x_v1", "acme", True, id="targetpath with separators x"),
            pytest.param("acme/x_v1.zip", "acme", True, id="targetpath matches wildcard"),
            pytest.param("beta/y/y_v1.zip", "beta", True, id="targetpath with separators y"),
            pytest.param("beta/x/x_v1", "acme", False, id="targetpath is not delegated by all roles in the chain"),
            pytest.param("acme/x/y/z", "acme", False, id="a star stands for one part of a path"),
        ],
    )
    def test_targetfile_search(self, client: Client, repo: Repository, path: str, publisher: str, found: bool) -> None:
        repo.add_publisher("beta")
        repo.put(f"vendor-{publisher}", path, b"target")
        repo.publish("vendor-beta", *LISTS)
        assert client.usable() is found
        assert found or "not its own" in str(client.error)

    def test_the_top_list_names_no_files(self, client: Client, repo: Repository) -> None:
        """Theirs finds a file of the top list (``no delegations``): ours refuses such a list."""
        repo.targets.targets["targetfile"] = TargetFile(4, {"sha256": "0" * 64}, "targetfile")
        repo.publish("targets", "snapshot", "timestamp")
        assert not client.refresh()

    def test_cached_role_is_verified_against_current_delegator(self, client: Client, repo: Repository) -> None:
        """A list that is kept from before, under a top list that names other keys: it counts no more."""
        assert client.usable()
        signer = make_signer("vendor-acme-2", "vendor")
        assert repo.targets.delegations is not None
        old = repo.signers[ACME][0].public_key.keyid
        repo.delegations[ACME].keyids.remove(old)
        repo.delegations[ACME].keyids.append(signer.public_key.keyid)
        del repo.targets.delegations.keys[old]
        repo.targets.delegations.keys[signer.public_key.keyid] = signer.public_key
        repo.publish("targets", "snapshot", "timestamp")
        assert not client.refresh()
        repo.signers[ACME][0] = signer
        repo.publish(*LISTS)
        assert client.usable()


def _delegations(repo: Repository, names: Sequence[str], paths: list[str]) -> Delegations:
    keys = {signer.public_key.keyid: signer.public_key for signer in repo.signers[ACME]}
    roles = {name: DelegatedRole(name, list(keys), 1, terminating=False, paths=paths) for name in names}
    return Delegations(keys, roles)


@pytest.mark.parametrize("role", ["?", "#", "/delegatedrole", "../delegatedrole", "vendor-../x", "vendor-a%2fb"])
def test_unusual_role_name(client: Client, repo: Repository, role: str) -> None:
    old = repo.delegations[ACME]
    repo.delegations[role] = DelegatedRole(role, old.keyids, 2, terminating=True, paths=old.paths)
    repo.publish("targets", "snapshot", "timestamp")
    assert not client.refresh()
    assert "a role that this techtool does not know" in str(client.error)
    assert client.trusted() == {}


def test_every_name_in_the_table_is_here() -> None:
    """The table on top and the tests below agree."""
    documented = set(re.findall(r"\btest_\w+", __doc__ or ""))
    here = {name for name in globals() if name.startswith("test_")}.union(*map(_tests_in, globals().values()))
    combined = {"test_root_expired", "test_timestamp_expired", "test_snapshot_expired", "test_targets_expired"}
    elsewhere = {
        "test_basic_init_and_refresh",
        "test_implicit_refresh",
        "test_static_repository",
        "test_repository_simulator",
    }
    assert documented - here == combined | elsewhere
    assert combined <= set(re.findall(r"test_\w+", TestExpiration.test_expired.__doc__ or ""))


def _tests_in(value: Callable[..., object] | object) -> set[str]:
    is_ours = isinstance(value, type) and value.__module__ == __name__
    return {name for name in vars(value) if name.startswith("test_")} if is_ours else set()
