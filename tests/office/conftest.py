"""The office's server: npm's pouchdb-server, one for each worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.peers.pouchdb_server import PouchServer
from tests.peers.tools import PeerMissing, missing


@pytest.fixture(scope="session")
def couch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PouchServer]:
    """Running."""
    server = PouchServer(tmp_path_factory.mktemp("couch"))
    try:
        server.start()
    except PeerMissing as e:
        missing(str(e))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def new_database(couch: PouchServer) -> Callable[[], tuple[str, str]]:
    """Name and address of an empty database."""
    numbers = count(1)

    def make() -> tuple[str, str]:
        name = f"office{next(numbers)}"
        return name, couch.create(name)

    return make
