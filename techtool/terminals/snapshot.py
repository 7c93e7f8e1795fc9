"""What a configuration snapshot of an Android terminal holds: what the allow-list names, and what was installed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import PurePosixPath

from techtool.catalogue.allow import AllowList
from techtool.domain.backup import Announced, BackupItem, ItemKind, NotRead, SnapshotPart
from techtool.domain.codec import encode_json
from techtool.domain.config_file import ConfigRefused, ConfigRule, keep
from techtool.errors import CommandRefused, NotCapable
from techtool.links.base import FileStat, Link
from techtool.terminals.android_text import ListedPackage
from techtool.terminals.config_files import fetch
from techtool.terminals.inventory import list_packages, read_paths
from techtool.terminals.shell import pulled


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file that may be read."""

    name: str
    """In the snapshot."""
    path: str
    """On the terminal."""
    kind: ItemKind


_Seen = tuple[_Wanted, FileStat | NotRead]
"""With what the terminal says of it."""


async def snapshot_items(
    link: Link, properties: Mapping[str, str], vendor: str, allow: AllowList
) -> AsyncGenerator[SnapshotPart]:
    """How large it will be; then properties, package list, the installed packages' files, the vendor's files.

    Packages of the system image are left out: they belong to the firmware. What cannot be read is named with the
    terminal's own words.
    """
    packages = await list_packages(link)
    files = await _seen(link, await _files(link, packages, vendor, allow))
    yield _announced(files)
    yield _properties(properties, allow)
    yield _document("packages.json", ItemKind.PACKAGES, [_listing(package) for package in packages], allow)
    for rule in (file.config for file in allow.files_for(vendor)):
        if rule is not None:
            for part in await _config(link, rule, allow):
                yield part
    async with aclosing(_contents(link, files, allow)) as items:
        async for item in items:
            yield item


async def file_snapshot(
    link: Link, facts: Mapping[str, str], vendor: str, allow: AllowList
) -> AsyncGenerator[SnapshotPart]:
    """The same of a terminal that tells facts and has files, and lists no packages."""
    plain = [file for file in allow.files_for(vendor) if file.config is None]
    files = await _seen(link, [_Wanted(f"files{file.path}", file.path, ItemKind.FILE) for file in plain])
    yield _announced(files)
    yield _properties(facts, allow)
    async with aclosing(_contents(link, files, allow)) as items:
        async for item in items:
            yield item


async def _seen(link: Link, files: Sequence[_Wanted]) -> list[_Seen]:
    return [(wanted, await _stat(link, wanted)) for wanted in files]


def _announced(files: Sequence[_Seen]) -> Announced:
    return Announced(sum(stat.size_bytes for _wanted, stat in files if isinstance(stat, FileStat)))


def _properties(told: Mapping[str, str], allow: AllowList) -> BackupItem:
    allowed = {name: value for name, value in sorted(told.items()) if allow.allows(name)}
    serials = frozenset(name for name in allowed if allow.holds_serial(name))
    return _document("properties.json", ItemKind.PROPERTIES, allowed, allow, serials)


async def _contents(link: Link, files: Sequence[_Seen], allow: AllowList) -> AsyncGenerator[BackupItem | NotRead]:
    for wanted, stat in files:
        if isinstance(stat, NotRead):
            yield stat
            continue
        async with aclosing(_file(link, wanted, stat, allow)) as items:
            async for item in items:
                yield item


async def _files(link: Link, packages: Sequence[ListedPackage], vendor: str, allow: AllowList) -> list[_Wanted]:
    files = [
        _Wanted(f"packages/{package.id}/{PurePosixPath(path).name}", path, ItemKind.APK)
        for package in packages
        if not package.in_system_image
        for path in await read_paths(link, package.id) or (package.path,)
    ]
    plain = [file for file in allow.files_for(vendor) if file.config is None]
    return files + [_Wanted(f"files{file.path}", file.path, ItemKind.FILE) for file in plain]


async def _stat(link: Link, wanted: _Wanted) -> FileStat | NotRead:
    try:
        stat = await link.stat(wanted.path)
    except (CommandRefused, NotCapable) as error:
        return NotRead(wanted.name, error.what_phrase.text("en"))
    return stat or NotRead(wanted.name, "not there, or not to be seen")


async def _config(link: Link, rule: ConfigRule, allow: AllowList) -> list[BackupItem | NotRead]:
    """The keys of a configuration file that may be kept; the whole file is only ever in memory."""
    try:
        former = keep(rule, await fetch(link, rule.path))
    except ConfigRefused as refused:
        return [NotRead(rule.item, refused.reason.text("en"))]
    except (CommandRefused, NotCapable) as error:
        return [NotRead(rule.item, error.what_phrase.text("en"))]
    reason = "a password: never read into a backup, to be entered again by hand"
    left = [NotRead(f"{rule.item}#{key}", reason) for key in former.reenter]
    return [_document(rule.item, ItemKind.FILE, former, allow), *left]


def _listing(package: ListedPackage) -> dict[str, object]:
    return {
        "id": package.id,
        "version_code": package.version_code,
        "path": package.path,
        "installer": package.installer,
        "system": package.in_system_image,
    }


def _document(
    name: str, kind: ItemKind, content: object, allow: AllowList, serial_fields: frozenset[str] = frozenset()
) -> BackupItem:
    data = encode_json(content, indent=1)

    async def once() -> AsyncIterator[bytes]:
        yield data

    return BackupItem(name, kind, once(), len(data), allow.scan_of(kind), serial_fields)


async def _file(link: Link, wanted: _Wanted, stat: FileStat, allow: AllowList) -> AsyncGenerator[BackupItem | NotRead]:
    """One file of the terminal; its first bytes are fetched first, so that a refusal is told instead of an item."""
    try:
        async with pulled(link, wanted.path) as chunks:
            first = await anext(chunks, b"")

            async def all_of_it() -> AsyncIterator[bytes]:
                yield first
                async for chunk in chunks:
                    yield chunk

            yield BackupItem(wanted.name, wanted.kind, all_of_it(), stat.size_bytes, allow.scan_of(wanted.kind))
    except (CommandRefused, NotCapable) as error:
        yield NotRead(wanted.name, error.what_phrase.text("en"))
