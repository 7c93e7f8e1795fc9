"""One memory for each office, whichever of its roots was pinned; what one publisher lacks stops only that publisher."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root

from techtool.bundles.clock_floor import BUILT, raise_floor, read_floor, set_back
from techtool.bundles.medium import StickFolder
from techtool.bundles.memory import judge_carrier, keep
from techtool.bundles.refresh import encode_refresh, learn, read_refresh
from techtool.bundles.roots import pin_root, read_mirror, write_mirror
from techtool.domain.plan import ReleaseVerdict
from techtool.domain.planner import make_plan
from techtool.domain.rules import Environment
from techtool.errors import Exit, Expired, Untrusted
from techtool.paths import DISK
from tests.unit.bundles.office import NOW, Forger, Office, copy_of, refused
from tests.unit.bundles.test_recalls import delegate, recall, refresh_file
from tests.unit.domain.build import TERMINAL

ROOTS = ("root-1", "root-2")


def rotate(forger: Forger, *owners: str) -> bytes:
    """The next root, which names nobody new."""
    forger.rotate_root(lambda root: None, owners or ROOTS)
    forger.restamp()
    return forger.newest("root").read_bytes()


class TestPinnedTwice:
    def test_a_second_pin_forgets_no_recall(self, office: Office, stick: Path) -> None:
        forger = delegate(stick)
        rotate(forger)
        older = copy_of(stick, "older")
        recall(forger)
        assert office.open(stick).recalled
        pin_root(office.laptop, forger.newest("root").read_bytes())
        opened = office.open(older)
        assert opened.trust.from_mirror
        assert opened.recalled

    @pytest.mark.parametrize("first", [1, 2])
    def test_every_pin_learns(self, office: Office, stick: Path, first: int) -> None:
        """Whichever came first: a stick of the old root alone, signed anew with a stolen key, is refused."""
        before = copy_of(stick, "before")
        forger = delegate(stick)
        root_2 = rotate(forger)
        if first == 2:
            office.laptop.trust.joinpath("roots").rename(office.folder / "away")
            pin_root(office.laptop, root_2)
            office.open(stick)
            office.enrol()
        else:
            office.open(before)
            pin_root(office.laptop, root_2)
        recall(forger)
        office.open(stick)
        thief = Forger(before)
        thief.restamp(version=900)
        refused(office, before)

    @pytest.mark.parametrize("how", ["left out", "exchanged"])
    def test_the_first_root_is_hidden(self, office: Office, stick: Path, how: str) -> None:
        forger = delegate(stick)
        root_2 = rotate(forger)
        pin_root(office.laptop, root_2)
        path = forger.metadata / "1.root.json"
        if how == "left out":
            path.unlink()
        else:
            other = Metadata[Root].from_bytes(path.read_bytes())
            other.signed.expires += timedelta(days=1)
            path.write_bytes(other.to_bytes())
        refused(office, stick)

    def test_older_than_the_root_it_was_set_up_with(self, office: Office, stick: Path) -> None:
        older = copy_of(stick, "older")
        root_2 = rotate(Forger(stick))
        office.laptop.trust.joinpath("roots").rename(office.folder / "away")
        pin_root(office.laptop, root_2)
        error = refused(office, older)
        assert "older than the root" in str(error)
        assert "fingerprint" not in str(error)


class TestMeanwhile:
    def test_what_another_techtool_learned_stays(self, office: Office, stick: Path) -> None:
        older = copy_of(stick, "older")
        office.open(older)
        late = judge_carrier(StickFolder(older / "TECHTOOL"), office.laptop, office.clock)
        recall(delegate(stick))
        office.open(stick)
        assert not keep(late, office.laptop, DISK)
        assert office.open(older).recalled

    def test_an_older_mirror_put_in_between_is_replaced(self, office: Office, stick: Path) -> None:
        older = copy_of(stick, "older")
        office.open(older)
        (anchor,) = judge_carrier(StickFolder(older / "TECHTOOL"), office.laptop, office.clock).state.anchors
        old = read_mirror(office.laptop, anchor.fingerprint)
        recall(delegate(stick))
        newer = judge_carrier(StickFolder(stick / "TECHTOOL"), office.laptop, office.clock)
        write_mirror(office.laptop, anchor.fingerprint, {**old, "vendor-none.json": b"{}"})
        assert keep(newer, office.laptop, DISK)
        assert office.open(older).recalled


class TestOnePublisher:
    @pytest.fixture
    def lapsed(self, office: Office, stick: Path) -> Path:
        """The list of beta runs out long before the rest."""
        Forger(stick).change_list(
            "vendor-beta", lambda t: setattr(t, "expires", NOW + timedelta(days=10)), ("vendor-beta-1", "lab-1")
        )
        office.later(days=11)
        return stick

    def test_only_its_releases_stop(self, office: Office, lapsed: Path) -> None:
        opened = office.open(lapsed)
        assert opened.expired is None
        assert list(opened.lapsed) == ["org.beta.app@3.1"]
        for item in opened.releases:
            (file,) = item.release.files
            if item.release.id == "org.beta.app":
                with pytest.raises(Expired):
                    opened.fetch(item, file, office.laptop.payloads)
            else:
                assert opened.fetch(item, file, office.laptop.payloads).is_file()

    def test_the_plan_says_so(self, office: Office, lapsed: Path) -> None:
        opened = office.open(lapsed)
        plan = make_plan(TERMINAL, opened.releases, Environment("9.9"), lapsed=opened.lapsed)
        rules = {f.release_id: [rule.what for rule in f.failed] for f in plan.findings}
        assert "expired" in rules["org.beta.app"]
        assert not any("expired" in rules[name] for name in ("com.acme.pay", "com.acme.kernel"))
        assert all(f.verdict is not ReleaseVerdict.INSTALL for f in plan.findings if f.release_id == "org.beta.app")

    def test_a_list_that_is_not_here_withdraws_nothing(self, office: Office, stick: Path) -> None:
        older = copy_of(stick, "older")
        forger = Forger(stick)
        forger.change_list("vendor-beta", lambda t: None, ("vendor-beta-1", "lab-1"))
        for path in forger.metadata.glob("*.vendor-beta.json"):
            path.unlink()
        assert office.open(stick).expired is None
        opened = office.open(older)
        assert opened.withdrawn == ()
        assert any("vendor-beta" in str(note) for note in opened.notes)
        assert "org.beta.app" not in {item.release.id for item in opened.releases}

    def test_a_refresh_file_must_be_whole(self, office: Office, stick: Path, tmp_path: Path) -> None:
        path = refresh_file(stick, tmp_path / "r.json")
        files = {name: data for name, data in read_refresh(path).files.items() if "vendor-beta" not in name}
        path.write_bytes(encode_refresh(files))
        with pytest.raises(Untrusted, match="vendor-beta"):
            learn(path, office.laptop, office.clock)


class TestSetBack:
    def test_after_a_year_typed_wrong(self, office: Office, stick: Path) -> None:
        office.later(days=365)
        assert office.open(stick).expired is not None
        office.clock.at = NOW
        spoilt = office.open(stick).expired
        assert spoilt is not None
        assert spoilt.exit_code is Exit.EXPIRED
        assert set_back(office.laptop, NOW, office.clock.now()) == NOW
        assert office.open(stick).expired is None

    def test_never_below_what_is_proven(self, office: Office) -> None:
        raise_floor(office.laptop, NOW)
        assert set_back(office.laptop, NOW + timedelta(days=5), NOW) == NOW
        assert set_back(office.laptop, BUILT - timedelta(days=50), NOW) == BUILT

    def test_it_is_written_down_and_stays(self, office: Office) -> None:
        raise_floor(office.laptop, NOW + timedelta(days=365))
        set_back(office.laptop, NOW, NOW)
        raise_floor(office.laptop, NOW + timedelta(days=1))
        assert read_floor(office.laptop) == NOW + timedelta(days=1)
        assert "2027-12-01" in (office.laptop.trust / "clock.json").read_text(encoding="utf-8")
