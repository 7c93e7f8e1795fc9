"""Serial ports: listed by what the system knows of them; asked, one at a time, only when a person names one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from techtool.errors import Unreachable
from techtool.links.adb.packets import HEADER
from techtool.links.clean import clean
from techtool.links.discovery.hello import HELLO, is_answer

MOST: Final = 64
BAUD: Final = 115200
"""For ports with a real line behind them; a USB port of a terminal ignores it."""
PROBE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A port as the system names it."""

    device: str
    """``/dev/ttyACM0``, ``COM3``."""
    vendor_id: int | None = None
    product_id: int | None = None
    name: str = ""
    """What the device behind it calls itself."""


def serial_ports() -> list[SerialPort]:
    """The ports there are; nothing is opened. Blocks briefly."""
    from serial.tools.list_ports import comports

    found = []
    for port in sorted(comports())[:MOST]:
        name = port.product or port.description or ""
        found.append(SerialPort(port.device, port.vid, port.pid, "" if name == "n/a" else clean(name, 64)))
    return found


def probe_serial(device: str) -> bool:
    """Whether something behind the port answers one ADB packet (PAX Prolin speaks it there); blocks.

    Raises :class:`Unreachable` when the port cannot be opened.
    """
    import serial

    try:
        with serial.Serial(device, BAUD, timeout=0.1, write_timeout=PROBE_S, exclusive=True) as port:
            port.write(HELLO)
            heard, end_s = b"", time.monotonic() + PROBE_S
            while len(heard) < HEADER.size and time.monotonic() < end_s:
                heard += port.read(HEADER.size - len(heard))
    except (OSError, ValueError) as error:  # serial's own error is an OSError
        raise Unreachable(address=device, detail=clean(str(error), 200)) from error
    return is_answer(heard)
