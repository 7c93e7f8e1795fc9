"""From an address to a link."""

from __future__ import annotations

from techtool.domain.terminal import Address
from techtool.errors import BadAddress
from techtool.links.base import Link
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings


def link_for(address: Address, settings: LinkSettings, paths: Paths, disk: Disk = DISK) -> Link:
    """The link for an address, not opened yet; raises :class:`BadAddress` for a scheme nobody here speaks."""
    if address.scheme == "adb":
        from techtool.links.adb.link import AdbLink

        return AdbLink.direct(address, settings, paths, disk=disk)
    if address.scheme == "adb+server":
        from techtool.links.adb.server import AdbServerLink

        return AdbServerLink(address, settings, paths, disk=disk)
    if address.scheme == "xcb":
        from techtool.links.adb.xcb import XcbLink

        return XcbLink(address, paths, disk=disk)
    raise BadAddress(address=str(address))
