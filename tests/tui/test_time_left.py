"""How long it still takes, as the visit's screen tells it: on a fixed clock, through the bridge's own parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from techtool.clock import FixedClock
from techtool.domain.estimate import STALL_S
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.events import Event, LaneFinished, StepDone, StepFailed, StepStarted
from techtool.i18n import raw
from techtool.tui.countdown import Countdown
from techtool.tui.screens.visit import VisitScreen
from techtool.tui.theme import UNICODE
from techtool.tui.views.fold import fold, planned_visit, with_question
from techtool.tui.views.lines import Mark
from techtool.tui.views.problem import problem_view
from techtool.tui.views.run import time_left
from techtool.tui.views.visit import LaneView, TimeLeft, Transfer, VisitView, lane_shown
from techtool.tui.widgets.rail import rail_line, rail_table
from techtool.visit.log import record_of
from tests.tui import scene_visit, scenes
from tests.tui.hand import Hand
from tests.tui.scene_shop import ADDRESS, KERNEL, PAY, SERIAL, START, at
from tests.tui.scene_visit import LOST


@dataclass
class Story:
    """A visit that is told, and the clock beside it."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    view: VisitView = field(default_factory=lambda: planned_visit([ADDRESS]))

    def __post_init__(self) -> None:
        self.countdown = Countdown(self.clock)

    @property
    def lane(self) -> LaneView:
        (lane,) = self.view.lanes
        return lane

    def tell(self, *events: Event) -> None:
        """Each at its own time."""
        for event in events:
            self.clock.elapsed_s = (event.at - START).total_seconds()
            self.view = fold(self.view, event)
            self.countdown.note(event, self.lane)

    def sent(self, share: float, remaining_s: float | None, stalled_s: float = 0.0) -> LaneView:
        """The terminal while its package is sent."""
        transfer = Transfer(int(18e6 * share), 18_000_000, 5.0, 1e6, remaining_s, stalled_s)
        return replace(self.lane, transfer=transfer)

    def words(self, lane: LaneView | None = None, *, asked: bool = False) -> tuple[str, str]:
        """What stands on the screen."""
        lane = lane or self.lane
        return time_left(replace(lane, left=self.countdown.at(lane, asked=asked)))


@pytest.fixture
def story() -> Story:
    return Story()


def test_nothing_is_foretold_before_the_plan_is_confirmed(story: Story) -> None:
    for event in scene_visit.until_plan():
        story.tell(event)
        assert story.words() == ("", "")
        assert story.words(asked=True) == ("", "")


def test_the_rest_of_the_terminal_and_of_it_the_part_with_a_person(story: Story) -> None:
    story.tell(*scene_visit.until_install())
    text, slow = story.words()
    assert text == "about 7 min left, about 6 min of it with you"
    assert slow == ""
    first = story.countdown.at(story.lane, asked=False)
    story.clock.elapsed_s += 10
    later = story.countdown.at(story.lane, asked=False)
    assert first is not None
    assert later is not None
    assert first.left is not None
    assert later.left is not None
    assert first.left.total_s - later.left.total_s == pytest.approx(10)
    assert first.left.attended_s == later.left.attended_s


def test_a_slow_link_makes_it_longer_and_says_so(story: Story) -> None:
    story.tell(*scene_visit.until_install())
    story.words()
    text, _slow = story.words(story.sent(0.2, 900.0))
    assert text == "about 20 min left, about 6 min of it with you (longer now: the link is slower than expected)"
    assert story.words(story.sent(0.2, None, stalled_s=STALL_S)) == ("", ""), "none while nothing is confirmed"


def test_while_a_person_is_asked_nothing_counts_down(story: Story) -> None:
    story.tell(*scene_visit.until_install(), StepDone("1", StepKind.INSTALL, at(121), PAY))
    story.tell(StepStarted("1", StepKind.VERIFY, at(122)), StepDone("1", StepKind.VERIFY, at(128)))
    story.tell(StepStarted("1", StepKind.TEST, at(130), "SE-08", raw("Seals")))
    story.clock.elapsed_s += 65
    assert story.words(asked=True) == ("1:05 so far; usually 2–5 min", "")
    story.clock.elapsed_s += 4000
    assert story.words(asked=True) == ("1:07:45 so far; usually 2–5 min", ""), "a person is never stuck"
    story.tell(LaneFinished("1", at(190), ADDRESS, SERIAL, Outcome.SUCCESS, 0))
    assert story.words() == ("", "")
    story.countdown.signs()
    story.clock.elapsed_s += 12
    assert story.words(asked=True)[0] == "0:12 so far; usually 1–2 min"


def test_while_the_terminal_starts_again_nothing_counts_down(story: Story) -> None:
    story.tell(*scene_visit.until_install(), StepDone("1", StepKind.INSTALL, at(121), PAY))
    story.tell(StepStarted("1", StepKind.INSTALL, at(122), "restart", raw("Restart")))
    story.clock.elapsed_s += 20
    assert story.words() == ("0:20 so far; usually 1–2 min", "")
    story.clock.elapsed_s += 150
    assert "longer than usual" in story.words()[1]
    story.clock.elapsed_s += 300
    assert story.words()[1].startswith("Stuck?")


def test_a_running_step_that_takes_long_says_so(story: Story) -> None:
    story.tell(*scene_visit.until_install())
    story.clock.elapsed_s += 130
    assert "longer than usual" in story.words()[1]
    story.countdown.spoke()
    assert story.words()[1] == "", "the time of a person is not the machine's"
    story.clock.elapsed_s += 1000
    assert story.words()[1].startswith("Stuck?")


def test_even_before_the_plan_a_terminal_that_does_not_answer_takes_longer_than_usual(story: Story) -> None:
    story.tell(StepStarted("1", StepKind.IDENTIFY, at(2)))
    story.clock.elapsed_s += 25
    assert story.words() == ("", "Takes longer than usual; nothing has to be done.")


def test_what_is_taken_back_has_no_time(story: Story) -> None:
    story.tell(*scene_visit.until_install(), StepDone("1", StepKind.INSTALL, at(121), PAY))
    story.tell(StepStarted("1", StepKind.VERIFY, at(122)), StepStarted("1", StepKind.TEST, at(130), "SE-08"))
    story.tell(StepStarted("1", StepKind.INSTALL, at(150), "take-out"))
    assert story.words() == ("", "")
    story.tell(StepStarted("1", StepKind.INSTALL, at(152), KERNEL))
    assert story.words() == ("", "")


def test_a_step_that_failed_and_begins_again_is_named_where_the_time_grows(story: Story) -> None:
    story.tell(*scene_visit.until_install())
    story.clock.elapsed_s = 160
    story.words(story.sent(0.9, 2.0))
    record = record_of(LOST)
    story.tell(StepFailed("1", StepKind.INSTALL, at(161), record, PAY))
    assert story.words(asked=True)[0].startswith("1:01 so far"), "asked: elapsed and the usual time"
    story.tell(StepStarted("1", StepKind.IDENTIFY, at(170)), StepDone("1", StepKind.IDENTIFY, at(171)))
    story.tell(StepStarted("1", StepKind.INSTALL, at(172), PAY, raw("Install")))
    assert "min left" in story.words()[0]


# -- who is waited for ------------------------------------------------------------------------------------------------


def at_the_tests() -> VisitView:
    view = planned_visit([ADDRESS])
    for event in (
        *scene_visit.until_install(),
        StepDone("1", StepKind.INSTALL, at(121), PAY),
        StepStarted("1", StepKind.VERIFY, at(122)),
        StepStarted("1", StepKind.TEST, at(130), "SE-08"),
    ):
        view = fold(view, event)
    return view


def marks(view: VisitView) -> dict[StepKind, Mark]:
    lane = lane_shown(view)
    assert lane is not None
    return {station.kind: station.mark for station in lane.stations}


def test_the_station_whose_question_waits_needs_the_person() -> None:
    view = at_the_tests()
    assert marks(view)[StepKind.TEST] is Mark.BUSY
    asked = with_question(view, scene_visit.test_question())
    assert marks(asked)[StepKind.TEST] is Mark.NEEDS
    lane = lane_shown(asked)
    assert lane is not None
    assert "busy" not in rail_line(lane, UNICODE, 40).plain
    assert "needs you" in rail_line(lane, UNICODE, 40).plain
    assert rail_table(lane, UNICODE).row_count == len(lane.stations)
    assert asked.lane is not None
    assert asked.lane.station(StepKind.TEST).mark is Mark.BUSY, "only the drawing says so; the work is under way"


def test_after_a_failed_test_only_the_sign_off_waits() -> None:
    view = fold(at_the_tests(), StepDone("1", StepKind.TEST, at(150), "SE-08", raw("fail")))
    view = fold(view, LaneFinished("1", at(190), ADDRESS, SERIAL, Outcome.SUCCESS_NOT_RESTORED, 8))
    question = replace(scene_visit.test_question(), id="sign_off.name")
    found = marks(with_question(view, question))
    assert (found[StepKind.TEST], found[StepKind.SIGN_OFF]) == (Mark.WARNING, Mark.NEEDS)
    assert Mark.BUSY not in found.values()


def test_an_undo_leaves_the_tests_behind() -> None:
    view = fold(at_the_tests(), StepStarted("1", StepKind.INSTALL, at(160), "take-out"))
    found = marks(view)
    assert (found[StepKind.INSTALL], found[StepKind.TEST]) == (Mark.BUSY, Mark.WARNING)


def test_a_stopped_station_stays_stopped_while_it_is_asked_about() -> None:
    view = fold(at_the_tests(), StepFailed("1", StepKind.TEST, at(150), record_of(LOST)))
    question = replace(scene_visit.problem_question(), id="problem.test")
    assert marks(with_question(view, question))[StepKind.TEST] is Mark.STOPPED


def test_a_problem_tells_its_own_error_wherever_it_was_raised() -> None:
    """Nothing failed in a step: the code and the advice come with the question."""
    question = replace(scene_visit.problem_question(), error=record_of(LOST))
    problem = problem_view(with_question(at_the_tests(), question))
    assert problem is not None
    assert problem.code == LOST.code
    assert problem.advice == tuple(action.text() for action in LOST.action_phrases)


async def test_the_screen_shows_it_and_the_clock_moves_it(tmp_path: Path) -> None:
    scene = next(one for one in scenes.scenes() if one.name == "run")
    app = scene.app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await scene.play(pilot)
        hand = Hand(app, pilot)
        screen = await hand.on(VisitScreen)
        assert "min left" in str(screen.query_one("#left").render())
        clock = app.house.doors.clock
        assert isinstance(clock, FixedClock)
        clock.elapsed_s += 1000
        app.house.bridge.tick()
        await hand.until(lambda: "Stuck?" in str(screen.query_one("#slow").render()), "the pace's words")


def test_a_view_without_a_word_is_empty() -> None:
    assert time_left(None) == ("", "")
    lane = LaneView("1", ADDRESS, left=TimeLeft(elapsed_s=61.0))
    assert time_left(lane) == ("1:01 so far", "")
