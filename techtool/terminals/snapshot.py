"""What a configuration snapshot of an Android terminal holds: what the allow-list names, and what was installed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import PurePosixPath

from techtool.catalogue.allow import AllowList
from techtool.domain.backup import BackupItem, ItemKind, NotRead
from techtool.domain.codec import encode_json
from techtool.errors import CommandRefused, NotCapable
from techtool.links.base import Link
from techtool.terminals.android_text import ListedPackage
from techtool.terminals.inventory import list_packages, read_paths
from techtool.terminals.shell import pulled


async def snapshot_items(
    link: Link, properties: Mapping[str, str], vendor: str, allow: AllowList
) -> AsyncGenerator[BackupItem | NotRead]:
    """Properties, package list, the installed packages' files, the vendor's files, in this order.

    Packages of the system image are left out: they belong to the firmware. What cannot be read is named with the
    terminal's own words.
    """
    allowed = {name: value for name, value in sorted(properties.items()) if allow.allows(name)}
    yield _document("properties.json", ItemKind.PROPERTIES, allowed)
    packages = await list_packages(link)
    yield _document("packages.json", ItemKind.PACKAGES, [_listing(package) for package in packages])
    for name, path, kind in await _files(link, packages, vendor, allow):
        async with aclosing(_file(link, name, path, kind)) as items:
            async for item in items:
                yield item


async def _files(
    link: Link, packages: Sequence[ListedPackage], vendor: str, allow: AllowList
) -> list[tuple[str, str, ItemKind]]:
    """Name in the snapshot, path on the terminal, kind."""
    files = [
        (f"packages/{package.id}/{PurePosixPath(path).name}", path, ItemKind.APK)
        for package in packages
        if not package.in_system_image
        for path in await read_paths(link, package.id) or (package.path,)
    ]
    return files + [(f"files{file.path}", file.path, ItemKind.FILE) for file in allow.files_for(vendor)]


def _listing(package: ListedPackage) -> dict[str, object]:
    return {
        "id": package.id,
        "version_code": package.version_code,
        "path": package.path,
        "installer": package.installer,
        "system": package.in_system_image,
    }


def _document(name: str, kind: ItemKind, content: object) -> BackupItem:
    data = encode_json(content, indent=1)

    async def once() -> AsyncIterator[bytes]:
        yield data

    return BackupItem(name, kind, once(), len(data))


async def _file(link: Link, name: str, path: str, kind: ItemKind) -> AsyncGenerator[BackupItem | NotRead]:
    """One file of the terminal; its first bytes are fetched first, so that a refusal is told instead of an item."""
    try:
        stat = await link.stat(path)
        if stat is None:
            yield NotRead(name, "not there, or not to be seen")
            return
        async with pulled(link, path) as chunks:
            first = await anext(chunks, b"")

            async def all_of_it() -> AsyncIterator[bytes]:
                yield first
                async for chunk in chunks:
                    yield chunk

            yield BackupItem(name, kind, all_of_it(), stat.size_bytes)
    except (CommandRefused, NotCapable) as error:
        yield NotRead(name, error.what_phrase.text("en"))
