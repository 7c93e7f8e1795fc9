"""What a screen offers before an address is typed: terminals on a cable, then sticks for a terminal's own menu."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.nearby import MENU_STICK, How, Nearby
from techtool.domain.terminal import Address
from techtool.links.medium.drives import Drive
from techtool.paths import Paths
from techtool.tui.views.nearby import option_of
from techtool.visit.nearby import nearby
from techtool.visit.services import Services


async def nothing_else(*_given: object, **_options: object) -> list[Nearby]:
    return []


async def test_a_stick_is_offered_and_the_bundle_s_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USB DISK", "office"):
        (tmp_path / name).mkdir()
    (tmp_path / "office" / "TECHTOOL").mkdir()
    mounted = [Drive("X:", tmp_path / name, "FAT32", True) for name in ("USB DISK", "office")]
    monkeypatch.setattr("techtool.links.medium.volume.drives", lambda: mounted)
    monkeypatch.setattr("techtool.links.discovery.look.look", nothing_else)
    found = await nearby(Services.real(Paths(tmp_path / "home")))
    assert found == [Nearby(f"medium:{tmp_path}/USB DISK", MENU_STICK, How.STICK)]
    assert not found[0].usable, "never picked by itself"
    assert option_of(found[0].address, found[0], ()).note == "a stick for the terminal's own menu"
    assert Address.parse(found[0].address).target == f"{tmp_path}/USB DISK"
