"""Install sessions of Android: opened, filled, dropped, and found again.

Source: AOSP ``PackageManagerShellCommand``; for what is found again ``PackageInstallerService.dump``, which
``dumpsys package installs`` prints (Android 5 and later).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Final

from techtool.errors import CommandRefused, Damaged, NotCapable
from techtool.i18n import phrase
from techtool.links.base import Capability, CommandResult, Confirmed, Link
from techtool.terminals.refusals import install_failed
from techtool.terminals.shell import answer_of, ask, is_no_such_command

COMMIT_TIMEOUT_S: Final = 600.0
"""Checking signatures and compiling a large package takes minutes on a small processor."""
_SESSION: Final = re.compile(r"Success\b.*?\[(\d+)\]", re.DOTALL)
_STREAMED: Final = re.compile(r"Success: streamed (\d+) bytes")
_SHELLS: Final = ("cmd package", "pm")
"""The direct way; before Android 7 there is only the program."""

_ACTIVE: Final = re.compile(r"^Active install sessions:[ \t]*$(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^[ \t]+(?:Active )?(?:Child )?Session (\d+):[ \t]*$", re.MULTILINE)
_OF_THE_SHELL: Final = "2000"
"""The user id of whoever comes over adb."""
_UNDER_WAY: Final = re.compile(r"\b(?:mSealed|mCommitted|mDestroyed)=true\b")


def check_streaming(link: Link) -> None:
    """Raises :class:`NotCapable` for a link that cannot feed a command."""
    if Capability.STREAM_INSTALL not in link.capabilities:
        raise NotCapable(address=str(link.address), capability=phrase("streamed installation"))


def opened(payload: Path, size_bytes: int) -> BinaryIO:
    """The laptop's copy, as long as it should be; raises :class:`Damaged`."""
    try:
        found = payload.stat().st_size
        if found == size_bytes:
            return payload.open("rb")
    except OSError as error:
        raise Damaged(path=str(payload), problem=error.strerror or type(error).__name__) from error
    problem = phrase("{found} bytes instead of {wanted}", found=found, wanted=size_bytes)
    raise Damaged(path=str(payload), problem=problem)


async def ask_for_session(link: Link, options: str) -> tuple[str, str]:
    """The package manager to talk to, and what it answered to ``install-create``; raises :class:`NotCapable`."""
    result: CommandResult | None = None
    for manager in _SHELLS:
        result = await link.run(f"{manager} install-create {options}")
        if not is_no_such_command(result):
            return manager, answer_of(result)
    raise NotCapable(
        address=str(link.address),
        capability=phrase("install sessions"),
        detail=answer_of(result) if result else "",
    )


def session_in(name: str, answer: str) -> str:
    """The number of the session that was opened; raises ``InstallFailed`` when none was."""
    found = _SESSION.search(answer)
    if found is None:
        raise install_failed(name, answer, committed=False)
    return found[1]


async def write_from(link: Link, manager: str, name: str, session: str, place: str, size_bytes: int) -> None:
    """Fill a session from a file on the terminal; raises ``InstallFailed`` when it did not get in whole."""
    command = f"{manager} install-write -S {size_bytes} {session} base.apk {place}"
    _check_written(name, answer_of(await link.run(command, timeout_s=COMMIT_TIMEOUT_S)), size_bytes)


async def write_file(
    link: Link,
    manager: str,
    name: str,
    session: str,
    source: BinaryIO,
    size_bytes: int,
    confirmed: Confirmed | None,
    file: str = "base.apk",
) -> None:
    """Stream a package into a session; raises ``InstallFailed`` when it did not get through whole."""
    command = f"{manager} install-write -S {size_bytes} {session} {file} -"
    try:
        answer = answer_of(await link.feed(command, source, size_bytes, confirmed=confirmed))
    except CommandRefused as error:
        raise install_failed(name, str(error.params.get("answer", "")), committed=False) from error
    _check_written(name, answer, size_bytes)


def _check_written(name: str, answer: str, size_bytes: int) -> None:
    streamed = _STREAMED.search(answer)
    complete = streamed is None or int(streamed[1]) == size_bytes
    if not says_success(answer) or not complete:
        raise install_failed(name, answer, committed=False)


async def commit(link: Link, manager: str, name: str, session: str) -> None:
    """Have the session installed; raises ``InstallFailed``, without a word where nobody knows."""
    result = await link.run(f"{manager} install-commit {session}", timeout_s=COMMIT_TIMEOUT_S)
    answer = answer_of(result)
    if not says_success(answer):
        raise install_failed(name, answer, committed=True)


async def abandon_session(link: Link, session: str) -> bool:
    """Drop a session. True: it is gone, or there was none; False: the terminal keeps it.

    A child of a multi-package session goes with its parent or not at all: before Android 12 the child stays when its
    parent is dropped, until the terminal throws it away by age (``PackageInstallerService``: three days).
    """
    if not session.isascii() or not session.isdigit():
        return True
    for manager in _SHELLS:
        try:
            result = await link.run(f"{manager} install-abandon {session}")
        except CommandRefused:
            continue
        if not is_no_such_command(result):
            return "may not be abandoned" not in answer_of(result)
    return True


async def find_sessions(link: Link, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
    """Sessions that came over adb, announced one of these sizes and were never committed; None: it does not tell.

    Nothing else marks a session as ours; so ask only for sizes that were about to be announced when the link was lost.
    """
    told = _ACTIVE.search(await ask(link, "dumpsys package installs") or "")
    if told is None:
        return None
    parts = _HEADING.split(told[1])
    blocks = zip(parts[1::2], parts[2::2], strict=True)
    return tuple(session for session, block in blocks if _is_ours(block, sizes_bytes))


def _is_ours(block: str, sizes_bytes: Collection[int]) -> bool:
    if _UNDER_WAY.search(block):
        return False
    owner = re.search(r"\bmOriginalInstallerUid=(\d+)", block) or re.search(r"\bmInstallerUid=(\d+)", block)
    size = re.search(r"\bsizeBytes=(\d+)", block)
    return owner is not None and owner[1] == _OF_THE_SHELL and size is not None and int(size[1]) in sizes_bytes


def says_success(answer: str) -> bool:
    """“Success” at the start of a line, and no failure beside it."""
    return re.search(r"(?m)^Success\b", answer) is not None and "Failure" not in answer
