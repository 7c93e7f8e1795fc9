"""What a screen offers before an address is typed: terminals on a cable, then sticks for a terminal's own menu."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.links.medium.drives import Drive
from techtool.paths import Paths
from techtool.visit.nearby import STICK, Nearby, nearby
from techtool.visit.services import Services


async def test_a_stick_is_offered_and_the_bundle_s_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USB DISK", "office"):
        (tmp_path / name).mkdir()
    (tmp_path / "office" / "TECHTOOL").mkdir()
    mounted = [Drive("X:", tmp_path / name, "FAT32", True) for name in ("USB DISK", "office")]
    monkeypatch.setattr("techtool.links.medium.volume.drives", lambda: mounted)
    monkeypatch.setenv("ADB_SERVER_SOCKET", "tcp:127.0.0.1:1")
    found = [one for one in await nearby(Services.real(Paths(tmp_path / "home"))) if one.is_stick]
    assert found == [Nearby(f"medium:{tmp_path}/USB DISK", STICK)]
    assert found[0].usable
    assert Address.parse(found[0].address).target == f"{tmp_path}/USB DISK"
