"""A link whose answers are written down: each command has its text, exit code or error."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError
from techtool.links.base import Capability, CommandResult, Confirmed, FileStat

ADDRESS = Address("adb", "10.0.0.7:5555")
Answer = str | CommandResult | LinkError
NOT_FOUND = CommandResult(127, b"", b"/system/bin/sh: x: inaccessible or not found\n")


class FakeLink:
    """Behind the same Protocol as the real links; a command nobody wrote down is one the terminal does not have."""

    def __init__(self, answers: dict[str, Answer | Callable[[], Answer]] | None = None) -> None:
        self.answers: dict[str, Answer | Callable[[], Answer]] = dict(answers or {})
        self.files: dict[str, bytes | LinkError] = {}
        self.feed_answer: Answer = ""
        self.fed: list[tuple[str, int, str]] = []
        """Command, bytes and their SHA-256."""
        self.commands: list[str] = []
        self.can = frozenset(Capability)
        self.opened = 0
        self.rebooted = 0
        self.open_errors: list[LinkError] = []
        self.open_pulls = 0

    @property
    def address(self) -> Address:
        return ADDRESS

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.can

    async def open(self) -> None:
        self.opened += 1
        if self.open_errors:
            raise self.open_errors.pop(0)

    async def close(self) -> None:
        pass

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        self.commands.append(command)
        answer = self.answers.get(command, NOT_FOUND)
        return _result(answer() if callable(answer) else answer)

    async def feed(
        self,
        command: str,
        source: BinaryIO,
        size_bytes: int,
        *,
        confirmed: Confirmed | None = None,
        timeout_s: float = 120.0,
    ) -> CommandResult:
        self.commands.append(command)
        data = source.read(size_bytes)
        self.fed.append((command, len(data), hashlib.sha256(data).hexdigest()))
        if confirmed is not None:
            confirmed(len(data))
        return _result(self.feed_answer)

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        raise CommandRefused(command="push", answer="not here")

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        content = self.files.get(path)
        if content is None:
            raise CommandRefused(command=f"pull {path}", answer="No such file or directory")
        if isinstance(content, LinkError):
            raise content
        self.open_pulls += 1
        try:
            for start in range(0, max(1, len(content)), 65536):
                yield content[start : start + 65536]
        finally:
            self.open_pulls -= 1

    async def stat(self, path: str) -> FileStat | None:
        content = self.files.get(path)
        if content is None:
            return None
        return FileStat(len(content) if isinstance(content, bytes) else 1, 0o100644, 0)

    async def reboot(self) -> None:
        self.rebooted += 1


def _result(answer: Answer) -> CommandResult:
    if isinstance(answer, LinkError):
        raise answer
    return CommandResult(0, answer.encode()) if isinstance(answer, str) else answer
