"""Making a bundle folder: it is there whole, or it is not there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tuf.api.metadata import Metadata

from techtool.bundles.profile import MAX_ROLES, is_publisher_name
from techtool.bundles.publish.keys import KeyRing, KeySource, provide
from techtool.bundles.publish.restaging import settle
from techtool.bundles.publish.roles import USE_BY_DAYS, Quorum, first_root, first_targets, key_fields
from techtool.bundles.publish.signing import sign
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import Clock
from techtool.errors import PublisherError
from techtool.i18n import phrase
from techtool.paths import Disk, disk_error

_MAKING: Final = ".techtool-making"


def create(
    folder: Path, publishers: Sequence[str], quorum: Quorum, source: KeySource, clock: Clock, disk: Disk
) -> Workspace:
    """Make roles, keys and first metadata in a new folder, signed as far as the keys are made here.

    All of it is made in a folder beside and moved as one, so that a full disk leaves nothing behind that looks like a
    bundle. Raises :class:`PublisherError`, :class:`DiskFull`, :class:`DiskError`.
    """
    folder = folder.absolute()
    _check_new(folder, publishers)
    quorum.check()
    owners = quorum.owners(publishers)
    refuse_strangers(source.given, owners)
    keys = provide(source, {owner: key_fields(owner, organisation) for owner, organisation in owners.items()})
    building = folder.with_name(f".{folder.name}{_MAKING}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        workspace = Workspace(building, disk)
        keys.save(workspace.keys, source.passphrase, disk)
        workspace.stage("root", Metadata(first_root(keys.public, quorum, clock.now())))
        workspace.stage("targets", Metadata(first_targets(keys.public, publishers, quorum, clock.now())))
        settle(workspace, clock.now())
        sign(workspace, KeyRing(at_hand=keys.made), clock, renew=False, use_by_days=USE_BY_DAYS)
        disk.fsync_folder(building)
        _move(building, folder, disk)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return Workspace(folder, disk)


def check_publisher_name(name: str) -> None:
    """Refuse what cannot be the first folder of a publisher's files; raises :class:`PublisherError`."""
    if not is_publisher_name(name):
        text = phrase("“{name}” cannot be a publisher's name: small letters, digits and hyphens only", name=name)
        raise PublisherError(problem=text)


def refuse_strangers(given: Iterable[str], owners: Iterable[str]) -> None:
    """A public key for a name that no role knows is a slip of the hand; raises :class:`PublisherError`."""
    known = list(owners)
    for owner in given:
        if owner not in known:
            text = phrase(
                "“{owner}” is no owner of a key here; there are: {owners}", owner=owner, owners=", ".join(known)
            )
            raise PublisherError(problem=text)


def _check_new(folder: Path, publishers: Sequence[str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PublisherError(problem=phrase("the folder {path} is not empty", path=str(folder)))
    if not publishers or len(set(publishers)) != len(publishers):
        raise PublisherError(problem=phrase("a bundle needs at least one publisher, each named once"))
    for name in publishers:
        check_publisher_name(name)
    refuse_too_many(len(publishers))


def refuse_too_many(publishers: int) -> None:
    """Every laptop reads a bounded number of roles; one of them is the recalls'."""
    if publishers >= MAX_ROLES:
        raise PublisherError(problem=phrase("a bundle has at most {count} publishers", count=MAX_ROLES - 1))


def _move(building: Path, folder: Path, disk: Disk) -> None:
    if sys.platform == "win32" and folder.exists():
        try:
            folder.rmdir()  # an empty one, which Windows does not rename over
        except OSError as error:
            raise disk_error(error, folder) from error
    disk.replace(building, folder)
