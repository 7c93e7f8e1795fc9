"""Writes down what goes over a link, to be made harmless and kept as one file when the work is over.

Everything waits in memory, bounded, until :meth:`Recorder.pack`: only then are all numbers known that have to go, also
those that were named late. A process that is killed before leaves no recording.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import techtool
from techtool.clock import Clock, stamp
from techtool.domain.sensitive import Scanner
from techtool.links.base import Capability, Link
from techtool.links.record.http import HTTP, HttpWatcher, clean_body, learn_body
from techtool.links.record.masking import Masker
from techtool.links.record.recording_link import RecordingLink
from techtool.links.record.transcript import ENTRIES, KIND, SCHEMA, Entry, Head, line_of, pack, printable
from techtool.paths import DISK, Disk

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
                link.watch(HttpWatcher(self))
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


def _asks_one(entry: Entry) -> bool:
    """Whether a command asks for one value by its name: ``getprop ro.serialno``."""
    return entry.op in ("run", "systool") and " " in entry.what.strip() and entry.stdout.strip().count("\n") == 0


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _holds_card_data(data: bytes) -> bool:
    scanner = Scanner()
    return bool(scanner.feed(data) or scanner.finish())
