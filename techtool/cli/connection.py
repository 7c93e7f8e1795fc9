"""One terminal for one command: connect, identify, let go."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Collection, Sequence

import click

from techtool.cli.output import say, shown
from techtool.domain.question import AnswerKind, Question
from techtool.domain.release import Release
from techtool.domain.terminal import Address, TerminalState
from techtool.errors import NotCapable
from techtool.i18n import phrase
from techtool.links.base import Link, LogLink
from techtool.links.permission import tell_permission
from techtool.terminals.base import Terminal
from techtool.terminals.identify import identify
from techtool.visit.by_hand import identify_by_hand, is_by_hand
from techtool.visit.open_link import open_link
from techtool.visit.operator import Operator, ScriptedOperator
from techtool.visit.services import Services


@contextlib.asynccontextmanager
async def terminal_at(services: Services, address: str, operator: Operator | None = None) -> AsyncIterator[Terminal]:
    """The identified terminal at ``address``, its link open inside the block; ``operator`` is asked first."""
    async with _opened(services, address, operator) as link:
        yield await identify(link, services.catalogue)


@contextlib.asynccontextmanager
async def _opened(services: Services, address: str, operator: Operator | None) -> AsyncIterator[Link]:
    """A link that is open inside the block."""

    async def ask(question: Question) -> str:
        return (await operator.ask(question) if operator is not None else "") or await _ask(question)

    link = services.connect(Address.parse(address))
    tell_permission(link, lambda permission: say(shown(permission.text)))
    try:
        await open_link(link, ask, {})
        yield link
    finally:
        await link.close()


async def _ask(question: Question) -> str:
    """Whoever sits at the keyboard; nobody, where there is none."""
    if not sys.stdin.isatty():
        return ""
    if question.help is not None:
        say(question.help.text())
    secret = question.kind is AnswerKind.SECRET
    return str(click.prompt(question.text.text(), default="", show_default=False, hide_input=secret, err=True))


async def read_terminal(
    services: Services,
    address: str,
    signers_of: Collection[str] = (),
    releases: Sequence[Release] = (),
    operator: Operator | None = None,
) -> TerminalState:
    """Everything it says of itself; of one that is worked on by hand what ``operator`` types for ``releases``."""
    place = Address.parse(address)
    if is_by_hand(place):
        return await identify_by_hand((operator or ScriptedOperator()).ask, place, releases)
    async with terminal_at(services, address, operator) as terminal:
        return await terminal.read_state(signers_of=signers_of)


async def terminal_log(services: Services, address: str, operator: Operator | None = None) -> dict[str, bytes]:
    """Serial number → the log that the terminal itself keeps; raises ``NotCapable`` where it gives none."""
    async with _opened(services, address, operator) as link:
        serial = (await identify(link, services.catalogue)).identity.serial
        log = await link.system_log() if isinstance(link, LogLink) else b""
    if not log:
        raise NotCapable(address=address, capability=phrase("reading the log that the terminal keeps"))
    return {serial: log}
