"""tuf-conformance, continued (the table is in ``test_conformance``): files, delegations and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, TargetFile

from techtool.bundles.profile import paths_of
from techtool.errors import Damaged, Untrusted
from tests.unit.bundles.conformance import ACME, LISTS, Client, Repository, make_signer


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
