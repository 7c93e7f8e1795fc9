"""Identify: connect, let the catalogue say which terminal it is, read what it is like."""

from __future__ import annotations

from functools import partial

from techtool.clock import stamp
from techtool.domain.plan import StepKind
from techtool.domain.terminal import UNVERIFIED, TerminalState
from techtool.errors import AnotherTerminal, UnknownModel
from techtool.events import LaneIdentified
from techtool.i18n import Phrase, phrase
from techtool.links.base import Capability, Link
from techtool.links.permission import tell_permission
from techtool.terminals.base import Terminal
from techtool.terminals.identify import identify as identify_terminal
from techtool.visit.by_hand import is_by_hand
from techtool.visit.lane import Lane
from techtool.visit.open_link import open_link
from techtool.visit.steps.ask_identity import ask_identity
from techtool.visit.steps.by_hand import know_by_hand, read_by_hand


async def identify(lane: Lane) -> None:
    """Reach the terminal and read it; raises ``LinkError``, ``UnknownModel`` or ``AnotherTerminal``.

    A lane that knows its terminal (resumed, or reconnected after a fault) accepts no other one.
    """
    async with lane.step(
        StepKind.IDENTIFY, title=phrase("Identify the terminal at {address}", address=str(lane.address))
    ) as step:
        if is_by_hand(lane.address):
            await know_by_hand(lane)
        else:
            await lane.disconnect()
            lane.link = lane.services.connect(lane.address)
            tell_permission(lane.link, step.permission)
            await open_link(lane.link, partial(lane.ask, StepKind.IDENTIFY, recorded=False), lane.shared.logins)
            lane.terminal = await _recognised(lane, lane.link)
        found = lane.driver.identity
        expected = lane.record.serial or (lane.state.identity.serial if lane.state else "")
        if expected and found.serial != expected:
            raise AnotherTerminal(
                address=str(lane.address), found=found.serial, expected=expected, reason="", remedy=""
            )
        lane.state = await read_state(lane)
        if lane.before is None:
            lane.before = lane.record.before or lane.state
            if lane.record.before is None:
                lane.log.identified(lane.id, lane.state)
                _how_found(lane)
        lane.log.close_interrupted(lane.id, except_step=step.open)
        if found.unverified:
            lane.notice(Phrase(UNVERIFIED), step=StepKind.IDENTIFY)
        step.result = phrase(
            "{model}, serial number {serial}, system {os}",
            model=found.title,
            serial=found.serial,
            os=found.os_version or "?",
        )
    clock = lane.services.clock
    lane.emit(
        LaneIdentified(
            lane.id, clock.now(), str(lane.address), found.serial, found.vendor_name, found.model_name, found.os_version
        )
    )


def _how_found(lane: Lane) -> None:
    """A merchant's network that was asked for terminals: the record says by whom and when."""
    from techtool.links.discovery.probe_log import found_by

    probe = found_by(lane.services.paths, lane.address.target, lane.services.clock.now())
    if probe is not None and lane.address.scheme == "adb":
        text = phrase(
            "This address was found by probing {network} at {time}, by {who}.",
            network=probe.target,
            time=stamp(probe.at),
            who=probe.who or "-",
        )
        lane.notice(text, step=StepKind.IDENTIFY)


async def _recognised(lane: Lane, link: Link) -> Terminal:
    """As the catalogue's rules read it; where no rule can, as a person reads the label, if the link is one for that."""
    try:
        return await identify_terminal(link, lane.services.catalogue)
    except UnknownModel as error:
        if Capability.OWN_FACTS not in link.capabilities:
            raise
        return await ask_identity(lane, link, error)


async def read_state(lane: Lane) -> TerminalState:
    """The terminal as it is now, with the signers of every package that a release on the stick names.

    Of one that is worked on by hand: what was typed last; where it may have changed since, it is typed again.
    """
    if is_by_hand(lane.address):
        return await read_by_hand(lane)
    releases = lane.opened.releases if lane.opened else ()
    named = frozenset(package.id for verified in releases for package in verified.release.packages)
    return await lane.driver.read_state(signers_of=named)
