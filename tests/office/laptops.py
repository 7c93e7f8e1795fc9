"""Laptops with sealed visits, made quickly: what a visit says does not matter on its way home, its seal does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

from techtool.clock import FixedClock
from techtool.office.address import parse_address
from techtool.office.documents import entries, file_entry
from techtool.office.http import OfficeHttp, Patience
from techtool.office.laptop import laptop_id
from techtool.office.sealed import EvidenceCopy, evidence_in, read_sealed
from techtool.office.sync import Step, Synced, send_home
from techtool.paths import Disk, Paths
from techtool.reports.keys import ReportKey, allowed_signers_line
from techtool.reports.seals import SEAL_NAMESPACE, seal_text
from techtool.reports.signers import Signer, parse_signers
from techtool.store.home import Home
from tests.unit.bundles.office import private_key
from tests.unit.store.disks import QuickDisk

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
KEY = ReportKey(private_key("technician"))
FORGER = ReportKey(private_key("forger"))
SIGNERS: Sequence[Signer] = parse_signers(allowed_signers_line(KEY.public_line(), "li", (SEAL_NAMESPACE,)), "list")
QUICK = QuickDisk()
IMPATIENT = Patience(connect_s=2, silence_s=1, answer_s=2, tries=2, first_pause_s=0.01, longest_pause_s=0.02)


def add_visit(
    paths: Paths,
    visit: str,
    *,
    lines: int = 12,
    photo: bytes = b"",
    key: ReportKey | None = KEY,
    seal: bool = True,
    note: str = "",
) -> None:
    """A closed visit with so many entries, and a photo that one of them names."""
    home = Home(paths, QUICK)
    with home.lock("test"):
        db = home.create_visit(visit, {"visit": {"1": {"id": visit, "note": note}}})
        for number in range(lines):
            db.table("steps").insert({"number": number, "what": f"步骤 {number} of {visit}"})
        if photo:
            digest = hashlib.sha256(photo).hexdigest()
            folder = home.paths.evidence(visit)
            folder.mkdir(parents=True)
            (folder / f"{digest}.jpg").write_bytes(photo)
            db.table("evidence").insert({"sha256": digest})
        if seal:
            head, count = db.head, db.line_count
            signature = key.sign(seal_text(visit, count, head), SEAL_NAMESPACE) if key else ""
            db.seal({"signed_head": head, "signed_count": count, "signature": signature})


def laptop(folder: Path, visits: int = 2, *, lines: int = 12, photo: bytes = b"") -> Paths:
    """A home folder with so many sealed visits; ``lines`` and ``photo`` of the first."""
    paths = Paths(folder)
    for number in range(visits):
        visit = f"V20261130-08{number:02}00-{folder.name[:8]}"
        add_visit(paths, visit, lines=12 if number else lines, photo=b"" if number else photo)
    return paths


def expected(paths: Paths) -> dict[str, object]:
    """What the database must hold of a laptop: id → document, attachments left out."""
    found: dict[str, object] = {}
    for visit in Home(paths).visit_ids():
        path = paths.visits / f"{visit}.jnl"
        sealed = read_sealed(path, path.read_bytes(), visit)
        if sealed is not None:
            files = [f for f in evidence_in(paths.evidence(visit), sealed) if isinstance(f, EvidenceCopy)]
            whole = [*entries(laptop_id(paths), sealed), *(file_entry(laptop_id(paths), visit, f) for f in files)]
            found |= {entry.id: dict(entry.body) for entry in whole}
    return found


def held(documents: dict[str, dict[str, object]]) -> dict[str, object]:
    """What a database holds, comparable with :func:`expected`; conflicts stay visible."""
    return {key: {k: v for k, v in doc.items() if k != "_attachments"} for key, doc in documents.items()}


async def sync(
    paths: Paths,
    url: str,
    *,
    disk: Disk = QUICK,
    patience: Patience | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    tell: Callable[[Step], None] = lambda _step: None,
) -> Synced:
    """As the command does it."""
    async with OfficeHttp(parse_address(url), patience=patience, transport=transport) as http:
        return await send_home(http, Home(paths, disk), CLOCK, tell)


def synced(paths: Paths, url: str, **how: Patience) -> Synced:
    """The same from where no loop runs."""
    return asyncio.run(sync(paths, url, **how))  # type: ignore[arg-type]
