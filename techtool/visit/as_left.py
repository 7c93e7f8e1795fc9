"""As a terminal is left: what it runs by its newest reading, beside what it ran before, and what follows from that."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from techtool.domain.components import slot_values, slots_written
from techtool.domain.outcome import Outcome
from techtool.domain.terminal import TerminalState
from techtool.domain.visit import ErrorRecord
from techtool.errors import (
    GateClosed,
    InstallFailed,
    LinkError,
    NotCompatible,
    RefusedByPerson,
    RestoreRefused,
    TechtoolError,
    TrustError,
    UnknownModel,
)
from techtool.i18n import phrase
from techtool.terminals.install import outcome_of
from techtool.visit.lane import Lane
from techtool.visit.steps.configs import forget_unplaced, written_configs
from techtool.visit.steps.identify import read_state


def outcome_so_far(lane: Lane) -> Outcome:
    """How far a lane got that only stopped: “nothing changed” is not said of a terminal that was read otherwise."""
    if lane.changing:
        return Outcome.INCONSISTENT
    return Outcome.SUCCESS_NOT_RESTORED if _differs(lane) else Outcome.FAILED_TRANSIENT


def truthful(lane: Lane, record: ErrorRecord) -> ErrorRecord:
    """No “nothing was changed” for a terminal that was, by its newest reading; none either where nobody read it."""
    if not lane.changing:
        return record
    if lane.state is None:
        unread = record.state_now.msgid in (LinkError.state_now, InstallFailed.state_now)
        text = phrase("The work had begun; the terminal was not read again since, so what it runs now is not known.")
        return replace(record, state_now=text) if unread else record
    if as_before(lane):
        return record
    missing = _unread(lane, lane.state)
    if missing:
        text = phrase("Nobody could read what it runs now: {packages}.", packages=", ".join(missing))
        return replace(record, state_now=text)
    return replace(
        record, state_now=phrase("Not everything is as before the work: {packages}.", packages=_changed(lane))
    )


async def read_again(lane: Lane) -> None:
    """After a failure the terminal's own word counts; where it does not answer, nothing is known."""
    try:
        state = await read_state(lane)
    except TechtoolError:
        lane.state = None
        return
    lane.state = state
    lane.log.read_again(lane.id, state)
    with contextlib.suppress(LinkError):
        await forget_unplaced(lane)


def outcome_after(lane: Lane, error: TechtoolError) -> Outcome:
    """What a failure means for the terminal, once it was read again."""
    if not lane.changing:
        if isinstance(error, RefusedByPerson):
            return Outcome.CANCELLED
        refusal = isinstance(error, GateClosed | NotCompatible | UnknownModel | TrustError | RestoreRefused)
        return Outcome.REFUSED if refusal else Outcome.FAILED_TRANSIENT
    if not as_before(lane):
        return Outcome.INCONSISTENT
    if isinstance(error, InstallFailed) and error.word:
        return outcome_of(error.word)
    return Outcome.FAILED_DEVICE_OK


def as_before(lane: Lane) -> bool:
    """Whether the terminal, read again, runs exactly what it ran before the work."""
    if lane.before is None or lane.state is None:
        return False
    if lane.state.typed and (lane.plan is None or _unread(lane, lane.state)):
        return False
    return not _differs(lane)


def _differs(lane: Lane) -> bool:
    """Whether the newest reading is another one than the first; what nobody has read yet is no difference."""
    if lane.before is None or lane.state is None:
        return False
    return _versions(lane.before) != _versions(lane.state) or bool(written_configs(lane))


def _unread(lane: Lane, state: TerminalState) -> list[str]:
    """What the plan was to change and no person could read; what nobody reads is not “as before”."""
    if lane.plan is None or not state.typed:
        return []
    written = {slot for verified in lane.plan.releases for slot in slots_written(verified.release)}
    return sorted(written - _versions(state).keys())


def _versions(state: TerminalState) -> dict[str, object]:
    """What is compared: the mark of each package; of a terminal that a person reads, what was typed."""
    if state.typed:
        return {slot: value for slot, value in slot_values(state).items() if value}
    return {package.id: package.mark for package in state.packages}


def _changed(lane: Lane) -> str:
    """Package ids that differ from before; what could not be read is all of them."""
    if lane.before is None or lane.state is None:
        return "?"
    before, now = _versions(lane.before), _versions(lane.state)
    packages = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return ", ".join([*packages, *written_configs(lane)]) or "?"
