"""The simulated shell: runs what :mod:`techtool.simulator.syntax` understands against one terminal's commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from techtool.simulator.device import Device
from techtool.simulator.files import FileRefused
from techtool.simulator.syntax import AndOr, Group, NotUnderstood, Redirection, Script, Simple, Word, parse

EXIT_NOT_UNDERSTOOD: Final = 2
EXIT_NOT_FOUND: Final = 127


class Streams(Protocol):
    """Standard input, output and error of a command."""

    async def read(self, limit: int) -> bytes:
        """Up to ``limit`` bytes; empty at the end."""
        ...

    async def out(self, data: bytes) -> None:
        """Write to standard output."""
        ...

    async def err(self, data: bytes) -> None:
        """Write to standard error."""
        ...


@dataclass(slots=True)
class Context:
    """What a command gets: the terminal, its streams, and texts made easy."""

    device: Device
    streams: Streams

    async def say(self, text: str) -> None:
        """A line on standard output."""
        await self.streams.out(f"{text}\n".encode())

    async def complain(self, text: str) -> None:
        """A line on standard error."""
        await self.streams.err(f"{text}\n".encode())


Program = Callable[[Context, list[str]], Awaitable[int]]
"""A command: arguments without its own name → exit code."""


class ShellExit(Exception):
    """``exit N`` inside a shell or subshell."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Shell:
    """One shell process."""

    def __init__(self, device: Device, streams: Streams, programs: Mapping[str, Program]) -> None:
        self._device = device
        self._streams = streams
        self._programs = programs
        self._status = 0

    async def run(self, text: str) -> int:
        """Run a command line; its exit code, 2 for what this shell does not simulate."""
        try:
            script = parse(text)
        except NotUnderstood as error:
            await self._streams.err(f"sh: not simulated: {error}\n".encode())
            return EXIT_NOT_UNDERSTOOD
        return await self._subshell(script, self._streams)

    async def _subshell(self, script: Script, streams: Streams) -> int:
        try:
            for item in script.items:
                self._status = await self._and_or(item, streams)
        except ShellExit as leave:
            self._status = leave.code
        return self._status

    async def _and_or(self, item: AndOr, streams: Streams) -> int:
        self._status = await self._command(item.first, streams)
        for operator, command in item.rest:
            if (operator == "&&") == (self._status == 0):
                self._status = await self._command(command, streams)
        return self._status

    async def _command(self, command: Simple | Group, streams: Streams) -> int:
        with ExitStack() as opened:
            try:
                streams = self._redirect(streams, command.redirections, opened)
            except FileRefused as error:
                await streams.err(f"/system/bin/sh: can't create file: {error}\n".encode())
                return 1
            return await self._redirected(command, streams)

    async def _redirected(self, command: Simple | Group, streams: Streams) -> int:
        if isinstance(command, Group):
            return await self._subshell(command.body, streams)
        name, *arguments = [self._expand(word) for word in command.words]
        if name == "exit":
            raise ShellExit(_exit_code(arguments, self._status))
        program = self._programs.get(name.removeprefix("/system/bin/"))
        if program is None:
            await streams.err(f"/system/bin/sh: {name}: inaccessible or not found\n".encode())
            return EXIT_NOT_FOUND
        return await program(Context(self._device, streams), arguments)

    def _redirect(self, streams: Streams, redirections: tuple[Redirection, ...], opened: ExitStack) -> Streams:
        for redirection in redirections:
            if redirection.append_to:
                path = self._expand(redirection.append_to)
                target = opened.enter_context(self._device.files.appending(path, self._device.free_bytes()))
                streams = _Appended(streams, target)
        return redirect(streams, tuple(each for each in redirections if not each.append_to))

    def _expand(self, word: Word) -> str:
        return "".join(part if isinstance(part, str) else str(self._status) for part in word)


def _exit_code(arguments: list[str], status: int) -> int:
    if not arguments:
        return status
    return int(arguments[0]) & 0xFF if arguments[0].lstrip("-").isdigit() else EXIT_NOT_UNDERSTOOD


def redirect(streams: Streams, redirections: tuple[Redirection, ...]) -> Streams:
    """The streams as a command with these redirections sees them, applied from left to right."""
    targets: dict[int, int | None] = {0: 0, 1: 1, 2: 2}
    for redirection in redirections:
        targets[redirection.fd] = None if redirection.target is None else targets[redirection.target]
    return _Redirected(streams, targets) if redirections else streams


@dataclass(frozen=True, slots=True)
class _Appended:
    """Streams whose output goes to the end of a file."""

    streams: Streams
    append: Callable[[bytes], None]

    async def read(self, limit: int) -> bytes:
        return await self.streams.read(limit)

    async def out(self, data: bytes) -> None:
        try:
            self.append(data)
        except FileRefused as error:
            await self.streams.err(f"write: {error}\n".encode())
            raise ShellExit(1) from error

    async def err(self, data: bytes) -> None:
        await self.streams.err(data)


@dataclass(frozen=True, slots=True)
class _Redirected:
    """Streams with some descriptors turned elsewhere."""

    streams: Streams
    targets: Mapping[int, int | None]

    async def read(self, limit: int) -> bytes:
        return await self.streams.read(limit) if self.targets[0] == 0 else b""

    async def out(self, data: bytes) -> None:
        await self._write(1, data)

    async def err(self, data: bytes) -> None:
        await self._write(2, data)

    async def _write(self, fd: int, data: bytes) -> None:
        match self.targets[fd]:
            case 1:
                await self.streams.out(data)
            case 2:
                await self.streams.err(data)
