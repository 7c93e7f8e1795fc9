"""``adb+server:SERIAL``: a terminal through an adb server, for USB cables and for terminals paired over TLS.

The user's server is used when one runs, else one of our own (:mod:`techtool.links.adb.serverprocess`).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from techtool.domain.nearby import TWIN, advice_for, said_of
from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError, LinkLost, NotAuthorized, NotReady, TechtoolError, Unreachable
from techtool.i18n import raw
from techtool.links.adb import serverprocess
from techtool.links.adb.bytestream import ByteStream
from techtool.links.adb.connecting import connect_to, is_on_network
from techtool.links.adb.link import AdbLink
from techtool.links.adb.payload import in_thread
from techtool.links.adb.smartsocket import Server, ServerRefusal, ask
from techtool.links.clean import clean
from techtool.links.permission import PERSON_S, fingerprint_of_line, telling
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
_ON_ITS_WAY: Final = ("offline", "connecting", "still")
_ASKING: Final = ("unauthorized", "authorizing")
STATES: Final = ("offline", "bootloader", "no permissions", "connecting", "detached")
"""adb's words for a terminal that it sees and that cannot be used."""
HOST: Final = "host"
"""Another adb server; the word stands in other sentences as well."""


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
    got: list[Server] = []
    try:
        await in_thread(lambda: got.append(serverprocess.acquire(settings.adb, home, peer, disk)))
    except asyncio.CancelledError:
        if got:  # who left in the meantime would never give it back
            await give_back(Lease(got[0], own=True), home, disk)
        raise
    return Lease(got[0], own=True)


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
            await self._wait_until_usable(lease, serial, peer)
            features = await _features(lease.server, serial, peer)
        except BaseException as error:
            await give_back(lease, self._paths, self._disk)
            if isinstance(error, ServerRefusal):
                raise refusal(error.text, peer) from error
            raise
        return ServerCarrier(lease, serial, peer, frozenset(filter(None, features.split(","))), self._paths, self._disk)

    async def _wait_until_usable(self, lease: Lease, serial: str, peer: str) -> None:
        """Until the terminal can be used: a fresh server looks at its cables first, a person reads a screen."""
        loop = asyncio.get_running_loop()
        begin, asked, connected = loop.time(), 0.0, False
        async with AsyncExitStack() as telling_them:
            while True:
                text = await _state(lease.server, serial, peer)
                if text in _USABLE:
                    return
                absent = lease.own or "not found" in text
                if absent and not connected and is_on_network(serial):
                    connected = True  # a server of our own was told by nobody else, another one was started anew
                    await connect_to(lease.server, serial, peer)
                    continue
                if not asked and any(word in text for word in _ASKING):
                    asked = loop.time()
                    shown = await in_thread(lambda: _fingerprint_of_adb(lease.server, self._environ))
                    await telling_them.enter_async_context(telling(self.tell_permission, shown, PERSON_S))
                waits = any(word in text for word in _ON_ITS_WAY)
                patience = PERSON_S if asked else FRESH_S if lease.own else SETTLE_S if waits else 0.0
                if loop.time() - (asked or begin) >= patience:
                    raise ServerRefusal(text)  # while a person is asked, a cable may be pulled and put in again
                await asyncio.sleep(_POLL_S)


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
            await give_back(self._lease, self._paths, self._disk)

    def _lost(self, text: str) -> LinkError:
        error = refusal(text, self._peer)
        return error if isinstance(error, NotAuthorized) else LinkLost(address=self._peer, detail=text)


def refusal(text: str, peer: str) -> LinkError:
    """The error that a server's words about a terminal mean."""
    if "unauthorized" in text or "authorizing" in text:
        return NotAuthorized(address=peer, detail=text)
    if "more than one" in text:
        return _not_ready(peer, TWIN, text)
    if text.strip() == HOST:
        return _not_ready(peer, HOST, text)
    state = next((word for word in STATES if re.search(rf"\b{word}\b", text)), "")
    if state and "not found" not in text:
        return _not_ready(peer, state, text)
    return Unreachable(address=peer, detail=text)


def _not_ready(peer: str, state: str, text: str) -> NotReady:
    return NotReady(address=peer, condition=said_of(state), advice=advice_for(state), detail=text)


async def _state(server: Server, serial: str, peer: str) -> str:
    """The server's word about a terminal, whether it comes as an answer or as a refusal."""
    try:
        return clean(await server.query(f"host-serial:{serial}:get-state", peer, ASK_S), 400)
    except ServerRefusal as error:
        return error.text


async def _features(server: Server, serial: str, peer: str) -> str:
    """What server and terminal can; a server from before there were features (adb 1.0.35) knows no such question."""
    try:
        return await server.query(f"host-serial:{serial}:features", peer, ASK_S)
    except ServerRefusal as error:
        if "unknown host service" not in error.text:
            raise
        return ""


def _fingerprint_of_adb(server: Server, environ: Mapping[str, str]) -> str:
    """Of the key that an adb server on this laptop shows to terminals; empty where it cannot be known."""
    if server.host not in ("127.0.0.1", "localhost", "::1"):
        return ""
    home = environ.get("ANDROID_USER_HOME") or Path("~/.android").expanduser()
    try:
        with Path(home, "adbkey.pub").open("rb") as file:
            return fingerprint_of_line(file.read(4096))
    except OSError:
        return ""


async def give_back(lease: Lease, paths: Paths | None, disk: Disk) -> None:
    """Let go of a server; the last one who does stops one of our own."""
    if lease.own and paths is not None:
        home = paths
        with suppress(TechtoolError):  # a record that cannot be removed is found to be stale by the next start
            await in_thread(lambda: serverprocess.release(home, disk))
