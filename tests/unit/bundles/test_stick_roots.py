"""The chain of roots, rollback, mix-and-match, and older genuine sticks."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from tuf.api.metadata import Root, Targets

from tests.unit.bundles.office import ACME, ACME_SIGNS, NOW, Forger, Office, copy_of, public, refused


def keys(office: Office, stick: Path) -> list[str]:
    return [item.release.key for item in office.open(stick).releases]


class TestRoots:
    def rotated(self, office: Office, stick: Path, owners: tuple[str, ...] = ("root-1", "root-2")) -> Path:
        Forger(stick).rotate_root(lambda _root: None, owners)
        return stick

    def test_a_chain_is_followed(self, office: Office, stick: Path) -> None:
        Forger(stick).rotate_root(lambda _root: None, ("root-1", "root-3"))
        Forger(stick).rotate_root(lambda _root: None, ("root-2", "root-3"))
        assert office.open(stick).trust.root_version == 3

    def test_missing_2_root(self, office: Office, stick: Path) -> None:
        """python-tuf alone stays silently on root 1 and accepts."""
        self.rotated(office, self.rotated(office, stick))
        (stick / "TECHTOOL/metadata/2.root.json").unlink()
        assert "root 2 is missing" in str(refused(office, stick))

    def test_missing_pinned_root(self, office: Office, stick: Path) -> None:
        self.rotated(office, stick)
        (stick / "TECHTOOL/metadata/1.root.json").unlink()
        refused(office, stick)

    def test_root_signed_by_too_few(self, office: Office, stick: Path) -> None:
        self.rotated(office, stick, ("root-1",))
        refused(office, stick)

    def test_root_of_strangers(self, office: Office, stick: Path) -> None:
        self.rotated(office, stick, ("stranger-1", "stranger-2"))
        refused(office, stick)

    def test_a_fork_of_a_known_root(self, office: Office, stick: Path) -> None:
        fork = copy_of(stick, "fork")
        office.open(self.rotated(office, stick))
        Forger(fork).rotate_root(lambda root: root.unrecognized_fields.update({"x": "y"}), ("root-1", "root-2"))
        Forger(fork).restamp(version=9)
        assert "root 2 is not the one" in str(refused(office, fork))

    def test_a_revoked_stick_maker(self, office: Office, stick: Path) -> None:
        """Root 2 takes the online key away: a newer timestamp of the old key is refused afterwards."""
        stolen = copy_of(stick, "stolen")

        def new_maker(root: Root) -> None:
            for role in ("snapshot", "timestamp"):
                root.revoke_key(public("stick-maker").keyid, role)
                root.add_key(public("new-maker"), role)

        forger = Forger(stick, online_key="new-maker")
        forger.rotate_root(new_maker, ("root-1", "root-2"))
        forger.restamp()
        assert office.open(stick).trust.root_version == 2
        Forger(stolen).restamp(version=9)
        refused(office, stolen)

    def test_a_revoked_vendor_key(self, office: Office, stick: Path) -> None:
        def revoke(top: Targets) -> None:
            top.revoke_key(public("vendor-acme-1").keyid, ACME)
            top.add_key(public("vendor-acme-2"), ACME)

        forger = Forger(stick)
        forger.change_list("targets", revoke, ("targets-1", "targets-2"))
        refused(office, copy_of(stick, "revoked"))
        forger.change_list(ACME, lambda _t: None, ("vendor-acme-2", "lab-2"))
        assert len(office.open(stick).releases) == 3


class TestOlderAndNewer:
    def test_an_older_stick_installs_what_is_still_listed(self, office: Office, stick: Path) -> None:
        old = copy_of(stick, "old")
        office.later(days=10)
        office.withdraw("com.acme.kernel", "7.0")
        office.add("com.acme.pay", "2.0")
        office.open(office.stick())
        state = office.trust_state()
        opened = office.open(old)
        assert [r.release.key for r in opened.releases] == ["com.acme.pay@1.0", "org.beta.app@3.1"]
        assert opened.withdrawn == (("com.acme.kernel", "7.0"),)
        assert opened.trust.from_mirror
        assert opened.trust.issued == NOW + timedelta(days=10)
        assert [n.text("en") for n in opened.notes] == ["1 releases of the newest metadata are not on this stick."]
        assert {k: v for k, v in office.trust_state().items() if "mirror" in k} == {
            k: v for k, v in state.items() if "mirror" in k
        }

    def test_the_same_older_stick_where_the_newer_was_never_seen(self, office: Office, stick: Path) -> None:
        old = copy_of(stick, "old")
        office.withdraw("com.acme.kernel", "7.0")
        office.stick()
        assert "com.acme.kernel@7.0" in keys(office, old)

    def test_an_older_stick_must_be_genuine_by_itself(self, office: Office, stick: Path) -> None:
        old = copy_of(stick, "old")
        office.add("com.acme.pay", "2.0")
        office.open(office.stick())
        Forger(old).change_list(ACME, lambda _t: None, ("lab-1", "lab-2"))
        Forger(old).restamp(version=2)
        refused(office, old)

    def test_a_newer_root_on_an_older_stick(self, office: Office, stick: Path) -> None:
        """No office makes one: a new root comes with a new timestamp."""
        old = copy_of(stick, "old")
        office.add("com.acme.pay", "2.0")
        office.open(office.stick())
        Forger(old).rotate_root(lambda _root: None, ("root-1", "root-2"))
        assert "older than what this laptop has seen" in str(refused(office, old))

    def test_inconsistent_rollback(self, office: Office, stick: Path) -> None:
        """A newer timestamp over an older list: the online key alone cannot bring a withdrawn release back."""
        old = copy_of(stick, "old")
        office.withdraw("com.acme.kernel", "7.0")
        office.open(office.stick())
        again = copy_of(old, "again")
        Forger(old).restamp(version=99)
        refused(office, old)
        Forger(again).restamp()
        Forger(again).restamp(version=99)
        refused(office, again)

    def test_mix_and_match(self, office: Office, stick: Path) -> None:
        """An old list under the name of the new one."""
        old = Forger(stick).newest(ACME).read_bytes()
        office.add("com.acme.pay", "2.0")
        newer = office.stick("newer")
        Forger(newer).newest(ACME).write_bytes(old)
        refused(office, newer)

    def test_two_states_in_one_timestamp_version(self, office: Office, stick: Path) -> None:
        """The one seen first stays."""
        twin = copy_of(stick, "twin")
        office.open(stick)
        Forger(twin).change_list(ACME, lambda t: t.targets.clear(), ACME_SIGNS)
        Forger(twin).restamp(version=2)
        opened = office.open(twin)
        assert len(opened.releases) == 3

    def test_a_stick_for_one_vendor(self, office: Office, stick: Path) -> None:
        shutil.rmtree(stick / "TECHTOOL/targets/beta")
        shutil.rmtree(stick / "TECHTOOL/targets/releases/beta")
        Forger(stick).newest("vendor-beta").unlink()
        opened = office.open(stick)
        assert [r.release.key for r in opened.releases] == ["com.acme.kernel@7.0", "com.acme.pay@1.0"]
        assert "vendor-beta" in opened.notes[0].text("en")
