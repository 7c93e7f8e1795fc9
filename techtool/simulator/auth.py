"""ADB's AUTH as a terminal plays it: a token, the host's signature, and a person who accepts a new key or does not.

Key format: AOSP ``libs/adb/…/android_pubkey`` (modulus as little-endian words); signature: PKCS#1 v1.5 over the 20-byte
token, which stands where a SHA-1 digest would.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final

from techtool.links.adb.packets import AuthType, Command
from techtool.simulator.state import StateStore
from techtool.simulator.wire import PacketLink

_WORDS: Final = 64
_KEY_SIZE: Final = 4 + 4 + 256 + 256 + 4


class AuthPolicy(StrEnum):
    """What the person at the terminal does with an unknown computer."""

    NONE = "none"
    """Debugging without authorisation, as on many terminals over a cable."""
    ACCEPT = "accept"
    """“Always allow from this computer.”"""
    IGNORE = "ignore"
    """Nobody looks at the screen; known keys still work."""


async def authorise(
    packets: PacketLink,
    store: StateStore,
    policy: AuthPolicy,
    token: Callable[[], bytes] = lambda: secrets.token_bytes(20),
) -> None:
    """Return once the host may go on; keep the connection waiting for as long as it may not."""
    if policy is AuthPolicy.NONE:
        return
    challenge = token()
    await packets.send(Command.AUTH, AuthType.TOKEN, 0, challenge)
    while True:
        header, data = await packets.receive()
        if header.command != Command.AUTH:
            continue
        if header.arg0 == AuthType.SIGNATURE:
            if any(signed_by(key, challenge, data) for key in store.state.adb_keys):
                return
            challenge = token()
            await packets.send(Command.AUTH, AuthType.TOKEN, 0, challenge)
        elif header.arg0 == AuthType.RSAPUBLICKEY and policy is AuthPolicy.ACCEPT:
            key = data.rstrip(b"\0").split(b" ")[0].decode("ascii", "replace")
            if public_numbers(key) is not None:
                store.commit(replace(store.state, adb_keys=(*store.state.adb_keys, key)))
                return


def public_numbers(key: str) -> tuple[int, int] | None:
    """Modulus and exponent of a 2048-bit key in ADB's format (base64); None when it is none."""
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _KEY_SIZE or struct.unpack_from("<I", raw) != (_WORDS,):
        return None
    return int.from_bytes(raw[8 : 8 + 256], "little"), struct.unpack_from("<I", raw, _KEY_SIZE - 4)[0]


def signed_by(key: str, token: bytes, signature: bytes) -> bool:
    """Whether ``signature`` over ``token`` is the key's."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA1

    numbers = public_numbers(key)
    if numbers is None:
        return False
    try:
        public = rsa.RSAPublicNumbers(e=numbers[1], n=numbers[0]).public_key()
        public.verify(signature, token, padding.PKCS1v15(), utils.Prehashed(SHA1()))  # noqa: S303 - ADB's protocol
    except (InvalidSignature, ValueError):
        return False
    return True
