"""The file and text commands of a terminal's shell (toybox), as far as they are used over a debug link."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Mapping
from typing import Final

from techtool.simulator.files import Entry, FileRefused
from techtool.simulator.shell import Context, Program

_PIECE: Final = 256 * 1024


def split_options(arguments: list[str], known: str) -> tuple[set[str], list[str]] | None:
    """Single-letter options and the rest; None when an option is not among ``known``."""
    options: set[str] = set()
    rest: list[str] = []
    for index, argument in enumerate(arguments):
        if argument == "--":
            rest += arguments[index + 1 :]
            break
        if argument.startswith("-") and len(argument) > 1:
            options |= set(argument[1:])
        else:
            rest.append(argument)
    return (options, rest) if options <= set(known) else None


async def unknown_option(context: Context, name: str, arguments: list[str]) -> int:
    """Say that an option is not simulated."""
    await context.complain(f"{name}: option not simulated: {' '.join(arguments)}")
    return 2


async def echo(context: Context, arguments: list[str]) -> int:
    """``echo [-n] WORD…``"""
    newline = b"\n"
    if arguments[:1] == ["-n"]:
        newline, arguments = b"", arguments[1:]
    await context.streams.out(" ".join(arguments).encode("utf-8", "replace") + newline)
    return 0


async def true(_context: Context, _arguments: list[str]) -> int:
    """``true``"""
    return 0


async def false(_context: Context, _arguments: list[str]) -> int:
    """``false``"""
    return 1


async def sleep(context: Context, arguments: list[str]) -> int:
    """``sleep SECONDS``"""
    try:
        seconds = float(arguments[0])
    except (IndexError, ValueError):
        await context.complain("sleep: needs a number of seconds")
        return 1
    await asyncio.sleep(seconds)
    return 0


async def cat(context: Context, arguments: list[str]) -> int:
    """``cat [FILE…]``; standard input without one, or for ``-``."""
    status = 0
    for path in arguments or ["-"]:
        if path == "-":
            while data := await context.streams.read(_PIECE):
                await context.streams.out(data)
            continue
        try:
            with context.device.files.open(path) as stream:
                while data := stream.read(_PIECE):
                    await context.streams.out(data)
        except FileRefused as error:
            await context.complain(f"cat: {path}: {error}")
            status = 1
    return status


async def head(context: Context, arguments: list[str]) -> int:
    """``head -c BYTES [FILE]``; standard input without one."""
    match arguments:
        case ["-c", count] if count.isdigit():
            path = ""
        case ["-c", count, path] if count.isdigit():
            pass
        case _:
            return await unknown_option(context, "head", arguments)
    left = int(count)
    if not path:
        while left and (data := await context.streams.read(min(_PIECE, left))):
            await context.streams.out(data)
            left -= len(data)
        return 0
    try:
        with context.device.files.open(path) as stream:
            while left and (data := stream.read(min(_PIECE, left))):
                await context.streams.out(data)
                left -= len(data)
    except FileRefused as error:
        await context.complain(f"head: {path}: {error}")
        return 1
    return 0


async def ls(context: Context, arguments: list[str]) -> int:
    """``ls [-1adl] [PATH…]``"""
    parsed = split_options(arguments, "1adl")
    if parsed is None:
        return await unknown_option(context, "ls", arguments)
    options, paths = parsed
    status = 0
    for path in paths or ["/"]:
        try:
            entry = context.device.files.stat(path)
            entries = context.device.files.list(path) if entry.is_folder and "d" not in options else []
        except FileRefused as error:
            await context.complain(f"ls: {path}: {error}")
            status = 1
            continue
        if entry.is_folder and "d" not in options:
            for child in entries:
                await context.say(_long(child, child.name) if "l" in options else child.name)
        else:
            await context.say(_long(entry, path) if "l" in options else path)
    return status


def _long(entry: Entry, name: str) -> str:
    from datetime import UTC, datetime

    kind = "d" if entry.is_folder else "-"
    bits = "".join(letter if entry.mode >> (8 - i) & 1 else "-" for i, letter in enumerate("rwxrwxrwx"))
    moment = datetime.fromtimestamp(entry.modified_s, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{kind}{bits} 1 shell shell {entry.size_bytes:>9} {moment} {name}"


async def stat(context: Context, arguments: list[str]) -> int:
    """``stat -c FORMAT PATH…`` with ``%n %s %Y %a %F``."""
    if len(arguments) < 3 or arguments[0] != "-c":
        return await unknown_option(context, "stat", arguments)
    status = 0
    for path in arguments[2:]:
        try:
            entry = context.device.files.stat(path)
        except FileRefused as error:
            await context.complain(f"stat: '{path}': {error}")
            status = 1
            continue
        kind = "directory" if entry.is_folder else "regular file"
        values = {"%n": path, "%s": str(entry.size_bytes), "%Y": str(entry.modified_s), "%F": kind}
        values["%a"] = f"{entry.mode & 0o777:o}"
        text = arguments[1]
        for key, value in values.items():
            text = text.replace(key, value)
        await context.say(text)
    return status


async def sha256sum(context: Context, arguments: list[str]) -> int:
    """``sha256sum FILE…``"""
    status = 0
    for path in arguments:
        try:
            digest = await asyncio.to_thread(context.device.files.sha256, path)
        except FileRefused as error:
            await context.complain(f"sha256sum: {path}: {error}")
            status = 1
            continue
        await context.say(f"{digest}  {path}")
    return status


async def rm(context: Context, arguments: list[str]) -> int:
    """``rm [-rf] PATH…``"""
    parsed = split_options(arguments, "rRf")
    if parsed is None:
        return await unknown_option(context, "rm", arguments)
    options, paths = parsed
    status = 0
    for path in paths:
        try:
            context.device.files.remove(path, recursive=bool(options & {"r", "R"}))
        except FileRefused as error:
            if "f" in options and error.errno == 2:
                continue
            await context.complain(f"rm: {path}: {error}")
            status = 1
    return status


async def mv(context: Context, arguments: list[str]) -> int:
    """``mv [-f] FILE FILE``"""
    parsed = split_options(arguments, "f")
    if parsed is None or len(parsed[1]) != 2:
        return await unknown_option(context, "mv", arguments)
    source, target = parsed[1]
    try:
        context.device.files.rename(source, target)
    except FileRefused as error:
        await context.complain(f"mv: {source}: {error}")
        return 1
    return 0


async def mkdir(context: Context, arguments: list[str]) -> int:
    """``mkdir [-p] PATH…``"""
    parsed = split_options(arguments, "p")
    if parsed is None:
        return await unknown_option(context, "mkdir", arguments)
    options, paths = parsed
    status = 0
    for path in paths:
        try:
            context.device.files.make_folder(path, parents="p" in options)
        except FileRefused as error:
            await context.complain(f"mkdir: '{path}': {error}")
            status = 1
    return status


async def test(context: Context, arguments: list[str]) -> int:
    """``test -e|-f|-d PATH``, ``test [-n|-z] TEXT``, ``test A = B``, ``test A != B``."""
    match arguments:
        case ["-e" | "-f" | "-d" as kind, path]:
            try:
                entry = context.device.files.stat(path)
            except FileRefused:
                return 1
            return 0 if kind == "-e" else int(entry.is_folder != (kind == "-d"))
        case ["-n", text] | [text]:
            return int(not text)
        case ["-z", text]:
            return int(bool(text))
        case [left, "=" | "==", right]:
            return int(left != right)
        case [left, "!=", right]:
            return int(left == right)
    return await unknown_option(context, "test", arguments)


async def bracket(context: Context, arguments: list[str]) -> int:
    """``[ … ]``"""
    if arguments[-1:] != ["]"]:
        await context.complain("[: missing ]")
        return 2
    return await test(context, arguments[:-1])


async def basename(context: Context, arguments: list[str]) -> int:
    """``basename PATH``"""
    await context.say(posixpath.basename("".join(arguments[:1]).rstrip("/")))
    return 0


PROGRAMS: Final[Mapping[str, Program]] = {
    "echo": echo,
    "true": true,
    ":": true,
    "false": false,
    "sleep": sleep,
    "cat": cat,
    "head": head,
    "ls": ls,
    "stat": stat,
    "sha256sum": sha256sum,
    "rm": rm,
    "mkdir": mkdir,
    "mv": mv,
    "test": test,
    "[": bracket,
    "basename": basename,
}
