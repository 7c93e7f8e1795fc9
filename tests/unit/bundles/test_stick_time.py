"""Clocks that are wrong and sticks that are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Timestamp

from techtool.bundles.clock_floor import BUILT
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import FixedClock
from techtool.errors import Exit, Expired
from tests.unit.bundles.office import ACME, NOW, Forger, Office, copy_of, refused


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

    def test_the_real_date_plays_no_part(self, tmp_path: Path) -> None:
        """A stick that was good for two days in the past, opened within them: python-tuf judges by our time."""
        office = Office(tmp_path / "office", FixedClock(BUILT))
        Workspace.create(office.folder / "bundle", ["acme"], office.clock)
        office.enrol()
        office.workspace.sign(office.clock, renew=True, use_by_days=2)
        office.workspace.write(office.folder / "stick", office.clock)
        assert office.open(office.folder / "stick").expired is None
        office.later(days=3)
        assert office.open(office.folder / "stick").expired is not None

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
