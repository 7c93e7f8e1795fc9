"""From an address to a link."""

from __future__ import annotations

from pathlib import Path

from techtool.domain.terminal import Address
from techtool.errors import BadAddress, NotCapable
from techtool.i18n import phrase
from techtool.links.base import Link
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings


def replayed(address: Address, paths: Paths) -> Link:
    """The terminal that a recording makes, of the kind that was recorded; raises :class:`BadFile`."""
    from techtool.links.record.transcript import read_recording

    recording = read_recording(Path(address.target).expanduser())
    if recording.head.scheme == "redfish+https":
        from techtool.links.record.replay_redfish import ReplayRedfish

        return ReplayRedfish(address, recording, paths)
    from techtool.links.record.replay import ReplayLink

    return ReplayLink(address, recording)


def link_for(address: Address, settings: LinkSettings, paths: Paths, disk: Disk = DISK) -> Link:
    """The link for an address, not opened yet.

    Raises :class:`BadAddress` for a scheme nobody here speaks, :class:`BadFile` for a recording that is none, and
    :class:`NotCapable` for a stick that is carried to a terminal: that is no link, a person is asked instead.
    """
    if address.scheme == "adb":
        from techtool.links.adb.link import AdbLink

        return AdbLink.direct(address, settings, paths, disk=disk)
    if address.scheme == "adb+server":
        from techtool.links.adb.server import AdbServerLink

        return AdbServerLink(address, settings, paths, disk=disk)
    if address.scheme == "medium":
        capability = phrase("this terminal is worked on by hand, at its own menu")
        raise NotCapable(address=str(address), capability=capability)
    if address.scheme == "redfish+https":
        from techtool.links.redfish.link import RedfishLink

        return RedfishLink(address, settings.redfish, paths, disk=disk)
    if address.scheme == "xcb":
        from techtool.links.adb.xcb import XcbLink

        return XcbLink(address, paths, disk=disk)
    if address.scheme == "replay":
        return replayed(address, paths)
    raise BadAddress(address=str(address))
