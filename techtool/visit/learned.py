"""What this laptop has learned from its visits, for plans and risks; nothing here ever stops a visit."""

from __future__ import annotations

import contextlib

from techtool.domain.estimate import Timings
from techtool.domain.history import TerminalEntry
from techtool.domain.learning import timings_of
from techtool.domain.plan import Plan
from techtool.domain.risk_facts import Past, past_of
from techtool.domain.terminal import TerminalState
from techtool.errors import StoreError
from techtool.visit.services import Services


def learned_timings(services: Services) -> Timings:
    """What phases took on this laptop's visits; nothing where the index cannot be read: it is derived."""
    with contextlib.suppress(StoreError):
        return timings_of(services.index.observations())
    return Timings()


def remembered(services: Services) -> list[TerminalEntry]:
    """Every terminal of every visit that the index knows, oldest first."""
    with contextlib.suppress(StoreError):
        return services.index.terminals()
    return []


def past_for(services: Services, plan: Plan, state: TerminalState, visit: str = "") -> Past:
    """How it went before, as far as this laptop knows; ``visit``: the one under way."""
    releases = [verified.release for verified in plan.releases]
    return past_of(remembered(services), state.identity, releases, services.settings.technician, visit)
