"""The words of the visit screen: what is under way, its steps, whether it is safe to leave."""

from __future__ import annotations

from typing import Final

from techtool.domain.estimate import human_duration
from techtool.domain.guide import GUIDE
from techtool.domain.plan import StepKind
from techtool.domain.question import CheckResult
from techtool.domain.remaining import Left
from techtool.i18n import _, phrase
from techtool.tui.views.lines import Line, Mark, clock_time
from techtool.tui.views.visit import LaneView, VisitView, label_of

EXACT_S: Final = 300
"""From here on a duration is said in whole minutes, below as a range."""


def headline(view: VisitView) -> str:
    """One line: what is under way."""
    lane = view.lane
    if view.question is not None and not view.visit:
        return _("Before the visit begins")
    if not view.visit:
        return _("Checking the stick and this laptop …")
    if lane is None:
        return ""
    if lane.outcome is not None:
        return _("Nothing more is done to this terminal")
    busy = next((item for item in reversed(lane.items) if item.mark is Mark.BUSY), None)
    if busy is not None:
        return busy.title.text()
    station = lane.at_work
    return label_of(station.kind) if station else ""


def time_left(lane: LaneView | None) -> tuple[str, str]:
    """What is left of the plan, or how long a person or a restart has taken; and what to know where it takes long."""
    time = lane.left if lane is not None else None
    if time is None:
        return "", ""
    slow = time.slow.text() if time.slow is not None else ""
    if time.left is not None:
        text = _left(time.left)
        if time.why is not None:
            text = _("{left} (longer now: {why})").format(left=text, why=time.why.text())
        return text, slow
    if time.elapsed_s is None:
        return "", slow
    elapsed = clock_time(time.elapsed_s)
    if time.usual_s is None:
        return _("{time} so far").format(time=elapsed), slow
    usual = human_duration(time.usual_s).text()
    return _("{time} so far; usually {usual}").format(time=elapsed, usual=usual), slow


def _left(left: Left) -> str:
    whole, attended = _about(left.total_s), _about(left.attended_s)
    if left.attended_s <= 0:
        return _("{whole} left").format(whole=whole)
    return _("{whole} left, {attended} of it with you").format(whole=whole, attended=attended)


def _about(seconds: float) -> str:
    """A range is vague enough by itself."""
    words = human_duration(seconds).text()
    return words if seconds < EXACT_S else _("about {time}").format(time=words)


def safety(view: VisitView) -> tuple[bool, str]:
    """Whether it is a warning, and what to know before touching cable or lid."""
    if view.stopping:
        return True, _("Stopping at the next safe point; what is being written is finished first.")
    if view.writing:
        return True, _(
            "Do not unplug the terminal or power it off. If this laptop dies now: open techtool again and resume; "
            "the terminal is read again first."
        )
    if view.question is not None and view.question.id.startswith(GUIDE):
        return True, _("The terminal may be writing: do not switch it off and do not pull its stick.")
    if view.question is not None and view.fleet:
        return False, _("Nothing runs on this terminal while you are asked; the others go on.")
    if view.lane is not None and view.lane.waits_turn:
        return False, _("Nothing is being written yet: it waits its turn.")
    if view.question is not None and view.visit:
        return False, _("Nothing runs while you are asked; it is safe to wait here.")
    return False, ""


def fleet_safety(view: VisitView) -> str:
    """What to know before touching a cable while several terminals are worked on; empty: nothing is written."""
    if view.over:
        return ""
    if view.stopping:
        return safety(view)[1]
    if any(lane.writing for lane in view.lanes):
        return _("Do not unplug a terminal that is busy, and do not power it off.")
    return ""


def items_of(view: VisitView, most: int) -> tuple[Line, ...]:
    """The newest steps of the station under way, ``most`` at most: what is done now is always among them."""
    lane = view.lane
    if lane is None:
        return ()
    asked = view.question is not None
    lines = []
    for item in lane.items[-most:]:
        mark, text = item.mark, item.title.text()
        if item.note is not None and item.key[0] is StepKind.TEST:
            result = item.note.text("en")
            text = phrase("{title}: {result}", title=item.title, result=check_word(result)).text()
            mark = Mark.NOTE if mark is Mark.OK and not result.startswith(CheckResult.PASS.value) else mark
        lines.append(Line(Mark.NEEDS if mark is Mark.BUSY and asked else mark, text))
    if len(lane.items) > most:
        lines.insert(0, Line(Mark.NOTE, _("{count} before these: F3 shows them").format(count=len(lane.items) - most)))
    return tuple(lines)


def check_word(text: str) -> str:
    """A test's result, ``pass`` or ``not-done: reason``, in words."""
    word, colon, reason = text.partition(":")
    words = {
        "pass": _("passed"),
        "fail": _("failed"),
        "not-applicable": _("not applicable"),
        "not-done": _("not done"),
    }
    return words.get(word, word) + (f" ({reason.strip()})" if colon else "")
