"""While a terminal asks the person in front of it whether this laptop may debug it: what to compare, how long it lasts.

Android shows the question once, with the fingerprint of the laptop's key, and goes on by itself when it is allowed
(AOSP ``AdbDebuggingManager``); until then the link has nothing to say. Whoever opens the link tells the person.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from techtool.i18n import Phrase, phrase
from techtool.links.base import Link

PERSON_S: Final = 120.0
"""How long a person has to allow this laptop on the terminal's screen."""
TOLD_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Permission:
    """A terminal waits for a person; told at once, and now and then while it lasts."""

    fingerprint: str
    """Of the key that asks, as Android shows it; empty where it is not known here."""
    waited_s: int
    bound_s: int

    @property
    def text(self) -> Phrase:
        """For the person: first what to do, later that it still lasts."""
        if self.waited_s:
            return phrase(
                "Still waiting until it is allowed on the terminal: {seconds} s, at most {bound} s. You may stop here.",
                seconds=self.waited_s,
                bound=self.bound_s,
            )
        if not self.fingerprint:
            return phrase(
                "The terminal asks whether it may be debugged from this computer. Allow it on its screen; techtool "
                "goes on by itself."
            )
        return phrase(
            "The terminal asks whether it may be debugged from this computer. Allow it on its screen if it shows the "
            "fingerprint {fingerprint}; techtool goes on by itself.",
            fingerprint=self.fingerprint,
        )


Told = Callable[[Permission], None]


def nobody(permission: Permission) -> None:
    """Tells nobody."""


@runtime_checkable
class AsksPermission(Protocol):
    """A link whose terminal may ask a person before it lets this laptop in."""

    on_permission: Told


def tell_permission(link: Link, told: Told) -> None:
    """Have ``told`` called while the terminal asks; a link that never asks stays as it is."""
    if isinstance(link, AsksPermission):
        link.on_permission = told


@asynccontextmanager
async def telling(told: Told, fingerprint: str, bound_s: float) -> AsyncIterator[None]:
    """Tell while the block lasts: at once, then every ten seconds."""

    async def again() -> None:
        begin_s = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            told(Permission(fingerprint, round(asyncio.get_running_loop().time() - begin_s), round(bound_s)))

    told(Permission(fingerprint, 0, round(bound_s)))
    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()


def fingerprint_of(blob: bytes) -> str:
    """MD5 of the encoded key in pairs with colons: what Android's dialog shows (``AdbDebuggingManager``)."""
    # A person compares it with a screen that knows no other digest; no check of ours rests on it.
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def fingerprint_of_line(line: bytes) -> str:
    """Of a line as it stands in ``adbkey.pub``; empty where that is none."""
    try:
        blob = base64.b64decode(line.split(maxsplit=1)[0], validate=True)
    except (IndexError, binascii.Error):
        return ""
    return fingerprint_of(blob)
