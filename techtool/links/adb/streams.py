"""Streams of a direct connection and their flow control, old and new.

Old: one WRTE is on its way until the other side's OKAY. New (``delayed_ack``, Android 14 and later): each side grants a
window when the stream opens, and OKAY tells how many bytes were passed on, so that what is confirmed is exact and
neither side holds more than the window. It is not only faster: these daemons without it answer OKAY after *any* part of
a packet was passed on, which confirms nothing and lets a sender fill the terminal's memory.

Source: AOSP ``packages/modules/adb`` protocol.txt, docs/dev/delayed_ack.md; the last remark: seen with adbd 34.
"""

from __future__ import annotations

import struct
from typing import Final, Protocol

from techtool.errors import CommandRefused
from techtool.i18n import phrase
from techtool.links.adb.bytestream import ByteStream, Data
from techtool.links.adb.packets import MAX_PAYLOAD, Command

RECEIVE_WINDOW: Final = 4 << 20
"""What we grant the terminal; also where the old flow control's OKAY waits for the reader."""
SEND_WINDOW: Final = 4 << 20
"""Most that we let wait in the terminal, however much it grants."""
_ACK: Final = struct.Struct("<i")
_ACK_AT: Final = RECEIVE_WINDOW // 4


class Connection(Protocol):
    """What a stream needs of its connection."""

    @property
    def peer(self) -> str:
        """The terminal's address."""
        ...

    @property
    def max_payload(self) -> int:
        """The daemon's largest payload."""
        ...

    @property
    def delayed_ack(self) -> bool:
        """Whether OKAY counts bytes."""
        ...

    @property
    def congested(self) -> bool:
        """Whether much is still unsent."""
        ...

    def send(self, command: Command, arg0: int, arg1: int, data: Data = b"") -> None:
        """One packet to the daemon."""
        ...

    def forget(self, local_id: int) -> None:
        """The stream is over."""
        ...

    def broken(self, what: str) -> None:
        """The daemon breaks the protocol."""
        ...


class AdbStream(ByteStream):
    """One stream of an :class:`~techtool.links.adb.wire.AdbConnection`."""

    def __init__(self, connection: Connection, local_id: int, timeout_s: float) -> None:
        super().__init__(connection.peer, timeout_s)
        self._connection = connection
        self._local = local_id
        self._remote = 0
        self._credit = 0
        """What the terminal still lets us send (new flow control)."""
        self._queued = 0
        self._owed = 0
        """Bytes, or with the old flow control packets, that we have not answered with OKAY."""
        self._closed = False

    @property
    def max_chunk(self) -> int:
        """The daemon's largest payload."""
        return self._connection.max_payload

    def send(self, data: Data) -> None:
        """Hand over one chunk as one WRTE."""
        if not self._has_credit() or len(data) > self.max_chunk:
            raise ValueError("a chunk when ready, of max_chunk bytes at most")
        if data and not (self._ended or self._closed or self._failure):
            self._in_flight += len(data)
            self._credit -= len(data)
            self._connection.send(Command.WRTE, self._local, self._remote, data)

    def close(self) -> None:
        """Tell the daemon with CLSE; a stream that is still being opened is closed when the daemon's answer comes."""
        if self._closed:
            return
        self._closed = True
        self._inbox.clear()
        if self._remote:
            self._connection.forget(self._local)
            if not self._ended:
                self._connection.send(Command.CLSE, self._local, self._remote)
        elif self._ended or self._failure:
            self._connection.forget(self._local)

    async def opened(self, service: str) -> None:
        """Until the daemon has answered OPEN; :class:`CommandRefused` where it does not offer the service."""
        await self._until(lambda: bool(self._remote))
        if not self._remote:
            raise CommandRefused(command=service, answer=phrase("it does not offer this service"))

    # -- packets from the daemon

    def on_okay(self, remote: int, data: bytes) -> None:
        """It has opened the stream, or passed on what we sent."""
        if self._remote not in (0, remote):
            return
        if self._connection.delayed_ack:
            if len(data) != _ACK.size:
                self._connection.broken(f"OKAY of {len(data)} bytes, without a count")
                return
            (count,) = _ACK.unpack(data)
            if not self._remote and count <= 0:
                self._connection.broken(f"a window of {count} bytes")
                return
            self._credit += count
            self._in_flight = max(0, self._in_flight - count)
        else:
            self._in_flight = 0
        if not self._remote:
            self._remote = remote
            if self._closed:
                self._connection.forget(self._local)
                self._connection.send(Command.CLSE, self._local, remote)
        self.wake()

    def on_write(self, remote: int, data: memoryview) -> None:
        """It sends; answered while little waits unread, later when much does."""
        if remote != self._remote or self._closed:
            return
        self._queued += len(data)
        self.deliver(data)
        if self._connection.delayed_ack:
            breach = self._queued + self._owed > RECEIVE_WINDOW + MAX_PAYLOAD
        else:
            # A peer that does not wait for OKAY sends a second packet while one is owed.
            breach = self._owed > 0 and self._queued > 2 * RECEIVE_WINDOW
            self._owed += 1
            self._answer()
        if breach:
            self._connection.broken("it does not wait for OKAY")

    def on_close(self, remote: int) -> None:
        """It has closed, or refused to open; our side is closed with that, and nothing is answered."""
        if remote in (0, self._remote) or not self._remote:
            self._connection.forget(self._local)
            self.end()

    # -- inside

    def _has_credit(self) -> bool:
        if self._connection.delayed_ack:
            return self._credit > 0 and self._in_flight < SEND_WINDOW
        return not self._in_flight

    def _may_send(self) -> bool:
        return self._has_credit() and not self._connection.congested

    def _consumed(self, size_bytes: int) -> None:
        self._queued -= size_bytes
        if self._connection.delayed_ack:
            self._owed += size_bytes
        self._answer()

    def _answer(self) -> None:
        """Send the OKAY that is due."""
        if self._closed or self._ended or not self._owed:
            return
        if self._connection.delayed_ack:
            if self._owed >= _ACK_AT:  # with less owed, the terminal has window enough to go on
                owed, self._owed = self._owed, 0
                self._connection.send(Command.OKAY, self._local, self._remote, _ACK.pack(owed))
        elif self._queued < RECEIVE_WINDOW:
            self._owed -= 1
            self._connection.send(Command.OKAY, self._local, self._remote)
