"""The half of a link that has no shell and no files: each operation says so."""

# ruff: noqa: ARG002 - the arguments are the Protocol's

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import BinaryIO, NoReturn

from techtool.domain.terminal import Address
from techtool.errors import NotCapable
from techtool.i18n import phrase
from techtool.links.base import CommandResult, Confirmed, FileStat


class WithoutShell(ABC):
    """See :class:`techtool.links.base.Link`; raises ``NotCapable``."""

    @property
    @abstractmethod
    def address(self) -> Address:
        """Where it leads."""

    def _no(self) -> NoReturn:
        raise NotCapable(address=str(self.address), capability=phrase("asking the terminal (shell)"))

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        """There is no shell."""
        self._no()

    async def feed(
        self,
        command: str,
        source: BinaryIO,
        size_bytes: int,
        *,
        confirmed: Confirmed | None = None,
        timeout_s: float = 120.0,
    ) -> CommandResult:
        """There is no shell."""
        self._no()

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        """There are no files."""
        self._no()

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        """There are no files."""
        self._no()
        yield b""

    async def stat(self, path: str) -> FileStat | None:
        """There are no files."""
        self._no()

    async def reboot(self) -> None:
        """How it is restarted is the driver's business."""
        self._no()
