"""Commands on a terminal: shell_v2, an honest fallback for daemons without it, ``exec:`` with a payload.

Source: AOSP ``shell_protocol.h`` (id, length, data) and ``daemon/shell_service.cpp``. A daemon without shell_v2 gives
no exit code; a random marker printed by the shell behind the command brings it, and where the marker does not come
back, the exit code is unknown and said to be so.
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from techtool.domain.sensitive import redact
from techtool.errors import CommandRefused, LinkLost, LinkTimeout, WrongProtocol
from techtool.i18n import Phrase, phrase, raw
from techtool.links.adb.bytestream import ByteStream
from techtool.links.adb.packets import MAX_PAYLOAD, SHELL_HEADER, ShellId
from techtool.links.adb.payload import Payload, Pump, fill_plainly
from techtool.links.base import CommandResult, Confirmed

V2_SERVICE: Final = "shell,v2,raw:"
V1_SERVICE: Final = "shell:"
EXEC_SERVICE: Final = "exec:"
_REPLY_LIMIT: Final = 1 << 20
_SYSTOOL: Final = re.compile(rb"\[SYSTOOL:-?(\d{1,5})\]\r?\n?")


class _Output:
    """Collects what a command prints, up to a limit."""

    def __init__(self, peer: str, limit_bytes: int) -> None:
        self._peer = peer
        self._limit = limit_bytes
        self._size = 0

    def add(self, target: bytearray, data: bytes | memoryview) -> None:
        """Keep ``data``; more than the limit is a :class:`WrongProtocol`."""
        self._size += len(data)
        if self._size > self._limit:
            problem = phrase("a command printed more than {limit} bytes", limit=self._limit)
            raise WrongProtocol(address=self._peer, problem=problem)
        target += data


async def collect_v2(stream: ByteStream, limit_bytes: int) -> CommandResult:
    """Read a shell_v2 stream until its exit code; the command's standard input is closed at once."""
    stream.send(SHELL_HEADER.pack(ShellId.CLOSE_STDIN, 0))  # a new stream is always ready
    output = _Output(stream.peer, limit_bytes)
    stdout, stderr = bytearray(), bytearray()
    while True:
        kind, length = SHELL_HEADER.unpack(await stream.read_exactly(SHELL_HEADER.size))
        if length > MAX_PAYLOAD:
            problem = phrase("it breaks the ADB protocol: {what}", what=f"shell packet of {length} bytes")
            raise WrongProtocol(address=stream.peer, problem=problem)
        data = await stream.read_exactly(length)
        if kind == ShellId.STDOUT:
            output.add(stdout, data)
        elif kind == ShellId.STDERR:
            output.add(stderr, data)
        elif kind == ShellId.EXIT:
            return CommandResult(data[0] if data else None, bytes(stdout), bytes(stderr))


def marked(command: str, marker: str) -> str:
    """The command line whose output ends with ``marker:EXITCODE``.

    The command runs in a subshell, so that one which itself says ``exit`` does not take the marker along; the line end
    before the bracket lets it end in a comment. Its standard input is empty, as with shell_v2.
    """
    return f"( {command}\n) </dev/null; echo {marker}:$?"


async def collect_v1(stream: ByteStream, marker: str, limit_bytes: int) -> CommandResult:
    """Read a plain shell stream to its end, and the exit code from the marker where there is one."""
    return unmark(await read_all(stream, limit_bytes), marker)


def unmark(data: bytes, marker: str) -> CommandResult:
    """Cut the marker off; a line end of CR LF behind it tells that a tty made every LF into CR LF."""
    found = re.search(re.escape(marker).encode() + rb":(\d{1,3})(\r?)\n?\Z", data)
    if found is None:
        return CommandResult(None, data)
    stdout = data[: found.start()]
    return CommandResult(int(found[1]), stdout.replace(b"\r\n", b"\n") if found[2] else stdout)


async def feed(stream: ByteStream, source: BinaryIO, size_bytes: int, confirmed: Confirmed | None) -> CommandResult:
    """Send a payload as the command's standard input, then read its answer until it closes.

    ADB has no half-close for ``exec:``: the command must know where its input ends (``install-write -S SIZE`` does).
    A command that closes before it has taken everything has answered early: its answer is returned, unless there is
    none at all, which is a :class:`LinkLost`.
    """
    pump = Pump(stream, Payload(source, size_bytes), fill_plainly, confirmed)
    reply = bytearray()
    output = _Output(stream.peer, _REPLY_LIMIT)
    try:
        while not await pump.run():
            piece = await stream.read_some()
            if not piece:
                return _early(stream, reply, pump.confirmed_bytes, size_bytes)
            output.add(reply, piece)
    except LinkTimeout as error:
        if reply:
            raise CommandRefused(command="exec", answer=_shown(reply), detail=str(error)) from error
        raise
    while piece := await stream.read_some():
        output.add(reply, piece)
    return CommandResult(None, bytes(reply))


def _early(stream: ByteStream, reply: bytearray, done: int, size_bytes: int) -> CommandResult:
    if not reply:
        raise LinkLost(address=stream.peer, detail=f"the command ended after {done} of {size_bytes} bytes")
    return CommandResult(None, bytes(reply))


def unmark_systool(data: bytes) -> CommandResult:
    """``[SYSTOOL:-N]`` is how PAX's systool tells its exit code (source: a public rebuild of PAX's adb)."""
    marks = list(_SYSTOOL.finditer(data))
    return CommandResult(int(marks[-1][1]) if marks else None, _SYSTOOL.sub(b"", data))


async def read_all(stream: ByteStream, limit_bytes: int) -> bytes:
    """Everything a service says until it closes."""
    output = _Output(stream.peer, limit_bytes)
    data = bytearray()
    while piece := await stream.read_some():
        output.add(data, piece)
    return bytes(data)


def _shown(reply: bytearray) -> Phrase:
    return raw(redact(bytes(reply[:1000]).decode("utf-8", "replace").strip())[:500])
