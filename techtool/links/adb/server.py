"""``adb+server:SERIAL``: a terminal through an adb server, for USB cables and for terminals paired over TLS.

The user's server is used when one runs, else one of our own (:mod:`techtool.links.adb.serverprocess`).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError, LinkLost, NotAuthorized, TechtoolError, Unreachable
from techtool.i18n import raw
from techtool.links.adb import serverprocess
from techtool.links.adb.bytestream import ByteStream
from techtool.links.adb.link import AdbLink
from techtool.links.adb.payload import in_thread
from techtool.links.adb.smartsocket import Server, ServerRefusal, ask
from techtool.paths import DISK, Disk, Paths
from techtool.settings import AdbSettings, LinkSettings

DEFAULT_PORT: Final = 5037
ASK_S: Final = 10.0
FRESH_S: Final = 6.0
"""How long a server that was just started may need to see what hangs on the cable."""
SETTLE_S: Final = 2.0
"""How long a terminal may be on its way (“offline”, “connecting”) on a server that runs."""
_POLL_S: Final = 0.2
_USABLE: Final = ("device", "recovery", "sideload", "rescue")
_ON_ITS_WAY: Final = ("offline", "connecting", "authorizing", "still")


class ServerDevice(NamedTuple):
    """A line of ``adb devices``."""

    serial: str
    state: str
    """``device``, ``unauthorized``, ``offline`` …"""


@dataclass(frozen=True, slots=True)
class Lease:
    """A server to use; ``own`` is to be given back."""

    server: Server
    own: bool


def configured_server(settings: AdbSettings, environ: Mapping[str, str]) -> Server:
    """Where the user's server listens: the settings, adb's own variables, or adb's default."""
    text = settings.server or environ.get("ADB_SERVER_SOCKET", "").removeprefix("tcp:")
    if not text:
        host = environ.get("ANDROID_ADB_SERVER_ADDRESS") or "127.0.0.1"
        text = f"{host}:{environ.get('ANDROID_ADB_SERVER_PORT') or DEFAULT_PORT}"
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 0xFFFF:
        raise Unreachable(address=text, detail="not HOST:PORT")
    return Server(host.strip("[]") or "127.0.0.1", int(port))


async def find_server(
    settings: LinkSettings,
    paths: Paths | None,
    peer: str,
    *,
    environ: Mapping[str, str] = os.environ,
    disk: Disk = DISK,
) -> Lease:
    """The user's server, or one of our own; a server named in the settings is the only one taken."""
    users = configured_server(settings.adb, environ)
    if await in_thread(lambda: serverprocess.answers(users)):
        return Lease(users, own=False)
    if settings.adb.server or paths is None:
        raise Unreachable(address=peer, detail=f"no adb server answers at {users}")
    home = paths
    return Lease(await in_thread(lambda: serverprocess.acquire(settings.adb, home, peer, disk)), own=True)


async def server_devices(
    settings: LinkSettings, paths: Paths | None = None, *, environ: Mapping[str, str] = os.environ, disk: Disk = DISK
) -> list[ServerDevice]:
    """What a running adb server sees; with ``paths``, and none running, what a private one finds within a moment.

    Raises :class:`Unreachable` when there is no server to ask.
    """
    peer = str(configured_server(settings.adb, environ))
    lease = await find_server(settings, paths, peer, environ=environ, disk=disk)
    try:
        devices = await _devices(lease.server, peer)
        deadline = asyncio.get_running_loop().time() + (SETTLE_S if lease.own else 0.0)
        while not devices and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_POLL_S)
            devices = await _devices(lease.server, peer)
        return devices
    finally:
        await _give_back(lease, paths, disk)


class AdbServerLink(AdbLink):
    """A terminal by the serial under which an adb server knows it (``HOST:PORT`` for those on a network)."""

    def __init__(
        self,
        address: Address,
        settings: LinkSettings,
        paths: Paths,
        *,
        environ: Mapping[str, str] = os.environ,
        disk: Disk = DISK,
    ) -> None:
        super().__init__(address, self._reach)
        self._settings = settings
        self._paths = paths
        self._environ = environ
        self._disk = disk

    async def _reach(self) -> ServerCarrier:
        peer, serial = str(self.address), self.address.target
        lease = await find_server(self._settings, self._paths, peer, environ=self._environ, disk=self._disk)
        try:
            await _wait_until_usable(lease, serial, peer)
            features = await lease.server.query(f"host-serial:{serial}:features", peer, ASK_S)
        except BaseException as error:
            await _give_back(lease, self._paths, self._disk)
            if isinstance(error, ServerRefusal):
                raise refusal(error.text, peer) from error
            raise
        return ServerCarrier(lease, serial, peer, frozenset(filter(None, features.split(","))), self._paths, self._disk)


class ServerCarrier:
    """Opens services of one terminal, each on a socket of its own."""

    def __init__(
        self, lease: Lease, serial: str, peer: str, features: frozenset[str], paths: Paths, disk: Disk
    ) -> None:
        self._lease = lease
        self._serial = serial
        self._peer = peer
        self._features = features
        self._paths = paths
        self._disk = disk
        self._closed = False

    @property
    def features(self) -> frozenset[str]:
        """What both the server and the terminal's daemon can."""
        return self._features

    async def open_stream(self, service: str, timeout_s: float) -> ByteStream:
        """Open a service; a terminal that the server no longer has is :class:`LinkLost`."""
        try:
            stream = await self._lease.server.transport(self._serial, self._peer, timeout_s)
        except ServerRefusal as error:
            raise self._lost(error.text) from error
        except Unreachable as error:
            raise LinkLost(address=self._peer, detail=error.detail) from error
        try:
            await ask(stream, service)
        except ServerRefusal as error:
            stream.close()
            await self.verify_alive()
            raise CommandRefused(command=service.partition(":")[0], answer=raw(error.text)) from error
        except BaseException:
            stream.close()
            raise
        return stream

    async def verify_alive(self) -> None:
        """Ask the server for the terminal's state: a pulled cable looks to a stream like an ordinary end."""
        try:
            state = await self._lease.server.query(f"host-serial:{self._serial}:get-state", self._peer, ASK_S)
        except ServerRefusal as error:
            raise self._lost(error.text) from error
        except Unreachable as error:
            raise LinkLost(address=self._peer, detail=error.detail) from error
        if state not in _USABLE:
            raise self._lost(state)

    async def close(self) -> None:
        """Give the server back."""
        if not self._closed:
            self._closed = True
            await _give_back(self._lease, self._paths, self._disk)

    def _lost(self, text: str) -> LinkError:
        error = refusal(text, self._peer)
        return error if isinstance(error, NotAuthorized) else LinkLost(address=self._peer, detail=text)


def refusal(text: str, peer: str) -> LinkError:
    """The error that a server's words about a terminal mean."""
    if "unauthorized" in text or "authorizing" in text:
        return NotAuthorized(address=peer, detail=text)
    return Unreachable(address=peer, detail=text)


async def _wait_until_usable(lease: Lease, serial: str, peer: str) -> None:
    """Until the terminal can be used; a fresh server gets the time to look at its cables."""
    loop = asyncio.get_running_loop()
    begin, connected = loop.time(), False
    while True:
        try:
            text = await lease.server.query(f"host-serial:{serial}:get-state", peer, ASK_S)
            if text in _USABLE:
                return
        except ServerRefusal as error:
            text = error.text
        if lease.own and not connected and re.fullmatch(r".+:\d+", serial):
            connected = True  # nobody else can have told our own server of a terminal on the network
            with suppress(ServerRefusal):
                text = await lease.server.query(f"host:connect:{serial}", peer, ASK_S)
            continue
        waits = any(word in text for word in _ON_ITS_WAY)
        patience = FRESH_S if lease.own else SETTLE_S if waits else 0.0
        if loop.time() - begin >= patience or ("unauthorized" in text and not waits):
            raise ServerRefusal(text)
        await asyncio.sleep(_POLL_S)


async def _devices(server: Server, peer: str) -> list[ServerDevice]:
    try:
        listing = await server.query("host:devices", peer, ASK_S)
    except ServerRefusal as error:
        raise Unreachable(address=peer, detail=error.text) from error
    rows = (line.split("\t", 1) for line in listing.splitlines())
    return [ServerDevice(row[0], row[1].strip()) for row in rows if len(row) == 2]


async def _give_back(lease: Lease, paths: Paths | None, disk: Disk) -> None:
    if lease.own and paths is not None:
        home = paths
        with suppress(TechtoolError):  # a record that cannot be removed is found to be stale by the next start
            await in_thread(lambda: serverprocess.release(home, disk))
