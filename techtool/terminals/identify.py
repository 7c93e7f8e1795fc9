"""Which terminal is this: facts from the device, the catalogue's rules over them, a driver for what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from techtool.catalogue.model import ModelRule
from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock, SystemClock
from techtool.domain.terminal import Evidence, Identity
from techtool.errors import NotCapable, UnknownModel
from techtool.i18n import phrase
from techtool.links.base import Capability, Link, TellingLink
from techtool.terminals.android import AndroidTerminal, read_properties
from techtool.terminals.base import Terminal
from techtool.terminals.prolin import ProlinTerminal

if TYPE_CHECKING:
    from techtool.links.redfish.link import RedfishLink


async def identify(link: Link, catalogue: Catalogue, clock: Clock | None = None) -> Terminal:
    """The driver for the terminal at the other end of an open link.

    Raises ``NotCapable`` where nothing can be asked, and ``UnknownModel`` with the raw ``facts`` where no rule fits: a
    model is never guessed.
    """
    address = str(link.address)
    if (gateway := _as_redfish(link)) is not None:
        from techtool.terminals.redfish import identify_redfish

        return await identify_redfish(gateway, catalogue, clock or SystemClock())
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
    if (gateway := _as_redfish(link)) is not None:
        from techtool.terminals.redfish_read import read_machine

        return "redfish", dict((await read_machine(gateway)).properties)
    if {Capability.SHELL, Capability.SYSTOOL} & link.capabilities:
        return "android", await read_properties(link)
    if Capability.OWN_FACTS in link.capabilities:
        return "prolin", await cast(TellingLink, link).own_facts()
    raise NotCapable(address=str(link.address), capability=phrase("asking the terminal (shell)"))


def _as_redfish(link: Link) -> RedfishLink | None:
    """The link to a gateway, or to the recording of one."""
    if link.address.scheme not in ("redfish+https", "replay"):
        return None
    from techtool.links.redfish.link import RedfishLink

    return link if isinstance(link, RedfishLink) else None


def driver_for(link: Link, identity: Identity, catalogue: Catalogue, clock: Clock) -> Terminal:
    """The driver of the identity's family; a rule for a family without one is a mistake of the catalogue's author."""
    if identity.family == "android":
        return AndroidTerminal(link, identity, catalogue, clock)
    if identity.family == "prolin":
        return ProlinTerminal(link, identity, catalogue, clock)
    raise NotCapable(address=identity.address, capability=identity.family)


def typed_identity(link: Link, rule: ModelRule, serial: str) -> Identity:
    """Who a terminal is that only a person can read: the model and the serial number were typed from its label."""
    return Identity(
        address=str(link.address),
        vendor=rule.vendor,
        vendor_name=rule.vendor_name,
        model=rule.model,
        model_name=rule.model_name,
        family=rule.family,
        hw_revision=None,
        serial=serial,
        serial_source="label",
        serial_trusted=True,
        os_version="",
        firmware="",
        abis=(),
        sdk=None,
        evidence=Evidence.ASKED,
        source=rule.source,
        unverified=rule.unverified,
    )


def _description(facts: dict[str, str]) -> str:
    """Maker and model as the device spells them."""
    said = [facts.get(name, "") for name in ("ro.product.manufacturer", "ro.product.model", "ro.build.display.id")]
    return " ".join(word for word in said if word) or "–"
