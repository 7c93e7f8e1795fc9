"""How a bundle stands: what ends, who must sign, which keys lie about, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from techtool.bundles.publish.keys import KeySource, write_key
from techtool.bundles.publish.recalling import RecallOrder, recall_release
from techtool.bundles.publish.restaging import renew
from techtool.bundles.publish.rotating import rotate
from techtool.bundles.publish.status import Ends, Status, ends, next_step, status
from techtool.bundles.publish.workspace import Workspace
from techtool.domain.release import Requirement
from techtool.errors import PublisherError
from tests.unit.bundles.office import ACME, NOW, Office, private_key


def look(office: Office) -> Status:
    """The status, and that looking changes nothing."""
    folder = office.folder / "bundle"
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    found = status(office.workspace, office.clock)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    return found


def said(office: Office) -> str:
    return next_step(look(office)).text("en")


class TestRoles:
    def test_all_of_them(self, office: Office) -> None:
        found = {role.role: role for role in look(office).roles}
        assert list(found) == [
            "root",
            "targets",
            "vendor-acme",
            "vendor-beta",
            "recall",
            "snapshot",
            "timestamp",
        ]
        assert [(r.version, r.threshold, r.days_left) for r in found.values()] == [
            (1, 2, 1095),
            (1, 2, 400),
            (2, 2, 400),
            (2, 2, 400),
            (1, 1, 400),
            (2, 1, 400),
            (2, 1, 120),
        ]
        assert {o.owner: o.organisation for o in found[ACME].owners} == {
            "vendor-acme-1": "vendor",
            "lab-1": "lab",
            "lab-2": "lab",
        }
        assert all(not role.staged_version and role.missing == () for role in found.values())

    @pytest.mark.parametrize(
        ("left", "wanted"),
        [
            (timedelta(days=60), Ends.LATER),
            (timedelta(days=59, hours=23), Ends.SOON),
            (timedelta(days=14), Ends.SOON),
            (timedelta(days=13, hours=23), Ends.URGENT),
            (timedelta(seconds=1), Ends.URGENT),
            (timedelta(0), Ends.ENDED),
            (timedelta(days=-1), Ends.ENDED),
        ],
    )
    def test_how_near_an_end_is(self, left: timedelta, wanted: Ends) -> None:
        assert ends(NOW + left, NOW) is wanted

    def test_the_use_by_date_is_the_first_end_of_any_role(self, office: Office) -> None:
        published = look(office).published
        assert published is not None
        assert published.use_by == NOW + timedelta(days=120)
        assert published.issued == NOW
        office.later(days=350)
        office.workspace.sign(office.clock, renew=True)
        published = look(office).published
        assert published is not None
        assert published.use_by == NOW + timedelta(days=400)
        assert (published.days_left, published.ends) == (50, Ends.SOON)

    def test_what_waits(self, office: Office) -> None:
        office.pocket("vendor-acme-1")
        office.add("com.acme.new")
        office.workspace.sign(office.clock)
        (role,) = look(office).staged
        assert (role.role, role.version, role.staged_version) == (ACME, 2, 3)
        (lack,) = role.missing
        assert (lack.signatures, lack.owners) == (1, ("vendor-acme-1",))

    @pytest.mark.parametrize("owner", ["recall-1", "root-1", "targets-1", "lab-1"])
    def test_owners_are_those_to_come(self, office: Office, owner: str) -> None:
        rotate(office.workspace, owner, "somebody-new", KeySource(make=private_key), office.clock)
        owners = {o.owner for role in look(office).roles for o in role.owners}
        assert "somebody-new" in owners
        assert owner not in owners

    def test_before_the_first_publication(self, office: Office, tmp_path: Path) -> None:
        given = {"lab-1": private_key("anna").public_key()}
        workspace = Workspace.create(tmp_path / "b", ["acme"], office.clock, given=given, make_key=private_key)
        found = status(workspace, office.clock)
        assert found.published is None
        assert [r.expires for r in found.roles] == [None] * 6
        assert "lab-1" in next_step(found).text("en")


class TestKeys:
    def test_which_are_here(self, office: Office) -> None:
        office.pocket("lab-1", "root-1")
        write_key(office.folder / "bundle/keys/renamed.key", private_key("lab-1"), "secret")
        write_key(office.folder / "bundle/keys/nobody.key", private_key("nobody"))
        (office.folder / "bundle/keys/notes.txt").write_text("hello")
        found = look(office)
        keys = {key.path.name: (key.owner, key.protected) for key in found.keys}
        assert keys["renamed.key"] == ("lab-1", True)
        assert keys["nobody.key"] == ("", False)
        assert keys["lab-2.key"] == ("lab-2", False)
        assert "notes.txt" not in keys
        here = {o.owner: o.key_here for role in found.roles for o in role.owners}
        assert (here["lab-1"], here["root-1"], here["root-2"]) == (True, False, True)

    def test_a_key_that_is_replaced_is_kept_until_that_is_published(self, office: Office) -> None:
        rotate(office.workspace, "root-1", "root-4", KeySource(make=private_key), office.clock)
        keys = {key.path.stem: (key.owner, key.retiring) for key in look(office).keys}
        assert (keys["root-1"], keys["root-4"]) == (("root-1", True), ("root-4", False))
        office.workspace.sign(office.clock)
        keys = {key.path.stem: (key.owner, key.retiring) for key in look(office).keys}
        assert (keys["root-1"], keys["root-4"]) == (("", False), ("root-4", False))


class TestContent:
    def test_releases_recalls_withdrawn(self, office: Office) -> None:
        office.withdraw("com.acme.kernel", "7.0")
        office.workspace.sign(office.clock)
        office.add("com.acme.new")
        recall_release(office.workspace, RecallOrder("com.acme.pay", "1.0", {"en": "x"}), office.clock)
        found = look(office)
        assert [(r.release.key, r.role, r.published) for r in found.releases] == [
            ("com.acme.new@1.0", ACME, False),
            ("com.acme.pay@1.0", ACME, True),
            ("org.beta.app@3.1", "vendor-beta", True),
        ]
        assert [(recall.key, published) for recall, published in found.recalls] == [("com.acme.pay@1.0", False)]
        assert found.withdrawn == (("com.acme.kernel", "7.0"),)
        office.workspace.sign(office.clock)
        found = look(office)
        assert all(r.published for r in found.releases)
        assert [published for _recall, published in found.recalls] == [True]

    def test_old_files_that_somebody_cleared_away(self, office: Office) -> None:
        office.withdraw("com.acme.kernel", "7.0")
        office.workspace.sign(office.clock)
        for path in (office.folder / "bundle/targets").rglob("*com.acme.kernel*.json"):
            path.unlink()
        assert look(office).withdrawn == (("com.acme.kernel-7.0", ""),)

    def test_a_description_that_is_gone(self, office: Office) -> None:
        next((office.folder / "bundle/targets/releases/acme").iterdir()).unlink()
        with pytest.raises(PublisherError):
            status(office.workspace, office.clock)


class TestNext:
    def test_in_the_order_of_urgency(self, office: Office) -> None:
        assert "bundle write" in said(office)
        office.pocket("vendor-acme-1")
        office.add("com.acme.new")
        assert "lab-1, lab-2, vendor-acme-1" in said(office)
        recall_release(office.workspace, RecallOrder("com.acme.pay", "1.0", {"en": "x"}), office.clock)
        assert "recall-1, recall-2" in said(office)
        office.workspace.sign(office.clock, only=["recall-1"])
        assert said(office).startswith("Next: stick-maker runs")
        office.workspace.sign(office.clock)
        assert "vendor-acme-1" in said(office)

    def test_what_lint_holds_back_is_mended_first(self, office: Office) -> None:
        office.add("com.acme.new", "2.0", requires=(Requirement("moon-phase"),))
        unsigned = status(office.workspace, office.clock)
        assert [finding.release_key for finding in unsigned.held] == ["com.acme.new@2.0"]
        assert "mend com.acme.new@2.0" in next_step(unsigned).text("en")
        with pytest.raises(PublisherError):
            office.workspace.sign(office.clock)
        signed = status(office.workspace, office.clock)
        assert signed.ready == ()
        assert "mend com.acme.new@2.0" in next_step(signed).text("en")
        office.withdraw("com.acme.new", "2.0")
        assert status(office.workspace, office.clock).held == ()
        assert "bundle write" in said(office)

    def test_when_something_ends(self, office: Office) -> None:
        office.later(days=110)
        assert "--renew" in said(office)
        office.later(days=280)
        office.workspace.sign(office.clock, renew=True)
        assert "bundle renew" in said(office)
        renew(office.workspace, [], office.clock)
        office.workspace.sign(office.clock)
        assert "bundle write" in said(office)

    def test_an_empty_bundle(self, office: Office, tmp_path: Path) -> None:
        workspace = Workspace.create(tmp_path / "b", ["acme"], office.clock, make_key=private_key)
        assert "bundle add" in next_step(status(workspace, office.clock)).text("en")
