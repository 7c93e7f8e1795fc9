"""``xcb://HOST:PORT``: PAX Prolin terminals, whose “XCB” is the ADB wire with another name for the file service.

Source: PAX's XCB manual of 2013 (its commands ``devinfo`` and ``installer``) and a public client written for D200 and
S920, which lists, pulls and pushes through ``installer:`` with the sub-protocol of ``sync:``. What that service takes
for installing an application is not published, and a shell is not described: neither is offered here. Not verified on
hardware.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, ClassVar, Final

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkTimeout, NotCapable
from techtool.i18n import Phrase, phrase
from techtool.links.adb import sync
from techtool.links.adb.auth import key_maker
from techtool.links.adb.bytestream import within
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.link import FILE_WAIT_S, AdbLink
from techtool.links.adb.told import facts_of
from techtool.links.adb.wire import AdbConnection
from techtool.links.base import Capability, CommandResult, Confirmed, FolderEntry
from techtool.paths import DISK, Disk, Paths

_INFO_SERVICE: Final = "devinfo:"
_INFO_S: Final = 10.0
_INFO_LIMIT: Final = 64 << 10


class XcbLink(AdbLink):
    """A Prolin terminal: files, and what it says of itself; no commands."""

    files: ClassVar[str] = "installer:"

    def __init__(
        self, address: Address, paths: Paths, *, disk: Disk = DISK, options: HandshakeOptions | None = None
    ) -> None:
        super().__init__(address, self._reach)
        self._key = key_maker(paths.adb_key, disk)
        self._options = replace(options or HandshakeOptions(delayed_ack=False), told=self.tell_permission)
        self._banner: dict[str, str] = {}

    async def _reach(self) -> AdbConnection:
        connection = await AdbConnection.connect(self.address, self._key, options=self._options)
        self._banner = connection.banner.properties
        return connection

    async def _discover(self, features: frozenset[str]) -> frozenset[Capability]:
        """What the published descriptions name and a harmless try confirms."""
        found = {Capability.OWN_FACTS}
        if await self._offers(self.files):
            found |= {Capability.READ_FILES, Capability.WRITE_FILES, Capability.LIST_FILES}
            if "stat_v2" in features:
                found.add(Capability.SIZES_64)
        return frozenset(found)

    async def own_facts(self) -> dict[str, str]:
        """The banner's properties as ``banner.NAME`` and what ``devinfo`` says as ``devinfo.PLACE``.

        Whether the service ends by itself is not published: what came within ten seconds counts.
        """
        info = b""
        try:
            async with within(_INFO_S, str(self.address)), self._service(_INFO_SERVICE, _INFO_S) as stream:
                while len(info) <= _INFO_LIMIT and (piece := await stream.read_some()):
                    info += piece
        except CommandRefused:
            info = b""
        except LinkTimeout:
            if not info:
                raise
        return {f"banner.{name}": value for name, value in self._banner.items()} | facts_of(info[:_INFO_LIMIT])

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        """What stands in a folder; empty where there is none or it may not be seen."""
        async with self._service(self.files, FILE_WAIT_S) as stream:
            return await sync.list_folder(stream, path)

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:  # noqa: ARG002 - the Protocol's signature
        """Not described for these terminals: :class:`NotCapable`."""
        raise self._cannot(phrase("asking the terminal (shell)"))

    async def feed(
        self,
        command: str,  # noqa: ARG002
        source: BinaryIO,  # noqa: ARG002
        size_bytes: int,  # noqa: ARG002
        *,
        confirmed: Confirmed | None = None,  # noqa: ARG002
        timeout_s: float = 120.0,  # noqa: ARG002
    ) -> CommandResult:
        """Not described for these terminals: :class:`NotCapable`."""
        raise self._cannot(phrase("installing"))

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:  # noqa: ARG002
        """None is described."""
        return b""

    async def reboot(self) -> None:
        """Not described for these terminals: :class:`NotCapable`."""
        raise self._cannot(phrase("restarting the terminal"))

    def _cannot(self, what: Phrase) -> NotCapable:
        return NotCapable(address=str(self.address), capability=what)
