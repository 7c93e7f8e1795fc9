"""Where a bundle lies: at a path a person gave, or on a removable drive."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from techtool.errors import AmbiguousChoice, NoStick, Untrusted
from techtool.i18n import phrase
from techtool.links.medium.drives import Drive, drives

__all__ = ["FOLDER", "METADATA", "Drive", "FoundStick", "drives", "find_sticks", "locate", "the_stick"]

FOLDER: Final = "TECHTOOL"
METADATA: Final = "metadata"
_MAX_LOOKED_AT: Final = 100_000
"""Entries of a drive among which the bundle's folder is looked for."""


@dataclass(frozen=True, slots=True)
class FoundStick:
    """A removable drive with a bundle."""

    root: Path
    """Its ``TECHTOOL`` folder."""
    mount: Path
    device: str
    file_system: str


def locate(path: Path) -> Path:
    """The ``TECHTOOL`` folder at ``path``, which is a stick's mount root or that folder itself.

    Raises :class:`NoStick`, :class:`AmbiguousChoice` when two folders answer to the name, and :class:`Untrusted` when
    it is a link.
    """
    path = path.expanduser().absolute()
    try:
        place = path if _is_bundle(path) else _below(path)
        if place.is_symlink():
            raise Untrusted(problem=phrase("{path} is a link; a bundle has none", path=str(place)))
        if not (place / METADATA).is_dir():
            raise NoStick(path=str(path))
    except OSError as error:
        raise NoStick(path=str(path), detail=str(error)) from error
    return place


def _is_bundle(path: Path) -> bool:
    """Whether ``path`` is the folder itself; a stick may have the same name, and then the folder is below it."""
    return path.name.casefold() == FOLDER.casefold() and (path / METADATA).is_dir()


def _below(path: Path) -> Path:
    """The one folder of that name in ``path``."""
    with os.scandir(path) as entries:
        looked_at = islice(entries, _MAX_LOOKED_AT)
        names = sorted(e.name for e in looked_at if e.name.casefold() == FOLDER.casefold() and e.is_dir())
    if len(names) > 1:
        raise AmbiguousChoice(what=str(path), choices=", ".join(str(path / name) for name in names))
    if not names:
        raise NoStick(path=str(path))
    return path / names[0]


def find_sticks(mounted: Iterable[Drive] | None = None) -> list[FoundStick]:
    """Every removable drive that holds a bundle, by mount point; a drive that cannot be read is none.

    One whose bundle is refused already (a link, two of them) is among them: whoever opens it is told why.
    """
    sticks = []
    for drive in drives() if mounted is None else mounted:
        if drive.removable:
            try:
                root = locate(drive.mount)
            except NoStick:
                continue
            except (Untrusted, AmbiguousChoice):
                root = drive.mount / FOLDER
            sticks.append(FoundStick(root, drive.mount, drive.device, drive.file_system))
    return sorted(sticks, key=lambda stick: str(stick.mount))


def the_stick(path: Path | None, mounted: Iterable[Drive] | None = None) -> Path:
    """The one bundle meant: at ``path``, else on the only stick there is.

    Raises :class:`NoStick`, and :class:`AmbiguousChoice` naming every stick when there are several.
    """
    if path is not None:
        return locate(path)
    sticks = find_sticks(mounted)
    if not sticks:
        raise NoStick(path=phrase("any removable drive"))
    if len(sticks) > 1:
        raise AmbiguousChoice(what=phrase("the stick"), choices=", ".join(str(stick.mount) for stick in sticks))
    return sticks[0].root
