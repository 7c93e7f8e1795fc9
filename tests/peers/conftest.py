"""Fixtures with the parties nobody here wrote: Debian's adbd, Google's adb, APKs from npm; and our links to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.links.base import Link
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import AdbSettings, LinkSettings
from tests.peers import npm_apks as npm
from tests.peers import redfish_tools
from tests.peers.adb_server import AdbServer
from tests.peers.reach import Reach, opened
from tests.peers.terminal import AdbdTerminal
from tests.peers.tools import PeerMissing, debian_adb, google_adb, missing


@pytest.fixture(scope="session")
def adbd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbdTerminal]:
    """A running adbd, one for each worker; it keeps what earlier tests did to it: see ``fresh_adbd``."""
    terminal = AdbdTerminal(tmp_path_factory.mktemp("adbd"))
    try:
        terminal.start()
    except PeerMissing as e:
        missing(str(e))
    yield terminal
    terminal.stop()


@pytest.fixture
def fresh_adbd(adbd: AdbdTerminal) -> AdbdTerminal:
    """The same adbd, running, its Android fresh from the factory."""
    adbd.power_on()
    adbd.reset()
    return adbd


@pytest.fixture(scope="session")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    """Google's newest adb (36) with a private server, one for each worker; it connects to what a test tells it."""
    yield from _server(google_adb(), tmp_path_factory.mktemp("adb"))


@pytest.fixture(scope="session")
def old_google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    """The same of adb 29, which Debian still gives to its users."""
    yield from _server(debian_adb(), tmp_path_factory.mktemp("adb29"))


def _server(program: str, home: Path) -> Iterator[AdbServer]:
    server = AdbServer(program, home)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def adb_server(adbd: AdbdTerminal, google_server: AdbServer) -> AdbServer:
    """The same server, connected to adbd, whatever became of an earlier connection."""
    adbd.power_on()
    google_server.connect(f"127.0.0.1:{adbd.port}")
    return google_server


@pytest.fixture(scope="session")
def npm_apks() -> Mapping[str, Path]:
    """Real APK files by name: ``settings_apk-debug.apk`` and more."""
    try:
        return npm.fetch()
    except PeerMissing as e:
        missing(str(e))


@pytest.fixture(params=["adb", "adb+server"])
def reach(request: pytest.FixtureRequest, tmp_path: Path) -> Reach:
    """Both ways; ``adb+server by adb 29`` is the third where a test asks for it."""
    scheme, _, by_old = request.param.partition(" ")
    server: AdbServer = request.getfixturevalue("old_google_server" if by_old else "google_server")
    settings = LinkSettings(adb=AdbSettings(server=f"127.0.0.1:{server.port}"))

    def to(port: int) -> Link:
        target = f"127.0.0.1:{port}"
        if scheme == "adb+server":
            server.connect(target)
        return link_for(Address(scheme, target), settings, Paths(tmp_path / "home"))

    return to


@pytest.fixture
async def link(reach: Reach, fresh_adbd: AdbdTerminal) -> AsyncIterator[Link]:
    """Open, straight to a fresh terminal."""
    async with opened(reach, fresh_adbd.port) as link:
        yield link


@pytest.fixture(scope="session")
def redfish_peers() -> Path:
    """The folder with Redfish tools that nobody here wrote."""
    try:
        return redfish_tools.fetch()
    except PeerMissing as e:
        missing(str(e))
