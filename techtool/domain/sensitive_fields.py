"""What a value's field is called, and whether that name makes it a key or a harmless number. Pure."""

from __future__ import annotations

import re
from typing import Final

REACH: Final = 128
"""How far before a value its field's name is looked for."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.\-\u4e00-\u9fff\xc0-\xff]*\Z")
_OPENERS: Final = "\"'[(<"
_CLOSERS: Final = "\"'])>"
_BETWEEN: Final = (":", "=", ">", ",", "|", "\uff1a")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_KEY_WORDS: Final = frozenset(
    {"tmk", "tpk", "tak", "tdk", "pik", "mak", "tek", "kek", "zmk", "zpk", "zak", "bdk", "ipek", "dek", "kbpk", "lmk"}
    | {"key", "keys", "psk", "pinblock", "pinblk", "epb"}
)
_CODE_WORDS: Final = frozenset({"cvv", "cvc", "cvn"})
_NOT_A_KEY: Final = frozenset(
    {"hash", "sha", "md", "digest", "fingerprint", "kcv", "check", "checkvalue", "checksum", "id", "index", "idx"}
    | {"label", "name", "alias", "type", "version", "length", "public", "pub", "capk", "modulus", "exponent", "ksn"}
    | {"uuid", "guid", "signature", "signer", "cert", "certificate"}
)
_ZH_KEY: Final = ("密钥", "PIN密文")
_ZH_NOT_A_KEY: Final = ("校验", "指纹", "索引", "编号", "公钥")
_SIM_WORDS: Final = frozenset({"imei", "imeisv", "iccid"})
_ICCID: Final = re.compile(r"89[0-9]{15,18}")
_IMEI: Final = re.compile(r"[0-9]{15}")
_IMEISV: Final = re.compile(r"(?:35|86|99|01)[0-9]{14}")


def field_before(text: str, start: int) -> str:
    """The name of the field whose value begins at ``start``, on the same line; empty when there is none.

    Understands ``name: v``, ``name=v``, ``[name]: [v]``, ``"name": "v"``, ``<name>v`` and ``name="…">v``.
    """
    line = text[max(0, start - REACH) : start]
    line = line[max(line.rfind("\n"), line.rfind("\r"), line.rfind("\0")) + 1 :].rstrip().rstrip(_OPENERS).rstrip()
    if line.endswith(_BETWEEN):
        line = line[:-1].rstrip()
    found = _NAME.search(line.rstrip(_CLOSERS))
    return found.group() if found else ""


def _words(name: str) -> set[str]:
    """``ro.acme.pinKey1`` as ``{ro, acme, pin, key, 1}``."""
    return {word.lower() for word in _WORDS.findall(name)}


def is_key_name(name: str) -> bool:
    """Whether a field of this name holds a cryptographic key (and not its check value, index or public half)."""
    if any(word in name for word in _ZH_KEY) and not any(word in name for word in _ZH_NOT_A_KEY):
        return True
    words = _words(name)
    if words & _NOT_A_KEY:
        return False
    if words & _KEY_WORDS or ("pin" in words and words & {"block", "blk"}):
        return True
    return any(word.endswith(("key", "keys", "pinblock")) and word != "monkey" for word in words)


def is_code_name(name: str) -> bool:
    """Whether a field of this name holds a card verification code."""
    return bool(_words(name) & _CODE_WORDS)


def is_sim_or_phone(name: str, digits: str) -> bool:
    """Whether the field is typed as IMEI or ICCID and the number has that type's shape."""
    words = _words(name) & _SIM_WORDS
    shapes = {"imei": _IMEI, "imeisv": _IMEISV, "iccid": _ICCID}
    return any(shapes[word].fullmatch(digits) for word in words)
