"""Identify: connect, let the catalogue say which terminal it is, read what it is like."""

from __future__ import annotations

from techtool.clock import stamp
from techtool.domain.plan import StepKind
from techtool.domain.terminal import TerminalState
from techtool.errors import AnotherTerminal
from techtool.events import LaneIdentified
from techtool.i18n import phrase
from techtool.links.permission import tell_permission
from techtool.terminals.identify import identify as identify_terminal
from techtool.visit.lane import Lane


async def identify(lane: Lane) -> None:
    """Reach the terminal and read it; raises ``LinkError``, ``UnknownModel`` or ``AnotherTerminal``.

    A lane that knows its terminal (resumed, or reconnected after a fault) accepts no other one.
    """
    async with lane.step(
        StepKind.IDENTIFY, title=phrase("Identify the terminal at {address}", address=str(lane.address))
    ) as step:
        await lane.disconnect()
        lane.link = lane.services.connect(lane.address)
        tell_permission(lane.link, step.permission)
        await lane.link.open()
        lane.terminal = await identify_terminal(lane.link, lane.services.catalogue)
        found = lane.terminal.identity
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
        step.result = phrase(
            "{model}, serial number {serial}, system {os}",
            model=found.title,
            serial=found.serial,
            os=found.os_version,
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


async def read_state(lane: Lane) -> TerminalState:
    """The terminal as it is now, with the signers of every package that a release on the stick names."""
    releases = lane.opened.releases if lane.opened else ()
    named = frozenset(package.id for verified in releases for package in verified.release.packages)
    return await lane.driver.read_state(signers_of=named)
