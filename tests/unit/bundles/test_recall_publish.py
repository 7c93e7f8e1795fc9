"""Recalling: out at once, on the office's word alone, with all that a terminal shows when it runs the release."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.profile import MAX_RECALLS, RECALL
from techtool.bundles.publish.contents import recalls
from techtool.bundles.publish.keys import KeySource
from techtool.bundles.publish.published import write_refresh
from techtool.bundles.publish.recalling import RecallOrder, RecallStaged, lift, recall_release
from techtool.bundles.publish.roles import Quorum
from techtool.bundles.publish.rotating import rotate
from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.refresh import learn
from techtool.domain.recall import Recall, RecalledPackage
from techtool.domain.release import After, Provides, ReleaseKind, Urgency
from techtool.errors import PublisherError, Recalled
from tests.unit.bundles.office import PUBLISHERS, Office, private_key
from tests.unit.simulator.apk_maker import make_apk

WHY = {"en": "Loses receipts", "zh": "丢失签购单"}
PAY = RecallOrder("com.acme.pay", "1.0", WHY)


def recall(office: Office, order: RecallOrder = PAY) -> RecallStaged:
    return recall_release(office.workspace, order, office.clock)


def seen(office: Office, stick: Path) -> Mapping[str, Recall]:
    return {recall.key: recall for recall in office.open(stick).recalls}


class TestFacts:
    def test_an_app_is_known_by_its_packages(self, office: Office) -> None:
        first = office.payload("a.apk", make_apk("org.example.pay", 7, "1.2"))
        second = office.payload("b.apk", make_apk("org.example.aid", 9, "3"))
        draft = Description(provides=(ProvidesEntry("sunmi", "P2", ("B",)),))
        office.workspace.add("acme", [first, second], draft, office.clock)
        staged = recall(office, RecallOrder("org.example.pay", "1.2", WHY))
        assert staged.recall.packages == (
            RecalledPackage("org.example.pay", 7),
            RecalledPackage("org.example.aid", 9),
        )
        assert staged.recall.provides == (Provides("sunmi", "P2", ("B",)),)
        assert (staged.recall.kind, staged.recall.shown_version) == (ReleaseKind.APPLICATION, "")
        assert staged.recall.urgency is Urgency.HIGH
        assert staged.recall.date == date(2026, 12, 1)

    def test_firmware_is_known_by_what_it_shows(self, office: Office) -> None:
        image = office.payload("os.zip", b"PK firmware")
        draft = Description(
            id="com.acme.os",
            version="2.4.0",
            version_format="dotted",
            kind=ReleaseKind.FIRMWARE,
            provides=(ProvidesEntry("acme", "X1"),),
            after=After(expect_version="2.4.0-build7"),
        )
        office.workspace.add("acme", [image], draft, office.clock)
        assert recall(office, RecallOrder("com.acme.os", "2.4.0", WHY)).recall.shown_version == "2.4.0-build7"

    def test_a_release_withdrawn_long_ago_is_still_known(self, office: Office) -> None:
        office.withdraw("com.acme.kernel", "7.0")
        office.workspace.sign(office.clock)
        office.add("com.acme.later")
        office.workspace.sign(office.clock)
        found = recall(office, RecallOrder("com.acme.kernel", "7.0", WHY)).recall
        assert found.provides == (Provides("sunmi", "P2"),)

    def test_by_hand(self, office: Office) -> None:
        unknown = RecallOrder("com.acme.old", "0.9", WHY)
        with pytest.raises(PublisherError, match="--package"):
            recall(office, unknown)
        assert office.workspace.staged_roles() == ()
        packages = (RecalledPackage("com.acme.old", 3),)
        assert recall(office, replace(unknown, packages=packages)).recall.packages == packages
        models = (Provides("acme", "X1"),)
        order = RecallOrder("com.acme.os", "1", WHY, kind=ReleaseKind.FIRMWARE, shown_version="1", provides=models)
        assert recall(office, order).recall.shown_version == "1"
        assert len(recalls(office.workspace)) == 2

    @pytest.mark.parametrize(
        "order",
        [
            replace(PAY, reason={}),
            replace(PAY, reason={"en": " "}),
            replace(PAY, reason={"en": "x" * 100_000}),
            replace(PAY, reason={"not a language": "x"}),
            replace(PAY, replacement="com.acme.pay@1.0"),
            replace(PAY, id="com acme", packages=(RecalledPackage("x", 1),)),
            replace(PAY, packages=(RecalledPackage("no id", 1),)),
        ],
    )
    def test_what_cannot_be(self, office: Office, order: RecallOrder) -> None:
        before = sorted((office.folder / "bundle").rglob("*"))
        with pytest.raises(PublisherError):
            recall(office, order)
        assert sorted((office.folder / "bundle").rglob("*")) == before

    def test_what_to_look_at_is_said(self, office: Office) -> None:
        order = replace(PAY, reason={"en": "x"}, replacement="com.acme.pay@1.1")
        notes = " ".join(note.text("en") for note in recall(office, order).notes)
        for word in ("zh", "com.acme.pay@1.1", "withdraw"):
            assert word in notes
        office.withdraw("com.acme.pay")
        office.add("com.acme.pay", "1.1")
        order = replace(PAY, replacement="com.acme.pay@1.1", packages=(RecalledPackage("com.acme.pay", 10),))
        assert recall(office, order).notes == ()


class TestWords:
    def test_the_same_words_again_are_nothing_new(self, office: Office) -> None:
        recall(office)
        before = office.workspace.staged_file(RECALL)
        office.later(days=1)
        assert not recall(office).changed
        assert office.workspace.staged_file(RECALL) == before

    def test_other_words_take_their_place_and_the_day_stays(self, office: Office) -> None:
        recall(office, replace(PAY, urgency=Urgency.CRITICAL))
        office.later(days=3)
        changed = recall(office, replace(PAY, reason={"en": "It burns"}))
        assert changed.changed
        assert (changed.recall.date, changed.recall.urgency) == (date(2026, 12, 1), Urgency.CRITICAL)
        (entry,) = recalls(office.workspace).values()
        assert entry.reason == {"en": "It burns", "zh": WHY["zh"]}
        assert any("zh" in note.text("en") for note in changed.notes), "what is kept is said"

    def test_a_replacement_stays_until_another_is_named(self, office: Office) -> None:
        recall(office, replace(PAY, replacement="com.acme.kernel@7.0"))
        changed = recall(office, replace(PAY, reason={"en": "It burns"}))
        assert changed.recall.replacement == "com.acme.kernel@7.0"
        assert any("com.acme.kernel@7.0" in note.text("en") for note in changed.notes)
        assert recall(office, replace(PAY, replacement="org.beta.app@3.1")).recall.replacement == "org.beta.app@3.1"

    def test_a_replacement_that_was_recalled_meanwhile_is_not_kept(self, office: Office) -> None:
        recall(office, replace(PAY, replacement="com.acme.kernel@7.0"))
        recall(office, RecallOrder("com.acme.kernel", "7.0", WHY))
        changed = recall(office, replace(PAY, reason={"en": "It burns"}))
        assert changed.recall.replacement == ""
        assert any("left out" in note.text("en") for note in changed.notes)

    def test_by_hand_the_former_words_are_kept_too(self, office: Office) -> None:
        by_hand = RecallOrder("x", "1", WHY, replacement="y@2", packages=(RecalledPackage("x", 1),))
        recall(office, by_hand)
        changed = recall(office, RecallOrder("x", "1", {"en": "It burns"}))
        assert (changed.recall.reason["zh"], changed.recall.replacement) == (WHY["zh"], "y@2")

    def test_a_language_that_nobody_sees_is_said(self, office: Office) -> None:
        staged = recall(office, replace(PAY, reason={**WHY, "fr": "Perd les tickets"}))
        assert any("fr" in note.text("en") for note in staged.notes)
        assert not any(
            "fr;" in note.text("en")
            for note in recall(office, RecallOrder("x", "1", WHY, packages=(RecalledPackage("x", 1),))).notes
        )

    def test_two_releases_whose_file_names_are_alike(self, office: Office) -> None:
        package = (RecalledPackage("x", 1),)
        for order in (RecallOrder("x-1", "2", WHY), RecallOrder("x", "1-2", WHY), RecallOrder("X", "1-2", WHY)):
            recall(office, replace(order, packages=package))
        assert {entry.key for entry in recalls(office.workspace).values()} == {"x-1@2", "x@1-2", "X@1-2"}
        assert set(seen(office, office.stick())) == {"x-1@2", "x@1-2", "X@1-2"}

    def test_a_replacement_that_is_recalled_itself(self, office: Office) -> None:
        recall(office)
        with pytest.raises(PublisherError, match="recalled itself"):
            recall(office, RecallOrder("com.acme.kernel", "7.0", WHY, replacement="com.acme.pay@1.0"))

    def test_not_without_bound(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        assert MAX_RECALLS >= 1000
        monkeypatch.setattr("techtool.bundles.publish.recalling.MAX_RECALLS", 1)
        recall(office)
        with pytest.raises(PublisherError):
            recall(office, RecallOrder("com.acme.kernel", "7.0", WHY))


class TestOut:
    def test_one_of_the_office_is_enough(self, office: Office) -> None:
        office.pocket("vendor-acme-1", "vendor-beta-1", "lab-1", "lab-2", "root-1", "root-2", "targets-1", "recall-1")
        recall(office)
        report = office.workspace.sign(office.clock)
        assert report.published
        assert report.roles == (RECALL,)
        office.workspace.write(office.folder / "new", office.clock)
        opened = office.open(office.folder / "new")
        assert [r.key for r in opened.recalls] == ["com.acme.pay@1.0"]
        item = next(r for r in opened.releases if r.release.key == "com.acme.pay@1.0")
        with pytest.raises(Recalled):
            opened.fetch(item, item.release.files[0], office.laptop.payloads)

    def test_it_does_not_wait_for_a_vendor(self, office: Office) -> None:
        office.pocket("vendor-acme-1")
        office.add("com.acme.new")
        recall(office)
        report = office.workspace.sign(office.clock)
        assert report.published
        assert report.roles == (RECALL,)
        assert [lack.role for lack in report.missing] == ["vendor-acme"]
        assert office.workspace.staged_roles() == ("vendor-acme",)
        assert "com.acme.pay@1.0" in seen(office, self.written(office))

    def test_it_does_not_wait_for_the_board(self, office: Office) -> None:
        """The board's new list is not signed yet: the recall stands on the one that laptops know."""
        from techtool.bundles.publish.restaging import renew

        office.pocket("targets-1")
        renew(office.workspace, ["targets"], office.clock)
        recall(office)
        assert office.workspace.sign(office.clock).roles == (RECALL,)
        assert "com.acme.pay@1.0" in seen(office, self.written(office))
        assert office.workspace.staged_roles() == ("targets",)

    def test_nor_for_new_keys_of_its_own(self, office: Office) -> None:
        """Both keys are being replaced, and the board has not signed that yet: the old ones still count."""
        office.pocket("targets-1")
        for owner in ("recall-1", "recall-2"):
            rotate(office.workspace, owner, f"{owner}-new", KeySource(make=private_key), office.clock)
        new = office.pocket("recall-1-new", "recall-2-new")
        recall(office)
        assert office.workspace.sign(office.clock).roles == (RECALL,)
        assert "com.acme.pay@1.0" in seen(office, self.written(office))
        office.workspace.sign(office.clock, key_folders=[office.folder / "pockets/targets-1", new])
        assert office.workspace.staged_roles() == ()
        office.workspace.write(office.folder / "newer", office.clock)
        assert "com.acme.pay@1.0" in seen(office, office.folder / "newer")

    def test_without_its_keys_it_waits(self, office: Office) -> None:
        office.pocket("recall-1", "recall-2")
        recall(office)
        report = office.workspace.sign(office.clock)
        assert not report.published
        (lack,) = report.missing
        assert (lack.role, lack.signatures, lack.owners) == (RECALL, 1, ("recall-1", "recall-2"))

    def test_lifting(self, office: Office) -> None:
        recall(office)
        assert "com.acme.pay@1.0" in seen(office, office.stick())
        assert lift(office.workspace, "com.acme.pay", "1.0", office.clock).key == "com.acme.pay@1.0"
        assert seen(office, office.stick()) == {}
        with pytest.raises(PublisherError, match="not recalled"):
            lift(office.workspace, "com.acme.pay", "1.0", office.clock)

    def test_the_refresh_file_brings_it(self, office: Office, stick: Path) -> None:
        office.open(stick)
        recall(office)
        office.workspace.sign(office.clock)
        made = write_refresh(office.workspace, office.folder / "refresh.json", office.clock)
        assert made.recalls == 1
        assert made.size_bytes == made.path.stat().st_size < 30_000
        known = learn(made.path, office.laptop, office.clock)
        assert known.news
        assert [r.key for r in known.recalls] == ["com.acme.pay@1.0"]
        assert "com.acme.pay@1.0" in seen(office, stick), "on the stick that was written before"

    def test_people_read_it_on_the_stick(self, office: Office) -> None:
        recall(office)
        text = (office.stick("new") / "TECHTOOL/READ-ME.txt").read_bytes().decode("utf-8-sig")
        for word in ("com.acme.pay@1.0", WHY["en"], WHY["zh"]):
            assert word in text

    def test_writing_without_it_is_said_first_of_all(self, office: Office) -> None:
        office.add("com.acme.new")
        recall(office)
        notes = office.workspace.write(office.folder / "new", office.clock).notes
        assert [("RECALL" in note.text("en"), "vendor-acme" in note.text("en")) for note in notes] == [
            (True, False),
            (False, True),
        ]

    def written(self, office: Office) -> Path:
        office.workspace.write(office.folder / "new", office.clock)
        return office.folder / "new"


class TestOlderBundle:
    """Made when there were no recalls."""

    @pytest.fixture
    def old(self, tmp_path: Path, office: Office) -> Office:
        shutil.rmtree(office.folder / "bundle")
        shutil.rmtree(office.laptop.trust)
        Workspace.create(
            office.folder / "bundle", PUBLISHERS, office.clock, quorum=Quorum(recall_keys=0), make_key=private_key
        )
        office.enrol()
        return office

    def test_it_says_how(self, old: Office) -> None:
        with pytest.raises(PublisherError, match="--make-role"):
            recall(old, replace(PAY, packages=(RecalledPackage("x", 1),)))

    def test_it_gets_its_keys(self, old: Office) -> None:
        from techtool.bundles.publish.delegating import add_recalls

        shutil.rmtree(old.folder / "stick")
        before = old.stick()
        assert seen(old, before) == {}
        made = add_recalls(old.workspace, KeySource(make=private_key), old.clock)
        assert made.owners == ("recall-1", "recall-2")
        recall(old, replace(PAY, packages=(RecalledPackage("x", 1),)))
        assert set(seen(old, old.stick("new"))) == {"com.acme.pay@1.0"}
        with pytest.raises(PublisherError):
            add_recalls(old.workspace, KeySource(make=private_key), old.clock)
