"""A terminal that was picked because it announced itself, and asks for PAX's token: a person is asked first.

Who announces it here only collects tokens. That an honest one is worked on after a yes: ``tests/peers/test_pax_links``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from techtool.domain.terminal import Address
from techtool.errors import Exit
from techtool.events import Asked, Finished
from techtool.links.adb.packets import Command, encode
from techtool.settings import read_settings, write_settings
from techtool.visit.services import ResumeRequest, VisitRequest
from tests.visit.conftest import Shop

TOKEN = "not-PAX's-own-token"


@dataclass
class Thief:
    """Anybody in the network: asks for the token, keeps all that comes, hangs up."""

    address: Address = field(init=False)
    heard: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode(Command.HDSK, 1, 0, with_checksum=True))
        header = await reader.readexactly(24)
        self.heard += header + await reader.readexactly(int.from_bytes(header[12:16], "little"))
        try:
            async with asyncio.timeout(1):
                self.heard += await reader.read(4096)
        except TimeoutError:
            pass
        writer.close()


@asynccontextmanager
async def thief() -> AsyncIterator[Thief]:
    one = Thief()
    async with await asyncio.start_server(one.serve, "127.0.0.1", 0) as server:
        one.address = Address("adb", f"127.0.0.1:{server.sockets[0].getsockname()[1]}", announced=True)
        yield one


@pytest.fixture
def pax_shop(shop: Shop) -> Shop:
    path = shop.world.paths.settings
    settings = read_settings(path)
    write_settings(path, replace(settings, links=replace(settings.links, pax={"handshake_token": TOKEN})))
    return shop


async def visited(shop: Shop, address: Address) -> Finished:
    request = VisitRequest((address,), shop.world.stick)
    return await shop._follow(lambda engine: engine.run(request), None)


def asked(shop: Shop) -> int:
    """How often a person was asked about the token."""
    return sum(isinstance(event, Asked) and event.question.id == "identify.pax_token" for event in shop.events)


async def test_no_token_without_a_yes(pax_shop: Shop) -> None:
    pax_shop.changed = {"identify.pax_token": False}
    async with thief() as one:
        finished = await visited(pax_shop, one.address)
    assert finished.exit_code == Exit.UNREACHABLE
    error = pax_shop.lane().error
    assert error is not None
    assert error.code == "TT-312"
    assert one.heard.startswith(b"CNXN")
    assert TOKEN.encode() not in one.heard
    assert asked(pax_shop) == 1


async def test_a_resumed_visit_still_knows_that_nobody_named_it(pax_shop: Shop) -> None:
    """Until somebody does: then it is sent without a question."""
    pax_shop.changed = {"identify.pax_token": False, "problem.identify": "later"}
    async with thief() as one:
        await visited(pax_shop, one.address)
        await pax_shop.resume()
        assert TOKEN.encode() not in one.heard
        assert asked(pax_shop) == 2
        named = Address.parse(str(one.address))
        await pax_shop.resume(ResumeRequest(addresses={str(named): named}))
        assert asked(pax_shop) == 2
    assert TOKEN.encode() in one.heard
