"""The small helpers of this folder, without any outside program."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.peers.debian_adbd import mirror
from tests.peers.relay import Relay
from tests.peers.tools import PeerMissing, find, need


async def test_relay_loses_the_connection_once() -> None:
    got = bytearray()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            got.extend(data)
            writer.write(b"!")
        writer.close()

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    async with server, Relay(server.sockets[0].getsockname(), drop_after_bytes=100_000) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(bytes(1_000_000))
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                while await reader.read(100):
                    pass
        writer.close()
        assert relay.drops == 1
        assert relay.passed_bytes == 100_000
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"again")
        assert await reader.read(1) == b"!"
        writer.close()
    assert len(got) <= 100_005


def test_mirror_is_the_machines_own(tmp_path: Path) -> None:
    apt = tmp_path / "apt/sources.list.d"
    apt.mkdir(parents=True)
    (tmp_path / "os-release").write_text("VERSION_CODENAME=bookworm\n")
    (apt / "a.list").write_text("deb [arch=amd64] example:/other stable main\n")
    (apt / "b.sources").write_text(
        "Types: deb\nURIs: example:/off\nSuites: bookworm\nEnabled: no\n\n"
        "# ours\nTypes: deb deb-src\nURIs: example:/debian example:/second\nSuites: bookworm bookworm-updates\n"
    )
    assert mirror(tmp_path) == "example:/debian"
    (apt / "b.sources").unlink()
    with pytest.raises(PeerMissing, match="no apt source"):
        mirror(tmp_path)
    with pytest.raises(PeerMissing, match="apt-get install nothing-has-this-name"):
        find("nothing-has-this-name")


def test_a_missing_peer_fails_in_ci_and_is_skipped_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must not go without its peers"):
        need("nothing-has-this-name")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="apt-get install nothing-has-this-name"):
        need("nothing-has-this-name")
