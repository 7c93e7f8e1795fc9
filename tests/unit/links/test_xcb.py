"""Prolin's dialect against a scripted terminal: lists and facts that are none, endless or broken."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import BadAddress, CommandRefused, WrongProtocol
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.packets import Command
from techtool.links.adb.xcb import XcbLink
from techtool.links.base import Capability, FileStat, FolderEntry
from techtool.paths import Paths
from tests.unit.links.scripted import Peer, Script, Stream, daemon

OLD = {"version": 0x01000000, "max_payload": 4096, "features": ""}


@asynccontextmanager
async def prolin(home: Path, script: Script) -> AsyncIterator[XcbLink]:
    """An open link; the script goes on behind the link's own question whether there is a file service."""

    async def whole(peer: Peer) -> None:
        await peer.accept(**OLD)  # type: ignore[arg-type]
        service, _ = await peer.open(remote=5)
        assert service == "installer:"
        await peer.expect(Command.CLSE)
        await script(peer)
        await peer.until_gone()

    async with daemon(whole) as address:
        link = XcbLink(Address("xcb", address.target), Paths(home), options=HandshakeOptions(delayed_ack=False))
        await link.open()
        try:
            yield link
        finally:
            await link.close()


async def listing(peer: Peer) -> Stream:
    service, stream = await peer.open()
    assert service == "installer:"
    assert await stream.take() == struct.pack("<4sI", b"LIST", 2) + b"/a"
    return stream


def dent(name: bytes, kind: bytes = b"DENT", length: int | None = None) -> bytes:
    return struct.pack("<4sIIII", kind, 0o100644, 7, 9, len(name) if length is None else length) + name


async def test_a_folder_without_its_dots(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await listing(peer)
        await stream.say(dent(b".") + dent(b"..") + dent(b"a.aip") + dent(b"\xff") + dent(b"", b"DONE"))

    async with prolin(tmp_path, script) as link:
        stat = FileStat(7, 0o100644, 9)
        assert await link.list_folder("/a") == (FolderEntry("a.aip", stat), FolderEntry("\udcff", stat))
        assert Capability.SHELL not in link.capabilities


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (dent(b"", length=1 << 31), WrongProtocol),
        (dent(b"x", b"DATA"), WrongProtocol),
        (struct.pack("<4sI", b"FAIL", 2) + b"no", CommandRefused),
        (dent(b"x") * 20_001, WrongProtocol),
    ],
    ids=["a name of 2 GiB", "another word", "refused", "no end"],
)
async def test_a_list_that_is_none(answer: bytes, error: type[Exception], tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        stream = await listing(peer)
        for start in range(0, len(answer), 1 << 19):
            stream.write(answer[start : start + (1 << 19)])

    async with prolin(tmp_path, script) as link:
        with pytest.raises(error):
            await link.list_folder("/a")


async def test_devinfo_without_an_end_is_cut(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        service, stream = await peer.open()
        assert service == "devinfo:"
        stream.write(b"x" * 300_000)
        stream.close()

    async with prolin(tmp_path, script) as link:
        assert await link.own_facts() == {"devinfo": "x" * 200}


@pytest.mark.parametrize(
    "text", ["xcb://", "xcb://host", "xcb:host:1", "xcb://u@h:1", "replay:", "xcb://h:1/x", "xcb://h:99999"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(BadAddress):
        Address.parse(text)


@pytest.mark.parametrize(
    "text", ["xcb://10.0.0.7:5555", "replay:/tmp/a b.jsonl", "replay:C:\\a.jsonl", "xcb://[::1]:5555"]
)
def test_addresses_stay_as_they_are(text: str) -> None:
    assert str(Address.parse(text)) == text
