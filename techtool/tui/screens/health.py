"""Check this laptop: every record read to its last byte; what can be mended is mended where it was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.views.health import calibration_lines, health_lines
from techtool.tui.views.lines import Part
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, lines_grid
from techtool.tui.widgets.toast import toast

if TYPE_CHECKING:
    from techtool.domain.calibration import Calibration
    from techtool.visit.checkup import Health

REBUILD: Final = "rebuild"
SALVAGE: Final = "salvage:"


class HealthScreen(FormScreen):
    """What is damaged, since when, and what to do."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Reads every visit's record to its last byte, and checks seals, index, settings, trust state and keys. Nothing "
        "is changed by looking. Saving a damaged visit sets its damaged file aside and keeps it. Making the index again"
        " loses nothing, because it is made from the visits."
    )

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Check this laptop"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """What was found, what can be done, how good the estimates were."""
        with VerticalScroll(classes="body", id="health"):
            yield Plain(_("Reading …"), id="note", classes="question-note first")
            yield quiet("problem")
            yield Static(id="findings", markup=False)
            yield Plain(_("What to do"), classes="heading")
            yield Choices(id="ways", label_width=34)
            yield Plain(_("How good the foretold times were"), classes="heading")
            yield Static(id="times", markup=False)

    def on_mount(self) -> None:
        """Look."""
        self.arm()
        self.query_one("#health").focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look again."""
        doors = self.house.doors
        self.work(lambda: (doors.health(), doors.calibration()), self._found, _("Reading …"))

    async def _found(self, found: tuple[Health, Sequence[Calibration]]) -> None:
        if not self.is_mounted:
            return
        health, calibration = found
        self.note("")
        self.query_one("#findings", Static).update(lines_grid(health_lines(health), self.glyphs))
        self.query_one("#times", Static).update(lines_grid(calibration_lines(calibration), self.glyphs))
        ways = [
            Option(SALVAGE + visit, _("Save visit {visit}").format(visit=visit), _("its damaged file is set aside"))
            for visit in health.salvageable
        ]
        ways.append(Option(REBUILD, _("Make the index again"), _("from the visits; nothing is lost")))
        await self.query_one(Choices).offer(ways)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Mend it, then look again."""
        event.stop()
        doors, value = self.house.doors, event.value
        if value.startswith(SALVAGE):
            self.work(lambda: doors.salvage(value.removeprefix(SALVAGE)), self._saved, _("Saving …"))
        elif value == REBUILD:
            self.work(doors.rebuild, self._rebuilt, _("Reading every visit …"))

    def _saved(self, aside: Path) -> None:
        toast(self.app, _("Saved; the damaged file is {file}.").format(file=aside.name))
        self.call_later(self.action_refresh)

    def _rebuilt(self, _aside: int) -> None:
        toast(self.app, _("The index was made again."))
        self.call_later(self.action_refresh)
