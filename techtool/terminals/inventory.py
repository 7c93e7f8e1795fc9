"""What is installed on an Android terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from shlex import quote
from typing import Final

from techtool.domain.terminal import InstalledPackage
from techtool.links.base import Link
from techtool.terminals.android_text import PACKAGE_ID, ListedPackage, parse_packages, parse_paths, parse_versions
from techtool.terminals.shell import LIST_LIMIT_BYTES, ask
from techtool.terminals.signer import read_installed_apk

_LIST: Final = "pm list packages -f -U -i --show-versioncode"
_LIST_OLD: Final = "pm list packages -f"
"""Before Android 8 the list knows no version codes and refuses the question."""
_DUMPS_AT_ONCE: Final = 4


async def list_packages(link: Link) -> tuple[ListedPackage, ...]:
    """Every package, as the terminal lists it; empty where it does not."""
    packages = parse_packages(await ask(link, _LIST, limit_bytes=LIST_LIMIT_BYTES) or "")
    if not packages:
        packages = parse_packages(await ask(link, _LIST_OLD, limit_bytes=LIST_LIMIT_BYTES) or "")
    return packages


async def read_packages(link: Link, signers_of: Collection[str]) -> tuple[InstalledPackage, ...]:
    """Every package with its version.

    The version's name costs a question for each package. It is asked for what was installed or updated after the
    firmware and for ``signers_of``; other system packages go without a name, for they are told by the firmware's.
    """
    listed = await list_packages(link)
    codes_missing = any(package.version_code is None for package in listed)
    if codes_missing:
        everything = await ask(link, "dumpsys package packages", timeout_s=120.0, limit_bytes=LIST_LIMIT_BYTES)
        versions = parse_versions(everything or "")
    else:
        wanted = [p.id for p in listed if not p.in_system_image or p.id in signers_of]
        versions = await read_versions(link, wanted)
    signers = {p.id: await _signer(link, p) for p in listed if p.id in signers_of}
    return tuple(_installed(package, versions, signers.get(package.id)) for package in listed)


async def read_versions(link: Link, package_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Version code and name of the packages named, each from its own record."""
    turn = asyncio.Semaphore(_DUMPS_AT_ONCE)

    async def one(package_id: str) -> dict[str, tuple[int, str]]:
        if not PACKAGE_ID.fullmatch(package_id):
            return {}
        async with turn:
            return parse_versions(await ask(link, f"dumpsys package {package_id}") or "")

    found: dict[str, tuple[int, str]] = {}
    for versions in await asyncio.gather(*map(one, package_ids)):
        found.update(versions)
    return found


async def read_paths(link: Link, package_id: str) -> tuple[str, ...]:
    """The files of a package, the base APK first; empty when it is not installed."""
    if not PACKAGE_ID.fullmatch(package_id):
        return ()
    return parse_paths(await ask(link, f"pm path {package_id}") or "")


async def read_installed(link: Link, package_id: str) -> tuple[InstalledPackage, str] | None:
    """One package and the digest of its base APK, all read from the terminal now; None: not installed.

    The file is copied here and hashed here, which also gives the signer. Only where the terminal does not let it be
    copied is the terminal's own ``sha256sum`` believed; where it has none, the digest stays empty.
    """
    paths = await read_paths(link, package_id)
    if not paths:
        return None
    versions = await read_versions(link, [package_id])
    if package_id not in versions:
        listed = {package.id: package for package in await list_packages(link)}
        code = listed[package_id].version_code if package_id in listed else None
        versions = {package_id: (code or 0, str(code or ""))}
    copied = await read_installed_apk(link, paths[0])
    code, version = versions[package_id]
    sha256 = copied.sha256 if copied else await _sha256_there(link, paths[0])
    return InstalledPackage(package_id, version, code, copied.signer if copied else None), sha256


async def _sha256_there(link: Link, path: str) -> str:
    words = (await ask(link, f"sha256sum {quote(path)}", timeout_s=120.0) or "").split()
    digest = words[0].lower() if words else ""
    return digest if len(digest) == 64 and all(c in "0123456789abcdef" for c in digest) else ""


async def _signer(link: Link, package: ListedPackage) -> str | None:
    path = package.path or next(iter(await read_paths(link, package.id)), "")
    copied = await read_installed_apk(link, path) if path else None
    return copied.signer if copied else None


def _installed(package: ListedPackage, versions: dict[str, tuple[int, str]], signer: str | None) -> InstalledPackage:
    code, version = versions.get(package.id, (package.version_code or 0, ""))
    return InstalledPackage(package.id, version, code, signer, package.in_system_image)
