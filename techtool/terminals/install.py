"""Install one package through an install session, streamed: nothing is laid down in the terminal's shared storage.

Never ``abb`` (terminals without a working one advertise it), never ``-d`` (a downgrade needs its own decision), never
an uninstallation (it would lose data and keys). Source: AOSP ``PackageManagerShellCommand``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO, Final

from techtool.domain.release import ApkFacts
from techtool.errors import CommandRefused, Damaged, NotCapable
from techtool.i18n import phrase
from techtool.links.base import Capability, CommandResult, Confirmed, Link
from techtool.terminals.base import SessionSink
from techtool.terminals.refusals import catm_of, install_failed, outcome_of
from techtool.terminals.shell import answer_of, is_no_such_command

__all__ = ["abandon_session", "catm_of", "install_package", "outcome_of"]

COMMIT_TIMEOUT_S: Final = 600.0
"""Checking signatures and compiling a large package takes minutes on a small processor."""
_SESSION: Final = re.compile(r"Success\b.*?\[(\d+)\]", re.DOTALL)
_STREAMED: Final = re.compile(r"Success: streamed (\d+) bytes")
_SHELLS: Final = ("cmd package", "pm")
"""The direct way; before Android 7 there is only the program."""


async def install_package(
    link: Link,
    package: ApkFacts,
    payload: Path,
    size_bytes: int,
    *,
    session: SessionSink,
    confirmed: Confirmed | None = None,
) -> None:
    """See :meth:`techtool.terminals.base.Terminal.install`."""
    if Capability.STREAM_INSTALL not in link.capabilities:
        raise NotCapable(address=str(link.address), capability=phrase("streamed installation"))
    name = f"{package.id} {package.version}"
    with _opened(payload, size_bytes) as source:
        manager, number = await _open_session(link, name, size_bytes)
        session(number)
        await _write(link, manager, name, number, source, size_bytes, confirmed)
    result = await link.run(f"{manager} install-commit {number}", timeout_s=COMMIT_TIMEOUT_S)
    answer = answer_of(result)
    if not _says_success(answer):
        raise install_failed(name, answer, committed=True)


async def abandon_session(link: Link, session: str) -> None:
    """Drop a session; that there is none any more is what was wanted."""
    if not session.isascii() or not session.isdigit():
        return
    for manager in _SHELLS:
        try:
            result = await link.run(f"{manager} install-abandon {session}")
        except CommandRefused:
            continue
        if not is_no_such_command(result):
            return


async def _open_session(link: Link, name: str, size_bytes: int) -> tuple[str, str]:
    """The package manager to talk to, and the session's number."""
    result: CommandResult | None = None
    for manager in _SHELLS:
        result = await link.run(f"{manager} install-create -r -S {size_bytes}")
        if is_no_such_command(result):
            continue
        answer = answer_of(result)
        opened = _SESSION.search(answer)
        if opened is None:
            raise install_failed(name, answer, committed=False)
        return manager, opened[1]
    raise NotCapable(
        address=str(link.address),
        capability=phrase("install sessions"),
        detail=answer_of(result) if result else "",
    )


async def _write(
    link: Link, manager: str, name: str, number: str, source: BinaryIO, size_bytes: int, confirmed: Confirmed | None
) -> None:
    command = f"{manager} install-write -S {size_bytes} {number} base.apk -"
    try:
        answer = answer_of(await link.feed(command, source, size_bytes, confirmed=confirmed))
    except CommandRefused as error:
        await abandon_session(link, number)
        raise install_failed(name, str(error.params.get("answer", "")), committed=False) from error
    streamed = _STREAMED.search(answer)
    complete = streamed is None or int(streamed[1]) == size_bytes
    if not _says_success(answer) or not complete:
        await abandon_session(link, number)
        raise install_failed(name, answer, committed=False)


def _says_success(answer: str) -> bool:
    """“Success” at the start of a line, and no failure beside it."""
    return re.search(r"(?m)^Success\b", answer) is not None and "Failure" not in answer


def _opened(payload: Path, size_bytes: int) -> BinaryIO:
    """The laptop's copy, as long as it should be."""
    try:
        found = payload.stat().st_size
        if found == size_bytes:
            return payload.open("rb")
    except OSError as error:
        raise Damaged(path=str(payload), problem=error.strerror or type(error).__name__) from error
    problem = phrase("{found} bytes instead of {wanted}", found=found, wanted=size_bytes)
    raise Damaged(path=str(payload), problem=problem)
