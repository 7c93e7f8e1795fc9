"""What goes into a support bundle of a visit: gathered here, redacted, then packed by :mod:`techtool.reports.support`.

It is made where something is wrong, so nothing of it needs to be sound: neither the visit's record nor the index nor
the settings. What cannot be read is named in it instead.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from techtool.domain.case_code import case_code
from techtool.domain.codec import CodecError, decode_json_untyped, encode_json, plain
from techtool.domain.confidential import NUMBERS
from techtool.domain.schema import VISIT
from techtool.domain.visit import LaneRecord, VisitRecord
from techtool.errors import NoSuchVisit, NotFoundError, TechtoolError, UsageError
from techtool.i18n import phrase
from techtool.links.record.masking import Masker
from techtool.reports.redaction import Redactor
from techtool.reports.statement import statement
from techtool.reports.support import MOST_BYTES, Known, LeftOut, Opened, fitting, numbers_masked, pack
from techtool.store.frames import whole_lines
from techtool.store.journal import read_bytes
from techtool.store.sealing import Sealer
from techtool.visit.checkup import examine
from techtool.visit.rescue import House
from techtool.visit.support_about import both, catalogue, environment, error_json, readme, recorded, settings_of
from techtool.visit.visits import record_in

PREFIX: Final = "techtool-support-"
_HOME: Final = "TECHTOOL_HOME"
_PERSONAL: Final = frozenset({"merchant_contact", "merchant_phone", "credit_code", "age"})
"""Fields that the support desk has no use for: persons of an order, and the visit's key for the office."""
_LOGS: Final = 2 << 20
"""Bytes of log that go with a bundle, the newest."""


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that is on disk."""

    path: Path
    opened: Opened
    vendors: tuple[str, ...]
    """Catalogue ids of the makers of the terminals in it."""
    left_out: tuple[str, ...] = ()
    """Parts that are shortened or missing because the bundle would have been too large."""


def make_bundle(
    house: House, visit_id: str, folder: Path, lane: str = "", terminal_logs: Mapping[str, bytes] = MappingProxyType({})
) -> Made:
    """Write the bundle of a visit into ``folder``, whole or not at all; ``lane``: of that terminal only.

    ``terminal_logs``: serial number → the log that the terminal itself keeps, read just now.

    Raises :class:`NoSuchVisit`, :class:`UsageError` for a lane there is not, :class:`SupportRefused`,
    :class:`DiskFull`, :class:`DiskError`.
    """
    gathered = _Gathering(house, visit_id, lane, terminal_logs)
    files, left_out = gathered.fitting()
    data = pack(files, gathered.known)
    digest = hashlib.sha256(data).hexdigest()
    disk = house.home.disk
    disk.make_folder(folder)
    for left in folder.glob(f"{PREFIX}{visit_id}-*.part"):
        disk.unlink(left)
    path = folder / f"{PREFIX}{visit_id}-{case_code(digest)}.zip"
    disk.write_file(path, data)
    return Made(path, Opened((), len(data), digest), gathered.vendors, tuple(part.name for part in left_out))


class _Gathering:
    """Everything about one visit, read once."""

    def __init__(self, house: House, visit_id: str, lane: str, terminal_logs: Mapping[str, bytes]) -> None:
        self._house, self._id, self._lane, self._terminal_logs = house, visit_id, lane, terminal_logs
        try:
            self._data = read_bytes(house.home.visit_path(visit_id))
        except NotFoundError as error:
            raise NoSuchVisit(visit=visit_id) from error
        sealer = Sealer(VISIT, visit_id, house.home.keys)
        self._lines = [(line, _decoded(line.payload, sealer)) for line in whole_lines(self._data)]
        self._problem: TechtoolError | None = None
        self._record: VisitRecord | None = None
        try:
            self._record = record_in(house.home, visit_id)
        except TechtoolError as error:
            self._problem = error
        self._settings, self._bad_settings = settings_of(house.home.paths)
        if lane and self._record is not None and lane not in {one.lane for one in self._record.lanes}:
            raise UsageError(problem=phrase("Visit {visit} has no terminal {lane}.", visit=visit_id, lane=lane))
        strangers = set(terminal_logs) - {one.serial for one in self._lanes}
        if strangers:
            problem = phrase("The terminal {serial} is none of visit {visit}.", serial=min(strangers), visit=visit_id)
            raise UsageError(problem=problem)
        self.known = self._numbers()
        self._redactor = Redactor(self.known.serials, self.known.numbers)

    @property
    def vendors(self) -> tuple[str, ...]:
        """Of the terminals, as far as they were identified."""
        found = (state.identity.vendor for one in self._lanes for state in (one.after or one.before,) if state)
        return tuple(dict.fromkeys(found))

    @property
    def _lanes(self) -> tuple[LaneRecord, ...]:
        lanes = self._record.lanes if self._record is not None else ()
        return tuple(one for one in lanes if self._lane in ("", one.lane))

    def fitting(self) -> tuple[dict[str, bytes], tuple[LeftOut, ...]]:
        """What goes into the bundle, with a list of what had to stay behind."""
        files, left_out = fitting(self.files(), MOST_BYTES)
        if left_out:
            files["left-out.json"] = self._json(list(plain(left_out)), indent=2)
        return files, left_out

    def files(self) -> dict[str, bytes]:
        """Name → bytes, redacted."""
        files = {
            "README.txt": readme(self._id).encode(),
            "journal.jsonl": b"".join(self._json(line) + b"\n" for line in self._journal()),
            "journal-facts.json": self._json(self._facts(), indent=2),
            "environment.json": self._json(environment(), indent=2),
            "settings.json": self._json(self._public_settings(), indent=2),
            "catalogue.json": self._json(catalogue(), indent=2),
            "findings.json": self._json(self._findings(), indent=2),
            "errors.json": self._json([*self._errors()], indent=2),
            "trust.json": self._json({one.lane: plain(one.trust) for one in self._lanes if one.trust}, indent=2),
            "evidence.json": self._json(self._evidence(), indent=2),
            **self._report(),
        }
        for name, text in self._logs():
            files[f"logs/{name}"] = self._clean_text(text).encode()
        for number, log in enumerate(self._terminal_logs.values(), 1):
            files[f"logs/terminal-{number}.log"] = self._clean_text(self._of_terminal(log)).encode()
        return files

    # --- its parts ---------------------------------------------------------------------------------------------

    def _journal(self) -> Iterator[Mapping[str, object]]:
        """Every whole line with its chain value, so that it can be laid beside the original."""
        for number, (line, content) in enumerate(self._lines, 1):
            yield {"line": number, "offset": line.offset, "chain": line.chain, "content": self._of_lane(content)}

    def _of_lane(self, content: object) -> object:
        """Without what concerns other terminals, where one was chosen."""
        if not self._lane or not isinstance(content, list):
            return content
        return [op for op in content if _lane_of(op) in ("", self._lane)]

    def _facts(self) -> Mapping[str, object]:
        record = self._record
        return {
            "visit": self._id,
            "lane": self._lane or None,
            "file_sha256": hashlib.sha256(self._data).hexdigest(),
            "size_bytes": len(self._data),
            "whole_lines": len(self._lines),
            "last_chain": self._lines[-1][0].chain if self._lines else None,
            "head": record.head if record is not None else None,
            "sealed": record.sealed if record is not None else None,
            "problem": error_json(self._problem) if self._problem is not None else None,
        }

    def _public_settings(self) -> Mapping[str, object]:
        """The settings with the word “set” in place of what was given in confidence."""
        if self._settings is None:
            return {"problem": both(self._bad_settings.what_phrase) if self._bad_settings else None}
        links = replace(self._settings.links, pax=dict.fromkeys(self._settings.links.pax, "set"))
        office = self._settings.office
        if "@" in office.url:
            # No address that is ever used has a name or password in it, but a person may have written one.
            office = replace(office, url="set")
        shown = replace(self._settings, links=links, office=office)
        return dict(plain(shown))

    def _findings(self) -> Sequence[Mapping[str, object]]:
        return [
            {
                "path": str(found.path),
                "visit": found.visit or None,
                "problem": found.problem,
                "what": both(found.what),
                "since": both(found.since) if found.since is not None else None,
            }
            for found in examine(self._house).findings
        ]

    def _errors(self) -> Iterator[Mapping[str, object]]:
        for one in self._lanes:
            for step in one.steps:
                if step.error is not None:
                    yield {"lane": one.lane, "step": step.step.value, "item": step.item, **recorded(step.error)}
            if one.error is not None:
                yield {"lane": one.lane, "step": None, "item": "", **recorded(one.error)}

    def _evidence(self) -> Sequence[object]:
        """What there is, without the files: pictures cannot be searched for card numbers."""
        files = [*(self._record.evidence if self._record is not None else ())]
        files += [file for one in self._lanes for file in one.evidence]
        return list(plain(files))

    def _report(self) -> dict[str, bytes]:
        """As it was written and signed, else as it would be."""
        if self._record is None:
            return {}
        name = f"{self._id}.json"
        if self._lane:
            return {f"report/{name}": statement(replace(self._record, lanes=self._lanes))}
        written = self._house.home.paths.reports / self._id
        found = {f"report/{n}": (written / n).read_bytes() for n in (name, f"{name}.sig") if (written / n).is_file()}
        return found if f"report/{name}" in found else {f"report/{name}": statement(self._record)}

    def _logs(self) -> Iterator[tuple[str, str]]:
        """The newest of what was logged; nothing where there is no log."""
        room = _LOGS
        for path in sorted(self._house.home.paths.logs.glob("techtool.log*")):
            try:
                data = path.read_bytes()[-room:]
            except OSError:
                yield path.name, phrase("it cannot be read").text()
                continue
            room -= len(data)
            yield path.name, data.decode("utf-8", "replace")
            if room <= 0:
                return

    def _of_terminal(self, log: bytes) -> str:
        """A terminal's own log says things that nobody here chose: it is masked as a recording is, too."""
        text = log[-_LOGS:].decode("utf-8", "replace")
        masker = Masker(secrets.token_bytes(32), self.known.secrets, self.known.serials)
        masker.learn(text)
        return masker.clean(text)

    # --- without what may not leave -----------------------------------------------------------------------------

    def _json(self, value: object, indent: int = 0) -> bytes:
        clean = self._redactor.clean(_without_persons(value))
        return self._clean_end(encode_json(clean, indent=indent).decode()).encode()

    def _clean_text(self, text: str) -> str:
        return self._clean_end("\n".join(self._redactor.text(line) for line in text.splitlines()) + "\n")

    def _clean_end(self, text: str) -> str:
        home = str(self._house.home.paths.home)
        return numbers_masked(
            text.replace(encode_json(home).decode()[1:-1], _HOME).replace(home, _HOME), self.known.numbers
        )

    def _numbers(self) -> Known:
        serials: set[str] = set()
        numbers: set[str] = set()
        for _line, content in self._lines:
            _collect(content, serials, numbers)
        given = set(self._settings.links.pax.values()) if self._settings is not None else set()
        long_enough = {number for number in numbers if len(number) >= 6 and any(c.isdigit() for c in number)}
        return Known(frozenset(serials), frozenset(long_enough - serials), frozenset(given))


def _decoded(payload: bytes, sealer: Sealer) -> object:
    """A line with its sealed words opened, so that what is left out is known; masked again before it is packed."""
    try:
        return sealer.opened_line(decode_json_untyped(payload))
    except CodecError:
        return {"unreadable": len(payload)}


def _lane_of(op: object) -> str:
    """Of which terminal a recorded change is; empty: of none, or of all."""
    document = op[3] if isinstance(op, list) and len(op) == 4 else None
    return str(document.get("lane", "")) if isinstance(document, dict) else ""


def _collect(value: object, serials: set[str], numbers: set[str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and item:
                if key in NUMBERS:
                    numbers.add(item)
                elif key == "serial" or key.endswith("_serial"):
                    serials.add(item)
            _collect(item, serials, numbers)
    elif isinstance(value, list):
        for item in value:
            _collect(item, serials, numbers)


def _without_persons(value: object) -> object:
    if isinstance(value, Mapping):
        return {k: "****" if k in _PERSONAL and v else _without_persons(v) for k, v in value.items()}
    return [_without_persons(item) for item in value] if isinstance(value, list | tuple) else value
