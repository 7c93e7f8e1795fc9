"""Writes down what goes over a link, to be made harmless and kept as one file when the work is over.

Everything waits in memory, bounded, until :meth:`Recorder.pack`: only then are all numbers known that have to go, also
those that were named late. A process that is killed before leaves no recording.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

import techtool
from techtool.clock import Clock, stamp
from techtool.domain.sensitive import Scanner
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
from techtool.links.record.http import HTTP, HttpWatcher, clean_body, learn_body
from techtool.links.record.masking import Masker
from techtool.links.record.transcript import (
    ENTRIES,
    KIND,
    SCHEMA,
    Entry,
    Head,
    NamedFile,
    line_of,
    pack,
    printable,
    refusal_of,
)
from techtool.paths import DISK, Disk

OUTPUT_BYTES: Final = 256 << 10
"""Most that is kept of one command's output."""
FILE_BYTES: Final = 16 << 10
"""A file up to this size is kept as text where it is text; of others there is a digest."""
TOTAL_BYTES: Final = 4 << 20
"""Most that is kept of all outputs together."""


class Recorder:
    """One recording; the links of one terminal write into it."""

    def __init__(
        self,
        clock: Clock,
        *,
        secret_words: Collection[str] = (),
        kept: Collection[str] = (),
        secret_names: Callable[[str], bool] = lambda name: False,  # noqa: ARG005
        key: bytes | None = None,
    ) -> None:
        """``key``: chooses the replacements; a fixed one only for tests."""
        self._at = stamp(clock.now())
        self._masker = Masker(key or secrets.token_bytes(32), secret_words, kept, secret_names)
        self._entries: list[Entry] = []
        self._size = 0
        self._complete = True
        self._scheme = ""
        self._capabilities: frozenset[Capability] = frozenset()

    @property
    def begun(self) -> bool:
        """Whether there was a link to write down."""
        return bool(self._scheme)

    def wrap(self, link: Link) -> Link:
        """The same link, written down."""
        self._scheme = self._scheme or link.address.scheme
        if link.address.scheme == "redfish+https":
            from techtool.links.redfish.link import RedfishLink

            if isinstance(link, RedfishLink):
                link.watch(HttpWatcher(self, OUTPUT_BYTES))
                return link
        return RecordingLink(link, self)

    def know(self, *numbers: str | None) -> None:
        """Numbers of this terminal that must not stand in the recording."""
        self._masker.know(number for number in numbers if number)

    def opened(self, capabilities: frozenset[Capability]) -> None:
        """The link is open and can do this."""
        self._capabilities |= capabilities

    def add(self, entry: Entry) -> None:
        """Keep what was done, as long as there is room."""
        size = len(entry.stdout) + len(entry.stderr) + sum(len(k) + len(v) for k, v in entry.facts.items())
        size += 64 * len(entry.files) + len(entry.what) + 64
        if len(self._entries) >= ENTRIES or self._size + size > TOTAL_BYTES:
            self._complete = False
            return
        self._size += size
        self._entries.append(entry)

    def pack(self) -> bytes:
        """The recording, harmless, as a file."""
        for entry in self._entries:
            self._learn(entry)
        head = Head(
            KIND,
            SCHEMA,
            self._at,
            techtool.__version__,
            self._scheme,
            tuple(sorted(c.value for c in self._capabilities)),
        )
        return pack(head, [self._line(entry) for entry in self._entries], complete=self._complete)

    def write(self, path: Path, disk: Disk = DISK) -> None:
        """Write the file as one; raises :class:`DiskFull`, :class:`DiskError`."""
        disk.write_file(path, self.pack())

    def _learn(self, entry: Entry) -> None:
        if entry.op == HTTP:
            learn_body(entry.stdout, self._masker)
            return
        for text in (entry.stdout, entry.stderr):
            self._masker.learn(text)
        for name, value in entry.facts.items():
            self._masker.learn_field(name, value)
            # What such a terminal calls its serial number is not published.
            self._masker.learn_unnamed(f"{name} {value}")
        if _asks_one(entry):
            self._masker.learn_field(entry.what.split()[-1], entry.stdout.strip())

    def _line(self, entry: Entry) -> bytes:
        """What still looks like card data once everything was cleaned is left out altogether."""
        clean = self._cleaned(entry)
        line = line_of(clean)
        texts = (clean.what, clean.stdout, clean.stderr, *clean.facts.values(), *(f.name for f in clean.files))
        if any(_holds_card_data(text.encode("utf-8", "surrogatepass")) for text in (*texts, line.decode())):
            line = line_of(Entry(entry.op, dropped=True))
        return line

    def _cleaned(self, entry: Entry) -> Entry:
        clean = self._masker.clean
        asked = entry.what.split()[-1] if _asks_one(entry) else ""
        if entry.op == HTTP:
            stdout = clean_body(entry.stdout, self._masker)
        else:
            stdout = self._masker.clean_field(asked, entry.stdout) if asked else clean(entry.stdout)
        kept_text = entry.op == "pull" and bool(entry.stdout)
        refused = entry.refused
        return replace(
            entry,
            what=clean(entry.what),
            stdout=stdout,
            stderr=clean(entry.stderr),
            # A digest of a short text could be tried through; of a text that is kept it is the kept text's.
            sha256=_sha256(stdout.encode("utf-8", "replace")) if kept_text else entry.sha256,
            size_bytes=len(stdout.encode("utf-8", "replace")) if kept_text else entry.size_bytes,
            files=tuple(replace(file, name=printable(clean(file.name))) for file in entry.files),
            facts={clean(name): self._masker.clean_field(name, value) for name, value in entry.facts.items()},
            refused=replace(refused, words=clean(refused.words)) if refused else None,
        )


class RecordingLink:
    """A link that does what the one inside does, and tells the recorder."""

    def __init__(self, inner: Link, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

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
        try:
            await self._inner.open()
        except LinkError as error:
            self._recorder.add(Entry("open", refused=refusal_of(error)))
            raise
        self._recorder.opened(self._inner.capabilities)

    async def close(self) -> None:
        """Let go."""
        await self._inner.close()

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        """Run a command; its output is kept up to a bound."""
        entry = Entry("run", command)
        try:
            result = await self._inner.run(command, timeout_s=timeout_s, limit_bytes=limit_bytes)
        except LinkError as error:
            self._failed(entry, error)
            raise
        self._recorder.add(_said(entry, result))
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
        try:
            result = await self._inner.feed(
                command, cast(BinaryIO, hashed), size_bytes, confirmed=confirmed, timeout_s=timeout_s
            )
        except LinkError as error:
            self._failed(entry, error)
            raise
        self._recorder.add(_said(replace(entry, sha256=hashed.hexdigest), result))
        return result

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        """Write a file; its digest is kept, not its bytes."""
        hashed = _Hashed(source)
        entry = Entry("push", path, size_bytes=size_bytes, mode=mode)
        try:
            await self._inner.push(cast(BinaryIO, hashed), size_bytes, path, mode=mode, confirmed=confirmed)
        except LinkError as error:
            self._failed(entry, error)
            raise
        self._recorder.add(replace(entry, sha256=hashed.hexdigest))

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        """Read a file; a short text is kept, of a long file the digest. What was not read to its end is not kept."""
        digest, start, size = hashlib.sha256(), bytearray(), 0
        chunks = self._inner.pull(path)
        try:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                start += chunk[: max(0, FILE_BYTES - len(start))]
                yield chunk
        except LinkError as error:
            self._failed(Entry("pull", path), error)
            raise
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        entry = Entry("pull", path, size_bytes=size)
        if size > FILE_BYTES:
            self._recorder.add(replace(entry, sha256=digest.hexdigest()))
        else:
            self._recorder.add(replace(entry, stdout=_text_of(bytes(start))))

    async def stat(self, path: str) -> FileStat | None:
        """What the terminal says of a file."""
        entry = Entry("stat", path)
        try:
            found = await self._inner.stat(path)
        except LinkError as error:
            self._failed(entry, error)
            raise
        if found is None:
            self._recorder.add(replace(entry, there=False))
        else:
            self._recorder.add(
                replace(entry, size_bytes=found.size_bytes, mode=found.mode, modified_s=found.modified_s)
            )
        return found

    async def reboot(self) -> None:
        """Restart the terminal."""
        try:
            await self._inner.reboot()
        except LinkError as error:
            self._failed(Entry("reboot"), error)
            raise
        self._recorder.add(Entry("reboot"))

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        """The names in a folder."""
        entry = Entry("list", path)
        try:
            found = await cast(FolderLink, self._inner).list_folder(path)
        except LinkError as error:
            self._failed(entry, error)
            raise
        files = tuple(NamedFile(f.name, f.stat.size_bytes, f.stat.mode, f.stat.modified_s) for f in found)
        self._recorder.add(replace(entry, files=files))
        return found

    async def own_facts(self) -> dict[str, str]:
        """What the terminal says of itself."""
        try:
            facts = await cast(TellingLink, self._inner).own_facts()
        except LinkError as error:
            self._failed(Entry("facts"), error)
            raise
        self._recorder.add(Entry("facts", facts=facts))
        return facts

    async def systool(self, words: str) -> CommandResult:
        """PAX's own tool."""
        entry = Entry("systool", words)
        try:
            result = await cast(SystoolLink, self._inner).systool(words)
        except LinkError as error:
            self._failed(entry, error)
            raise
        self._recorder.add(_said(entry, result))
        return result

    async def system_log(self, *, timeout_s: float = 20.0, limit_bytes: int = 2 << 20) -> bytes:
        """The terminal's own log; never written down."""
        if not isinstance(self._inner, LogLink):
            return b""
        return await self._inner.system_log(timeout_s=timeout_s, limit_bytes=limit_bytes)

    def _failed(self, entry: Entry, error: LinkError) -> None:
        self._recorder.add(replace(entry, refused=refusal_of(error)))


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


def _asks_one(entry: Entry) -> bool:
    """Whether a command asks for one value by its name: ``getprop ro.serialno``."""
    return entry.op in ("run", "systool") and " " in entry.what.strip() and entry.stdout.strip().count("\n") == 0


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


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _holds_card_data(data: bytes) -> bool:
    scanner = Scanner()
    return bool(scanner.feed(data) or scanner.finish())
