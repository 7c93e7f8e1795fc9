"""One terminal for one command: connect, identify, let go."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection

from techtool.cli.output import say, shown
from techtool.domain.terminal import Address, TerminalState
from techtool.links.permission import tell_permission
from techtool.terminals.base import Terminal
from techtool.terminals.identify import identify
from techtool.visit.services import Services


@contextlib.asynccontextmanager
async def terminal_at(services: Services, address: str) -> AsyncIterator[Terminal]:
    """The identified terminal at ``address``, its link open inside the block."""
    link = services.connect(Address.parse(address))
    tell_permission(link, lambda permission: say(shown(permission.text)))
    try:
        await link.open()
        yield await identify(link, services.catalogue)
    finally:
        await link.close()


async def read_terminal(services: Services, address: str, signers_of: Collection[str] = ()) -> TerminalState:
    """Everything it says of itself."""
    async with terminal_at(services, address) as terminal:
        return await terminal.read_state(signers_of=signers_of)
