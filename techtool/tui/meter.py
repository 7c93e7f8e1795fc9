"""The honest meter of a transfer: confirmed bytes in, a view out; the estimate itself is ``domain.estimate.Eta``."""

from __future__ import annotations

from techtool.clock import Clock
from techtool.domain.estimate import Eta
from techtool.events import Progress
from techtool.tui.views.fleet import Overall, bytes_of, foreseeable
from techtool.tui.views.visit import Transfer, VisitView


class Meter:
    """Measures one transfer after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._eta = Eta()
        self._key: tuple[str, str, str] | None = None
        self._began_s = 0.0
        self._last: Progress | None = None

    def take(self, event: Progress) -> Transfer:
        """Note newly confirmed bytes."""
        now_s = self._clock.monotonic_s()
        key = (event.lane, event.step.value, event.item)
        if key != self._key:
            self._eta.reset()
            self._key, self._began_s = key, now_s
        self._eta.update(now_s, event.confirmed_bytes, event.total_bytes)
        self._last = event
        return self._transfer(event, now_s)

    def now(self) -> Transfer | None:
        """The transfer as it stands now, for the clock's sake: None when none is under way."""
        return None if self._last is None else self._transfer(self._last, self._clock.monotonic_s())

    def clear(self) -> None:
        """The transfer is over."""
        self._last = self._key = None

    def _transfer(self, event: Progress, now_s: float) -> Transfer:
        return Transfer(
            confirmed_bytes=event.confirmed_bytes,
            total_bytes=event.total_bytes,
            elapsed_s=now_s - self._began_s,
            bytes_s=self._eta.rate(),
            remaining_s=self._eta.remaining_s(),
            stalled_s=self._eta.stalled_for(now_s),
            resumed_bytes=event.resumed_bytes,
        )


class FleetMeter:
    """Measures all transfers of a visit together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._eta = Eta()

    def take(self, view: VisitView) -> Overall:
        """How far all terminals are by now; a time only where nothing but bytes is waited for."""
        now_s = self._clock.monotonic_s()
        sent_bytes, total_bytes, unplanned = bytes_of(view)
        self._eta.update(now_s, sent_bytes, total_bytes)
        moving = any(lane.transfer is not None for lane in view.lanes)
        return Overall(
            sent_bytes=sent_bytes,
            total_bytes=total_bytes,
            unplanned=unplanned,
            bytes_s=self._eta.rate() if moving else None,
            remaining_s=self._eta.remaining_s() if moving and foreseeable(view) else None,
            stalled_s=self._eta.stalled_for(now_s) if moving else 0.0,
        )
