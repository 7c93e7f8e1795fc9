"""The one packet that a probe sends, and what counts as an answer to it.

CNXN alone asks nothing of anybody: a daemon that wants a key answers with a token and shows nothing on its screen
(AOSP protocol.txt: the question appears only when a public key is sent).
"""

from __future__ import annotations

from typing import Final

from techtool.links.adb.packets import (
    HEADER,
    MAX_PAYLOAD,
    VERSION_NO_CHECKSUM,
    Command,
    Header,
    PacketError,
    encode,
)

HELLO: Final = encode(Command.CNXN, VERSION_NO_CHECKSUM, MAX_PAYLOAD, b"host::\0", with_checksum=True)
_ANSWERS: Final = frozenset({Command.CNXN, Command.AUTH, Command.STLS, Command.HDSK})


def is_answer(heard: bytes) -> bool:
    """Whether these bytes begin as a daemon's answer does."""
    if len(heard) < HEADER.size:
        return False
    try:
        return Header.parse(heard[: HEADER.size]).command in _ANSWERS
    except PacketError:
        return False
