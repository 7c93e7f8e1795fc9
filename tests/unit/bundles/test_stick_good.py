"""A stick as the office made it, on laptops that know the office and on others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.roots import fingerprint, pin_root
from techtool.bundles.trust import open_stick
from techtool.errors import Exit, NoStick, NotSetUp, Untrusted
from techtool.paths import Paths
from tests.unit.bundles.office import ACME, NOW, Office, private_key, public


class TestGoodStick:
    def test_lists_what_was_published(self, office: Office, stick: Path) -> None:
        opened = office.open(stick)
        assert [r.release.key for r in opened.releases] == [
            "com.acme.kernel@7.0",
            "com.acme.pay@1.0",
            "org.beta.app@3.1",
        ]
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
        other = Workspace.create(tmp_path / "other", ["acme"], office.clock)
        stranger = Paths(tmp_path / "stranger")
        pin_root(stranger, other.root_data())
        with pytest.raises(Untrusted, match="does not know who made"):
            open_stick(stick, stranger, office.clock)

    def test_of_several_offices_the_right_one_is_taken(self, office: Office, stick: Path, tmp_path: Path) -> None:
        other = Workspace.create(tmp_path / "other", ["acme"], office.clock)
        pin_root(office.laptop, other.root_data())
        opened = office.open(stick)
        assert opened.trust.pinned_sha256 == fingerprint(office.workspace.root_data())


def test_keys_are_what_the_tests_think(office: Office) -> None:
    assert public("lab-1").keyval["public"] == private_key("lab-1").public_key().public_bytes_raw().hex()
