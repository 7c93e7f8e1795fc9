"""What is seen is listed once, in plain words; what a device or a network says of itself is never trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.catalogue.usb import usb_vendors
from techtool.domain.nearby import GONE, NO_ADDRESS, PAIRING, PLUGGED, PORT, TWIN, How, Nearby
from techtool.domain.terminal import Address
from techtool.errors import BadFile
from techtool.links.adb.devices import MOST_DEVICES, ServerDevice, parse_devices
from techtool.links.discovery.look import combined
from techtool.links.discovery.mdns import Announced
from techtool.links.discovery.serial_ports import SerialPort
from techtool.links.discovery.usb import UsbDevice, adb_devices

STATES = (
    "device",
    "offline",
    "unauthorized",
    "authorizing",
    "connecting",
    "recovery",
    "sideload",
    "rescue",
    "bootloader",
    "detached",
    "no permissions",
)
"""Every word of adb's ``ConnectionState`` that a terminal can be in (AOSP ``adb.h``)."""


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_said_in_plain_words_with_what_to_do(state: str) -> None:
    (device,) = parse_devices(f"SN1                    {state} usb:1-2 transport_id:1\n")
    assert (device.serial, device.state, device.usb) == ("SN1", state, "usb:1-2")
    (seen,) = combined([device], [], [], [], [])
    assert seen.said.text("en") not in ("", state)
    assert seen.usable is (state == "device")
    assert bool(seen.advice.text("en")) is (state != "device")


def test_two_with_one_serial_are_told_apart_by_their_sockets() -> None:
    twins = [
        ServerDevice("0123456789ABCDEF", "device", "usb:1-1"),
        ServerDevice("0123456789ABCDEF", "device", "usb:1-2"),
    ]
    seen = combined(twins, [], [], [], [])
    assert [one.address for one in seen] == ["adb+server:usb:1-1", "adb+server:usb:1-2"]
    assert all(one.usable and str(Address.parse(one.address)) == one.address for one in seen)
    nameless = combined([ServerDevice("X", "device"), ServerDevice("X", "device")], [], [], [], [])
    assert [(one.address, one.state, one.usable) for one in nameless] == [("", TWIN, False)] * 2


def test_nothing_is_listed_twice() -> None:
    devices = [
        ServerDevice("192.0.2.7:5555", "device"),
        ServerDevice("adb-SN2-aBcDeF._adb-tls-connect._tcp", "device"),
        ServerDevice("SN3", "unauthorized", "usb:1-3"),
    ]
    heard = [
        Announced("announced", "adb-SN1", "192.0.2.7", 5555),
        Announced("announced", "adb-SN9", "192.0.2.9", 5555),
        Announced("announced_tls", "adb-SN2-aBcDeF", "192.0.2.8", 40001),
        Announced("pairing", "adb-SN4-x", "192.0.2.10", 40002),
    ]
    plugged = [UsbDevice("usb:1-3", 0x2FB8, 0x2116), UsbDevice("usb:1-4", 0x2FB8, 0x2116, "SN5", "A920")]
    ports = [SerialPort("/dev/ttyACM0", 0x11CA, 0x0220, "VX805")]
    seen = combined(devices, heard, plugged, ports, ["adb://192.0.2.9:5555", "adb://192.0.2.11:5555", "till 7\x1b"])
    assert [one.address for one in seen if one.address] == [
        "adb+server:192.0.2.7:5555",
        "adb+server:adb-SN2-aBcDeF._adb-tls-connect._tcp",
        "adb+server:SN3",
        "adb://192.0.2.9:5555",
        "adb://192.0.2.11:5555",
    ]
    assert [(one.state, one.how, one.title, one.place) for one in seen if not one.address] == [
        (PAIRING, How.MDNS, "adb-SN4-x", "192.0.2.10:40002"),
        (PLUGGED, How.USB, "PAX A920", "usb:1-4"),
        (NO_ADDRESS, How.SETTINGS, "", "till 7"),
        (PORT, How.SERIAL_PORT, "Verifone VX805", "/dev/ttyACM0"),
    ]
    assert "techtool pair 192.0.2.10:40002" in seen[4].advice.text("en")


def test_a_server_that_lists_without_end_or_rubbish_is_bounded() -> None:
    assert len(parse_devices("".join(f"S{n}\tdevice\n" for n in range(9000)))) == MOST_DEVICES
    odd = parse_devices(
        "\x1b[2J\x00SN\x07\tdevice\nno-state\n\n\t\ndevice\n" + "A" * 5000 + "\tdevice\n" + "B\tnew-state\n"
    )
    assert [device.serial for device in odd] == ["[2JSN", "B"], "a line of such a length is none"
    assert [device.state for device in odd] == ["device", "new-state"]
    assert "new-state" in combined(odd, [], [], [], [])[1].said.text("en")


def test_a_name_that_cannot_be_an_address_is_no_address() -> None:
    (device,) = parse_devices("adb-SN1-abc (2)._adb-tls-connect._tcp device transport_id:9\n")
    (seen,) = combined([device], [], [], [], [])
    assert (seen.address, seen.usable) == ("", False)


# --- USB, by the class of the interface -----------------------------------------------------------------------------


def interface(root: Path, name: str, triple: str, **facts: str) -> None:
    """As Linux shows an interface in sysfs."""
    folder, device = root / f"{name}:1.0", root / name
    folder.mkdir(parents=True)
    device.mkdir(exist_ok=True)
    for file, text in zip(("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"), triple.split(), strict=True):
        (folder / file).write_text(f"{text}\n")
    for file, text in facts.items():
        (device / file).write_text(f"{text}\n")


def test_usb_by_interface_class(tmp_path: Path) -> None:
    interface(tmp_path, "1-2", "ff 42 01", idVendor="2fb8", idProduct="2116", serial="SN7", product="A920\x1b[31m")
    interface(tmp_path, "1-1.4", "FF 42 01", idVendor="18d1", idProduct="4ee7")
    interface(tmp_path, "1-3", "08 06 50", idVendor="0951", idProduct="1666", product="a stick")
    interface(tmp_path, "1-5", "ff 42 01", idVendor="what", idProduct="4ee7")
    assert adb_devices(tmp_path) == [
        UsbDevice("usb:1-1.4", 0x18D1, 0x4EE7),
        UsbDevice("usb:1-2", 0x2FB8, 0x2116, "SN7", "A920[31m"),
    ]
    assert adb_devices(tmp_path / "nothing") == []


def test_vendor_ids_have_a_source(tmp_path: Path) -> None:
    vendors = usb_vendors()
    assert vendors[0x2FB8].name == "PAX"
    assert all(vendor.source for vendor in vendors.values())
    twice = tmp_path / "usb.toml"
    entry = '[[vendor]]\nname = "A"\nids = [1]\nsource = "s"\nevidence = "documented"\n'
    twice.write_text(f"schema = 1\n{entry}{entry}")
    with pytest.raises(BadFile, match="vendor"):
        usb_vendors(twice)


def test_a_terminal_that_was_pulled_out() -> None:
    gone = Nearby("adb+server:SN1", GONE)
    assert not gone.usable
    assert gone.advice.text("en")
