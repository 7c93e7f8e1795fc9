"""Pairing with Android 11 and later over the network: the six digits of the terminal's screen, through Google's adb.

The adb server does the cryptography (``host:pair:CODE:HOST:PORT``, what ``adb pair`` sends); it keeps what it learns in
its own folder, and from then on the terminal is reached as ``adb+server:``. The code goes straight to the server: it
stands in no command line, in no log, in no error. Source: AOSP ``adb/client/adb_wifi.cpp``, ``services.cpp``.
"""

from __future__ import annotations

import re
from typing import Final

from techtool.errors import LinkError, LinkTimeout, NotCapable, PairingFailed, UsageError
from techtool.i18n import Phrase, phrase, raw
from techtool.links.adb.connecting import connect_to
from techtool.links.adb.server import find_server, give_back
from techtool.links.adb.smartsocket import Server, ServerRefusal, SocketStream, ask, read_text
from techtool.links.clean import clean
from techtool.paths import DISK, Disk, Paths
from techtool.settings import LinkSettings

PAIR_S: Final = 30.0
_CODE: Final = re.compile(r"\d{6}")
_PLACE: Final = re.compile(r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+(%\w+)?\]):(?P<port>\d{1,5})", re.ASCII)


def place_of(text: str) -> str:
    """``HOST:PORT`` as a person types it; raises :class:`UsageError`."""
    found = _PLACE.fullmatch(text.strip())
    if found is None or not 0 < int(found["port"]) <= 0xFFFF:
        # Not repeated: a hand that is too fast types the code into this field.
        raise UsageError(problem=phrase("Type the address as the terminal's screen shows it: HOST:PORT."))
    return text.strip()


def code_of(text: str) -> str:
    """The six digits, however they were grouped; raises :class:`UsageError` without repeating them."""
    code = re.sub(r"[\s-]", "", text)
    if not _CODE.fullmatch(code) or not code.isascii():
        raise UsageError(problem=phrase("The pairing code has six digits: type them as the terminal's screen shows."))
    return code


async def pair(place: str, code: str, settings: LinkSettings, paths: Paths, disk: Disk = DISK) -> None:
    """Pair the adb of this laptop with the terminal at ``place``.

    Raises :class:`PairingFailed`, :class:`NotCapable` where adb is too old or missing, :class:`Unreachable`.
    """
    place, code = place_of(place), code_of(code)
    lease = await find_server(settings, paths, place, disk=disk)
    try:
        await _pair(lease.server, place, code)
    finally:
        await give_back(lease, paths, disk)


async def connect(place: str, settings: LinkSettings, paths: Paths, disk: Disk = DISK) -> str:
    """Have adb connect to a paired terminal; the address it is reached at.

    Raises :class:`NotReady` where it lets adb not in (a pairing stands, and its code is used up), else
    :class:`LinkError`.
    """
    place = place_of(place)
    lease = await find_server(settings, paths, place, disk=disk)
    try:
        await connect_to(lease.server, place, place)
    finally:
        await give_back(lease, paths, disk)
    return f"adb+server:{place}"


async def _pair(server: Server, place: str, code: str) -> None:
    stream = await server.connect(place, PAIR_S)
    try:
        await ask(stream, f"host:pair:{code}:{place}")
        answer = clean((await _answer(stream)).replace(code, "******"), 200)
    except ServerRefusal as error:
        if "unknown host service" in error.text:
            what = phrase("pairing: this adb is too old; take version 30 or later ([links.adb] path in the settings)")
            raise NotCapable(address=place, capability=what) from None
        raise PairingFailed(address=place, problem=_problem(clean(error.text.replace(code, "******"), 200))) from None
    except LinkTimeout:
        raise
    except LinkError as error:
        raise PairingFailed(address=place, problem=phrase("adb ended without an answer")) from error
    finally:
        stream.close()
    if not answer.startswith("Success"):
        raise PairingFailed(address=place, problem=_problem(answer))


async def _answer(stream: SocketStream) -> str:
    """The text behind the pairing's own OKAY or FAIL; what it says decides, as it does for ``adb pair``."""
    start = await stream.read_exactly(4)
    return await read_text(stream, b"" if start in (b"OKAY", b"FAIL") else start)


def _problem(answer: str) -> Phrase:
    """adb's few words for it in ours; others as they are."""
    if "Wrong password" in answer:
        return phrase("the code is wrong, or the terminal ended it")
    if "Unable to start pairing client" in answer:
        return phrase("nobody answers there")
    return raw(answer)
