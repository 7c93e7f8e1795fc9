"""tuf-conformance, continued (the table is in ``test_conformance``): rollback and expiry."""

from __future__ import annotations

import pytest

from tests.unit.bundles.conformance import ACME, ALL, LISTS, TOP, Client, Repository, days_from_now


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
        assert client.opened.expired is None
        assert {error.params["role"] for error in client.opened.lapsed.values()} == {ACME}
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
