"""A folder goes round between people on several machines: copies, signatures in parallel, and their coming together."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Targets

from techtool.bundles.profile import RECALL
from techtool.bundles.publish.adding import withdraw
from techtool.bundles.publish.merging import merge
from techtool.bundles.publish.recalling import RecallOrder, recall_release
from techtool.bundles.publish.restaging import renew
from techtool.bundles.publish.signing import SignReport
from techtool.bundles.publish.state import Missing, Shelf
from techtool.bundles.publish.workspace import Workspace
from techtool.errors import PublisherError
from tests.unit.bundles.office import ACME, Office, private_key, signer

BOARD = ("root-1", "root-2", "root-3", "targets-1", "targets-2")
LAB = ("lab-1", "lab-2")
VENDOR = ("vendor-acme-1", "vendor-beta-1")
DESK = ("recall-1", "recall-2", "stick-maker")


@dataclass
class Person:
    """Somebody with keys and a machine of their own."""

    keys: Path
    machine: Path
    office: Office

    @property
    def copy(self) -> Path:
        return self.machine / "bundle"

    def takes(self, folder: Path) -> None:
        """Copies the folder to their own machine, as people do."""
        if self.machine.exists():
            shutil.rmtree(self.machine)
        self.machine.mkdir(parents=True)
        if shutil.which("cp") is None:
            shutil.copytree(folder, self.copy)
        else:
            subprocess.run(["cp", "-r", str(folder), str(self.copy)], check=True)

    def signs(self, folder: Path | None = None) -> SignReport:
        return Workspace.open(folder or self.copy).sign(self.office.clock, key_folders=[self.keys])


@pytest.fixture
def people(office: Office) -> dict[str, Person]:
    """Board, lab, vendor and desk, each with their own keys; none is left in the folder."""
    found = {}
    for name, owners in (("board", BOARD), ("lab", LAB), ("vendor", VENDOR), ("desk", DESK)):
        found[name] = Person(office.pocket(*owners), office.folder / "machines" / name, office)
    assert list((office.folder / "bundle/keys").iterdir()) == []
    return found


def wanted(report: SignReport) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {lack.role: (lack.signatures, lack.owners) for lack in report.missing}


def owners_of(workspace: Workspace, role: str) -> set[str]:
    """Who has signed what is staged."""
    from techtool.bundles.publish.roles import owner_of

    shelf = Shelf(workspace)
    staged = shelf.staged[role]
    results = [
        by.get_verification_result(role, staged.signed_bytes, staged.metadata.signatures)
        for by in shelf.delegators(role)
    ]
    return {owner_of(key) for result in results for key in result.signed.values()}


class TestOneAfterTheOther:
    def test_four_people(self, office: Office, people: dict[str, Person], stick: Path) -> None:
        bundle = office.folder / "bundle"
        office.open(stick)
        office.add("com.acme.new")
        renew(office.workspace, ["targets"], office.clock)

        people["vendor"].takes(bundle)
        report = people["vendor"].signs()
        assert report.signed == ((ACME, "vendor-acme-1"),)
        assert wanted(report) == {"targets": (2, ("targets-1", "targets-2")), ACME: (1, ("lab-1", "lab-2"))}

        people["lab"].takes(people["vendor"].copy)
        report = people["lab"].signs()
        assert wanted(report) == {
            "targets": (2, ("targets-1", "targets-2")),
            "timestamp": (1, ("stick-maker",)),
        }, "the list is complete: it could go out without the board"

        people["board"].takes(people["lab"].copy)
        report = people["board"].signs()
        assert wanted(report) == {"timestamp": (1, ("stick-maker",))}

        people["desk"].takes(people["board"].copy)
        report = people["desk"].signs()
        assert report.published
        assert report.roles == ("targets", ACME)
        Workspace.open(people["desk"].copy).write(office.folder / "new", office.clock)
        assert "com.acme.new@1.0" in [r.release.key for r in office.open(office.folder / "new").releases]

    def test_somebody_signs_twice_and_somebody_with_nothing_to_sign(
        self, office: Office, people: dict[str, Person]
    ) -> None:
        office.add("com.acme.new")
        bundle = office.folder / "bundle"
        assert people["lab"].signs(bundle).signed
        before = office.workspace.staged_file(ACME)
        assert people["lab"].signs(bundle).signed == ()
        assert people["board"].signs(bundle).signed == ()
        assert office.workspace.staged_file(ACME) == before

    def test_a_list_of_three(self, office: Office, tmp_path: Path) -> None:
        """Two of the same house are missing, or one of each: what is said can be done."""
        from techtool.bundles.publish.roles import Quorum

        quorum = Quorum(vendor_keys=2, lab_keys=2, publisher_threshold=3)
        Workspace.create(tmp_path / "b", ["acme"], office.clock, quorum=quorum, make_key=private_key)
        three = Workspace.open(tmp_path / "b")
        for path in three.keys.iterdir():
            shutil.move(path, tmp_path / path.name)
        renew(three, ["acme"], office.clock)

        def signed_by(*owners: str) -> Missing:
            report = three.sign(office.clock, key_folders=[tmp_path / f"{owner}.key" for owner in owners])
            return next(lack for lack in report.missing if lack.role == ACME)

        lack = signed_by("vendor-acme-1")
        assert (lack.signatures, lack.organisations) == (2, ("lab",))
        assert lack.owners == ("lab-1", "lab-2", "vendor-acme-2")
        lack = signed_by("vendor-acme-2")
        assert (lack.signatures, lack.organisations, lack.owners) == (1, ("lab",), ("lab-1", "lab-2"))


class TestMerge:
    def test_two_sign_in_parallel(self, office: Office, people: dict[str, Person]) -> None:
        bundle = office.folder / "bundle"
        office.add("com.acme.new")
        for name in ("vendor", "lab"):
            people[name].takes(bundle)
            people[name].signs()
        taken = [merge(office.workspace, Workspace.open(people[name].copy)) for name in ("vendor", "lab")]
        assert taken[0].taken == ((ACME, "vendor-acme-1"),)
        assert taken[1].taken == ((ACME, "lab-1"), (ACME, "lab-2"))
        assert all(not (m.differing or m.elsewhere or m.ahead) for m in taken)
        assert merge(office.workspace, Workspace.open(people["lab"].copy)).taken == (), "once is enough"
        report = people["desk"].signs(bundle)
        assert report.published
        assert office.workspace.staged_roles() == ()

    def test_another_content_is_not_taken(self, office: Office, people: dict[str, Person]) -> None:
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        office.add("com.acme.newer")
        people["lab"].signs()
        before = office.workspace.staged_file(ACME)
        merged = merge(office.workspace, Workspace.open(people["lab"].copy))
        assert (merged.taken, merged.differing) == ((), (ACME,))
        assert office.workspace.staged_file(ACME) == before

    def test_nothing_but_signatures_comes_over(self, office: Office, people: dict[str, Person]) -> None:
        """The copy came back with a recall of its own, a rogue key file, and another payload."""
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        copy = Workspace.open(people["lab"].copy)
        recall_release(copy, RecallOrder("com.acme.pay", "1.0", {"en": "no"}), office.clock)
        (copy.folder / "keys/stick-maker.key").write_bytes(b"x")
        people["lab"].signs()
        (copy.folder / "targets/rogue").write_bytes(b"x")
        before = {p for p in (office.folder / "bundle").rglob("*") if p.is_file()}
        merged = merge(office.workspace, copy)
        assert merged.elsewhere == (RECALL,)
        assert merged.taken == ((ACME, "lab-1"), (ACME, "lab-2"))
        assert {p for p in (office.folder / "bundle").rglob("*") if p.is_file()} == before

    @pytest.mark.parametrize("spoil", ["flipped", "stranger", "other key's name"])
    def test_a_signature_that_is_none(self, office: Office, people: dict[str, Person], spoil: str) -> None:
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        copy = Workspace.open(people["lab"].copy)
        metadata = copy.list_of(ACME)
        if spoil == "stranger":
            metadata.sign(signer("stranger"), append=True)
        else:
            signature = metadata.sign(signer("lab-1"), append=True)
            good = signature.signature
            signature.signature = good[:-2] + ("00" if good[-2:] != "00" else "01")
            if spoil == "other key's name":
                signature.signature = metadata.sign(signer("recall-1"), append=True).signature
        copy.stage(ACME, metadata)
        assert merge(office.workspace, copy).taken == ()
        assert office.workspace.list_of(ACME).signatures == {}

    def test_a_spoilt_signature_here_is_mended(self, office: Office, people: dict[str, Person]) -> None:
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        people["lab"].signs()
        metadata = office.workspace.list_of(ACME)
        metadata.sign(signer("lab-1"), append=True).signature = "00" * 64
        office.workspace.stage(ACME, metadata)
        assert owners_of(office.workspace, ACME) == set()
        assert (ACME, "lab-1") in merge(office.workspace, Workspace.open(people["lab"].copy)).taken
        assert owners_of(office.workspace, ACME) == {"lab-1", "lab-2"}

    def test_the_copy_has_published_it_meanwhile(self, office: Office, people: dict[str, Person]) -> None:
        office.add("com.acme.new")
        people["desk"].takes(office.folder / "bundle")
        for name in ("vendor", "lab", "desk"):
            report = people[name].signs(people["desk"].copy)
        assert report.published
        merged = merge(office.workspace, Workspace.open(people["desk"].copy))
        assert merged.ahead
        assert (ACME, "lab-1") in merged.taken

    def test_published_here_meanwhile(self, office: Office, people: dict[str, Person]) -> None:
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        for name in ("vendor", "lab", "desk"):
            people[name].signs(office.folder / "bundle")
        merged = merge(office.workspace, Workspace.open(people["lab"].copy))
        assert (merged.done, merged.differing, merged.elsewhere) == ((ACME,), (), ())

    def test_another_content_was_published_here_meanwhile(self, office: Office, people: dict[str, Person]) -> None:
        people["lab"].takes(office.folder / "bundle")
        office.add("com.acme.new")
        for name in ("vendor", "lab", "desk"):
            people[name].signs(office.folder / "bundle")
        theirs = Workspace.open(people["lab"].copy)
        withdraw(theirs, "com.acme.pay", "1.0", office.clock)
        merged = merge(office.workspace, theirs)
        assert (merged.done, merged.differing, merged.elsewhere) == ((), (ACME,), ())

    def test_the_copy_lags_behind(self, office: Office, people: dict[str, Person]) -> None:
        people["desk"].takes(office.folder / "bundle")
        office.add("com.acme.new")
        merged = merge(office.workspace, Workspace.open(people["desk"].copy))
        assert (merged.taken, merged.differing, merged.elsewhere, merged.ahead) == ((), (), (), False)

    def test_itself_and_what_is_no_bundle(self, office: Office, people: dict[str, Person], tmp_path: Path) -> None:
        with pytest.raises(PublisherError, match="itself"):
            merge(office.workspace, office.workspace)
        with pytest.raises(PublisherError):
            merge(office.workspace, Workspace.open(tmp_path))
        office.add("com.acme.new")
        people["lab"].takes(office.folder / "bundle")
        (people["lab"].copy / "staged/vendor-acme.json").write_bytes(b"{}")
        with pytest.raises(PublisherError):
            merge(office.workspace, Workspace.open(people["lab"].copy))

    def test_a_new_root_signed_in_two_places(self, office: Office, people: dict[str, Person]) -> None:
        """The former and the new holder of a key, each at home."""
        from techtool.bundles.publish.keys import KeySource
        from techtool.bundles.publish.rotating import rotate

        rotate(office.workspace, "root-1", "root-4", KeySource(make=private_key), office.clock)
        rotate(office.workspace, "root-2", "root-5", KeySource(make=private_key), office.clock)
        new = Person(office.pocket("root-4", "root-5"), office.folder / "machines/new", office)
        for person in (people["board"], new):
            person.takes(office.folder / "bundle")
            person.signs()
            merge(office.workspace, Workspace.open(person.copy))
        assert people["desk"].signs(office.folder / "bundle").published
        assert office.workspace.published_version("root") == 2


class TestStale:
    def test_an_old_staged_file_is_not_published_over_a_newer_state(self, office: Office) -> None:
        office.add("com.acme.new")
        old = office.workspace.staged_file(ACME)
        office.add("com.acme.newer")
        office.workspace.sign(office.clock)
        (office.folder / "bundle/staged/vendor-acme.json").write_bytes(old)
        for _again in range(2):
            with pytest.raises(PublisherError, match="published already"):
                office.workspace.sign(office.clock)

    def test_what_is_published_already_is_tidied_away(self, office: Office) -> None:
        office.add("com.acme.new")
        staged = office.folder / "bundle/staged/vendor-acme.json"
        office.workspace.sign(office.clock)
        staged.write_bytes(office.workspace.published_file(ACME, office.workspace.published_version(ACME)))
        report = office.workspace.sign(office.clock)
        assert (report.signed, report.published) == ((), False)
        assert not staged.exists()

    def test_a_number_is_never_used_for_two_contents(self, office: Office) -> None:
        """A file of a publication that was cut off stays where it is; the next change goes past it."""
        orphan = office.workspace.list_of(ACME)
        orphan.signed.version += 1
        path = office.workspace.metadata / f"{orphan.signed.version}.{ACME}.json"
        path.write_bytes(orphan.to_bytes())
        office.add("com.acme.new")
        assert office.workspace.list_of(ACME).signed.version == orphan.signed.version + 1
        assert Metadata[Targets].from_bytes(path.read_bytes()).signed.version == orphan.signed.version
        office.workspace.sign(office.clock)
        assert office.workspace.published_version(ACME) == orphan.signed.version + 1
