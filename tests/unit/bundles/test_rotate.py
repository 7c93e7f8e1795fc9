"""A key for another: laptops follow by themselves, and what stands on the old key alone is refused from then on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root, Targets

from techtool.bundles.publish.delegating import add_publisher
from techtool.bundles.publish.keyfiles import look_at
from techtool.bundles.publish.keys import KeySource
from techtool.bundles.publish.restaging import renew, settle
from techtool.bundles.publish.roles import ROLE_DAYS, ROOT_DAYS, Quorum
from techtool.bundles.publish.rotating import Rotated, next_name, rotate
from techtool.bundles.publish.state import Shelf
from techtool.bundles.publish.workspace import Workspace
from techtool.errors import PublisherError, Untrusted
from tests.unit.bundles.office import ACME, PUBLISHERS, Forger, Office, copy_of, private_key, refused

MAKE = KeySource(make=private_key)
ALL = ["com.acme.kernel@7.0", "com.acme.pay@1.0", "org.beta.app@3.1"]


def replaced(office: Office, owner: str, *, lost: bool = False) -> Rotated:
    workspace = office.workspace
    return rotate(workspace, owner, next_name(workspace, owner), MAKE, office.clock, lost=lost)


def keys_on(office: Office) -> list[str]:
    return [release.release.key for release in office.open(office.stick()).releases]


class TestStaged:
    @pytest.mark.parametrize(
        ("owner", "name", "staged", "roles"),
        [
            ("root-1", "root-4", ("root",), {"root"}),
            ("targets-2", "targets-3", ("root", "targets"), {"targets"}),
            ("stick-maker", "stick-maker-2", ("root",), {"snapshot", "timestamp"}),
            ("vendor-acme-1", "vendor-acme-2", ("targets", "vendor-acme"), {"vendor-acme"}),
            ("lab-1", "lab-3", ("targets",), {"vendor-acme", "vendor-beta"}),
            ("recall-2", "recall-3", ("targets",), {"recall"}),
        ],
    )
    def test_what_and_by_whom(
        self, office: Office, owner: str, name: str, staged: tuple[str, ...], roles: set[str]
    ) -> None:
        """Both labs and both recall keys signed: one of each leaves enough, so those lists need nobody again."""
        rotated = replaced(office, owner)
        assert (rotated.owner, rotated.new_owner, rotated.staged, set(rotated.roles)) == (owner, name, staged, roles)
        assert rotated.key_file == office.folder / f"bundle/keys/{name}.key"
        assert office.workspace.staged_roles() == staged
        for role in staged:
            loaded = Shelf(office.workspace).staged[role]
            assert loaded.version == office.workspace.published_version(role) + 1
            days = ROOT_DAYS if role == "root" else ROLE_DAYS
            assert (loaded.metadata.signed.expires - office.clock.now()).days == days
            assert loaded.metadata.signatures == {}

    def test_a_list_keeps_its_content(self, office: Office) -> None:
        before = office.workspace.list_of(ACME).signed.targets
        replaced(office, "vendor-acme-1")
        assert office.workspace.list_of(ACME).signed.targets == before

    def test_the_lists_that_stood_on_a_lab_alone_are_signed_again(self, office: Office) -> None:
        replaced(office, "lab-1")
        assert replaced(office, "lab-2").staged == ("targets", "vendor-acme", "vendor-beta")

    def test_a_role_of_two_stays_of_two(self, office: Office) -> None:
        replaced(office, "root-1")
        root = office.workspace.root().signed
        assert len(root.roles["root"].keyids) == 3
        assert len(root.keys) == 3 + 2 + 1
        assert office.workspace.root().signed.roles["root"].threshold == 2

    def test_a_new_release_that_waits_stays_in_the_list(self, office: Office) -> None:
        office.add("com.acme.new")
        replaced(office, "vendor-acme-1")
        assert keys_on(office) == ["com.acme.kernel@7.0", "com.acme.new@1.0", "com.acme.pay@1.0", "org.beta.app@3.1"]

    def test_several_before_they_are_signed_become_one_new_root(self, office: Office) -> None:
        for owner in ("root-1", "root-2", "stick-maker"):
            replaced(office, owner)
        assert keys_on(office) == ALL
        assert office.workspace.published_version("root") == 2
        assert next_name(office.workspace, "root-3") == "root-6"

    def test_settling_twice_does_nothing(self, office: Office) -> None:
        replaced(office, "vendor-acme-1")
        before = office.workspace.staged_file(ACME)
        assert settle(office.workspace, office.clock.now()) == ()
        assert office.workspace.staged_file(ACME) == before


class TestNewKey:
    def test_its_owner_keeps_the_private_half(self, office: Office, tmp_path: Path) -> None:
        anna = private_key("anna")
        source = KeySource({"lab-anna": anna.public_key()})
        rotated = rotate(office.workspace, "lab-1", "lab-anna", source, office.clock)
        assert rotated.key_file is None
        assert not (office.folder / "bundle/keys/lab-anna.key").exists()
        replaced(office, "lab-2")  # so that a lab must sign again, and it is hers or the new lab-3's
        (office.folder / "bundle/keys/lab-3.key").unlink()
        (lack,) = [lack for lack in office.workspace.sign(office.clock).missing if lack.role == ACME]
        assert lack.owners == ("lab-3", "lab-anna")

    def test_a_key_with_a_passphrase(self, office: Office) -> None:
        source = KeySource(passphrase="secret", make=private_key)
        rotated = rotate(office.workspace, "lab-1", "lab-3", source, office.clock)
        assert rotated.key_file is not None
        found = look_at(rotated.key_file)
        assert found is not None
        assert found.protected

    @pytest.mark.parametrize(
        ("owner", "name"),
        [("nobody", "x"), ("lab-1", "lab-2"), ("lab-1", "lab-1"), ("lab-1", "Lab 3"), ("lab-1", ""), ("lab-1", "../x")],
    )
    def test_names_that_cannot_be(self, office: Office, owner: str, name: str) -> None:
        with pytest.raises(PublisherError):
            rotate(office.workspace, owner, name, MAKE, office.clock)
        assert office.workspace.staged_roles() == ()

    def test_a_name_is_never_given_again(self, office: Office) -> None:
        replaced(office, "lab-1")
        office.workspace.sign(office.clock)
        with pytest.raises(PublisherError, match="lab-1"):
            rotate(office.workspace, "lab-2", "lab-1", MAKE, office.clock)

    def test_a_key_that_has_another_role_already(self, office: Office) -> None:
        """One person with two keys of a threshold is no threshold."""
        source = KeySource({"root-9": private_key("root-2").public_key()})
        with pytest.raises(PublisherError, match="one key"):
            rotate(office.workspace, "root-1", "root-9", source, office.clock)
        assert office.workspace.staged_roles() == ()

    def test_twice_is_refused_with_the_reason(self, office: Office) -> None:
        replaced(office, "lab-1")
        with pytest.raises(PublisherError, match="lab-1"):
            rotate(office.workspace, "lab-1", "lab-9", MAKE, office.clock)


class TestLaptops:
    @pytest.mark.parametrize("owner", ["root-1", "targets-1", "stick-maker", "vendor-acme-1", "lab-1", "recall-1"])
    def test_they_follow(self, office: Office, stick: Path, owner: str) -> None:
        """One that knows the old stick, and one that has seen nothing."""
        old = copy_of(stick, "old")
        office.open(old)
        replaced(office, owner)
        new = office.stick("new")
        opened = office.open(new)
        assert [r.release.key for r in opened.releases] == ALL
        assert not opened.trust.from_mirror
        again = office.open(old)
        assert again.trust.from_mirror
        assert [r.release.key for r in again.releases] == ALL, "what the newest lists name is still good"
        shutil.rmtree(office.laptop.trust / "mirror")
        assert [r.release.key for r in office.open(new).releases] == ALL

    def test_and_follow_on_after_the_next_publication(self, office: Office, stick: Path) -> None:
        office.open(stick)
        replaced(office, "stick-maker")
        office.open(office.stick())
        office.add("com.acme.pay", "2.0")
        office.later(days=1)
        assert "com.acme.pay@2.0" in [r.release.key for r in office.open(office.stick()).releases]
        office.later(days=100)
        office.workspace.sign(office.clock, renew=True)
        assert office.open(office.stick()).expired is None

    def test_many_times(self, office: Office, stick: Path) -> None:
        office.open(stick)
        for _round in range(4):
            for owner in ("root", "stick-maker", "lab", "targets", "vendor-acme"):
                newest = max(n for n in self.owners(office) if n.startswith(owner))
                replaced(office, newest)
            office.later(days=1)
            office.workspace.sign(office.clock)
        assert [r.release.key for r in office.open(office.stick("new")).releases] == ALL
        assert office.workspace.published_version("root") == 5

    def owners(self, office: Office) -> set[str]:
        from techtool.bundles.publish.delegating import holdings

        return {holding.owner for holding in holdings(Shelf(office.workspace))}

    def test_the_old_stick_maker_counts_no_more(self, office: Office, stick: Path) -> None:
        """Who stole the key makes a stick that looks newer."""
        forged = copy_of(stick, "forged")
        replaced(office, "stick-maker", lost=True)
        office.open(office.stick("new"))
        Forger(forged).restamp(version=99)
        refused(office, forged)

    def test_the_old_vendor_key_counts_no_more(self, office: Office, stick: Path) -> None:
        replaced(office, "vendor-acme-1")
        new = office.stick("new")
        Forger(new, online_key="stick-maker").change_list(ACME, lambda _t: None, ("vendor-acme-1", "lab-1"))
        refused(office, new)

    def test_the_root_is_signed_by_former_and_new_keys(self, office: Office) -> None:
        replaced(office, "root-1")
        replaced(office, "root-2")
        office.pocket("root-1", "root-2")
        report = office.workspace.sign(office.clock)
        assert not report.published
        (lack,) = [lack for lack in report.missing if lack.role == "root"]
        assert (lack.former, lack.signatures, lack.owners) == (True, 1, ("root-1", "root-2"))
        report = office.workspace.sign(office.clock, key_folders=[office.folder / "pockets/root-1-root-2"])
        assert report.published
        data = office.workspace.published_file("root", 2)
        former = Metadata[Root].from_bytes(office.workspace.published_file("root", 1)).signed
        new = Metadata[Root].from_bytes(data)
        former.verify_delegate("root", new.signed_bytes, new.signatures)
        new.signed.verify_delegate("root", new.signed_bytes, new.signatures)


class TestLost:
    def test_nobody_is_asked_for_it(self, office: Office) -> None:
        office.pocket("root-1", "root-2", "root-3")
        replaced(office, "root-1", lost=True)
        lacks = [lack for lack in office.workspace.sign(office.clock).missing if lack.role == "root"]
        assert [(lack.former, lack.owners) for lack in lacks] == [
            (True, ("root-2", "root-3")),
            (False, ("root-2", "root-3")),
        ]
        pocket = office.folder / "pockets/root-1-root-2-root-3"
        (pocket / "root-1.key").unlink()
        assert office.workspace.sign(office.clock, key_folders=[pocket]).published
        assert office.workspace.lost_keys() == frozenset()

    def test_too_many_lost(self, office: Office) -> None:
        """With one of two left no laptop can be led to a new root: better said now than after the ceremony."""
        replaced(office, "root-1", lost=True)
        before = office.workspace.staged_file("root")
        with pytest.raises(PublisherError, match="trust add"):
            replaced(office, "root-2", lost=True)
        assert office.workspace.staged_file("root") == before
        assert replaced(office, "root-2").new_owner == "root-5", "not lost: its signature still counts"

    def test_a_board_that_lost_everything_is_saved_by_the_root(self, office: Office, stick: Path) -> None:
        office.open(stick)
        for owner in ("targets-1", "targets-2"):
            (office.folder / f"bundle/keys/{owner}.key").unlink()
            replaced(office, owner, lost=True)
        assert keys_on(office) == ALL


class TestPublisher:
    def test_it_joins(self, office: Office, stick: Path) -> None:
        office.open(stick)
        made = add_publisher(office.workspace, "zeta", MAKE, office.clock)
        assert (made.role, made.owners, made.staged) == ("vendor-zeta", ("vendor-zeta-1",), ("targets", "vendor-zeta"))
        assert office.workspace.publishers == ("acme", "beta", "zeta")
        office.add("org.zeta.app", publisher="zeta")
        assert keys_on(office) == [*ALL, "org.zeta.app@1.0"]
        delegations = Metadata[Targets].from_bytes(office.workspace.published_file("targets", 2)).signed.delegations
        assert delegations is not None
        assert delegations.roles is not None
        assert len(delegations.roles["vendor-zeta"].keyids) == 3, "its own and both labs'"

    def test_with_keys_of_its_own(self, office: Office) -> None:
        source = KeySource({"vendor-zeta-2": private_key("them").public_key()}, make=private_key)
        made = add_publisher(office.workspace, "zeta", source, office.clock, vendor_keys=2, threshold=3)
        assert [path.name for path in made.key_files] == ["vendor-zeta-1.key"]
        office.workspace.sign(office.clock)
        assert office.workspace.published_version("vendor-zeta") == 1, "its own key, and both labs'"

    @pytest.mark.parametrize("name", ["acme", "Zeta", "releases", "recalls", "a/b", ""])
    def test_names_that_cannot_be(self, office: Office, name: str) -> None:
        with pytest.raises(PublisherError):
            add_publisher(office.workspace, name, MAKE, office.clock)
        assert office.workspace.staged_roles() == ()

    def test_what_else_cannot_be(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        strange = KeySource({"lab-1": private_key("x").public_key()})
        taken = KeySource({"vendor-zeta-1": private_key("lab-1").public_key()})
        for source, threshold in ((strange, None), (taken, None), (MAKE, 4)):
            with pytest.raises(PublisherError):
                add_publisher(office.workspace, "zeta", source, office.clock, threshold=threshold)
        monkeypatch.setattr("techtool.bundles.publish.creating.MAX_ROLES", 3)
        with pytest.raises(PublisherError, match="at most 2"):
            add_publisher(office.workspace, "zeta", MAKE, office.clock)
        assert office.workspace.staged_roles() == ()
        assert not (office.folder / "bundle/keys/vendor-zeta-1.key").exists()

    def test_until_it_is_signed_the_others_go_on(self, office: Office) -> None:
        office.pocket("targets-1")
        add_publisher(office.workspace, "zeta", MAKE, office.clock)
        office.add("com.acme.pay", "2.0")
        report = office.workspace.sign(office.clock)
        assert report.roles == (ACME,)
        office.workspace.write(office.folder / "new", office.clock)
        assert "com.acme.pay@2.0" in [r.release.key for r in office.open(office.folder / "new").releases]


class TestRenew:
    def test_what_ends_soon(self, office: Office, stick: Path) -> None:
        office.open(stick)
        assert renew(office.workspace, [], office.clock).staged == ()
        office.later(days=ROLE_DAYS - 91)
        assert renew(office.workspace, [], office.clock).staged == ()
        office.later(days=1)
        found = renew(office.workspace, [], office.clock)
        assert found.staged == ("targets", "vendor-acme", "vendor-beta", "recall")
        again = renew(office.workspace, [], office.clock)
        assert (again.staged, again.waiting) == ((), ())
        assert keys_on(office) == ALL

    def test_the_root_is_among_them(self, office: Office, stick: Path) -> None:
        office.open(stick)
        office.later(days=ROOT_DAYS - 30)
        assert renew(office.workspace, [], office.clock).staged[0] == "root"
        assert keys_on(office) == ALL
        assert office.open(office.folder / "stick").trust.root_version == 2

    def test_by_name(self, office: Office) -> None:
        assert renew(office.workspace, ["acme", "root"], office.clock).staged == ("vendor-acme", "root")
        again = renew(office.workspace, ["vendor-acme"], office.clock)
        assert (again.staged, again.waiting) == ((), ("vendor-acme",))
        for name in ("timestamp", "snapshot", "zeta"):
            with pytest.raises(PublisherError):
                renew(office.workspace, [name], office.clock)

    def test_a_list_that_has_ended_is_renewed_and_written_again(self, office: Office, stick: Path) -> None:
        office.later(days=ROLE_DAYS + 1)
        office.workspace.sign(office.clock, renew=True)
        with pytest.raises(PublisherError, match="bundle renew"):
            office.workspace.write(stick, office.clock)
        renew(office.workspace, [], office.clock)
        assert office.open(office.stick()).expired is None


class TestQuorum:
    @pytest.mark.parametrize(
        "quorum",
        [
            Quorum(root_keys=1),
            Quorum(targets_threshold=3),
            Quorum(publisher_threshold=3),
            Quorum(publisher_threshold=1),
            Quorum(lab_keys=0, vendor_keys=2),
            Quorum(vendor_keys=0, lab_keys=2),
            Quorum(recall_threshold=3),
            Quorum(root_threshold=0),
        ],
    )
    def test_what_nobody_could_sign(self, office: Office, tmp_path: Path, quorum: Quorum) -> None:
        with pytest.raises(PublisherError):
            Workspace.create(tmp_path / "b", PUBLISHERS, office.clock, quorum=quorum, make_key=private_key)
        assert not (tmp_path / "b").exists()

    def test_keys_that_people_have_already(self, office: Office, tmp_path: Path) -> None:
        given = {"lab-1": private_key("anna").public_key(), "root-1": private_key("ben").public_key()}
        workspace = Workspace.create(tmp_path / "b", ["acme"], office.clock, given=given, make_key=private_key)
        assert sorted(p.stem for p in workspace.keys.iterdir()) == sorted(
            set(Quorum().owners(["acme"])) - {"lab-1", "root-1"}
        )
        assert workspace.staged_roles() == ("root", "targets", "recall", "vendor-acme"), "her list is not signed yet"
        with pytest.raises(PublisherError, match="nothing is signed"):
            workspace.root_data()
        (tmp_path / "anna").mkdir()
        from techtool.bundles.publish.keys import write_key

        write_key(tmp_path / "anna/id_ed25519", private_key("anna"))
        report = workspace.sign(office.clock, key_folders=[tmp_path / "anna"])
        assert report.published
        assert report.first
        assert report.missing == ()

    @pytest.mark.parametrize("owner", ["lab-9", "nobody"])
    def test_a_key_for_nobody(self, office: Office, tmp_path: Path, owner: str) -> None:
        given = {owner: private_key("anna").public_key()}
        with pytest.raises(PublisherError, match=owner):
            Workspace.create(tmp_path / "b", ["acme"], office.clock, given=given, make_key=private_key)
        assert not (tmp_path / "b").exists()

    def test_one_key_for_two(self, office: Office, tmp_path: Path) -> None:
        given = {owner: private_key("anna").public_key() for owner in ("lab-1", "vendor-acme-1")}
        with pytest.raises(PublisherError, match="one key"):
            Workspace.create(tmp_path / "b", ["acme"], office.clock, given=given, make_key=private_key)


def test_a_laptop_of_the_first_days_follows_over_many_roots(office: Office, stick: Path) -> None:
    for owner in ("root-1", "root-2", "root-3", "stick-maker"):
        replaced(office, owner)
        office.workspace.sign(office.clock)
    assert [r.release.key for r in office.open(office.stick("new")).releases] == ALL
    lone = copy_of(office.folder / "new", "lone")
    (lone / "TECHTOOL/metadata/3.root.json").unlink()
    refused(office, lone, Untrusted)
