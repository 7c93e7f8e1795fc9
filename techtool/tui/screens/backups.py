"""Backups: which there are, whether one still reads back, and the way to putting it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.i18n import N_, _
from techtool.tui.actions import bindings
from techtool.tui.screens.form import FormScreen, quiet
from techtool.tui.screens.restore import RestoreScreen
from techtool.tui.screens.upkeep import UpkeepScreen
from techtool.tui.views.backups import backup_facts, backup_rows, can_restore, verified_lines
from techtool.tui.views.lines import Part
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, facts_grid, lines_grid

if TYPE_CHECKING:
    from techtool.visit.kept_backups import KeptBackup, Verified

RESTORE, VERIFY = "restore", "verify"


class BackupsScreen(FormScreen):
    """Newest first; choose one to see it."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "upkeep", "refresh", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "upkeep", "refresh", "back")]
    ABOUT: ClassVar[str] = N_(
        "Every backup on this laptop, newest first: which terminal, when, whether it was read back, and whether this "
        "laptop can still open it or only the office. Choose one to read it back or to put it back."
    )

    def __init__(self) -> None:
        super().__init__()
        self._backups: dict[str, KeptBackup] = {}

    def top(self) -> tuple[Part, ...]:
        """What this is."""
        return (Part(_("Backups and restore"), keep=1),)

    def body(self) -> Iterable[Widget]:
        """The list."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Looking …"), id="note", classes="question-note first")
            yield quiet("problem")
            yield Choices(id="backups", start=0, label_width=32, classes="first")

    def on_mount(self) -> None:
        """Listen."""
        self.query_one(Choices).focus()

    def on_screen_resume(self) -> None:
        """Look again: a visit may have made one."""
        self.arm()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look."""
        self.work(self.house.doors.backups, self._found)

    def action_upkeep(self) -> None:
        """Who opened them, and what is past its time."""
        self.house.open(UpkeepScreen)

    async def _found(self, backups: Sequence[KeptBackup]) -> None:
        self._backups = {backup.id: backup for backup in backups}
        rows = backup_rows(backups)
        self.note("" if rows else _("No backup on this laptop yet."))
        options = [Option(row.id, row.label, row.note, mark=row.mark) for row in rows]
        await self.query_one(Choices).offer(options, start=0)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Show it."""
        event.stop()
        backup = self._backups[event.value]
        self.house.open(lambda: BackupScreen(backup))


class BackupScreen(FormScreen):
    """One backup: read it back, put it back."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "back")]
    ABOUT: ClassVar[str] = N_(
        "Reading a backup back decrypts it from disk and compares every digest; that is written to the log of "
        "backups. Putting it back is a visit of its own kind, to the same terminal, or to another one on a swap order."
    )

    def __init__(self, backup: KeptBackup) -> None:
        super().__init__()
        self._backup = backup

    def top(self) -> tuple[Part, ...]:
        """Which."""
        return (Part(self._backup.id, keep=1), Part(f"SN {self._backup.serial}" if self._backup.serial else "", keep=9))

    def body(self) -> Iterable[Widget]:
        """Facts, how it read back, what can be done."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain(_("Backup"), classes="heading")
            yield Static(facts_grid(backup_facts(self._backup)), id="facts", markup=False)
            yield Plain(_("What to do"), classes="heading")
            yield Choices(_ways(self._backup), id="ways", label_width=30)
            yield quiet("note")
            yield quiet("problem")
            yield Static(id="verified", markup=False)

    def on_mount(self) -> None:
        """Listen."""
        self.arm()
        self.query_one(Choices).focus()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Do it."""
        event.stop()
        backup, doors = self._backup, self.house.doors
        if event.value == RESTORE:
            self.house.open(lambda: RestoreScreen(backup))
        elif event.value == VERIFY:
            job = lambda: doors.verify_backup(backup.visit, _("looked at on the screen"))  # noqa: E731
            self.work(job, self._verified, _("Decrypting and comparing …"))

    def _verified(self, results: Sequence[Verified]) -> None:
        if self.is_mounted:
            self.note("")
            lines = verified_lines(results, self._backup.id)
            self.query_one("#verified", Static).update(lines_grid(lines, self.glyphs))


def _ways(backup: KeptBackup) -> list[Option]:
    ways = [Option(VERIFY, _("Read it back now"), _("nothing is changed; logged"))]
    if can_restore(backup):
        ways.insert(0, Option(RESTORE, _("Put it back onto a terminal"), _("a visit of its own; nothing is done yet")))
    return ways
