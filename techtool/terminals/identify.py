"""Which terminal is this: facts from the device, the catalogue's rules over them, a driver for what they say."""

from __future__ import annotations

from typing import cast

from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock, SystemClock
from techtool.domain.terminal import Identity
from techtool.errors import NotCapable, UnknownModel
from techtool.i18n import phrase
from techtool.links.base import Capability, Link, TellingLink
from techtool.terminals.android import AndroidTerminal, read_properties
from techtool.terminals.base import Terminal


async def identify(link: Link, catalogue: Catalogue, clock: Clock | None = None) -> Terminal:
    """The driver for the terminal at the other end of an open link.

    Raises ``NotCapable`` where nothing can be asked, and ``UnknownModel`` with the raw ``facts`` where no rule fits: a
    model is never guessed.
    """
    address = str(link.address)
    family, said = await read_facts(link)
    match = catalogue.match(said)
    if match is None:
        facts = catalogue.facts(said, family)
        raise UnknownModel(address=address, description=_description(facts), facts=facts)
    return driver_for(link, match.identity(address), catalogue, clock or SystemClock())


async def read_facts(link: Link) -> tuple[str, dict[str, str]]:
    """The family that an open link speaks to, and what the terminal says of itself.

    Raises ``NotCapable`` where nothing can be asked.
    """
    if Capability.SHELL in link.capabilities:
        return "android", await read_properties(link)
    if Capability.OWN_FACTS in link.capabilities:
        return "prolin", await cast(TellingLink, link).own_facts()
    raise NotCapable(address=str(link.address), capability=phrase("asking the terminal (shell)"))


def driver_for(link: Link, identity: Identity, catalogue: Catalogue, clock: Clock) -> Terminal:
    """The driver of the identity's family; a rule for a family without one is a mistake of the catalogue's author."""
    drivers = {"android": AndroidTerminal}
    if identity.family not in drivers:
        raise NotCapable(address=identity.address, capability=identity.family)
    return drivers[identity.family](link, identity, catalogue, clock)


def _description(facts: dict[str, str]) -> str:
    """Maker and model as the device spells them."""
    said = [facts.get(name, "") for name in ("ro.product.manufacturer", "ro.product.model", "ro.build.display.id")]
    return " ".join(word for word in said if word) or "–"
