"""Open a link that a person must help with: compare a certificate with the device's label, give a user and a password.

What is typed here goes to the device and nowhere else: not into the journal, not into events, errors or reports.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Final

from techtool.domain.question import AnswerKind, Question
from techtool.errors import CertificateUnknown, LoginNeeded, LoginRefused, TokenWithheld
from techtool.i18n import Phrase, phrase
from techtool.links.base import Link
from techtool.visit.operator import YES

if TYPE_CHECKING:
    from techtool.links.redfish.logins import Login

Ask = Callable[[Question], Awaitable[str]]
"""Puts a question to a person; empty: nobody answers. The answer is not to be recorded."""
Logins = MutableMapping[str, "Login"]
"""Address → login of this run, in memory only."""
_TRIES: Final = 2
"""Of a password: more of them lock accounts."""


async def open_link(link: Link, ask: Ask, logins: Logins) -> None:
    """Open it, asking for what is missing.

    Raises ``CertificateUnknown``, ``LoginNeeded``, ``LoginRefused``, ``TokenWithheld`` besides.
    """
    tries = 0
    while True:
        try:
            await _opened(link, logins)
        except CertificateUnknown:
            if not await _compared(link, ask):
                raise
        except TokenWithheld:
            if not await _may_have_token(link, ask):
                raise
        except (LoginNeeded, LoginRefused) as error:
            tries += 1
            known = logins.pop(str(link.address), None)
            why = error.what_phrase if isinstance(error, LoginRefused) else None
            if tries > _TRIES or not await _signed_in(link, ask, logins, known, why):
                raise
        else:
            return


async def _opened(link: Link, logins: Logins) -> None:
    known = logins.get(str(link.address))
    if known is not None:
        from techtool.links.redfish.link import RedfishLink

        if isinstance(link, RedfishLink):
            link.sign_in(known)
    await link.open()


async def _compared(link: Link, ask: Ask) -> bool:
    """Whether what a person typed from the label is the fingerprint; twice, for a slip is likelier than a forgery."""
    from techtool.links.redfish.link import RedfishLink

    if not isinstance(link, RedfishLink):
        return False
    for text in (
        phrase("Fingerprint of the device's certificate (the last 16 characters will do)"),
        phrase("That is not the fingerprint it shows. Read it once more"),
    ):
        question = Question(
            "identify.certificate",
            AnswerKind.TEXT,
            text,
            help=phrase(
                "It stands on the device's label or on its screen (SHA-256), or the office has it. Without it, leave"
                " this empty: nothing is sent to a device that nobody knows."
            ),
            optional=True,
        )
        typed = (await ask(question)).strip()
        if not typed:
            return False
        if link.compare(typed):
            return True
    return False


async def _may_have_token(link: Link, ask: Ask) -> bool:
    """Whether a person knows the address of a terminal that only announced itself, and the link is told so."""
    from techtool.links.adb.link import AdbLink

    question = Question(
        "identify.pax_token",
        AnswerKind.CONFIRM,
        phrase("Send PAX's handshake token to {address}?", address=str(link.address)),
        help=phrase(
            "It asks for the token, but only announced itself in the network, and anybody there can do that. Say yes"
            " only if the terminal's own screen shows this address. The token is sent readable for everybody."
        ),
        optional=True,
    )
    if not isinstance(link, AdbLink) or await ask(question) != YES:
        return False
    link.keeps_token = False
    return True


async def _signed_in(link: Link, ask: Ask, logins: Logins, refused: Login | None, why: Phrase | None) -> bool:
    """Whether there is a login that was not refused yet."""
    from techtool.links.redfish.logins import Login

    address = str(link.address)
    user = Question(
        "identify.user", AnswerKind.TEXT, phrase("User name for {address}", address=address), help=why, optional=True
    )
    password = Question(
        "identify.password", AnswerKind.SECRET, phrase("Password for {address}", address=address), optional=True
    )
    name = (await ask(user)).strip()
    if not name:
        return False
    login = Login(name, await ask(password))
    if login == refused:
        return False
    logins[address] = login
    return True
