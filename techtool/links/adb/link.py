"""The ADB link: :class:`techtool.links.base.Link` over any carrier that opens services of a terminal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import BinaryIO, ClassVar, Final, Protocol

from techtool.domain.sensitive import redact
from techtool.domain.terminal import Address
from techtool.errors import BadAddress, CommandRefused, LinkError, LinkLost, LinkTimeout, TokenMissing, TokenWithheld
from techtool.i18n import raw
from techtool.links.adb import shell, sync
from techtool.links.adb.auth import key_maker
from techtool.links.adb.bytestream import ByteStream, within
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.wire import AdbConnection
from techtool.links.base import Capability, CommandResult, Confirmed, FileStat
from techtool.links.permission import Permission, Told, nobody
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings

FILE_WAIT_S: Final = 60.0
"""One wait within a file transfer: flash that flushes takes its time."""
STAT_WAIT_S: Final = 15.0
_PROBE_S: Final = 10.0
_SYSTOOL_LIMIT: Final = 256 << 10
_REBOOT_S: Final = 10.0
_REBOOT_SERVICE: Final = "reboot:"
_LOG_SERVICE: Final = "paxlog:system"


def _is_named(address: Address, settings: LinkSettings) -> bool:
    """Whether the settings name it, however they spell it."""
    for host in settings.hosts:
        with suppress(BadAddress):
            if Address.parse(host) == address:
                return True
    return False


class Carrier(Protocol):
    """What opens services of one terminal: a connection of our own, or an adb server."""

    @property
    def features(self) -> frozenset[str]:
        """What the terminal's daemon says it can."""
        ...

    async def open_stream(self, service: str, timeout_s: float) -> ByteStream:
        """Open a service; :class:`CommandRefused` where there is none."""
        ...

    async def verify_alive(self) -> None:
        """Raise :class:`LinkLost` if the terminal is gone."""
        ...

    async def close(self) -> None:
        """Let go; never raises."""
        ...


class AdbLink:
    """A terminal with an ADB daemon, whatever carries the bytes."""

    files: ClassVar[str] = sync.SERVICE
    """What the daemon calls its file service."""

    def __init__(
        self, address: Address, connect: Callable[[], Awaitable[Carrier]], *, may_be_pax: bool = False
    ) -> None:
        """``may_be_pax``: a shell that does not answer is not the end, PAX's own tool is asked."""
        self._may_be_pax = may_be_pax
        self._address = address
        self._connect = connect
        self._carrier: Carrier | None = None
        self._capabilities: frozenset[Capability] = frozenset()
        self.keeps_token = False
        """Whether PAX's token is not for this terminal: it goes over the wire as it is, and whoever announces an
        address could ask for it. A person may say otherwise, and open the link again.
        """
        self.on_permission: Told = nobody
        """Hears that the terminal asks a person whether this laptop may come in."""

    @classmethod
    def direct(
        cls,
        address: Address,
        settings: LinkSettings,
        paths: Paths,
        *,
        disk: Disk = DISK,
        options: HandshakeOptions | None = None,
    ) -> AdbLink:
        """``adb://HOST:PORT``: the wire spoken by techtool itself."""
        token = settings.pax.get("handshake_token", "").encode()
        key = key_maker(paths.adb_key, disk)

        async def connect() -> AdbConnection:
            kept = link.keeps_token
            tokenless = TokenWithheld if kept else TokenMissing
            sent = b"" if kept else token
            return await AdbConnection.connect(address, key, token=sent, tokenless=tokenless, options=heard)

        link = cls(address, connect, may_be_pax=bool(token))
        link.keeps_token = bool(token) and address.announced and not _is_named(address, settings)
        heard = replace(options or HandshakeOptions(), told=link.tell_permission)
        return link

    @property
    def address(self) -> Address:
        """Where it leads."""
        return self._address

    def tell_permission(self, permission: Permission) -> None:
        """The terminal asks: whoever listens now hears it."""
        self.on_permission(permission)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; empty while it is not open."""
        return self._capabilities

    async def open(self) -> None:
        """Connect and find out what the terminal offers; a link that is open and alive stays as it is."""
        if self._carrier is not None:
            with suppress(LinkError):
                await self._carrier.verify_alive()
                return
            await self.close()
        carrier = await self._connect()
        try:
            self._carrier = carrier
            self._capabilities = await self._discover(carrier.features)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go; never raises, may be called twice."""
        carrier, self._carrier = self._carrier, None
        self._capabilities = frozenset()
        if carrier is not None:
            await carrier.close()

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        """Run a shell command, ``timeout_s`` for the whole; see :class:`Link`."""
        async with within(timeout_s, str(self._address)):
            if "shell_v2" in self._open_carrier().features:
                async with self._service(shell.V2_SERVICE + command, timeout_s) as stream:
                    return await shell.collect_v2(stream, limit_bytes)
            marker = f"techtool-{secrets.token_hex(8)}"
            async with self._service(shell.V1_SERVICE + shell.marked(command, marker), timeout_s) as stream:
                result = await shell.collect_v1(stream, marker, limit_bytes)
            if result.exit_code is None:
                await self._open_carrier().verify_alive()
            return result

    async def feed(
        self,
        command: str,
        source: BinaryIO,
        size_bytes: int,
        *,
        confirmed: Confirmed | None = None,
        timeout_s: float = 120.0,
    ) -> CommandResult:
        """Stream a payload into a command through ``exec:``; ``exit_code`` is None, the answer is in ``stdout``."""
        async with self._service(shell.EXEC_SERVICE + command, timeout_s) as stream:
            result = await shell.feed(stream, source, size_bytes, confirmed)
        await self._open_carrier().verify_alive()
        return result

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        """Write a file on the terminal; it may be there in part after a :class:`LinkLost`."""
        async with self._service(self.files, FILE_WAIT_S) as stream:
            await sync.push(stream, source, size_bytes, path, mode=mode, confirmed=confirmed)

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        """Read a file of the terminal in chunks; closing the iterator early lets the terminal stop too."""
        async with self._service(self.files, FILE_WAIT_S) as stream, aclosing(sync.pull(stream, path)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stat(self, path: str) -> FileStat | None:
        """Size, mode and time of a file; None when it is not there."""
        async with self._service(self.files, STAT_WAIT_S) as stream:
            return await sync.stat(stream, path, v2="stat_v2" in self._open_carrier().features)

    async def systool(self, words: str) -> CommandResult:
        """PAX's own tool, which answers where the shell is locked; nothing may stand around it in the command."""
        async with within(_PROBE_S, str(self._address)), self._service(f"shell:systool {words}", _PROBE_S) as stream:
            return shell.unmark_systool(await shell.read_all(stream, _SYSTOOL_LIMIT))

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:
        """PAX's own log service; empty where the terminal has none (source: public notes on PAX's adb, ``syslog``).

        Whether it ends by itself is not published: what came within ``timeout_s`` counts, the newest of it.
        """
        log = bytearray()
        with suppress(CommandRefused, TimeoutError):
            async with asyncio.timeout(timeout_s), self._service(_LOG_SERVICE, timeout_s * 2) as stream:
                while piece := await stream.read_some():
                    log += piece
                    del log[:-limit_bytes]
        return bytes(log)

    async def reboot(self) -> None:
        """Restart the terminal; the link is closed by it. :class:`CommandRefused` where the terminal says no."""
        answer = b""
        # It may go down before it can say so: that is what was asked. Only an OPEN without an answer is a failure.
        with suppress(LinkLost):
            async with self._service(_REBOOT_SERVICE, _REBOOT_S) as stream:
                with suppress(LinkTimeout):
                    answer = bytes(await stream.read_some())
        if answer.strip():
            text = redact(answer[:1000].decode("utf-8", "replace").strip())[:500]
            raise CommandRefused(command="reboot", answer=raw(text))
        await self.close()

    def _open_carrier(self) -> Carrier:
        if self._carrier is None:
            raise LinkLost(address=str(self._address), detail="the link is not open")
        return self._carrier

    @asynccontextmanager
    async def _service(self, service: str, timeout_s: float) -> AsyncIterator[ByteStream]:
        stream = await self._open_carrier().open_stream(service, timeout_s)
        try:
            yield stream
        finally:
            stream.close()

    async def _discover(self, features: frozenset[str]) -> frozenset[Capability]:
        """What the daemon lists, and where it lists nothing (before Android 7), what a harmless try says."""
        found = {Capability.REBOOT}  # part of every daemon; a try would do it
        if "shell_v2" in features:
            found |= {Capability.SHELL, Capability.EXIT_CODES, Capability.STREAM_INSTALL}
        else:
            if await self._shell_answers():
                found.add(Capability.SHELL)
            elif self._may_be_pax and await self._systool_answers():
                found.add(Capability.SYSTOOL)
            if await self._offers(f"{shell.EXEC_SERVICE}true"):
                found.add(Capability.STREAM_INSTALL)
        if await self._offers(self.files):
            found |= {Capability.READ_FILES, Capability.WRITE_FILES}
            if "stat_v2" in features:
                found.add(Capability.SIZES_64)
        return frozenset(found)

    async def _shell_answers(self) -> bool:
        try:
            return (await self.run("true", timeout_s=_PROBE_S)).exit_code == 0
        except CommandRefused:
            return False

    async def _systool_answers(self) -> bool:
        """Only ``systool`` itself knows its marker: a shell that says no does not."""
        try:
            return (await self.systool("get sysprop ro.product.manufacturer")).exit_code is not None
        except CommandRefused:
            return False

    async def _offers(self, service: str) -> bool:
        try:
            async with self._service(service, _PROBE_S):
                return True
        except CommandRefused:
            return False
