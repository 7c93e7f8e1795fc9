"""A link that does what the one inside does, and has everything noted that goes over it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from typing import BinaryIO, Final, Protocol, cast

from techtool.domain.terminal import Address
from techtool.errors import LinkError
from techtool.links.base import (
    Capability,
    CommandResult,
    Confirmed,
    FileStat,
    FolderEntry,
    FolderLink,
    Link,
    LogLink,
    SystoolLink,
    TellingLink,
)
from techtool.links.permission import AsksPermission, Told, nobody, tell_permission
from techtool.links.record.transcript import Entry, NamedFile, printable, refusal_of

OUTPUT_BYTES: Final = 256 << 10
"""Most that is kept of one command's output."""
FILE_BYTES: Final = 16 << 10
"""A file up to this size is kept as text where it is text; of others there is a digest."""


class Notes(Protocol):
    """Who takes down what the link tells: the recorder."""

    def opened(self, capabilities: frozenset[Capability]) -> None:
        """The link is open and can do this."""
        ...

    def add(self, entry: Entry) -> None:
        """This was done."""
        ...


class RecordingLink:
    """A link that does what the one inside does, and tells the recorder."""

    def __init__(self, inner: Link, notes: Notes) -> None:
        self._inner = inner
        self._notes = notes

    @property
    def address(self) -> Address:
        """Where it leads."""
        return self._inner.address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the link inside can do."""
        return self._inner.capabilities

    @property
    def on_permission(self) -> Told:
        """Who hears that the terminal asks a person; the link inside tells."""
        return self._inner.on_permission if isinstance(self._inner, AsksPermission) else nobody

    @on_permission.setter
    def on_permission(self, told: Told) -> None:
        tell_permission(self._inner, told)

    async def open(self) -> None:
        """Connect; only what goes wrong is written down."""
        with self._noting(Entry("open")):
            await self._inner.open()
        self._notes.opened(self._inner.capabilities)

    async def close(self) -> None:
        """Let go."""
        await self._inner.close()

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        """Run a command; its output is kept up to a bound."""
        entry = Entry("run", command)
        with self._noting(entry):
            result = await self._inner.run(command, timeout_s=timeout_s, limit_bytes=limit_bytes)
        self._notes.add(_said(entry, result))
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
        """Stream a payload; its digest is kept, not its bytes."""
        hashed = _Hashed(source)
        entry = Entry("feed", command, size_bytes=size_bytes)
        with self._noting(entry):
            result = await self._inner.feed(
                command, cast(BinaryIO, hashed), size_bytes, confirmed=confirmed, timeout_s=timeout_s
            )
        self._notes.add(_said(replace(entry, sha256=hashed.hexdigest), result))
        return result

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        """Write a file; its digest is kept, not its bytes."""
        hashed = _Hashed(source)
        entry = Entry("push", path, size_bytes=size_bytes, mode=mode)
        with self._noting(entry):
            await self._inner.push(cast(BinaryIO, hashed), size_bytes, path, mode=mode, confirmed=confirmed)
        self._notes.add(replace(entry, sha256=hashed.hexdigest))

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        """Read a file; a short text is kept, of a long file the digest. What was not read to its end is not kept."""
        digest, start, size = hashlib.sha256(), bytearray(), 0
        chunks = self._inner.pull(path)
        try:
            with self._noting(Entry("pull", path)):
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    start += chunk[: max(0, FILE_BYTES - len(start))]
                    yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        entry = Entry("pull", path, size_bytes=size)
        if size > FILE_BYTES:
            self._notes.add(replace(entry, sha256=digest.hexdigest()))
        else:
            self._notes.add(replace(entry, stdout=_text_of(bytes(start))))

    async def stat(self, path: str) -> FileStat | None:
        """What the terminal says of a file."""
        entry = Entry("stat", path)
        with self._noting(entry):
            found = await self._inner.stat(path)
        if found is None:
            self._notes.add(replace(entry, there=False))
        else:
            self._notes.add(replace(entry, size_bytes=found.size_bytes, mode=found.mode, modified_s=found.modified_s))
        return found

    async def reboot(self) -> None:
        """Restart the terminal."""
        with self._noting(Entry("reboot")):
            await self._inner.reboot()
        self._notes.add(Entry("reboot"))

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        """The names in a folder."""
        entry = Entry("list", path)
        with self._noting(entry):
            found = await cast(FolderLink, self._inner).list_folder(path)
        files = tuple(NamedFile(f.name, f.stat.size_bytes, f.stat.mode, f.stat.modified_s) for f in found)
        self._notes.add(replace(entry, files=files))
        return found

    async def own_facts(self) -> dict[str, str]:
        """What the terminal says of itself."""
        with self._noting(Entry("facts")):
            facts = await cast(TellingLink, self._inner).own_facts()
        self._notes.add(Entry("facts", facts=facts))
        return facts

    async def systool(self, words: str) -> CommandResult:
        """PAX's own tool."""
        entry = Entry("systool", words)
        with self._noting(entry):
            result = await cast(SystoolLink, self._inner).systool(words)
        self._notes.add(_said(entry, result))
        return result

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:
        """The terminal's own log; never written down."""
        if not isinstance(self._inner, LogLink):
            return b""
        return await self._inner.system_log(timeout_s=timeout_s, limit_bytes=limit_bytes)

    @contextlib.contextmanager
    def _noting(self, entry: Entry) -> Iterator[None]:
        """What the terminal, or the way to it, refuses is written down as well."""
        try:
            yield
        except LinkError as error:
            self._notes.add(replace(entry, refused=refusal_of(error)))
            raise


class _Hashed:
    """A payload that is hashed as it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.name = str(getattr(source, "name", "payload"))

    @property
    def hexdigest(self) -> str:
        """Of what was read."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._source.read(size)
        self._digest.update(data)
        return data


def _said(entry: Entry, result: CommandResult) -> Entry:
    cut = max(len(result.stdout), len(result.stderr)) > OUTPUT_BYTES
    stdout, stderr = (printable(_decoded(_bounded(said))) for said in (result.stdout, result.stderr))
    return replace(entry, exit_code=result.exit_code, stdout=stdout, stderr=stderr, cut=cut)


def _bounded(data: bytes) -> bytes:
    """Up to the last whole line: half a number is not known for one."""
    if len(data) <= OUTPUT_BYTES:
        return data
    return data[: data.rfind(b"\n", 0, OUTPUT_BYTES) + 1]


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _text_of(data: bytes) -> str:
    """Empty where it is no text: then nothing of it is kept."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text
