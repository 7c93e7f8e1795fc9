"""What is copied from a terminal to look at its signature leaves no file behind, whatever stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from techtool.errors import CommandRefused, LinkLost
from techtool.simulator.model import APKS
from techtool.terminals.signer import read_installed_apk
from tests.unit.terminals.fake_link import FakeLink

APK = (APKS / "com.example.sunmi.pay-1.5.0.apk").read_bytes()
PATH = "/data/app/base.apk"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


class Watched(FakeLink):
    """Looks into the folder while the file comes in."""

    def __init__(self, folder: Path, end: Exception | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.end = end
        self.seen: list[list[str]] = []

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        for at in range(0, len(APK), 1000):
            yield APK[at : at + 1000]
            self.seen.append([entry.name for entry in self.folder.iterdir()])
            if self.end is not None and len(self.seen) > 2:
                raise self.end


@pytest.mark.skipif(sys.platform == "win32", reason="Windows shows the name and deletes the file with its process")
async def test_the_copy_has_no_name_at_any_time(scratch: Path) -> None:
    link = Watched(scratch)
    found = await read_installed_apk(link, PATH)
    assert found is not None
    assert found.signer is not None
    assert len(link.seen) > 2
    assert not any(link.seen)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("end", [CommandRefused(command="pull", answer="no"), LinkLost(address="adb://x")])
async def test_nothing_is_left_after_a_failure(scratch: Path, end: Exception) -> None:
    try:
        assert await read_installed_apk(Watched(scratch, end), PATH) is None
    except LinkLost:
        assert isinstance(end, LinkLost)
    assert list(scratch.iterdir()) == []


_KILLED = f"""
import asyncio, sys, time
from techtool.simulator.model import APKS
from techtool.terminals.signer import read_installed_apk
from tests.unit.terminals.fake_link import FakeLink

class Slow(FakeLink):
    async def pull(self, path):
        yield b"x" * 100_000
        print("half", flush=True)
        await asyncio.Event().wait()

asyncio.run(read_installed_apk(Slow(), {PATH!r}))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_kill_9_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", _KILLED], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert list(tmp_path.iterdir()) == []
