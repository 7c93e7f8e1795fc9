"""A list to choose from by digit, by arrows and enter, or by mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from techtool.domain.typed import WIDE
from techtool.tui.theme import AMBER, BLUE, COLOUR, DIM, STRONG
from techtool.tui.views.lines import Mark
from techtool.tui.widgets.text import glyphs_of


@dataclass(frozen=True, slots=True)
class Option:
    """One line of the list."""

    value: str
    label: str
    note: str = ""
    mark: Mark | None = None
    """Instead of the number, for long lists."""
    picked: bool | None = None
    """For lists where several can be picked: whether this one is."""
    numbered: bool = True
    """False: no digit stands before it, because digits are typed elsewhere."""


class Choices(Vertical, can_focus=True):
    """Nothing is marked at first unless ``start`` says so: then enter alone chooses nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """One was chosen."""

        choices: Choices
        value: str

        @property
        def control(self) -> Choices:
            """The list it was chosen from."""
            return self.choices

    @dataclass
    class Undecided(Message):
        """Enter was pressed while no line was marked."""

        choices: Choices

        @property
        def control(self) -> Choices:
            """The list that nothing was chosen from."""
            return self.choices

    def __init__(
        self,
        options: Sequence[Option] = (),
        *,
        start: int | None = None,
        label_width: int = 0,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._options = tuple(options)
        self.can_focus = bool(self._options)
        self._at = start
        self._always = False
        self._label_width = label_width

    @property
    def options(self) -> tuple[Option, ...]:
        """What is listed now."""
        return self._options

    def compose(self) -> ComposeResult:
        """One row an option."""
        for place in range(len(self._options)):
            yield _Row(self, place)

    async def offer(self, options: Sequence[Option], *, start: int | None = None) -> None:
        """List something else; the marked line stays where it is when the list is as long as before."""
        new = tuple(options)
        if new == self._options:
            return
        same_length = len(new) == len(self._options)
        self._options = new
        self.can_focus = bool(new)
        if not same_length:
            self._at = start
            await self.remove_children()
            await self.mount_all([_Row(self, place) for place in range(len(new))])
        self._draw()
        if new and self.screen.focused is None:
            self.focus(scroll_visible=False)

    def draw_row(self, place: int) -> Table:
        """One row, in the app's marks."""
        option = self._options[place]
        marked = place == self._at and (self.has_focus or self._always)
        table = Table.grid(padding=(0, 1, 0, 0), expand=True, pad_edge=False)
        glyphs = glyphs_of(self.app)
        cursor = Text(glyphs.cursor if marked else " ", style=f"bold {AMBER}")
        row = [cursor]
        table.add_column(width=1)
        if option.picked is not None:
            table.add_column(width=3)
            row.append(Text("[x]" if option.picked else "[ ]", style=BLUE if option.picked else DIM))
        if option.mark is not None:
            table.add_column(width=1)
            row.append(Text(glyphs.marks[option.mark], style=f"bold {COLOUR[option.mark]}"))
        elif option.numbered:
            table.add_column(width=1)
            row.append(Text(str(place + 1) if place < 9 else "", style=f"bold {BLUE}"))
        label = Text.assemble((option.label, f"bold {STRONG}" if marked else ""))
        row.append(label)
        if self._label_width and option.note:
            table.add_column(width=self._label_width)
            table.add_column(ratio=1, overflow="fold")
            row.append(Text(option.note, style=DIM))
        else:
            table.add_column(ratio=1, overflow="fold")
            if option.note:
                label.append(f"   {option.note}", style=DIM)
        table.add_row(*row)
        return table

    def _draw(self) -> None:
        for row in self.query(_Row):
            row.update(self.draw_row(row.place))
            row.set_class(row.place == self._at and (self.has_focus or self._always), "-marked")

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor is shown where keys go."""
        super().watch_has_focus(focused)
        self._draw()

    def show_mark(self) -> None:
        """Show the marked line although the keys go to a field above the list."""
        self._always = True
        self._draw()

    def action_move(self, by: int) -> None:
        """Move the mark; at the ends the focus stays."""
        if self._options:
            at = (0 if by > 0 else len(self._options) - 1) if self._at is None else self._at + by
            self._at = max(0, min(len(self._options) - 1, at))
            self._draw()
            list(self.query(_Row))[self._at].scroll_visible(animate=False)

    def action_choose(self) -> None:
        """Choose the marked line, if one is marked."""
        if self._at is not None and self._at < len(self._options):
            self.choose(self._at)
        else:
            self.post_message(self.Undecided(self))

    def on_key(self, event: events.Key) -> None:
        """A digit chooses at once; space as well where several can be picked. An input method may widen both."""
        typed = (event.character or "").translate(WIDE)
        if typed and typed in "123456789" and int(typed) <= len(self._options):
            option = self._options[int(typed) - 1]
            if option.mark is None and option.numbered:
                event.stop()
                self.choose(int(typed) - 1)
        elif (event.key == "space" or typed == " ") and self._at is not None:
            event.stop()
            self.choose(self._at)

    def choose(self, place: int) -> None:
        """Tell that the line at ``place`` was chosen."""
        self._at = place
        self._draw()
        self.post_message(self.Chosen(self, self._options[place].value))


class _Row(Static):
    """One line of a list."""

    def __init__(self, choices: Choices, place: int) -> None:
        super().__init__(markup=False)
        self._choices = choices
        self.place = place

    def on_mount(self) -> None:
        """Drawn when the app's marks are known."""
        self.update(self._choices.draw_row(self.place))

    def on_click(self, event: events.Click) -> None:
        """The same as its digit."""
        event.stop()
        self._choices.choose(self.place)
