"""Install packages through install sessions: large ones from a file laid down first (``staging``), others streamed.

Never ``abb`` (terminals without a working one advertise it), never ``-d``, never an uninstallation (it would lose data
and keys): going back is a decision of its own, see :mod:`techtool.terminals.put_back`.
Source: AOSP ``PackageManagerShellCommand``; for several packages at
once, in the order of adb's own ``install-multi-package`` (``adb_install.cpp``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from techtool.domain.release import ApkFacts
from techtool.domain.terminal import SETS_SINCE_SDK
from techtool.errors import InstallFailed
from techtool.links.base import Confirmed, Link
from techtool.terminals.base import PackageFile, SessionSink, SetSink
from techtool.terminals.install_sessions import (
    abandon_session,
    ask_for_session,
    check_streaming,
    commit,
    find_sessions,
    opened,
    says_success,
    session_in,
    write_file,
    write_from,
)
from techtool.terminals.refusals import catm_of, install_failed, outcome_of
from techtool.terminals.shell import answer_of
from techtool.terminals.staging import stage, unstage

__all__ = ["abandon_session", "catm_of", "find_sessions", "install_package", "install_together", "outcome_of"]

_NO_SUCH_OPTION: Final = re.compile(r"unknown option\b.*--multi-package", re.IGNORECASE)
_NO_SUCH_ACTION: Final = re.compile(r"unknown command\b.*install-add-session", re.IGNORECASE)


async def install_package(
    link: Link,
    package: ApkFacts,
    payload: Path,
    size_bytes: int,
    *,
    session: SessionSink,
    confirmed: Confirmed | None = None,
    resumed: Confirmed | None = None,
) -> None:
    """See :meth:`techtool.terminals.base.Terminal.install`."""
    check_streaming(link)
    name = _name(package)
    with opened(payload, size_bytes) as source:
        staged = await stage(link, [PackageFile(package, payload, size_bytes)], confirmed=confirmed, resumed=resumed)
        manager, answer = await ask_for_session(link, f"-r -S {size_bytes}")
        number = session_in(name, answer)
        session(number)
        try:
            if staged:
                await write_from(link, manager, name, number, staged[package.id], size_bytes)
            else:
                await write_file(link, manager, name, number, source, size_bytes, confirmed)
        except InstallFailed:
            await abandon_session(link, number)
            await _unstage(link, staged)
            raise
    await _unstage(link, staged)
    await commit(link, manager, name, number)


async def _unstage(link: Link, staged: Mapping[str, str]) -> None:
    """The session has its own copy, or will never have one."""
    if staged:
        await unstage(link)


async def install_together(
    link: Link,
    sdk: int | None,
    files: Sequence[PackageFile],
    *,
    session: SetSink,
    confirmed: Confirmed | None = None,
    resumed: Confirmed | None = None,
) -> bool:
    """See :meth:`techtool.terminals.base.Terminal.install_together`; ``sdk``: None where it is not known."""
    check_streaming(link)
    if sdk is not None and sdk < SETS_SINCE_SDK:
        return False
    with ExitStack() as open_files:
        sources = [open_files.enter_context(opened(file.path, file.size_bytes)) for file in files]
        name = ", ".join(_name(file.apk) for file in files)
        manager, answer = await ask_for_session(link, f"--multi-package -r -S {sum(f.size_bytes for f in files)}")
        if _NO_SUCH_OPTION.search(answer):
            return False
        work = _Set(link, manager, name, session_in(name, answer), session, confirmed)
        session("", work.parent)
        try:
            work.staged = await stage(link, files, confirmed=confirmed, resumed=resumed)
            work.written_bytes = sum(file.size_bytes for file in files if file.apk.id in work.staged)
            for file, source in zip(files, sources, strict=True):
                await work.write(file, source)
            accepted = await work.attach()
            await _unstage(link, work.staged)
            if accepted:
                await commit(link, manager, name, work.parent)
        except InstallFailed as error:
            # Without a word nobody knows whether it is being installed at this moment.
            if error.word:
                await work.abandon()
            raise
    if not accepted:
        await work.abandon()
    return accepted


@dataclass(slots=True)
class _Set:
    """A multi-package session and what was put into it so far."""

    link: Link
    manager: str
    name: str
    parent: str
    sink: SetSink
    confirmed: Confirmed | None
    children: list[str] = field(default_factory=list)
    written_bytes: int = 0
    """Streamed or laid down."""
    staged: Mapping[str, str] = field(default_factory=dict)

    async def write(self, file: PackageFile, source: BinaryIO) -> None:
        """One package into a session of its own.

        It is not made a child yet: before Android 12 a child cannot be dropped any more.
        """
        answer = answer_of(await self.link.run(f"{self.manager} install-create -r -S {file.size_bytes}"))
        child = session_in(self.name, answer)
        self.children.append(child)
        self.sink(file.apk.id, child)
        if file.apk.id in self.staged:
            place = self.staged[file.apk.id]
            await write_from(self.link, self.manager, _name(file.apk), child, place, file.size_bytes)
            return
        confirmed = _after(self.written_bytes, self.confirmed)
        await write_file(self.link, self.manager, _name(file.apk), child, source, file.size_bytes, confirmed)
        self.written_bytes += file.size_bytes

    async def attach(self) -> bool:
        """Make all of them children of the set; False where the terminal has no such command."""
        numbers = " ".join((self.parent, *self.children))
        answer = answer_of(await self.link.run(f"{self.manager} install-add-session {numbers}"))
        if _NO_SUCH_ACTION.search(answer):
            return False
        if not says_success(answer):
            raise install_failed(self.name, answer, committed=False)
        return True

    async def abandon(self) -> None:
        """Drop it: Android 10 leaves a set that it refused, and single sessions stay in any case."""
        for number in (self.parent, *self.children):
            await abandon_session(self.link, number)
        await _unstage(self.link, self.staged)


def _after(before_bytes: int, confirmed: Confirmed | None) -> Confirmed | None:
    """Count one package's bytes behind those of the packages before it."""
    if confirmed is None:
        return None
    return lambda count: confirmed(before_bytes + count)


def _name(package: ApkFacts) -> str:
    return f"{package.id} {package.version}"
