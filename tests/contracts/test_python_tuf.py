"""What techtool.bundles.metadata relies on inside python-tuf: one private attribute, and its cache files' names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from tuf.api.exceptions import ExpiredMetadataError
from tuf.ngclient import Updater

from techtool.bundles.medium import StickFolder
from techtool.bundles.metadata import METADATA_URL, StickSource, _Fetcher
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import FixedClock

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.create(tmp_path_factory.mktemp("bundle") / "b", ["acme"], FixedClock(NOW))


@pytest.fixture
def updater(bundle: Workspace, tmp_path: Path) -> Updater:
    fetcher = _Fetcher(StickSource(StickFolder(bundle.folder)))
    return Updater(str(tmp_path), METADATA_URL, fetcher=fetcher, bootstrap=bundle.root_data())


def test_the_version_that_was_read() -> None:
    assert version("tuf").split(".")[0] == "7"


def test_the_time_is_taken_at_construction_and_can_be_replaced(updater: Updater) -> None:
    taken = updater._trusted_set.reference_time
    assert abs(taken - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(("days", "good"), [(-9000, True), (0, True), (119, True), (120, False), (9000, False)])
def test_expiry_is_judged_by_the_time_we_give(updater: Updater, days: int, good: bool) -> None:
    updater._trusted_set.reference_time = NOW + timedelta(days=days)
    if good:
        updater.refresh()
    else:
        with pytest.raises(ExpiredMetadataError):
            updater.refresh()


def test_the_cache_is_laid_out_as_we_mirror_it(updater: Updater, tmp_path: Path) -> None:
    updater._trusted_set.reference_time = NOW
    updater.refresh()
    updater.get_targetinfo("releases/acme/any")
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert names == {
        "root_history/1.root.json",
        "root.json",
        "timestamp.json",
        "snapshot.json",
        "targets.json",
        "vendor-acme.json",
    }
