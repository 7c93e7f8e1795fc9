"""One terminal's time left: follows its steps on the house's clock; the sums themselves are ``domain.remaining``."""

from __future__ import annotations

from collections import Counter
from typing import Final

from techtool.clock import Clock
from techtool.domain.estimate import PRIOR_S, STALL_S, Phase, duration
from techtool.domain.plan import Estimate, Plan, StepKind
from techtool.domain.remaining import RESTART, Standing, Told, done_of, restart_of, running_of, told
from techtool.domain.tempo import pace
from techtool.events import Event, StepDone, StepFailed, StepStarted
from techtool.i18n import Phrase
from techtool.tui.views.lines import Mark
from techtool.tui.views.visit import LaneView, TimeLeft

_USUAL: Final = {
    StepKind.IDENTIFY: duration(PRIOR_S[Phase.IDENTIFY]),
    StepKind.CHECK: duration(PRIOR_S[Phase.PREFLIGHT]),
}
"""What steps before the plan take, where nobody but the machine is waited for."""
_REBOOT: Final = duration(PRIOR_S[Phase.REBOOT])


class Countdown:
    """Remembers when what runs began, what is behind it, and what was told last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kind: StepKind | None = None
        self._item = ""
        self._place: tuple[StepKind, int | None] | None = None
        self._began_s = 0.0
        self._alone_s = 0.0
        """Since when nobody but the machine is waited for."""
        self._failed = self._undoing = False
        self._items: Counter[str] = Counter()
        self._told: Told | None = None

    def note(self, event: Event, lane: LaneView) -> None:
        """Follow a step; ``lane``: the terminal after that event."""
        match event:
            case StepStarted(step=step, item=item):
                self._start(step, item, lane)
            case StepDone(step=StepKind.INSTALL, item=item):
                self._items[item] += 1
            case StepFailed():
                self._failed = True
            case _:
                return

    def spoke(self) -> None:
        """A person was asked or has answered: what came before was not the machine's time."""
        self._alone_s = self._clock.monotonic_s()

    def asks(self, kind: StepKind) -> None:
        """A question of a step that has not begun yet: the time is that step's from here on."""
        if kind is not self._kind:
            self._kind, self._item = kind, ""
            self._began_s = self._alone_s = self._clock.monotonic_s()

    def signs(self) -> None:
        """The sign-off is asked for, which is no step of a terminal's own."""
        self.asks(StepKind.SIGN_OFF)

    def _start(self, kind: StepKind, item: str, lane: LaneView) -> None:
        self._undoing = self._undoing or _undoes(kind, item, lane)
        place = (kind, self._place_of(lane.plan, kind, item) if lane.plan is not None else None)
        again = self._failed or place != self._place or item == RESTART
        self._kind, self._item, self._place, self._failed = kind, item, place, False
        self._alone_s = self._clock.monotonic_s()
        if again:
            self._began_s = self._alone_s

    def _place_of(self, plan: Plan, kind: StepKind, item: str) -> int | None:
        return running_of(plan, kind, item, done_of(plan, (), self._items))

    def at(self, lane: LaneView, *, asked: bool) -> TimeLeft | None:
        """What to tell of that terminal now; ``asked``: a question about it waits for the person."""
        kind = self._kind
        if kind is None or lane.waits_turn or (lane.outcome is not None and kind is not StepKind.SIGN_OFF):
            return None
        now_s = self._clock.monotonic_s()
        plan = lane.plan if lane.station(StepKind.CONFIRM).mark is Mark.OK and not self._undoing else None
        if plan is None:
            slow = None if asked else _slow(now_s - self._alone_s, _USUAL.get(kind), kind)
            return TimeLeft(slow=slow) if slow is not None else None
        place = self._place_of(plan, kind, self._item)
        restarting = kind is StepKind.INSTALL and self._item == RESTART
        usual = _REBOOT if restarting else plan.steps[place].estimate if place is not None else None
        attended = place is not None and plan.steps[place].attended
        if asked or restarting or attended:
            elapsed_s = now_s - self._began_s
            slow = None if asked or attended else _slow(elapsed_s, usual, kind)
            return TimeLeft(elapsed_s=elapsed_s, usual_s=usual.p50_s if usual else None, slow=slow)
        transfer, slow = lane.transfer, _slow(now_s - self._alone_s, usual, kind)
        if transfer is not None and transfer.stalled_s >= STALL_S:
            return TimeLeft(slow=slow) if slow is not None else None
        standing = Standing(
            steps=plan.steps,
            done=done_of(plan, [s.kind for s in lane.stations if s.mark is Mark.OK], self._items),
            running=place,
            elapsed_s=now_s - self._began_s,
            transfer_s=transfer.remaining_s if transfer is not None else None,
            restart=restart_of(plan, self._items) if lane.station(StepKind.INSTALL).mark is not Mark.OK else None,
        )
        self._told = now = told(self._told, standing, now_s)
        return TimeLeft(left=now.left, why=now.why, slow=slow)


def _undoes(kind: StepKind, item: str, lane: LaneView) -> bool:
    """Whether this step takes back what the plan brought: nobody knows how long that takes."""
    if kind is not StepKind.INSTALL or lane.plan is None or lane.plan.put_back or lane.plan.configs:
        return False
    return item == "take-out" or item.startswith("remove:")


def _slow(elapsed_s: float, usual: Estimate | None, kind: StepKind) -> Phrase | None:
    return pace(elapsed_s, usual, kind).text if usual is not None else None
