"""A simulated terminal's debug daemon: one TCP port on loopback, power on, power off, restart."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable

from techtool.errors import TechtoolError, UsageError
from techtool.i18n import phrase
from techtool.links.adb.packets import VERSION_MIN, Command, PacketError
from techtool.simulator.auth import AuthPolicy, authorise
from techtool.simulator.device import Device
from techtool.simulator.services import Services
from techtool.simulator.wire import ByteLink, Connection, LinkCut, PacketLink

HOST = "127.0.0.1"
_READ_LIMIT = 2 << 20


def _bound(port: int) -> socket.socket:
    """A socket that holds ``port`` without listening: connections are refused, nobody else can take it."""
    # asyncio turns Nagle's waiting off only where the protocol is named, and adbd has it off.
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, port))
    except (OSError, OverflowError) as error:
        held.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        problem = phrase("it is in use") if taken else phrase("{reason}", reason=str(error))
        raise UsageError(
            problem=phrase("Port {port} of this computer cannot be used: {problem}", port=port, problem=problem)
        ) from error
    return held


class Terminal:
    """One terminal that can be switched on and off; its port stays its own until :meth:`stop`."""

    scheme = "adb"

    def __init__(
        self,
        device: Device,
        *,
        port: int = 0,
        boot_s: float | None = None,
        auth: AuthPolicy = AuthPolicy.NONE,
        on_failure: Callable[[TechtoolError], None],
    ) -> None:
        """``on_failure`` hears of a computer that cannot keep the state (full disk); the terminal is then off."""
        self.device = device
        self._auth = auth
        self._boot_s = device.model.boot_s if boot_s is None else boot_s
        self._on_failure = on_failure
        self._held: socket.socket | None = _bound(port)
        self.port: int = self._held.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._links: set[ByteLink] = set()
        self._rebooting: asyncio.Task[None] | None = None
        device.request_reboot = self.reboot

    @property
    def address(self) -> str:
        """How techtool names it."""
        return f"{self.scheme}://{HOST}:{self.port}"

    @property
    def is_on(self) -> bool:
        """Whether it answers."""
        return self._server is not None

    async def power_on(self) -> None:
        """Start; from here on it answers."""
        if self._server is not None:
            return
        self.device.boot()
        held, self._held = self._held or _bound(self.port), None
        # Known before it serves: whoever breaks this off can still close it.
        self._server = await asyncio.start_server(
            self._accept, sock=held, limit=_READ_LIMIT, ssl=self._tls(), start_serving=False
        )
        await self._server.start_serving()

    def power_cut(self) -> None:
        """Off within this instant: no goodbye on the wire; what is not on disk is lost."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._held = _bound(self.port)
        for link in self._links:
            link.abort()
        for task in self._connections:
            task.cancel()

    def reboot(self) -> None:
        """Restart now: the link drops, and it answers again after its time, unless the fault script says otherwise."""
        if self._rebooting is None or self._rebooting.done():
            self._rebooting = asyncio.get_running_loop().create_task(self._reboot())

    async def stop(self) -> None:
        """Off for good; gives the port back."""
        if self._rebooting is not None:
            self._rebooting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rebooting
        self.power_cut()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._held is not None:
            self._held.close()
            self._held = None

    async def _reboot(self) -> None:
        """Down, wait, up; again and again in a reboot loop."""
        faults = self.device.faults
        try:
            while True:
                self.power_cut()
                after = faults.faults.after_reboot
                if after is not None and after.never_returns:
                    return
                if after is not None and after.serial:
                    self.device.take_serial(after.serial)
                await asyncio.sleep(self._boot_s)
                await self.power_on()
                loop = faults.reboot_again()
                if loop is None:
                    return
                await asyncio.sleep(loop.up_s)
        except TechtoolError as error:
            self._on_failure(error)

    def _tls(self) -> ssl.SSLContext | None:
        """A debug daemon speaks in the clear."""
        return None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - inside a coroutine there is one
        link = ByteLink(reader, writer, self.device.faults)
        self._connections.add(task)
        self._links.add(link)
        try:
            # Cancelled by a power cut or stop(): asyncio's streams would log that as a defect of the handler.
            with contextlib.suppress(asyncio.CancelledError):
                if not self.device.faults.refuse_connection():
                    await self._serve(link)
        finally:
            link.abort()
            self._links.discard(link)
            self._connections.discard(task)

    async def _serve(self, link: ByteLink) -> None:
        try:
            await self._speak(link)
        except (LinkCut, PacketError):
            return
        except TechtoolError as error:
            self.power_cut()
            self._on_failure(error)

    async def _speak(self, link: ByteLink) -> None:
        """One connection, from its first byte to its last."""
        packets = PacketLink(link)
        await self._handshake(packets)
        await Connection(packets, Services(self.device, self.reboot).find).run()

    async def _handshake(self, packets: PacketLink) -> None:
        """CNXN both ways, with AUTH in between where the terminal asks for it."""
        header, _ = await packets.receive()
        if header.command != Command.CNXN or header.arg0 < VERSION_MIN:
            raise PacketError("no CNXN")
        await authorise(packets, self.device.store, self._auth)
        daemon = self.device.model.daemon
        # The greeting itself always carries a checksum: the host cannot know yet that it need not.
        await packets.send(Command.CNXN, daemon.version, daemon.max_payload, self._banner())
        packets.agree(min(header.arg0, daemon.version), min(header.arg1, daemon.max_payload))

    def _banner(self) -> bytes:
        told = self.device.properties()
        parts = [f"{key}={told.get(key, '')}" for key in ("ro.product.name", "ro.product.model", "ro.product.device")]
        features = self.device.model.daemon.features
        if features:
            parts.append(f"features={','.join(features)}")
        return f"device::{';'.join(parts)};".encode()
