"""Laptops that send at once while the server is killed: nothing lost, nothing double."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office.hundred import evening
from tests.peers.pouchdb_server import PouchServer
from tests.peers.tools import PeerMissing, missing

pytestmark = pytest.mark.peers


async def test_nothing_is_lost_and_nothing_is_double(tmp_path: Path) -> None:
    """The whole of it, a hundred laptops and ten kills: ``python -m tests.office.hundred``."""
    try:
        with PouchServer(tmp_path / "couch") as server:
            tally = await evening(tmp_path, server, laptops=12, kills=3, lines=30)
    except PeerMissing as e:
        missing(str(e))
    assert tally.good, tally
    assert tally.kills == 3
