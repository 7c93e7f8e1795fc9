"""Ask an Android terminal something, tolerant of terminals that do not know the question."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from techtool.errors import CommandRefused
from techtool.links.base import CommandResult, Link

LIST_LIMIT_BYTES: Final = 64 << 20
"""A whole ``dumpsys package`` of a full terminal."""
_NOT_FOUND: Final = re.compile(r"\bsh: .*not found")
_NO_SUCH_COMMAND: Final = 127


async def ask(link: Link, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> str | None:
    """What the command prints; None where it fails or there is none such."""
    try:
        result = await link.run(command, timeout_s=timeout_s, limit_bytes=limit_bytes)
    except CommandRefused:
        return None
    if result.exit_code is None and is_no_such_command(result):
        return None
    return result.text if result.exit_code in (0, None) else None


def answer_of(result: CommandResult) -> str:
    """Both streams as one text."""
    streams = (result.text, result.stderr.decode("utf-8", "replace").replace("\r\n", "\n"))
    return "\n".join(stream.strip() for stream in streams if stream.strip())


def is_no_such_command(result: CommandResult) -> bool:
    """Whether the terminal has no program of that name."""
    if result.exit_code is None:
        return _NOT_FOUND.search(answer_of(result)) is not None
    return result.exit_code == _NO_SUCH_COMMAND


@asynccontextmanager
async def pulled(link: Link, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """A file of the terminal in chunks; the terminal is told when we stop in the middle."""
    chunks = link.pull(path)
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
