"""The clock floor: the latest moment this laptop has proof of, below which its clock is not believed.

TUF has expiry but no “not before”: with a clock in the year 2000 everything would be accepted. So the time that expiry
is judged by is never before the newest of: the day this techtool was made, the newest signed date ever verified here,
and whatever the journals recorded. A clock that runs far ahead is used for judging (it can only refuse too much) but is
not kept as a floor, because that would shut out good sticks for years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from techtool.clock import from_stamp, stamp
from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.domain.schema import CLOCK, check_schema, newest
from techtool.errors import StoreDamaged
from techtool.i18n import Phrase, phrase
from techtool.paths import DISK, Disk, Paths, os_problem

BUILT: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No techtool of this version existed before; raised with each version."""
SLACK: Final = timedelta(days=1)
"""A clock this much behind is a time zone or a drift, not worth a warning."""
FAR_AHEAD: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """The time expiry is judged by, and why it is not simply the laptop's."""

    at: datetime
    system: datetime
    floor: datetime
    """What may be kept as the new floor."""
    warning: Phrase | None = None


@dataclass(frozen=True, slots=True)
class _Plain:
    """The file of a floor that was never set back."""

    schema: int
    floor: str


@dataclass(frozen=True, slots=True)
class _FloorFile:
    schema: int
    floor: str
    set_back: tuple[str, ...] = ()
    """Each time a person let the floor sink: from, to, when."""


def judge(system: datetime, floor: datetime) -> ReferenceTime:
    """Weigh the laptop's clock against the floor."""
    if system < floor - SLACK:
        warning = phrase(
            "This laptop's clock says {system}, which is before {floor}: the later one is used. Correct the clock; "
            "if it is right now and once ran ahead: “techtool trust clock”.",
            system=stamp(system),
            floor=stamp(floor),
        )
        return ReferenceTime(floor, system, floor, warning)
    if system > floor + FAR_AHEAD:
        warning = phrase(
            "This laptop's clock says {system}, years after anything it has seen ({floor}). Correct it if it is wrong.",
            system=stamp(system),
            floor=stamp(floor),
        )
        return ReferenceTime(system, system, floor, warning)
    later = max(system, floor)
    return ReferenceTime(later, system, later)


def read_floor(paths: Paths, built: datetime = BUILT) -> datetime:
    """The floor kept on this laptop, never before ``built``; raises :class:`StoreDamaged`, :class:`StoreTooNew`."""
    path = _file(paths)
    try:
        data = path.read_bytes()
        check_schema(CLOCK, data, path)
        kept = from_stamp(decode_json(data, _FloorFile).floor)
    except FileNotFoundError:
        return built
    except OSError as error:
        raise StoreDamaged(path=str(path), problem=os_problem(error)) from error
    except (CodecError, ValueError) as error:
        raise StoreDamaged(
            path=str(path), problem=phrase("it does not hold what techtool writes there"), detail=str(error)
        ) from error
    if kept.tzinfo is None:
        raise StoreDamaged(path=str(path), problem=phrase("a time without its zone"))
    return max(kept, built)


def raise_floor(paths: Paths, moment: datetime, disk: Disk = DISK) -> None:
    """Keep ``moment`` as the floor when it is later than the one kept; the floor never sinks."""
    path = _file(paths)
    if path.exists() and moment <= read_floor(paths):
        return
    disk.make_folder(path.parent)
    disk.write_file(path, _encoded(moment, _history(paths)))


def set_back(paths: Paths, proven: datetime, today: datetime, disk: Disk = DISK) -> datetime:
    """Let the floor sink to the latest of what is ``proven`` by signatures, after a clock that ran ahead was corrected.

    A person has said what day it is, and ``today`` agrees. What was set back is kept in the file, for whoever looks.
    Gives the new floor; raises :class:`StoreDamaged`.
    """
    before = read_floor(paths)
    floor = max(BUILT, proven)
    if floor < before:
        entry = f"{stamp(before)} → {stamp(floor)}, {stamp(today)}"
        disk.make_folder(paths.trust)
        disk.write_file(_file(paths), _encoded(floor, (*_history(paths), entry)))
    return read_floor(paths)


def _encoded(floor: datetime, history: tuple[str, ...]) -> bytes:
    if not history:
        return encode_json(_Plain(newest(CLOCK), stamp(floor)))
    return encode_json(_FloorFile(newest(CLOCK), stamp(floor), history))


def _history(paths: Paths) -> tuple[str, ...]:
    try:
        return decode_json(_file(paths).read_bytes(), _FloorFile).set_back
    except FileNotFoundError:
        return ()


def note_time(paths: Paths, moment: datetime, disk: Disk = DISK) -> None:
    """Keep a moment that this laptop wrote into a journal as the floor, unless it lies years ahead of everything."""
    raise_floor(paths, judge(moment, read_floor(paths)).floor, disk)


def _file(paths: Paths) -> Path:
    return paths.trust / "clock.json"
