"""What a debug daemon offers by name: ``shell``, ``exec``, ``sync``, ``reboot``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from techtool.links.adb.packets import SHELL_HEADER, ShellId
from techtool.simulator.android import PROGRAMS
from techtool.simulator.device import Device
from techtool.simulator.shell import Shell, Streams
from techtool.simulator.sync import SyncService
from techtool.simulator.wire import Service, Stream, StreamClosed

_NO_TERMINAL: Final = "This simulated terminal has no interactive shell; give a command.\n"


class Services:
    """The services of one daemon."""

    def __init__(self, device: Device, reboot: Callable[[], None]) -> None:
        self._device = device
        self._reboot = reboot

    def find(self, destination: str) -> Service | None:
        """The service for an OPEN's destination; None for one this terminal does not have."""
        name, _, rest = destination.partition(":")
        kind, *options = name.split(",")
        if kind == "shell":
            if "v2" in options:
                return self._shell_v2(rest) if "shell_v2" in self._device.model.daemon.features else None
            return self._plain(rest, crlf=self._device.model.daemon.crlf)
        if destination.startswith("exec:"):
            return self._plain(rest, crlf=False) if self._device.model.daemon.exec_service else None
        if destination == "sync:":
            return self._sync
        if kind == "reboot" and rest in ("", "normal"):
            return self._restart
        if kind in ("root", "remount", "unroot"):
            return self._say(f"adbd cannot {kind} in production builds\n")
        return None

    def _shell_v2(self, command: str) -> Service:
        async def serve(stream: Stream) -> None:
            streams = ShellStreams(stream)
            code = await self._run(command, streams, stream)
            await streams.exit(code)

        return serve

    def _plain(self, command: str, *, crlf: bool) -> Service:
        async def serve(stream: Stream) -> None:
            await self._run(command, PlainStreams(stream, crlf=crlf), stream)

        return serve

    async def _run(self, command: str, streams: Streams, stream: Stream) -> int:
        if not command:
            await streams.err(_NO_TERMINAL.encode())
            return 2
        hang = self._device.faults.faults.hang
        if hang is not None and hang.command and hang.command in command and self._device.faults.hang_now(hang):
            streams = _HangingStreams(streams, stream, hang.after_bytes)
        code = await Shell(self._device, streams, PROGRAMS).run(command)
        if isinstance(streams, _HangingStreams):
            stream.link.hang()
        return code

    async def _sync(self, stream: Stream) -> None:
        await SyncService(self._device, stream).run()

    async def _restart(self, _stream: Stream) -> None:
        self._reboot()

    @staticmethod
    def _say(text: str) -> Service:
        async def serve(stream: Stream) -> None:
            await stream.write(text.encode())

        return serve


class ShellStreams:
    """Standard streams inside shell_v2 packets."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._input = b""
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """Up to ``limit`` bytes of standard input; empty once it was closed."""
        while not self._input and not self._ended:
            try:
                kind, size = SHELL_HEADER.unpack(await self._stream.read_exactly(SHELL_HEADER.size))
                data = await self._stream.read_exactly(size)
            except StreamClosed:
                self._ended = True
                break
            if kind == ShellId.STDIN:
                self._input = data
            elif kind == ShellId.CLOSE_STDIN:
                self._ended = True
        data, self._input = self._input[:limit], self._input[limit:]
        return data

    async def out(self, data: bytes) -> None:
        """Standard output."""
        await self._write(ShellId.STDOUT, data)

    async def err(self, data: bytes) -> None:
        """Standard error."""
        await self._write(ShellId.STDERR, data)

    async def exit(self, code: int) -> None:
        """The exit code: the last packet."""
        await self._write(ShellId.EXIT, bytes([code & 0xFF]))

    async def _write(self, kind: ShellId, data: bytes) -> None:
        room = self._stream.max_payload - SHELL_HEADER.size
        for at in range(0, len(data), room):
            piece = data[at : at + room]
            await self._stream.write(SHELL_HEADER.pack(kind, len(piece)) + piece)


class PlainStreams:
    """Standard streams as one: no exit code, errors among the output."""

    def __init__(self, stream: Stream, *, crlf: bool) -> None:
        self._stream = stream
        self._crlf = crlf

    async def read(self, limit: int) -> bytes:
        """Up to ``limit`` bytes of what the host sends."""
        return await self._stream.read(limit)

    async def out(self, data: bytes) -> None:
        """Output, with a terminal device's line ends on old daemons."""
        await self._stream.write(data.replace(b"\n", b"\r\n") if self._crlf else data)

    async def err(self, data: bytes) -> None:
        """The same."""
        await self.out(data)


class _HangingStreams:
    """Output that stops after some bytes, and takes the daemon with it."""

    def __init__(self, streams: Streams, stream: Stream, after_bytes: int) -> None:
        self._streams = streams
        self._stream = stream
        self._left = after_bytes

    async def read(self, limit: int) -> bytes:
        return await self._streams.read(limit)

    async def out(self, data: bytes) -> None:
        await self._streams.out(data[: self._left])
        self._left -= len(data)
        if self._left < 0:
            self._stream.link.hang()

    async def err(self, data: bytes) -> None:
        await self.out(data)
