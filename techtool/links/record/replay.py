"""``replay:FILE``: a terminal made of a recording. It answers what was asked then, and takes nothing.

Each question gets the answers in the order they were given; when they are used up, the last one again. What was not
asked when the recording was made is refused in words that say so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError, LinkLost, LinkTimeout, NotCapable, Unreachable
from techtool.i18n import Phrase, phrase, raw
from techtool.links.base import Capability, CommandResult, Confirmed, FileStat, FolderEntry
from techtool.links.record.transcript import Entry, Recording

_TAKES_NOTHING: Final = frozenset({Capability.WRITE_FILES, Capability.STREAM_INSTALL, Capability.REBOOT})


class ReplayLink:
    """See :class:`techtool.links.base.Link`; ``NotCapable`` for everything that changes a terminal."""

    def __init__(self, address: Address, recording: Recording) -> None:
        self._address = address
        self._recording = recording
        self._open = False
        self._answers: dict[tuple[str, str], deque[Entry]] = {}
        known = {capability.value for capability in Capability}
        could = frozenset(Capability(name) for name in recording.head.capabilities if name in known)
        self._capabilities = could - _TAKES_NOTHING

    @property
    def address(self) -> Address:
        """The recording's file."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the recorded link could, without what changes a terminal; empty while it is not open."""
        return self._capabilities if self._open else frozenset()

    async def open(self) -> None:
        """From the first answer again."""
        self._answers = {}
        for entry in self._recording.entries:
            self._answers.setdefault((entry.op, entry.what), deque()).append(entry)
        self._open = True
        refused = [entry for entry in self._recording.entries if entry.op == "open" and entry.refused]
        if refused and not self._recording.head.capabilities:
            self._raise(refused[-1])

    async def close(self) -> None:
        """Nothing is held."""
        self._open = False

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:  # noqa: ARG002
        """What the command printed when it was recorded."""
        entry = self.answer("run", command)
        return CommandResult(entry.exit_code, entry.stdout.encode(), entry.stderr.encode())

    async def systool(self, words: str) -> CommandResult:
        """What PAX's own tool said when it was recorded."""
        entry = self.answer("systool", words)
        return CommandResult(entry.exit_code, entry.stdout.encode(), entry.stderr.encode())

    async def feed(
        self,
        command: str,  # noqa: ARG002
        source: BinaryIO,  # noqa: ARG002
        size_bytes: int,  # noqa: ARG002
        *,
        confirmed: Confirmed | None = None,  # noqa: ARG002
        timeout_s: float = 120.0,  # noqa: ARG002
    ) -> CommandResult:
        """A recording takes nothing."""
        raise self.takes_nothing()

    async def push(
        self,
        source: BinaryIO,  # noqa: ARG002
        size_bytes: int,  # noqa: ARG002
        path: str,  # noqa: ARG002
        *,
        mode: int = 0o644,  # noqa: ARG002
        confirmed: Confirmed | None = None,  # noqa: ARG002
    ) -> None:
        """A recording takes nothing."""
        raise self.takes_nothing()

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        """A short text that was kept; of longer files there is only a digest."""
        entry = self.answer("pull", path)
        if entry.size_bytes and not entry.stdout:
            raise self._not_there(f"pull {path}", phrase("the recording keeps only the size of this file"))
        if entry.stdout:
            yield entry.stdout.encode()

    async def stat(self, path: str) -> FileStat | None:
        """What was said of the file."""
        entry = self.answer("stat", path)
        return FileStat(entry.size_bytes, entry.mode, entry.modified_s) if entry.there else None

    async def reboot(self) -> None:
        """A recording takes nothing."""
        raise self.takes_nothing()

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        """The names that were told."""
        files = self.answer("list", path).files
        return tuple(FolderEntry(f.name, FileStat(f.size_bytes, f.mode, f.modified_s)) for f in files)

    async def own_facts(self) -> dict[str, str]:
        """What the terminal said of itself."""
        return dict(self.answer("facts", "").facts)

    def answer(self, op: str, what: str) -> Entry:
        """What came of an operation then; raises its error of then, ``CommandRefused`` where it was not done."""
        if not self._open:
            raise LinkLost(address=str(self._address), detail="the link is not open")
        waiting = self._answers.get((op, what))
        if not waiting:
            name = what if op == "run" else f"{op} {what}".strip()
            raise self._not_there(name, phrase("this was not asked when the recording was made"))
        entry = waiting.popleft() if len(waiting) > 1 else waiting[0]
        self._raise(entry)
        if entry.dropped:
            raise self._not_there(what, phrase("the recording keeps nothing of this answer"))
        return entry

    def _raise(self, entry: Entry) -> None:
        """The error of then."""
        if entry.refused is None:
            return
        address, words = str(self._address), entry.refused.words
        errors: dict[str, LinkError] = {
            "CommandRefused": CommandRefused(command=entry.what or entry.op, answer=raw(words)),
            "NotCapable": NotCapable(address=address, capability=entry.what or entry.op),
            "LinkTimeout": LinkTimeout(address=address, seconds="?", detail="recorded"),
            "LinkLost": LinkLost(address=address, detail="recorded"),
        }
        raise errors.get(entry.refused.kind, Unreachable(address=address, detail=f"recorded: {entry.refused.kind}"))

    def _not_there(self, command: str, why: Phrase) -> CommandRefused:
        return CommandRefused(command=command, answer=why)

    def takes_nothing(self) -> NotCapable:
        """The error for whatever would change a terminal."""
        return NotCapable(address=str(self._address), capability=phrase("changing a terminal: it is a recording"))
