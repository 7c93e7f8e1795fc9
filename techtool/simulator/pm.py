"""``pm …`` and ``cmd package …``: the words of Android's package manager shell.

Wording and exit codes follow AOSP's PackageManagerShellCommand, because that is what installers parse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from techtool.simulator.apk import InstallRefused
from techtool.simulator.files import FileRefused
from techtool.simulator.packages import STREAM_PIECE, NoSuchSession, Refused, SessionWriter
from techtool.simulator.shell import Context
from techtool.simulator.state import Package, Session

_VALUED: Final = frozenset({"-S", "-i", "-p", "--user", "--install-location", "--abi", "--install-reason"})
_FLAGS: Final = frozenset(
    {"-r", "-R", "-d", "-t", "-g", "-f", "-s", "-l", "--dont-kill", "--full", "--skip-verification"}
)
EXIT_EXCEPTION: Final = 255
SDK_OF_SETS: Final = 29
"""Android 10 brought sessions that hold sessions: ``--multi-package`` and ``install-add-session``."""


@dataclass(slots=True)
class Options:
    """Options of an install command and what follows them."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, arguments: list[str], sdk: int = 0) -> Options:
        """Read them as Android does: options end at the first word that is none; raises :class:`Refused`.

        ``sdk``: of the terminal, for the options that came later.
        """
        flags = _FLAGS | {"--multi-package"} if sdk >= SDK_OF_SETS else _FLAGS
        options, at = cls(), 0
        while at < len(arguments) and arguments[at].startswith("-") and arguments[at] != "-":
            name = arguments[at]
            if name in _VALUED:
                if at + 1 >= len(arguments):
                    raise Refused(f'java.lang.IllegalArgumentException: Argument expected after "{name}"')
                options.values[name] = arguments[at + 1]
                at += 1
            elif name in flags:
                options.flags.add(name)
            else:
                raise Refused(f"java.lang.IllegalArgumentException: Unknown option {name}")
            at += 1
        options.rest = arguments[at:]
        return options

    @property
    def size_bytes(self) -> int:
        """``-S``; -1 without it."""
        return _number(self.values.get("-S", "-1"))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refused(f'java.lang.NumberFormatException: For input string: "{text}"') from None


async def cmd(context: Context, arguments: list[str]) -> int:
    """``cmd package …``"""
    if arguments[:1] != ["package"]:
        await context.complain(f"cmd: Can't find service: {''.join(arguments[:1])}")
        return 20
    return await pm(context, arguments[1:])


async def pm(context: Context, arguments: list[str]) -> int:
    """``pm …``"""
    name = "".join(arguments[:1])
    action = _ACTIONS.get(name)
    if action is None or (name == "install-add-session" and context.device.model.sdk < SDK_OF_SETS):
        await context.complain(f"Unknown command: {''.join(arguments[:1])}")
        return EXIT_EXCEPTION
    try:
        return await action(context, arguments[1:])
    except InstallRefused as refusal:
        await context.say(f"Failure [{refusal}]")
        return 1
    except NoSuchSession as error:
        trouble = f"java.lang.SecurityException: Caller has no access to session {error}"
    except Refused as error:
        trouble = str(error)
    await context.complain(f"\nException occurred while executing '{arguments[0]}':\n{trouble}")
    return EXIT_EXCEPTION


async def _list(context: Context, arguments: list[str]) -> int:
    """``pm list packages [-f] [-U] [-i] [-s] [-3] [--show-versioncode] [FILTER]``, ``pm list features``"""
    if arguments == ["features"]:
        await context.say("\n".join(f"feature:{name}" for name in context.device.model.features))
        return 0
    if arguments[:1] not in (["packages"], ["package"]):
        await context.say(f"Error: unknown list type '{''.join(arguments[:1])}'")
        return EXIT_EXCEPTION
    options: set[str] = set()
    wanted = ""
    for argument in arguments[1:]:
        if argument.startswith("-"):
            options.add(argument)
        else:
            wanted = argument
    unknown = options - {"-f", "-U", "-i", "-s", "-3", "--show-versioncode"}
    if unknown:
        await context.say(f"Error: Unknown option: {min(unknown)}")
        return EXIT_EXCEPTION
    for package in context.device.packages.all():
        if wanted not in package.id or ("-s" in options and not package.system) or ("-3" in options and package.system):
            continue
        await context.say(_listed(package, options))
    return 0


def _listed(package: Package, options: set[str]) -> str:
    line = "package:" + (f"{package.path}=" if "-f" in options else "") + package.id
    if "--show-versioncode" in options:
        line += f" versionCode:{package.version_code}"
    if "-i" in options:
        line += f"  installer={package.installer or 'null'}"
    if "-U" in options:
        line += f" uid:{package.uid}"
    return line


async def _path(context: Context, arguments: list[str]) -> int:
    """``pm path ID``"""
    package = context.device.packages.get("".join(arguments[-1:]))
    if package is None:
        return 1
    await context.say(f"package:{package.path}")
    return 0


def _session_of(context: Context, options: Options) -> Session:
    """The session these options ask for. Since Android 10 an update needs no ``-r``; ``-R`` forbids it."""
    replaces = "-r" in options.flags or context.device.model.sdk >= 29
    return Session(
        id=0,
        size_bytes=options.size_bytes,
        replace=replaces and "-R" not in options.flags,
        downgrade="-d" in options.flags,
        test_only="-t" in options.flags,
        installer=options.values.get("-i", ""),
        multi_package="--multi-package" in options.flags,
    )


async def _create(context: Context, arguments: list[str]) -> int:
    """``pm install-create [OPTIONS]``"""
    options = Options.parse(arguments, context.device.model.sdk)
    session = context.device.packages.create(_session_of(context, options), context.device.free_bytes())
    await context.say(f"Success: created install session [{session}]")
    return 0


async def _write(context: Context, arguments: list[str]) -> int:
    """``pm install-write [-S SIZE] SESSION NAME [PATH|-]``"""
    options = Options.parse(arguments)
    if len(options.rest) < 2:
        raise Refused("java.lang.IllegalArgumentException: Argument expected after install-write")
    session, name, path = _number(options.rest[0]), options.rest[1], (options.rest[2:] or ["-"])[0]
    written = await _fill(context, session, name, path, options.size_bytes)
    if written is None:
        return 1
    await context.say(f"Success: streamed {written} bytes")
    return 0


async def _fill(context: Context, session: int, name: str, path: str, size_bytes: int) -> int | None:
    """Write a session's file from standard input or a path; None when it failed and that was said."""
    if path == "-" and size_bytes < 0:
        await context.complain("Error: must specify a APK size")
        return None
    device = context.device
    writer = device.packages.begin_write(session, name, size_bytes, device.free_bytes())
    try:
        if path == "-":
            await _copy_input(context, writer, size_bytes)
        elif not await _copy_file(context, writer, path):
            return None
        await writer.finish()
    except Refused as error:
        await context.complain(f"Error: failed to write; {error}")
        return None
    finally:
        writer.abort()
    return writer.written_bytes


async def _copy_input(context: Context, writer: SessionWriter, size_bytes: int) -> None:
    """Exactly ``size_bytes`` of standard input, or what there is of it."""
    while writer.written_bytes < size_bytes:
        data = await context.streams.read(min(STREAM_PIECE, size_bytes - writer.written_bytes))
        if not data:
            return
        writer.write(data)


async def _copy_file(context: Context, writer: SessionWriter, path: str) -> bool:
    def copy() -> None:
        with context.device.files.open(path) as stream:
            while data := stream.read(STREAM_PIECE):
                writer.write(data)

    try:
        await asyncio.to_thread(copy)
    except FileRefused as error:
        await context.complain(f"Error: unable to open file: {path} ({error})")
        return False
    return True


async def _add_session(context: Context, arguments: list[str]) -> int:
    """``pm install-add-session PARENT CHILD…``"""
    parent, *children = [_number(word) for word in arguments] or [_number("")]
    if not children:
        await context.say("Error: At least two sessions are required.")
        return 1
    if not context.device.packages.session(parent).multi_package:
        await context.complain("Error: parent session ID is not a multi-package session")
        return 1
    context.device.packages.add_children(parent, children)
    await context.say("Success")
    return 0


async def _commit(context: Context, arguments: list[str]) -> int:
    """``pm install-commit SESSION``"""
    session = _number("".join(arguments[-1:]))
    await context.device.packages.commit(session, context.device.free_bytes())
    await context.say("Success")
    return 0


async def _abandon(context: Context, arguments: list[str]) -> int:
    """``pm install-abandon SESSION``"""
    context.device.packages.abandon(_number("".join(arguments[-1:])))
    await context.say("Success")
    return 0


async def _install(context: Context, arguments: list[str]) -> int:
    """``pm install [OPTIONS] PATH`` or ``cmd package install [OPTIONS] -S SIZE``: a session in one command."""
    options = Options.parse(arguments)
    path = (options.rest or ["-"])[0]
    if path == "-" and options.size_bytes < 0:
        await context.complain("Error: must either specify a package size or an APK file")
        return 1
    packages = context.device.packages
    session = packages.create(_session_of(context, options), context.device.free_bytes())
    committed = False
    try:
        if await _fill(context, session, "base.apk", path, options.size_bytes) is None:
            return 1
        committed = True
        await packages.commit(session, context.device.free_bytes())
    finally:
        if not committed:
            packages.abandon(session)
    await context.say("Success")
    return 0


async def _uninstall(context: Context, arguments: list[str]) -> int:
    """``pm uninstall [-k] [--user 0] ID``"""
    try:
        context.device.packages.uninstall("".join(arguments[-1:]))
    except Refused as error:
        await context.say(f"Failure [{error}]")
        return 1
    await context.say("Success")
    return 0


_ACTIONS: Final[Mapping[str, Callable[[Context, list[str]], Awaitable[int]]]] = {
    "list": _list,
    "path": _path,
    "install": _install,
    "install-create": _create,
    "install-write": _write,
    "install-add-session": _add_session,
    "install-commit": _commit,
    "install-abandon": _abandon,
    "uninstall": _uninstall,
}
