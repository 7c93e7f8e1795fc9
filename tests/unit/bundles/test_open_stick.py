"""The attacks of updates.md §4.2 against a whole stick, and what looks like one and is none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import DelegatedRole, Metadata, Targets, Timestamp

from techtool.bundles.description import decode_release, encode_release
from techtool.bundles.profile import paths_of
from techtool.bundles.publish.roles import timestamp_of
from techtool.bundles.trust import open_stick
from techtool.domain.release import Release, Requirement
from techtool.errors import Damaged, Exit, Expired, NoStick, NotSetUp, TechtoolError, Untrusted
from techtool.paths import Paths
from tests.unit.bundles.office import NOW, Forger, Office, copy_of, private_key, public

ACME = "vendor-acme"
ACME_SIGNS = ("vendor-acme-1", "lab-1")


def refused(office: Office, stick: Path, error: type[TechtoolError] = Untrusted) -> TechtoolError:
    """The stick is refused, and this laptop is as it was."""
    before = office.trust_state()
    with pytest.raises(error) as caught:
        office.open(stick)
    assert office.trust_state() == before
    return caught.value


def keys(office: Office, stick: Path) -> list[str]:
    return [item.release.key for item in office.open(stick).releases]


class TestGoodStick:
    def test_lists_what_was_published(self, office: Office, stick: Path) -> None:
        opened = office.open(stick)
        assert [r.release.key for r in opened.releases] == ["com.acme.kernel@7.0", "com.acme.pay@1.0", "org.beta.app@3.1"]
        assert opened.expired is None
        assert opened.withdrawn == ()
        assert opened.notes == ()
        assert opened.trust.root_version == 1
        assert opened.trust.age_days == 0
        assert opened.trust.use_by == NOW + timedelta(days=120)
        assert opened.trust.reference_time == opened.trust.system_time == NOW

    def test_each_release_names_who_signed_it(self, office: Office, stick: Path) -> None:
        by_publisher = {r.trust.publisher: r.trust.keys for r in office.open(stick).releases}
        assert set(by_publisher) == {"vendor-acme", "vendor-beta"}
        assert set(by_publisher[ACME]) == {public(o).keyid for o in ("vendor-acme-1", "lab-1", "lab-2")}

    def test_mount_root_and_folder_are_the_same(self, office: Office, stick: Path) -> None:
        assert office.open(stick).root == office.open(stick / "TECHTOOL").root

    def test_metadata_is_mirrored_and_again_is_the_same(self, office: Office, stick: Path) -> None:
        office.open(stick)
        first = office.trust_state()
        assert any(name.startswith("mirror/") for name in first)
        office.open(stick)
        assert office.trust_state() == first

    def test_no_root_pinned(self, office: Office, stick: Path, tmp_path: Path) -> None:
        with pytest.raises(NotSetUp):
            open_stick(stick, Paths(tmp_path / "new"), office.clock)

    def test_no_stick(self, office: Office, tmp_path: Path) -> None:
        with pytest.raises(NoStick) as caught:
            office.open(tmp_path)
        assert caught.value.exit_code is Exit.NOT_FOUND

    def test_unknown_publisher(self, office: Office, stick: Path, tmp_path: Path) -> None:
        other = Office.make(tmp_path / "other", ("zeta",))
        other.folder.mkdir(exist_ok=True)
        other.workspace.root_data()
        stranger = Paths(tmp_path / "stranger")
        from techtool.bundles.roots import pin_root

        pin_root(stranger, other.workspace.root_data())
        with pytest.raises(Untrusted, match="does not know its publisher"):
            open_stick(stick, stranger, office.clock)


class TestSignatures:
    @pytest.mark.parametrize(
        "owners",
        [
            pytest.param(("vendor-acme-1",), id="vendor only"),
            pytest.param(("lab-1",), id="lab only"),
            pytest.param(("lab-1", "lab-2"), id="lab and lab, which is TUF's threshold"),
            pytest.param(("vendor-acme-1", "vendor-beta-1"), id="another vendor instead of the lab"),
            pytest.param((), id="nobody"),
        ],
    )
    def test_vendor_and_lab_must_both_sign(self, office: Office, stick: Path, owners: tuple[str, ...]) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, owners)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_the_rule_lets_the_right_two_through(self, office: Office, stick: Path) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, ACME_SIGNS)
        assert len(office.open(stick).releases) == 3

    def test_one_signature_twice(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        forger.change_list(ACME, lambda _targets: None, ("lab-1",))
        path = forger.newest(ACME)
        tree = json.loads(path.read_bytes())
        tree["signatures"] *= 2
        path.write_text(json.dumps(tree))
        forger.restamp()
        refused(office, stick)

    def test_one_key_under_two_names(self, office: Office, stick: Path) -> None:
        """The board delegates to one key twice: once as a vendor's, once as a lab's."""
        forger = Forger(stick)

        def twice(top: Targets) -> None:
            assert top.delegations is not None
            assert top.delegations.roles is not None
            original = public("vendor-acme-1")
            twin = type(original)("ab" * 32, original.keytype, original.scheme, original.keyval, {"x-techtool-org": "lab"})
            top.delegations.keys[twin.keyid] = twin
            top.delegations.roles[ACME].keyids.append(twin.keyid)

        forger.change_list("targets", twice, ("targets-1", "targets-2"))
        path = forger.newest(ACME)
        tree = json.loads(path.read_bytes())
        own = public("vendor-acme-1").keyid
        signature = next(s for s in tree["signatures"] if s["keyid"] == own)
        tree["signatures"] = [signature, {**signature, "keyid": "ab" * 32}]
        path.write_text(json.dumps(tree))
        forger.restamp()
        assert "two names" in str(refused(office, stick))

    def test_signature_of_a_key_nobody_delegated_to(self, office: Office, stick: Path) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, ("vendor-acme-1", "stranger"))
        refused(office, stick)

    def test_metadata_altered_after_signing(self, office: Office, stick: Path) -> None:
        path = Forger(stick).newest(ACME)
        path.write_bytes(path.read_bytes().replace(b"com.acme.pay", b"com.acme.pax"))
        refused(office, stick)

    @pytest.mark.parametrize("role", ["targets", "snapshot", "vendor-acme"])
    def test_truncated_metadata(self, office: Office, stick: Path, role: str) -> None:
        path = Forger(stick).newest(role)
        path.write_bytes(path.read_bytes()[:-20])
        refused(office, stick)

    def test_every_flipped_byte_of_the_timestamp_is_refused(self, office: Office, stick: Path) -> None:
        path = Forger(stick).metadata / "timestamp.json"
        good = path.read_bytes()
        for place in range(0, len(good), 37):
            bad = bytearray(good)
            bad[place] ^= 0x01
            path.write_bytes(bytes(bad))
            refused(office, stick)


class TestLayout:
    def test_a_role_lists_anothers_path(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        forger.change_list(
            "vendor-beta", lambda t: forger.put_target("acme/x/evil.bin", b"evil", t), ("vendor-beta-1", "lab-1")
        )
        assert "not its own" in str(refused(office, stick))

    @pytest.mark.parametrize(
        "path",
        [
            "acme/../../../etc/passwd",
            "/etc/passwd",
            "acme/x/..",
            "acme//x",
            "acme/con/file.bin",
            "acme/x/nul.bin",
            "acme/x/name.",
            "acme/x/.hidden",
            "acme/x/a\\b",
            "acme/x/a:b",
            "acme/x/naïve",
            "acme/x/" + "a" * 300,
        ],
    )
    def test_paths_that_lead_outside_or_are_not_portable(self, office: Office, stick: Path, path: str) -> None:
        from tuf.api.metadata import TargetFile

        entry = TargetFile(4, {"sha256": "0" * 64}, path)
        Forger(stick).change_list(ACME, lambda t: t.targets.update({path: entry}), ACME_SIGNS)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_signed_names_that_differ_in_capitals(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)

        def both(targets: Targets) -> None:
            forger.put_target("acme/x/File.bin", b"one", targets)
            forger.put_target("acme/x/file.bin", b"two", targets)

        forger.change_list(ACME, both, ACME_SIGNS)
        assert "capitals" in str(refused(office, stick))

    def test_names_on_the_stick_that_differ_in_capitals(self, office: Office, stick: Path) -> None:
        (stick / "TECHTOOL/targets/ACME").mkdir()
        assert "capitals" in str(refused(office, stick))

    def test_the_top_role_lists_files(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        change = lambda t: forger.put_target("acme/x/evil.bin", b"evil", t)  # noqa: E731
        forger.change_list("targets", change, ("targets-1", "targets-2"))
        assert "top role" in str(refused(office, stick))

    @pytest.mark.parametrize("change", ["name", "paths", "not terminating", "wider"])
    def test_delegations_outside_the_profile(self, office: Office, stick: Path, change: str) -> None:
        def widen(top: Targets) -> None:
            assert top.delegations is not None
            assert top.delegations.roles is not None
            roles = top.delegations.roles
            role = roles.pop("vendor-beta")
            name = "recall" if change == "name" else "vendor-beta"
            paths = {"paths": ["acme/*"], "wider": [*paths_of("beta"), "*"]}.get(change, paths_of("beta"))
            terminating = change != "not terminating"
            roles[name] = DelegatedRole(name, role.keyids, role.threshold, terminating=terminating, paths=paths)

        Forger(stick).change_list("targets", widen, ("targets-1", "targets-2"))
        refused(office, stick)

    def test_a_publisher_delegates_further(self, office: Office, stick: Path) -> None:
        from tuf.api.metadata import Delegations

        keyid = public("lab-1").keyid
        below = Delegations({keyid: public("lab-1")}, {"sub": DelegatedRole("sub", [keyid], 1, True, ["acme/*"])})
        Forger(stick).change_list(ACME, lambda t: setattr(t, "delegations", below), ACME_SIGNS)
        assert "delegates further" in str(refused(office, stick))

    @pytest.mark.parametrize("target", ["folder", "metadata", "payload", "fifo", "techtool"])
    def test_links_and_pipes(self, office: Office, stick: Path, target: str) -> None:
        root = stick / "TECHTOOL"
        if target == "fifo":
            os.mkfifo(root / "targets/pipe")
        elif target == "folder":
            (root / "targets/acme2").symlink_to(root / "targets/acme")
        elif target == "techtool":
            root.rename(stick / "elsewhere")
            root.symlink_to(stick / "elsewhere")
        else:
            folder = root / ("metadata" if target == "metadata" else "targets/releases/acme")
            victim = sorted(folder.iterdir())[0]
            moved = stick / victim.name
            victim.rename(moved)
            victim.symlink_to(moved)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_mac_twins_and_dot_files_are_only_noted(self, office: Office, stick: Path) -> None:
        for path in [p for p in (stick / "TECHTOOL").rglob("*") if p.is_file()]:
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7junk")
        (stick / "TECHTOOL/metadata/.DS_Store").write_bytes(b"x")
        (stick / "TECHTOOL/metadata/.link").symlink_to("/etc/passwd")
        opened = office.open(stick)
        assert len(opened.releases) == 3
        assert len(opened.notes) == 1
        assert "hidden files" in opened.notes[0].text("en")

    def test_endless_folders(self, office: Office, stick: Path) -> None:
        deep = stick / "TECHTOOL/targets" / "/".join("abcdefghijkl")
        deep.mkdir(parents=True)
        refused(office, stick)


class TestJson:
    def test_duplicate_key(self, office: Office, stick: Path) -> None:
        path = stick / "TECHTOOL/metadata/timestamp.json"
        path.write_bytes(path.read_bytes().replace(b'{"signatures"', b'{"signatures":[],"signatures"', 1))
        assert "timestamp.json" in str(refused(office, stick))

    @pytest.mark.parametrize("data", [b"", b"[" * 100_000, b"\xff\xfe{}", b"NaN", b"{}", b'{"signed": {"version": "9"}}'])
    @pytest.mark.parametrize("name", ["timestamp.json", "1.root.json"])
    def test_no_metadata_at_all(self, office: Office, stick: Path, name: str, data: bytes) -> None:
        (stick / "TECHTOOL/metadata" / name).write_bytes(data)
        refused(office, stick)

    def test_endless_metadata(self, office: Office, stick: Path) -> None:
        with (stick / "TECHTOOL/metadata/timestamp.json").open("wb") as file:
            file.truncate(3 << 30)
        refused(office, stick)

    @pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "1.targets.json"])
    def test_missing_metadata(self, office: Office, stick: Path, name: str) -> None:
        (stick / "TECHTOOL/metadata" / name).unlink()
        refused(office, stick)


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
        """Root 2 takes the online key away: a newer timestamp of the old key is refused, root 2 or not."""
        stolen = copy_of(stick, "stolen")

        def new_maker(root: object) -> None:
            from tuf.api.metadata import Root

            assert isinstance(root, Root)
            for role in ("snapshot", "timestamp"):
                root.revoke_key(public("stick-maker").keyid, role)
                root.add_key(public("new-maker"), role)

        forger = Forger(stick)
        forger.rotate_root(new_maker, ("root-1", "root-2"))
        for path in (forger.metadata / "timestamp.json", forger.newest("snapshot")):
            tree = Metadata[Timestamp].from_bytes(path.read_bytes())
            tree.signatures.clear()
            from techtool.bundles.publish.roles import Timestamp as _  # noqa: F401
            from tests.unit.bundles.office import signer

            if path.name.endswith("snapshot.json"):
                tree.sign(signer("new-maker"))
                path.write_bytes(tree.to_bytes())
        snapshot = forger.newest("snapshot")
        version = int(snapshot.name.split(".")[0])
        from tests.unit.bundles.office import signer as sign_as

        stamped = Metadata(timestamp_of(snapshot.read_bytes(), version, 3, NOW, 120))
        stamped.sign(sign_as("new-maker"))
        (forger.metadata / "timestamp.json").write_bytes(stamped.to_bytes())
        office.open(stick)
        Forger(stolen).restamp(version=9)
        refused(office, stolen)


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

    def test_inconsistent_rollback(self, office: Office, stick: Path) -> None:
        """A newer timestamp over an older list: the online key alone cannot bring a withdrawn release back."""
        old = copy_of(stick, "old")
        office.withdraw("com.acme.kernel", "7.0")
        office.open(office.stick())
        Forger(old).restamp(version=99)
        refused(office, old)

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


class TestDescriptions:
    def described(self, stick: Path, change: Callable[[bytes], bytes], name: str = "com.acme.pay-1.0") -> None:
        """Another description, properly signed by vendor and lab."""
        forger = Forger(stick)

        def swap(targets: Targets) -> None:
            path = f"releases/acme/{name}.json"
            digest = targets.targets[path].hashes["sha256"]
            data = (forger.root / f"targets/releases/acme/{digest}.{name}.json").read_bytes()
            forger.put_target(path, change(data), targets)

        forger.change_list(ACME, swap, ACME_SIGNS)

    def test_unknown_field(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b'"id":', b'"install_twice": true,\n "id":', 1))
        assert "install_twice" in str(refused(office, stick))

    def test_unknown_rule_stays_and_cannot_be_met(self, office: Office, stick: Path) -> None:
        rule = b'"requires": [{"what": "moon-phase", "phase": "full"}], "id":'
        self.described(stick, lambda data: data.replace(b'"id":', rule, 1))
        found = next(r for r in office.open(stick).releases if r.release.id == "com.acme.pay")
        assert found.release.requires == (Requirement("moon-phase"),)

    @pytest.mark.parametrize("data", [b"[" * 50_000 + b"]" * 50_000, b'{"schema": 1, "schema": 1}', b"\xff", b"{}", b"[]"])
    def test_hostile_json(self, office: Office, stick: Path, data: bytes) -> None:
        self.described(stick, lambda _old: data)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_too_long(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data + b" " * 600_000)
        assert "too long" in str(refused(office, stick))

    def test_newer_schema_is_noted_and_the_rest_works(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b'"schema": 1', b'"schema": 2'))
        opened = office.open(stick)
        assert "com.acme.pay" not in [r.release.id for r in opened.releases]
        assert "newer techtool" in opened.notes[0].text("en")

    def test_names_a_file_that_nobody_signed(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b"com.acme.pay-1.0.bin", b"com.acme.pay-1.1.bin"))
        assert "not signed" in str(refused(office, stick))

    def test_one_release_twice(self, office: Office, stick: Path) -> None:
        def renamed(data: bytes) -> bytes:
            release = decode_release(data)
            fields = {f: getattr(release, f) for f in Release.__dataclass_fields__}
            return encode_release(Release(**{**fields, "id": "com.acme.kernel", "version": "7.0"}))

        self.described(stick, renamed)
        assert "twice" in str(refused(office, stick))

    @pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
    def test_damaged(self, office: Office, stick: Path, how: str) -> None:
        path = next((stick / "TECHTOOL/targets/releases/acme").iterdir())
        data = bytearray(path.read_bytes())
        data[10] ^= 1
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(bytes(data) if how == "flipped" else bytes(data[:-5]))
        assert refused(office, stick, Damaged).exit_code is Exit.DAMAGED_BUNDLE


class TestTime:
    @pytest.mark.parametrize("months", [12, 14, 40])
    def test_expired_is_held_and_listing_works(self, office: Office, stick: Path, months: int) -> None:
        office.later(days=30 * months)
        opened = office.open(stick)
        assert len(opened.releases) == 3
        assert isinstance(opened.expired, Expired)
        assert opened.expired.exit_code is Exit.EXPIRED
        assert opened.expired.params["role"] == "timestamp"
        item = opened.releases[0]
        with pytest.raises(Expired):
            opened.fetch(item, item.release.files[0], office.laptop.payloads)
        assert not office.laptop.payloads.exists()

    def test_an_expired_stick_is_checked_like_any_other(self, office: Office, stick: Path) -> None:
        office.later(days=500)
        Forger(stick).change_list(ACME, lambda _t: None, ("lab-1", "lab-2"))
        refused(office, stick)

    def test_the_last_second_is_good(self, office: Office, stick: Path) -> None:
        office.clock.at = NOW + timedelta(days=120, seconds=-1)
        assert office.open(stick).expired is None
        office.clock.at += timedelta(seconds=1)
        assert office.open(stick).expired is not None

    def test_clock_at_2000(self, office: Office, stick: Path) -> None:
        """TUF alone accepts everything then; the floor (here: the day it was signed) takes its place."""
        office.clock.at = datetime(2000, 1, 1, tzinfo=UTC)
        opened = office.open(stick)
        assert opened.trust.reference_time == NOW
        assert opened.trust.system_time.year == 2000
        assert opened.expired is None
        assert "clock says 2000-01-01" in opened.notes[0].text("en")

    def test_setting_the_clock_back_does_not_revive_an_expired_stick(self, office: Office, stick: Path) -> None:
        office.later(days=130)
        newer = copy_of(stick, "newer")
        assert office.open(stick).expired is not None
        office.clock.at = NOW
        assert office.open(newer).expired is not None

    def test_a_clock_far_ahead_is_not_kept(self, office: Office, stick: Path) -> None:
        office.later(days=40 * 30)
        opened = office.open(stick)
        assert opened.expired is not None
        assert "years after" in opened.notes[0].text("en")
        office.clock.at = NOW + timedelta(days=1)
        assert office.open(stick).expired is None

    def test_a_signed_date_in_the_future_moves_the_clock(self, office: Office, stick: Path) -> None:
        office.clock.at = NOW - timedelta(days=20)
        opened = office.open(stick)
        assert opened.trust.reference_time == NOW
        assert opened.notes

    def test_no_date_of_issue(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        metadata = Metadata[Timestamp].from_bytes((forger.metadata / "timestamp.json").read_bytes())
        metadata.signed.unrecognized_fields.clear()
        metadata.signed.version += 1
        forger.put_timestamp(metadata)
        assert "when it was made" in str(refused(office, stick))


def test_keys_are_what_the_tests_think(office: Office) -> None:
    assert public("lab-1").keyval["public"] == private_key("lab-1").public_key().public_bytes_raw().hex()
