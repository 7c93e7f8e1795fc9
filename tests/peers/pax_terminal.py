"""The Android around Debian's adbd made to say what published notes say a PAX PayDroid terminal says."""

from __future__ import annotations

from tests.peers.terminal import AdbdTerminal

SERIAL = "0820900417"
PROPERTIES = {
    "ro.product.manufacturer": "PAX",
    "ro.product.brand": "PAX",
    "ro.product.model": "A920Pro",
    "ro.product.device": "A920Pro",
    "ro.serialno": SERIAL,
    "ro.boot.serialno": SERIAL,
    "ro.vendor.pax.fac.sn": SERIAL,
    "pax.ctrl.androidver": "8.1.0",
    "pax.ctrl.systool.sysver": "100",
    "ro.sunmi.serial": None,
    "ro.sunmi.hardware": None,
}
"""Names from those notes; the values are ours."""


def as_pax(terminal: AdbdTerminal) -> AdbdTerminal:
    """The same terminal with a PAX terminal's properties."""
    for name, value in PROPERTIES.items():
        terminal.android.set_property(name, value)
    return terminal
