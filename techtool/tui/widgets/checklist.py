"""A list that is answered as a whole: mark what is not in order, or say with one key that everything is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from textual import events
from textual.message import Message

from techtool.domain.question import CheckResult, Choice
from techtool.domain.typed import WIDE
from techtool.tui.widgets.choices import Choices, Option


class Checklist(Choices):
    """Space, a digit or a click marks an item as not in order; ``a``, ``n`` and enter end the list.

    Enter with nothing marked says nothing: only ``a`` says that everything was looked at and is in order.
    """

    @dataclass
    class Ended(Message):
        """All in order, not done, or these items are not in order."""

        checklist: Checklist
        result: CheckResult
        items: tuple[str, ...] = ()

        @property
        def control(self) -> Checklist:
            """The list that was answered."""
            return self.checklist

    @dataclass
    class Looked(Message):
        """The cursor stands at another item."""

        checklist: Checklist
        item: Choice

    def __init__(self, items: Sequence[Choice], *, id: str | None = None) -> None:  # noqa: A002
        self._items = tuple(items)
        super().__init__([_option(item, place) for place, item in enumerate(items)], start=0, id=id)

    @property
    def marked(self) -> tuple[str, ...]:
        """Ids of what is not in order."""
        return tuple(option.value for option in self.options if option.picked)

    def on_key(self, event: events.Key) -> None:
        """All keys are dealt with here, in the order in which they were typed: a binding comes later than a key."""
        actions: dict[str, Callable[[], None]] = {
            "up": partial(self.action_move, -1),
            "down": partial(self.action_move, 1),
            "enter": self.action_choose,
            "a": self.action_all_in_order,
            "n": self.action_not_done,
        }
        action = actions.get(event.key) or actions.get((event.character or "").translate(WIDE))
        if action is not None:
            event.stop()
            event.prevent_default()  # else the list's own handling follows
            action()

    def choose(self, place: int) -> None:
        """Mark this one, or take the mark away."""
        self._at = place
        options = list(self._options)
        options[place] = replace(options[place], picked=not options[place].picked)
        self._options = tuple(options)
        self._draw()
        self._look()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        super().action_move(by)
        self._look()

    def action_choose(self) -> None:
        """Enter: done with marking."""
        self.post_message(self.Ended(self, CheckResult.FAIL, self.marked))

    def action_all_in_order(self) -> None:
        """Every item was looked at and is in order; not while one is marked."""
        if self.marked:
            self.app.bell()
            return
        self.post_message(self.Ended(self, CheckResult.PASS))

    def action_not_done(self) -> None:
        """Nobody looked, with a reason."""
        self.post_message(self.Ended(self, CheckResult.NOT_DONE))

    def _look(self) -> None:
        if self._at is not None:
            self.post_message(self.Looked(self, self._items[self._at]))


def _option(item: Choice, place: int) -> Option:
    # Only the first nine have a digit; the others keep its place.
    return Option(item.value, item.label.text() if place < 9 else f"  {item.label.text()}", picked=False)
