"""Attacks with what is no file: links, pipes, sockets, devices, and names that one system takes for one."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from tests.unit.attacks.registry import Change, Find, add, attack, below, file_of, on
from tests.unit.attacks.scene import Scene

_LINK = "is a link"
_ODD = "is no ordinary file"


def _outside(path: Path) -> Path:
    """The stick beside its ``TECHTOOL``."""
    return next(parent.parent for parent in (path, *path.parents) if parent.name == "TECHTOOL")


def link_to_itself_elsewhere(path: Path) -> None:
    """The very same content, behind a link."""
    outside = _outside(path) / f"real-{path.name}"
    path.rename(outside)
    path.symlink_to(outside)


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def socket_at(path: Path) -> None:
    path.unlink(missing_ok=True)
    there = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(there)


def device(path: Path) -> None:
    """Endless zeros: what /dev/zero is."""
    path.unlink(missing_ok=True)
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except OSError as error:
        pytest.skip(f"cannot make a device here: {error.strerror}")


_PLACES: dict[str, Find] = {
    "payload": Scene.payload,
    "description": Scene.description,
    "timestamp": file_of("timestamp"),
    "first root": file_of("root"),
    "vendor's list": file_of("vendor-acme"),
    "something else": below("targets/unknown"),
}
_THINGS: dict[str, Change] = {"pipe": pipe, "socket": socket_at, "device": device}

for _place, _find in _PLACES.items():
    for _thing, _put in _THINGS.items():
        add(f"a {_thing} as {_place}", on(_find, _put), _ODD)
    if _place != "something else":
        add(f"a link as {_place}", on(_find, link_to_itself_elsewhere), _LINK)

for _folder in ("metadata", "targets", "targets/acme", "targets/releases/acme"):
    add(f"a link as the folder {_folder}", on(below(_folder), link_to_itself_elsewhere), _LINK)
add("TECHTOOL is a link", on(below(""), link_to_itself_elsewhere), _LINK)


@attack("a link beside the files", _LINK)
def _extra_link(scene: Scene) -> None:
    (scene.root / "targets/extra").symlink_to("/etc/passwd")


@attack("a link to nowhere", _LINK)
def _dangling(scene: Scene) -> None:
    (scene.metadata / "link.json").symlink_to("nowhere")


@attack("a link to itself", _LINK)
def _loop(scene: Scene) -> None:
    (scene.root / "targets/loop").symlink_to("loop")


@attack("a link upwards", _LINK)
def _upwards(scene: Scene) -> None:
    (scene.root / "targets/up").symlink_to("..")


@attack("the outbox is a link", _LINK)
def _outbox(scene: Scene) -> None:
    (scene.root / "outbox").rmdir()
    (scene.root / "outbox").symlink_to("/")


@attack("folder names that differ in capitals", "capitals")
def _capitals(scene: Scene) -> None:
    (scene.root / "targets/ACME").mkdir()


@attack("file names that differ in capitals", "capitals")
def _file_capitals(scene: Scene) -> None:
    (scene.metadata / "Timestamp.json").write_bytes(scene.role_file("timestamp").read_bytes())


@attack("file names that differ in capitals after Unicode's rules", "capitals")
def _unicode_capitals(scene: Scene) -> None:
    (scene.root / "targets/stra\u00dfe").touch()
    (scene.root / "targets/STRASSE").touch()


@attack("a link whose name drives the terminal", _LINK)
def _escape(scene: Scene) -> None:
    (scene.root / "targets" / "\x1b[2J\x1b]0;owned\x07\n\u202efdp.exe").symlink_to("/etc/passwd")


@attack("a link whose name is no text", _LINK)
def _no_text(scene: Scene) -> None:
    os.symlink("/etc/passwd", os.fsencode(scene.root) + b"/targets/\xff\xfe\xe4")


@attack("folders without end", "more files than a bundle has")
def _deep(scene: Scene) -> None:
    (scene.root / "targets" / "/".join("abcdefghijkl")).mkdir(parents=True)


@attack("sixty thousand files", "more files than a bundle has")
def _many(scene: Scene) -> None:
    """Hard links, which are made faster than files; many file systems allow no more than so many of one.

    That a folder without end ends, too, is shown in ``test_bounds``.
    """
    first = scene.metadata / "file"
    for n in range(60_000):
        if n % 30_000 == 0:
            first = scene.metadata / f"f{n}"
            first.touch()
        else:
            os.link(first, scene.metadata / f"f{n}")
