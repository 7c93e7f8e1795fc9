"""``pm``: the package manager's shell command, with Android 11's words and exit codes.

Sources: the command's own code in AOSP (``PackageManagerShellCommand``), whose output, streams and exit codes it keeps:
refusals are ``Failure [CODE: words]`` on standard output; what Android throws is told on standard error with exit 255.
"""

from __future__ import annotations

import re
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from tests.peers.android.apk import Refused, read_manifest
from tests.peers.android.install import commit
from tests.peers.android.state import Android, Session, here

CHUNK = 1 << 20
FLAGS = frozenset({"-r", "-R", "-d", "-t", "-g", "-f", "--full", "--dont-kill", "--skip-verification"})
SDK_OF_SETS = 29
"""Android 10 brought sessions that hold sessions."""


class Thrown(Exception):
    """A Java exception that left the command: class and message."""


class Arguments:
    """The command's remaining words."""

    def __init__(self, words: list[str]) -> None:
        self.words = list(words)

    def next(self) -> str | None:
        """The next word."""
        return self.words.pop(0) if self.words else None

    def required(self) -> str:
        """The next word; Android throws when there is none."""
        word = self.next()
        if word is None:
            raise Thrown("java.lang.IllegalArgumentException: Argument expected after command")
        return word

    def option(self) -> str | None:
        """The next word if it begins with a dash (and is more than one)."""
        return self.words.pop(0) if self.words and re.match(r"-.", self.words[0]) else None


def list_packages(android: Android, arguments: Arguments) -> int:
    """``list packages [-f] [-U] [-i] [--show-versioncode] [-s|-3] [FILTER]``; nothing here is a system package."""
    flags: set[str] = set()
    while option := arguments.option():
        if option == "--user":
            arguments.required()
        elif option in {"-a", "-d", "-e", "-f", "-i", "-l", "-s", "-U", "-u", "-3", "--show-versioncode"}:
            flags.add(option)
        else:
            print(f"Error: Unknown option: {option}")
            return 255
    wanted = arguments.next() or ""
    for package in android.packages().values():
        if wanted not in package.name or flags & {"-s", "-d"}:
            continue
        line = "package:" + (f"{package.base_apk}=" if "-f" in flags else "") + package.name
        line += f" versionCode:{package.version_code}" if "--show-versioncode" in flags else ""
        line += f"  installer={package.installer or 'null'}" if "-i" in flags else ""
        line += f" uid:{package.uid}" if "-U" in flags else ""
        print(line)
    return 0


def list_something(android: Android, arguments: Arguments) -> int:
    """``list TYPE``."""
    kind = arguments.next()
    if kind in {"package", "packages"}:
        return list_packages(android, arguments)
    print("Error: didn't specify type of data to list" if kind is None else f"Error: unknown list type '{kind}'")
    return 255


def path_of(android: Android, arguments: Arguments) -> int:
    """``path [--user N] PACKAGE``: silent, with exit 1, when it is not installed."""
    while arguments.option():
        arguments.required()
    package = android.packages().get(arguments.required())
    if package is None:
        return 1
    print(f"package:{package.base_apk}")
    return 0


def create(android: Android, arguments: Arguments) -> Session:
    """Read the options of an installation and open its session."""
    flags: set[str] = set()
    size_bytes, installer = -1, None
    known = FLAGS | {"--multi-package"} if sdk_of(android) >= SDK_OF_SETS else FLAGS
    while option := arguments.option():
        if option == "-S":
            size_bytes = int(arguments.required())
            if size_bytes <= 0:
                raise Thrown("java.lang.IllegalArgumentException: Size must be positive")
        elif option == "-i":
            installer = arguments.required()
        elif option in {"--user", "--install-location", "--install-reason", "--originating-uri", "--referrer"}:
            arguments.required()
        elif option in known:
            flags.add(option)
        else:
            raise Thrown(f"java.lang.IllegalArgumentException: Unknown option {option}")
    if size_bytes == -1 and arguments.words and arguments.words[0] != "-":
        size_bytes = size_of(android, arguments.words[0])
    if size_bytes > android.free_bytes() and "--multi-package" not in flags:
        words = "java.io.IOException: Requested internal only, but not enough space"
        raise Thrown(f"android.os.ParcelableException: {words}")
    session = Session(
        id=secrets.randbelow((1 << 31) - 1) + 1,
        size_bytes=size_bytes,
        # Since Android 9 replacing is what happens unless -R forbids it.
        replace="-R" not in flags,
        downgrade="-d" in flags,
        test_only="-t" in flags,
        installer=installer,
        multi_package="--multi-package" in flags,
    )
    android.put_sessions(session)
    return session


def sdk_of(android: Android) -> int:
    """The terminal's API level."""
    return int(android.properties()["ro.build.version.sdk"])


def size_of(android: Android, name: str) -> int:
    """The size of an APK file named in ``pm install PATH``, which Android looks into before it opens a session."""
    path = Path(name)
    if not path.is_file():
        print(f"Error: Can't open file: {name}", file=sys.stderr)
        raise Thrown(f"java.lang.IllegalArgumentException: Error: Can't open file: {name}")
    try:
        read_manifest(path, name)
    except Refused:
        print(f"Error: Failed to parse APK file: {name}", file=sys.stderr)
        raise Thrown(f"java.lang.IllegalArgumentException: Error: Failed to parse APK file: {name}") from None
    return path.stat().st_size


def session_of(android: Android, number: str) -> Session:
    """An open session; Android throws when there is none of that number."""
    if not re.fullmatch(r"[+-]?\d+", number):
        raise Thrown(f'java.lang.NumberFormatException: For input string: "{number}"')
    session = android.sessions().get(int(number))
    if session is None:
        raise Thrown(f"java.lang.SecurityException: Caller has no access to session {number}")
    return session


def write(android: Android, session: Session, split: str, source: str | None, size_bytes: int) -> int:
    """Take the bytes of one file into the session: from a file, or ``size_bytes`` from standard input.

    Like Android it stops silently when the input ends early, and says it streamed what was announced.
    """
    if "/" in split or not split or split.startswith("."):
        raise Thrown(f"java.lang.IllegalArgumentException: Invalid name: {split}")
    path = Path(source) if source not in {None, "-"} else None
    if path is not None:
        if not path.is_file():
            print(f"Error: Can't open file: {path}", file=sys.stderr)
            return 255
        size_bytes = path.stat().st_size
    if size_bytes <= 0:
        print("Error: must specify a APK size", file=sys.stderr)
        return 1
    free = android.free_bytes()
    if size_bytes > free:
        words = f"Failed to allocate {size_bytes} because only {free} allocatable"
        print(f"Error: failed to write; {words}", file=sys.stderr)
        return 1
    name = split if split.endswith(".apk") else f"{split}.apk"
    with (
        path.open("rb") if path else sys.stdin.buffer as stream,
        (android.host_path(session.stage) / name).open("wb") as out,
    ):
        left = size_bytes
        while left and (data := stream.read(min(CHUNK, left))):
            out.write(data)
            left -= len(data)
    return 0


def install_create(android: Android, arguments: Arguments) -> int:
    """``install-create [OPTIONS] [-S TOTAL]``."""
    with android.changing():
        print(f"Success: created install session [{create(android, arguments).id}]")
    return 0


def install_write(android: Android, arguments: Arguments) -> int:
    """``install-write [-S SIZE] SESSION NAME [PATH|-]``."""
    size_bytes = -1
    while option := arguments.option():
        if option != "-S":
            raise Thrown(f"java.lang.IllegalArgumentException: Unknown option: {option}")
        size_bytes = int(arguments.required())
    session = session_of(android, arguments.required())
    split, source = arguments.required(), arguments.next()
    failed = write(android, session, split, source, size_bytes)
    if not failed:
        told = Path(source).stat().st_size if source not in {None, "-"} else size_bytes
        print(f"Success: streamed {told} bytes")
    return failed


def install_add_session(android: Android, arguments: Arguments) -> int:
    """``install-add-session PARENT CHILD…``."""
    with android.changing():
        parent = session_of(android, arguments.required())
        if not arguments.words:
            print("Error: At least two sessions are required.")
            return 1
        if not parent.multi_package:
            print("Error: parent session ID is not a multi-package session", file=sys.stderr)
            return 1
        for number in arguments.words:
            child = android.sessions().get(int(number))
            if child is None or child.parent not in {None, parent.id}:
                words = f"Unable to add child session {number} as it does not exist or is in an invalid state."
                raise Thrown(f"java.lang.IllegalStateException: {words}")
            parent = replace(parent, children=(*parent.children, child.id))
            android.put_sessions(parent, replace(child, parent=parent.id))
    print("Success")
    return 0


def no_child(session: Session, done: str) -> Session:
    """What is done to a set is done to its parent."""
    if session.parent is not None:
        words = f"is a child of multi-package session {session.parent} and may not be {done} directly."
        raise Thrown(f"java.lang.IllegalStateException: Session {session.id} {words}")
    return session


def install_commit(android: Android, arguments: Arguments) -> int:
    """``install-commit SESSION``."""
    with android.changing():
        session = no_child(session_of(android, arguments.required()), "committed")
        return commit(android, session, announce=True)


def install_abandon(android: Android, arguments: Arguments) -> int:
    """``install-abandon SESSION``. Android 11 leaves the children of a set where they are; 12 takes them along."""
    with android.changing():
        android.remove_sessions(no_child(session_of(android, arguments.required()), "abandoned").id)
    print("Success")
    return 0


def install(android: Android, arguments: Arguments) -> int:
    """``install [OPTIONS] PATH`` or ``install -S SIZE`` with the APK on standard input."""
    with android.changing():
        session = create(android, arguments)
    source = arguments.next()
    if write(android, session, "base.apk", source, session.size_bytes):
        with android.changing():
            android.remove_sessions(session.id)
        return 1
    with android.changing():
        return 1 if commit(android, session, announce=True) else 0


def uninstall(android: Android, arguments: Arguments) -> int:
    """``uninstall [-k] [--user N] PACKAGE``."""
    while option := arguments.option():
        if option in {"--user", "--versionCode"}:
            arguments.required()
    name = arguments.next()
    if name is None:
        print("Error: package name not specified", file=sys.stderr)
        return 1
    with android.changing():
        removed = android.remove_package(name)
    print("Success" if removed else "Failure [DELETE_FAILED_INTERNAL_ERROR]")
    return 0 if removed else 1


COMMANDS = {
    "install": install,
    "install-abandon": install_abandon,
    "install-add-session": install_add_session,
    "install-commit": install_commit,
    "install-create": install_create,
    "install-write": install_write,
    "list": list_something,
    "path": path_of,
    "uninstall": uninstall,
}


def main(words: list[str]) -> int:
    """One subcommand."""
    arguments = Arguments(words)
    name = arguments.next() or "help"
    command = COMMANDS.get(name)
    if command is None or (command is install_add_session and sdk_of(here()) < SDK_OF_SETS):
        print(f"Unknown command: {name}")
        return 255
    try:
        return command(here(), arguments)
    except Thrown as e:
        print(f"\nException occurred while executing '{name}':\n{e}", file=sys.stderr)
        print(f"\tat com.android.server.pm.PackageManagerShellCommand.onCommand({name})", file=sys.stderr)
        return 255


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
