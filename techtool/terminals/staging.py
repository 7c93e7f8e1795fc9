"""Large packages, laid down on the terminal piece by piece, so that a lost link costs only what was not yet there.

``pm install-write`` begins at the first byte every time. A file that the shell user may write does not have to: what is
there is proven by its digest, the rest is appended, the whole is proven again, and the install session is filled from
that file. Small packages and terminals without the tools or the room are streamed as ever.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Final

from techtool.errors import CommandRefused, DiskError, InstallFailed, NotCapable
from techtool.i18n import phrase
from techtool.links.base import Capability, Confirmed, Link
from techtool.paths import disk_error
from techtool.terminals.android_text import parse_free_bytes
from techtool.terminals.base import PackageFile
from techtool.terminals.install_sessions import opened
from techtool.terminals.refusals import install_failed
from techtool.terminals.shell import answer_of, ask

STAGE_FROM_BYTES: Final = 1 << 20
"""Below this a lost link costs less than the questions that laying it down takes, and it is sent whole."""
FOLDER: Final = "/data/local/tmp/techtool"
"""The shell user's own place on every Android."""
_ROOM_PERCENT: Final = 210
"""Of the payload: the file here, the copy in the session, and what Android wants to keep free."""
_DIGEST_S: Final = 300.0
"""Hashing half a gigabyte on a small processor."""
_PIECE: Final = 1 << 20
_ATTEMPTS: Final = 2
_HEX_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class _Local:
    """The laptop's copy and its digests."""

    file: PackageFile
    sha256: str

    @property
    def place(self) -> str:
        """Where it is laid down; the name says what it must become."""
        return f"{FOLDER}/{self.sha256}.part"


async def stage(
    link: Link, files: Sequence[PackageFile], *, confirmed: Confirmed | None = None, resumed: Confirmed | None = None
) -> dict[str, str]:
    """Lay down what is large: package id → its file on the terminal, proven. What is not named is to be streamed.

    ``confirmed`` counts the bytes that are there, over all files laid down; ``resumed`` is told once how many of them
    an earlier attempt had brought. Raises ``InstallFailed`` when the terminal does not keep the bytes, ``LinkError``.
    """
    large = [file for file in files if file.size_bytes >= STAGE_FROM_BYTES]
    if not large or not {Capability.READ_FILES, Capability.SHELL} <= link.capabilities:
        return {}
    local = [_Local(file, await asyncio.to_thread(_digest, file.path, file.size_bytes)) for file in large]
    found = [await _there(link, one) for one in local]
    if None in found or not await _has_room(link, local, found):
        await unstage(link)
        return {}
    await _forget_others(link, local)
    there = [count or 0 for count in found]
    if any(there) and resumed is not None:
        resumed(sum(there))
    done = sum(there)
    if done and confirmed is not None:
        confirmed(done)
    for one, count in zip(local, there, strict=True):
        await _complete(link, one, count, _counting(done - count, confirmed))
        done += one.file.size_bytes - count
    return {one.file.apk.id: one.place for one in local}


async def unstage(link: Link, place: str = "") -> None:
    """Remove a file that was laid down, or all of them; never mind one that is not there."""
    await ask(link, f"rm -f {quote(place)}" if place else f"rm -rf {FOLDER}")


async def _there(link: Link, one: _Local) -> int | None:
    """How many of the payload's first bytes the terminal has, by their digest; None where it lacks the tools.

    What is there is copied to a file of its own first: the command of an attempt whose link was lost may still be
    alive, and would write what had reached it behind what we send now. Bytes that are not the payload's are removed.
    """
    place, fresh = quote(one.place), quote(f"{one.place}.new")
    copy = f"rm -f {fresh} && head -c {one.file.size_bytes} {place} >> {fresh} && mv -f {fresh} {place}"
    command = f"mkdir -p {FOLDER} && true >> {place} && {copy} && sha256sum {place}"
    told = (await ask(link, command, timeout_s=_DIGEST_S) or "").split()
    if not told or len(told[0]) != _HEX_DIGITS:
        return None
    try:
        stat = await link.stat(one.place)
    except (CommandRefused, NotCapable):
        return None
    size = stat.size_bytes if stat else 0
    if await asyncio.to_thread(_digest, one.file.path, size) == told[0].lower():
        return size
    await unstage(link, one.place)
    return 0


async def _has_room(link: Link, files: Sequence[_Local], found: Sequence[int | None]) -> bool:
    free = parse_free_bytes(await ask(link, "df -k /data") or "")
    if free is None:
        return False
    needed = sum(one.file.size_bytes for one in files) * _ROOM_PERCENT // 100
    return free + sum(count or 0 for count in found) >= needed


async def _forget_others(link: Link, files: Sequence[_Local]) -> None:
    """What an earlier visit left and this one does not need."""
    kept = {PurePosixPath(one.place).name for one in files}
    for name in (await ask(link, f"ls {FOLDER}") or "").split():
        if name not in kept:
            await unstage(link, f"{FOLDER}/{name}")


async def _complete(link: Link, one: _Local, there: int, confirmed: Confirmed | None) -> None:
    """Append what is missing and prove the whole; what does not come out right is begun anew, once."""
    for _attempt in range(_ATTEMPTS):
        if there < one.file.size_bytes:
            await _append(link, one, there, confirmed)
        told = (await ask(link, f"sha256sum {quote(one.place)}", timeout_s=_DIGEST_S) or "").split()
        if told and told[0].lower() == one.sha256:
            return
        await unstage(link, one.place)
        there = 0
    raise InstallFailed(
        package=f"{one.file.apk.id} {one.file.apk.version}",
        reason=phrase("what arrived on the terminal is not what was sent"),
        remedy=phrase("Try again with another cable or another network."),
        word="REFUSED",
    )


async def _append(link: Link, one: _Local, there: int, confirmed: Confirmed | None) -> None:
    missing = one.file.size_bytes - there
    command = f"head -c {missing} >> {quote(one.place)} && echo taken"
    with opened(one.file.path, one.file.size_bytes) as source:
        source.seek(there)
        result = await link.feed(command, source, missing, confirmed=_counting(there, confirmed))
    answer = answer_of(result)
    if answer.strip() not in ("", "taken"):
        await unstage(link, one.place)
        raise install_failed(f"{one.file.apk.id} {one.file.apk.version}", answer, committed=False)


def _counting(before_bytes: int, confirmed: Confirmed | None) -> Confirmed | None:
    if confirmed is None:
        return None
    return lambda count: confirmed(before_bytes + count)


def _digest(path: Path, size_bytes: int) -> str:
    """Of the first so many bytes."""
    digest = hashlib.sha256()
    left = size_bytes
    try:
        with path.open("rb") as source:
            while left and (data := source.read(min(_PIECE, left))):
                digest.update(data)
                left -= len(data)
    except OSError as error:
        raise disk_error(error, path) from error
    if left:
        raise DiskError(path=str(path), problem=phrase("the file ended {missing} bytes early", missing=left))
    return digest.hexdigest()
