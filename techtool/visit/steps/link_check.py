"""The link to the terminal, measured before anything is planned: a handful of tiny round trips, nothing is changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from statistics import median
from typing import Final

from techtool.clock import Clock
from techtool.domain.functional import Mode
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckAnswer, CheckResult
from techtool.errors import LinkError, LinkLost
from techtool.i18n import Phrase, phrase
from techtool.links.base import Echoes, Link
from techtool.visit.lane import Lane

LINK_CHECK: Final = "LINK-01"
_WORD: Final = "techtool"
_WAIT_S: Final = 3.0
"""One round trip that takes longer counts as failed."""
_IN_A_ROW: Final = 2
"""So many failed ones end it: nobody is kept waiting by a link that says nothing any more."""


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """What the link did with them."""

    times_ms: tuple[float, ...]
    """Of those that came back."""
    tried: int

    @property
    def failed(self) -> int:
        """How many did not come back, or not as they were sent."""
        return self.tried - len(self.times_ms)

    @property
    def median_ms(self) -> int:
        """As long for one half as for the other; 0: none came back."""
        return round(median(self.times_ms)) if self.times_ms else 0

    @property
    def worst_ms(self) -> int:
        """The longest that came back; 0: none did."""
        return round(max(self.times_ms, default=0.0))

    @property
    def value(self) -> str:
        """As it is recorded, the same in every language."""
        failed = f"{self.failed} of {self.tried} failed"
        return f"median {self.median_ms} ms, worst {self.worst_ms} ms, {failed}" if self.times_ms else failed


async def check_link(lane: Lane) -> None:
    """Once a run: measure, record, and warn of a slow or lossy link; it closes no gate.

    A link that is lost meanwhile is found out by the next command, with its own ways on. Raises nothing.
    """
    if lane.link is None or lane.link_errors_percent is not None:
        return
    limits = lane.services.catalogue.limits
    found = await measure(lane.link, lane.services.clock, limits.link_round_trips)
    lane.link_errors_percent = 100.0 * found.failed / found.tried
    warning = _warning(found, limits.link_slow_ms)
    lane.log.checked(
        lane.id,
        LINK_CHECK,
        phrase("Link between laptop and terminal"),
        CheckAnswer(CheckResult.FAIL if found.failed else CheckResult.PASS),
        value=found.value,
        mode=Mode.AUTOMATIC.value,
        said=warning,
    )
    if warning is not None:
        lane.notice(warning, step=StepKind.CHECK, warning=True)


async def measure(link: Link, clock: Clock, count: int) -> RoundTrips:
    """So many round trips, one after the other, at least one; a link that is lost ends it. Raises nothing."""
    times: list[float] = []
    tried = in_a_row = 0
    while tried < max(1, count) and in_a_row < _IN_A_ROW:
        tried += 1
        in_a_row += 1
        begun_s = clock.monotonic_s()
        try:
            came_back = await _round_trip(link)
        except LinkLost:
            break
        except (LinkError, TimeoutError):
            continue
        if came_back:
            times.append((clock.monotonic_s() - begun_s) * 1000)
            in_a_row = 0
    return RoundTrips(tuple(times), tried)


async def _round_trip(link: Link) -> bool:
    """Whether a word came back as it was sent."""
    if isinstance(link, Echoes):
        async with asyncio.timeout(_WAIT_S):
            await link.round_trip()
        return True
    result = await link.run(f"echo {_WORD}", timeout_s=_WAIT_S, limit_bytes=4096)
    return result.text.strip() == _WORD


def _warning(found: RoundTrips, slow_ms: float) -> Phrase | None:
    if found.failed:
        return phrase(
            "The link to the terminal is not sound: {failed} of {tried} round trips failed, the worst of the others "
            "took {worst} ms. Change the cable or the port, or move closer, before anything is sent.",
            failed=found.failed,
            tried=found.tried,
            worst=found.worst_ms,
        )
    if found.worst_ms > slow_ms:
        return phrase(
            "The link to the terminal is slow: median {median} ms, worst {worst} ms. Use the cable, or expect it to "
            "take longer.",
            median=found.median_ms,
            worst=found.worst_ms,
        )
    return None
