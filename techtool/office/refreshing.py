"""The office's newest metadata, from where the visits went or from beside them: believed for its signatures only."""

from __future__ import annotations

from pathlib import Path

from techtool.bundles.find import locate
from techtool.bundles.refresh import MAX_BYTES, Known, learn, learn_bytes
from techtool.clock import Clock
from techtool.errors import NoStick, OfficeError, TechtoolError
from techtool.office.couch import REFRESH_FILE, Database
from techtool.office.http import OfficeHttp
from techtool.office.sync import Refreshed
from techtool.paths import DISK, Disk, Paths


async def refresh_from(http: OfficeHttp, paths: Paths, clock: Clock, disk: Disk = DISK) -> Refreshed:
    """Fetch and verify it exactly as ``techtool trust refresh`` does.

    That it could not be had is told in what is given back: the visits went before, and that is told too.
    """
    try:
        data = await Database(http).refresh_file(MAX_BYTES)
    except OfficeError as error:
        return Refreshed(error=error)
    if data is None:
        return Refreshed()
    try:
        return _told(learn_bytes(data, f"{http.address.url} {REFRESH_FILE}", paths, clock, disk))
    except TechtoolError as error:
        return Refreshed(found=True, error=error)


def refresh_beside(place: Path, paths: Paths, clock: Clock, disk: Disk = DISK) -> Refreshed:
    """Learn from a refresh file in the stick's own folder, else from the bundle that the stick is."""
    file = place / REFRESH_FILE
    try:
        if not file.is_file():
            locate(place)
    except NoStick:
        return Refreshed()
    except TechtoolError as error:
        return Refreshed(found=True, error=error)
    try:
        return _told(learn(file if file.is_file() else place, paths, clock, disk))
    except TechtoolError as error:
        return Refreshed(found=True, error=error)


def _told(known: Known) -> Refreshed:
    return Refreshed(found=True, news=known.news, error=known.expired, notes=known.notes)
