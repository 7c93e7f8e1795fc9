"""Having an adb server connect to a terminal on the network: what ``adb connect HOST:PORT`` does.

Source of the answers: AOSP ``adb/client/transport_local.cpp`` and ``transport.cpp`` (``connect_device``).
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from techtool.errors import NotReady, Unreachable
from techtool.i18n import phrase
from techtool.links.adb.smartsocket import Server, ServerRefusal
from techtool.links.clean import clean

CONNECT_S: Final = 15.0
AGAIN_FOR_S: Final = 2.0
"""adb 36 loses a race with itself: a TLS hello that overtakes its own STLS packet (its lock is held over the whole
handshake, ``BlockingConnectionAdapter``), and the terminal hangs up. On a small laptop that was every second time, and
each time took a few milliseconds.
"""
_AGAIN_S: Final = 0.1
_ON_NETWORK: Final = re.compile(r".+:\d+")


def is_on_network(serial: str) -> bool:
    """Whether an adb server knows a terminal by ``HOST:PORT``, and so can be told to connect to it."""
    return _ON_NETWORK.fullmatch(serial) is not None and not serial.startswith("usb:")


async def connect_to(server: Server, place: str, peer: str) -> None:
    """Return when the server has it, if only in a state in which the terminal asks a person.

    Raises :class:`NotReady` where the terminal answered and let nobody in, :class:`Unreachable` where none answered.
    """
    loop = asyncio.get_running_loop()
    last_try_s = loop.time() + AGAIN_FOR_S
    answer = await _asked(server, f"host:connect:{place}", peer)
    while answer == f"failed to connect to {place}":  # with a reason behind it, it is another matter
        # adb goes on trying by itself, and would call that “already connected”.
        await _asked(server, f"host:disconnect:{place}", peer)
        if loop.time() > last_try_s:
            raise _let_nobody_in(peer, answer)
        await asyncio.sleep(_AGAIN_S)
        answer = await _asked(server, f"host:connect:{place}", peer)
    if not answer.startswith(("connected to", "already connected to", "failed to authenticate to")):
        raise Unreachable(address=peer, detail=answer)


async def _asked(server: Server, request: str, peer: str) -> str:
    try:
        return clean(await server.query(request, peer, CONNECT_S), 200)
    except ServerRefusal as error:
        return error.text


def _let_nobody_in(peer: str, answer: str) -> NotReady:
    return NotReady(
        address=peer,
        condition=phrase("it answered, but did not let this laptop in"),
        advice=phrase(
            "If it was just paired, it stays paired and needs no new code: look up the address on the page before "
            "“Pair device with pairing code”. If not, pair it first."
        ),
        detail=answer,
    )
