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
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tuf.api.metadata import MetaFile

from techtool.bundles.metadata import StickSource
from techtool.errors import BadFile, StoreDamaged
from tests.unit.bundles import test_conformance_files, test_conformance_keys, test_conformance_time
from tests.unit.bundles.conformance import ACME, ALL, LISTS, Client, Repository, days_from_now, make_signer


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


def test_every_name_in_the_table_is_here() -> None:
    """The table on top and the tests below agree."""
    documented = set(re.findall(r"\btest_\w+", __doc__ or ""))
    parts = (sys.modules[__name__], test_conformance_files, test_conformance_keys, test_conformance_time)
    here = {name for part in parts for name in _tests_of(part)}
    combined = {"test_root_expired", "test_timestamp_expired", "test_snapshot_expired", "test_targets_expired"}
    elsewhere = {
        "test_basic_init_and_refresh",
        "test_implicit_refresh",
        "test_static_repository",
        "test_repository_simulator",
    }
    assert documented - here == combined | elsewhere
    assert "test_expired" in here


def _tests_of(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        own = isinstance(value, type) and value.__module__ == module.__name__
        yield from (each for each in (vars(value) if own else [name]) if each.startswith("test_"))
