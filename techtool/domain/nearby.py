"""What can be seen from this laptop, how it was seen, and what to do so that it can be worked on; pure.

The words for an adb server's states follow AOSP ``adb.h`` (``ConnectionState``) and adb's own advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.i18n import N_, Phrase, phrase, raw


class How(StrEnum):
    """What told us."""

    ADB_SERVER = "adb_server"
    MDNS = "mdns"
    USB = "usb"
    SERIAL_PORT = "serial_port"
    SETTINGS = "settings"
    PROBE = "probe"
    STICK = "stick"


READY: Final = "device"
ANNOUNCED: Final = "announced"
PAIRED_ANNOUNCED: Final = "announced_tls"
PAIRING: Final = "pairing"
PLUGGED: Final = "plugged"
PORT: Final = "port"
NAMED: Final = "named"
NO_ADDRESS: Final = "no_address"
ANSWERED: Final = "answered"
ANSWERED_SERIAL: Final = "answered_serial"
TWIN: Final = "twin"
GONE: Final = "gone"
MENU_STICK: Final = "menu_stick"
"""Not a terminal: a stick that could be carried to one; never picked by itself."""

_SAID: Final = {
    READY: (N_("ready"), ""),
    "recovery": (
        N_("in recovery mode"),
        N_("Restart it from its own menu; an update can only begin when it runs normally."),
    ),
    "sideload": (N_("waits for a system file (sideload)"), N_("Restart it from its own menu, then look again.")),
    "rescue": (N_("in rescue mode"), N_("Restart it from its own menu, then look again.")),
    "bootloader": (
        N_("stands in its boot loader"),
        N_("Restart it. If it comes back to this, it needs the service centre."),
    ),
    "offline": (
        N_("connected, but does not answer"),
        N_("Pull the cable and put it in again; if that does not help, restart the terminal."),
    ),
    "unauthorized": (
        N_("waits until this laptop is allowed"),
        N_("Allow debugging on its screen. Nothing to see there? Pull the cable and put it in again."),
    ),
    "authorizing": (N_("is being asked for permission"), N_("Look at its screen and allow debugging.")),
    "connecting": (N_("is connecting"), N_("Wait a moment.")),
    "detached": (
        N_("let go by the adb server"),
        N_("Another program holds it; close that, or pull the cable and put it in again."),
    ),
    "no permissions": (
        N_("this user may not use the cable"),
        N_(
            "Linux: install the package android-sdk-platform-tools-common (udev rules), join the group plugdev, log in "
            "anew, pull the cable and put it in again."
        ),
    ),
    "host": (N_("is an adb server, not a terminal"), N_("Nothing to do.")),
    TWIN: (
        N_("shares its serial number with another one"),
        N_("Pull one of the two cables: they cannot be told apart."),
    ),
    GONE: (N_("pulled out"), N_("Put the cable in again, or take it off the list.")),
    ANNOUNCED: (N_("announces itself in this network"), ""),
    PAIRED_ANNOUNCED: (
        N_("announces itself in this network; paired ones only"),
        N_("Not paired with this laptop yet? On the terminal: “Pair device with pairing code”, then “techtool pair”."),
    ),
    PAIRING: (
        N_("waits to be paired"),
        N_("“techtool pair {place}”, with the six digits that its screen shows."),
    ),
    PLUGGED: (
        N_("on a USB cable, but no adb server shows it"),
        N_("Another program or missing rights keep it; start adb, or pull the cable and put it in again."),
    ),
    PORT: (
        N_("a serial port; nobody was asked there"),
        N_("“techtool find --probe-serial {place}” asks, only if you know that a terminal hangs there."),
    ),
    NAMED: (N_("named in the settings; not tried"), ""),
    NO_ADDRESS: (
        N_("named in the settings, but no address"),
        N_("Correct it in settings.toml, [links] hosts: adb://HOST:PORT."),
    ),
    MENU_STICK: (N_("a stick for the terminal's own menu"), ""),
    ANSWERED: (N_("answered the probe"), ""),
    ANSWERED_SERIAL: (
        N_("answered the probe on a serial port"),
        N_("techtool does not work over serial ports yet: use its network or its stick."),
    ),
}
_TRIED: Final = frozenset({READY, ANNOUNCED, PAIRED_ANNOUNCED, NAMED, ANSWERED})


@dataclass(frozen=True, slots=True)
class Nearby:
    """Something that is, or may be, a terminal."""

    address: str
    """How techtool reaches it; empty where it cannot."""
    state: str
    """adb's word (``device``, ``unauthorized``, ``offline`` …) or one of this module's."""
    how: How = How.ADB_SERVER
    name: str = ""
    """What it calls itself: model, product."""
    place: str = ""
    """Where: USB socket, serial port, host and port."""
    serial: str = ""
    vendor: str = ""
    """By its USB vendor id, from the catalogue's list."""

    @property
    def usable(self) -> bool:
        """Whether it is worth trying now."""
        return bool(self.address) and self.state in _TRIED

    @property
    def said(self) -> Phrase:
        """Its state in plain words."""
        known = _SAID.get(self.state)
        return Phrase(known[0]) if known else phrase("not ready: {state}", state=self.state)

    @property
    def advice(self) -> Phrase:
        """What to do; empty where nothing is to be done."""
        return advice_for(self.state, self.place)

    @property
    def title(self) -> str:
        """Maker and name, as far as it says."""
        return " ".join(filter(None, (self.vendor, self.name)))


def said_of(state: str) -> Phrase:
    """A state in plain words; an unknown one as the server said it."""
    known = _SAID.get(state)
    return Phrase(known[0]) if known else raw(state)


def advice_for(state: str, place: str = "") -> Phrase:
    """What to do about a state."""
    known = _SAID.get(state)
    return Phrase(known[1], {"place": place} if "{place}" in known[1] else {}) if known else raw("")
