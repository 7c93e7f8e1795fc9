"""What is taken out of everything a recording keeps. Pure, but for the random key it is made with.

- Numbers that name one terminal, card, SIM, shop or network (serial number, IMEI, ICCID, TID, MID, MAC address …) are
  replaced by others of the same shape, the same one each time within a recording, so that rules still read them. The
  key that chooses them is thrown away: they cannot be turned back, nor found by trying.
- What stands in fields named as passwords, tokens, keys or PINs becomes ``****``, and so does every secret word.
- Card data is made harmless by the same scanner that guards records and backups.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import string
from collections.abc import Callable, Collection, Iterable
from typing import Final

from techtool.domain.sensitive import find, redact
from techtool.domain.sensitive_fields import is_code_name, is_key_name

_FIELD: Final = re.compile(
    r"(?<![\w/.\-])(?P<name>[A-Za-z\u4e00-\u9fff][A-Za-z0-9_.@\-\u4e00-\u9fff]{0,100}"
    r"(?: [A-Za-z\u4e00-\u9fff][A-Za-z0-9_\u4e00-\u9fff]{0,30}){0,2})"
    r"[\"'\])>]*[ \t]*[:=>|\uff1a\uff1d][ \t]*(?P<opener>[\"'\[(]?)"
)
"""What precedes a value: ``name: ``, ``two words=``, ``[name]: [``, ``"name": "``, ``<name>``, ``终端号：``."""
_VALUE: Final = re.compile(r"[^\s\"'\[\](){}<>,;\uff0c\u3002\uff1b\u3001\uff09\u3011]+")
_WORD: Final = re.compile(r"[0-9A-Za-z\-]{6,}")
_ENDS: Final = {
    '"': re.compile(r'(?<!\\)"|$', re.MULTILINE),
    "'": re.compile(r"(?<!\\)'|$", re.MULTILINE),
    "(": re.compile(r"\)|$", re.MULTILINE),
    # A property of several lines ends where the next one begins.
    "[": re.compile(r"\](?=\s*\Z|\r?\n\[)"),
    "": re.compile(r"<|$", re.MULTILINE),
}
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_OF_ONE: Final = frozenset(
    {"serial", "serialno", "serialnumber", "sn", "imei", "imei1", "imei2", "imeisv", "meid", "iccid", "imsi", "msisdn"}
    | {"tid", "mid", "mac", "macaddr", "macaddress", "bssid", "ssid", "eid", "euicc", "ethaddr", "wifiaddr", "bdaddr"}
    | {
        "androidid",
        "cpuid",
        "chipid",
        "uniqueid",
        "terminalid",
        "merchantid",
        "deviceid",
        "gsf",
        "barcode",
        "devno",
        "csn",
        "psn",
        "assetno",
        "eui",
    }
)
"""Words in a name whose value is one terminal's, SIM's, shop's or network's alone."""
_PLACES: Final = frozenset({"ipaddress", "gateway", "dns", "domain", "hostname", "fqdn", "proxy"})
_SECRETS: Final = frozenset(
    {"password", "passwd", "passphrase", "pass", "pwd", "secret", "token", "credential", "credentials", "pin", "psk"}
    | {"privatekey", "apikey", "otp", "puk", "pinblock", "cookie", "authorization", "bearer"}
)
_ZH_OF_ONE: Final = ("序列号", "机身号", "机号", "设备号", "串号", "终端号", "终端编号", "商户号", "商户编号")
_ZH_SECRETS: Final = ("密码", "口令", "令牌", "私钥", "验证码", "配对码")
_ZH_PLACES: Final = ("商户名", "联系人", "电话", "手机号", "网关", "域名", "主机名")
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@\"'<>]{1,200}@")
"""Who signs in, and with what, in an address of the web."""
_MAC: Final = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_LONG_SECRET: Final = 4
_SHORTEST: Final = 6
"""A shorter number is none that could be told from ordinary text."""
_ANYWHERE: Final = 8
"""A number as long as this is replaced inside words as well."""
_MASK: Final = "****"


class Masker:
    """Learns the numbers of one recording, then makes its texts harmless.

    ``secret_names`` tells property names whose values are never kept; ``kept`` are numbers that name nobody, such as
    the default serial numbers of devices that were never given one (compared without case).
    """

    def __init__(
        self,
        key: bytes,
        secrets: Collection[str] = (),
        kept: Collection[str] = (),
        secret_names: Callable[[str], bool] = lambda name: False,  # noqa: ARG005
    ) -> None:
        self._key = key
        self._secrets = sorted({s for s in secrets if len(s) >= _LONG_SECRET}, key=len, reverse=True)
        self._kept = frozenset(word.casefold() for word in kept)
        self._is_secret_name = secret_names
        self._others: dict[str, str] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        """How a number begins → how long those are that begin so, longest first."""

    def know(self, numbers: Iterable[str]) -> None:
        """Numbers to be replaced wherever they stand."""
        for number in (number.strip() for number in numbers):
            if len(number) < _SHORTEST or number.casefold() in self._kept or not any(c.isalnum() for c in number):
                continue
            for spelling in {number, number.upper(), number.lower()}:
                if spelling not in self._others:
                    self._others[spelling] = self._other(spelling)
                    start = spelling[:_SHORTEST]
                    lengths = {*self._lengths.get(start, ()), len(spelling)}
                    self._lengths[start] = tuple(sorted(lengths, reverse=True))

    def learn(self, text: str) -> None:
        """Take in the numbers that stand in fields named so."""
        self.know(_MAC.findall(text))
        for field in _FIELD.finditer(text):
            if _is_of_one(field["name"]):
                value = _VALUE.match(text, field.end())
                self.know([value.group()] if value else [])

    def learn_field(self, name: str, value: str) -> None:
        """The same of one field."""
        if _is_of_one(name):
            self.know([value])

    def learn_unnamed(self, value: str) -> None:
        """Whatever may be a number of its own, where nobody knows what the fields of a terminal mean."""
        self.know(word for word in _WORD.findall(value) if sum(c.isdigit() for c in word) >= _SHORTEST)

    def clean(self, text: str) -> str:
        """``text`` without any of it."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return redact(self._replaced(_LOGIN.sub(f"{_MASK}@", self._hidden(text))))

    def clean_field(self, name: str, value: str) -> str:
        """The same of one field."""
        if self.hides(name):
            return _MASK
        return self.clean(value)

    def _hidden(self, text: str) -> str:
        """With the values of secret fields masked, each to its own end."""
        pieces, done, place = [], 0, 0
        while field := _FIELD.search(text, place):
            place = field.end() - len(field["opener"])
            if not self.hides(field["name"]):
                continue
            end = _ENDS[field["opener"]].search(text, field.end())
            stop = end.start() if end else len(text)
            if field.group().rstrip().endswith(">") and not text[field.end() : stop].strip():
                stop = max(stop, text.find("<", field.end()))  # an element's text may begin on the next line
            pieces += [text[done : field.end()], _MASK]
            done = place = stop
        return "".join([*pieces, text[done:]])

    def hides(self, name: str) -> bool:
        """Whether nothing of a field of this name is kept."""
        words = _words(name)
        words |= {word.removesuffix("s") for word in words} & _SECRETS
        if words & (_SECRETS | _PLACES) or any(word in name for word in (*_ZH_SECRETS, *_ZH_PLACES)):
            return True
        if is_key_name(name) or is_code_name(name):
            return True
        return self._is_secret_name(name)

    def _replaced(self, text: str) -> str:
        """In one pass, however many numbers a terminal named: their count times the text would never end."""
        pieces, done, place = [], 0, 0
        while place <= len(text) - _SHORTEST:
            number = self._number_at(text, place)
            if not number:
                place += 1
                continue
            pieces += [text[done:place], self._others[number]]
            done = place = place + len(number)
        return "".join([*pieces, text[done:]])

    def _number_at(self, text: str, place: int) -> str:
        """The longest known number that begins here; empty where none does."""
        for length in self._lengths.get(text[place : place + _SHORTEST], ()):
            number = text[place : place + length]
            if number in self._others and _stands(number, text, place):
                return number
        return ""

    def _other(self, number: str) -> str:
        """Another of the same shape that does not look like card data."""
        for turn in range(64):
            digest = hmac.new(
                self._key, f"{turn}:{number.casefold()}".encode("utf-8", "surrogatepass"), hashlib.sha512
            ).digest()
            stream = (digest * (len(number) // len(digest) + 1))[: len(number)]
            other = "".join(_like(c, byte) for c, byte in zip(number, stream, strict=True))
            if other != number and not find(other):
                return other
        return "0" * len(number)


def _stands(number: str, text: str, place: int) -> bool:
    """A short number by itself; a long one inside words as well, but not inside a longer number."""
    if len(number) < _ANYWHERE:
        beside = string.ascii_letters + string.digits
    elif number[0].isdigit() and number[-1].isdigit():
        beside = string.digits
    else:
        return True
    end = place + len(number)
    return not (place and text[place - 1] in beside) and not (end < len(text) and text[end] in beside)


def _is_of_one(name: str) -> bool:
    return bool(_words(name) & _OF_ONE) or any(word in name for word in _ZH_OF_ONE)


def _like(letter: str, byte: int) -> str:
    for alphabet in (string.digits, string.ascii_uppercase, string.ascii_lowercase):
        if letter in alphabet:
            return alphabet[byte % len(alphabet)]
    return letter


def _words(name: str) -> set[str]:
    """``ro.vendor.pax.fac.sn`` as ``{ro, vendor, pax, fac, sn}``; names written together as one word as well.

    Before a name, a word with dots is another value: ``com.example.token versionCode:``.
    """
    if "." in name:
        name = name.rsplit(" ", maxsplit=1)[-1]
    parts = {part.lower() for part in re.split(r"[._@ \-]", name) if part}
    words = [word.lower() for word in _WORDS.findall(name)]
    return parts | set(words) | {first + second for first, second in itertools.pairwise(words)}
