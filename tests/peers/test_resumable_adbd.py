"""A lost link costs only what was not yet there: through Debian's adbd, with the bytes counted in between."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.peers.terminal import AdbdTerminal
from tests.visit.big import AGAIN, big_apk, lost_at_60_percent, tampered_part

pytestmark = pytest.mark.peers


async def test_only_the_missing_part_is_sent_again(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    apk = big_apk(tmp_path)
    sent = await lost_at_60_percent(fresh_adbd.port, apk, tmp_path)
    assert sent < AGAIN
    on_terminal = fresh_adbd.installed("org.example.big")
    assert on_terminal is not None
    assert on_terminal.read_bytes() == apk.read_bytes()
    assert not (fresh_adbd.state_dir / "local/tmp/techtool").exists()


async def test_a_part_that_is_not_the_payloads_is_not_built_upon(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    apk = big_apk(tmp_path)
    folder = fresh_adbd.state_dir / "local/tmp/techtool"

    def change() -> None:
        folder.mkdir(mode=0o777)
        place = folder / f"{hashlib.sha256(apk.read_bytes()).hexdigest()}.part"
        place.write_bytes(b"\0" * (1 << 20))
        place.chmod(0o666)
        folder.chmod(0o777)

    attempt = await tampered_part(fresh_adbd.address, apk, tmp_path, change)
    assert attempt.resumed == []
    assert not folder.exists()
