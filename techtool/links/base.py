"""The small Protocol that every way to a terminal implements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol, runtime_checkable

from techtool.domain.terminal import Address

Confirmed = Callable[[int], None]
"""Called with the number of bytes that the other side has confirmed so far."""


class Capability(StrEnum):
    """What a link can do; discovered, never assumed."""

    SHELL = "shell"
    EXIT_CODES = "exit_codes"
    """Commands report their exit code and keep stderr apart."""
    STREAM_INSTALL = "stream_install"
    """A payload can be streamed into a command's standard input."""
    READ_FILES = "read_files"
    WRITE_FILES = "write_files"
    SIZES_64 = "sizes_64"
    """Sizes of files over 4 GiB are told right."""
    REBOOT = "reboot"
    LIST_FILES = "list_files"
    """The names in a folder are told without a shell: :class:`FolderLink`."""
    SYSTOOL = "systool"
    """Properties are told one by one although the shell is locked: :class:`SystoolLink`."""
    OWN_FACTS = "own_facts"
    """The terminal tells what it is without a shell: :class:`TellingLink`."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command on the terminal ended."""

    exit_code: int | None
    """None where the link cannot tell."""
    stdout: bytes
    stderr: bytes = b""
    """Empty where the link mixes it into ``stdout``."""

    @property
    def text(self) -> str:
        """Standard output as text, never trusted for its encoding; line ends normalised."""
        return self.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class FileStat:
    """What a terminal says of one of its files."""

    size_bytes: int
    mode: int
    modified_s: int


@runtime_checkable
class Echoes(Protocol):
    """A link without a shell that can still be measured."""

    async def round_trip(self) -> None:
        """The smallest question there is, and its answer."""
        ...


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One name in a folder of the terminal."""

    name: str
    """The terminal's own bytes; what is no UTF-8 is kept as lone surrogates, so that the file can be asked for."""
    stat: FileStat


class Link(Protocol):
    """A connection to one terminal.

    Every operation raises only :class:`techtool.errors.LinkError` and its children: ``Unreachable``,
    ``WrongProtocol``, ``NotAuthorized``, ``LinkTimeout``, ``LinkLost``, ``CommandRefused``, ``NotCapable``.
    Several operations may run at once.
    """

    @property
    def address(self) -> Address:
        """Where it leads."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; empty before :meth:`open`."""
        ...

    async def open(self) -> None:
        """Connect and discover the capabilities."""
        ...

    async def close(self) -> None:
        """Let go; never raises, may be called twice."""
        ...

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        """Run a shell command; more output than ``limit_bytes`` is a :class:`WrongProtocol`."""
        ...

    async def feed(
        self,
        command: str,
        source: BinaryIO,
        size_bytes: int,
        *,
        confirmed: Confirmed | None = None,
        timeout_s: float = 120.0,
    ) -> CommandResult:
        """Run a command with ``size_bytes`` of ``source`` as its standard input (raw).

        ``timeout_s`` bounds each wait for the other side, not the whole. ``exit_code`` is None where only
        ``exec:`` exists.
        """
        ...

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        """Write a file on the terminal."""
        ...

    def pull(self, path: str) -> AsyncIterator[bytes]:
        """Read a file of the terminal in chunks; :class:`CommandRefused` when it may not be read."""
        ...

    async def stat(self, path: str) -> FileStat | None:
        """Size, mode and time of a file; None when it is not there."""
        ...

    async def reboot(self) -> None:
        """Restart the terminal; the link is lost by it."""
        ...


class FolderLink(Protocol):
    """What a link with ``LIST_FILES`` can besides."""

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        """What stands in a folder, without ``.`` and ``..``; empty where there is none or it may not be seen."""
        ...


class TellingLink(Protocol):
    """What a link with ``OWN_FACTS`` can besides."""

    async def own_facts(self) -> dict[str, str]:
        """What the terminal says of itself, name → value, as it spells them."""
        ...


class SystoolLink(Protocol):
    """What a link with ``SYSTOOL`` can besides."""

    async def systool(self, words: str) -> CommandResult:
        """Run PAX's own ``systool`` with these words; the exit code is from its marker, None where there is none."""
        ...


@runtime_checkable
class LogLink(Protocol):
    """A link over which a terminal may be asked for its own log; whether it has one shows when it is asked."""

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:
        """The newest of the terminal's own log, not searched and not redacted; empty where it has none."""
        ...
