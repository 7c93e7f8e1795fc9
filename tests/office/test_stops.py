"""A sync that is stopped at any request or any effect on the disk, and begun again, ends as one that was not."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from techtool.office.marks import Marks
from techtool.paths import Paths
from techtool.store.home import Home
from tests.office.laptops import expected, held, laptop, sync
from tests.peers.pouchdb_server import PouchServer
from tests.unit.bundles.stops import CutDisk, PowerCut

pytestmark = pytest.mark.peers

NEVER = 1 << 30


class CutWire(httpx.AsyncBaseTransport):
    """Stops before request ``at`` is sent, or, ``late``, when its answer would have come."""

    def __init__(self, at: int = NEVER, *, late: bool = False) -> None:
        self.requests = 0
        self._at, self._late = at, late
        self._real = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests > self._at and not self._late:
            raise PowerCut
        response = await self._real.handle_async_request(request)
        if self.requests > self._at:
            await response.aread()
            await response.aclose()
            raise PowerCut
        return response

    async def aclose(self) -> None:
        await self._real.aclose()


async def stopped_and_begun_again(
    template: Path, folder: Path, url: str, wire: CutWire, disk: CutDisk
) -> tuple[Paths, bool]:
    shutil.copytree(template, folder)
    paths = Paths(folder)
    stopped = True
    with contextlib.suppress(PowerCut):
        await sync(paths, url, disk=disk, transport=wire)
        stopped = False
    await sync(paths, url)
    return paths, stopped


async def test_the_same_database_and_all_marked_wherever_it_stops(
    tmp_path: Path, couch: PouchServer, new_database: Callable[[], tuple[str, str]]
) -> None:
    """Every try is a laptop of its own in one database."""
    template = laptop(tmp_path / "template", lines=100, photo=b"\xff\xd8 a photo").home
    name, url = new_database()
    wire, disk = CutWire(), CutDisk()
    whole, stopped = await stopped_and_begun_again(template, tmp_path / "whole", url, wire, disk)
    assert not stopped
    stops = [(CutWire(at, late=late), CutDisk()) for at in range(wire.requests) for late in (False, True)]
    stops += [(CutWire(), CutDisk(at)) for at in range(disk.effects)]
    assert wire.requests >= 9
    assert disk.effects >= 12
    everything = expected(whole)
    for number, (one_wire, one_disk) in enumerate(stops):
        paths, stopped = await stopped_and_begun_again(template, tmp_path / f"try{number}", url, one_wire, one_disk)
        assert stopped, number
        everything |= expected(paths)
        assert set(Marks(Home(paths)).known(url).heads) == set(Home(paths).visit_ids()), number
    assert held(couch.documents(name)) == everything
