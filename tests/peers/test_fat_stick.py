"""A written stick through a real FAT file system (mtools' own implementation): names and content come back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.peers.tools import need
from tests.unit.bundles.office import Office

pytestmark = pytest.mark.peers


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office.make(tmp_path / "office")
    office.add("com.acme.pay-rc.1", "1.0")
    office.add("COM.Acme.With.A.Long.Name.That.Needs.A.Long.File.Name", "2026.12.01", content=b"x" * 100_000)
    office.enrol()
    return office


def test_to_fat_and_back(office: Office, tmp_path: Path) -> None:
    stick, image, back = office.stick(), tmp_path / "stick.img", tmp_path / "back"
    with image.open("wb") as blank:
        blank.truncate(64 << 20)
    quiet = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    for argv in (
        [need("mformat"), "-F", "-i", str(image), "::"],
        [need("mcopy"), "-s", "-i", str(image), str(stick / "TECHTOOL"), "::"],
    ):
        subprocess.run(argv, check=True, capture_output=True, env=quiet)
    back.mkdir()
    subprocess.run([need("mcopy"), "-s", "-n", "-i", str(image), "::TECHTOOL", str(back)], check=True, env=quiet)
    opened = office.open(back)
    assert len(opened.releases) == 2
    assert opened.notes == ()
    for item in opened.releases:
        for file in item.release.files:
            opened.check(item, file)


def test_every_name_is_one_that_fat_takes(office: Office) -> None:
    names = [p.name for p in office.stick().rglob("*")]
    assert names
    assert all(len(name) <= 255 and name.isascii() and not set(name) & set('"*/:<>?\\|') for name in names)
    assert len({str(p).casefold() for p in (office.folder / "stick").rglob("*")}) == len(names)
