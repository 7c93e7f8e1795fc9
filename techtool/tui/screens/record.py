"""One visit on record: what was done, and what can still be done with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from techtool.domain.evidence_paths import paths_in
from techtool.domain.question import AnswerKind, Question
from techtool.domain.visit import VisitRecord
from techtool.errors import TechtoolError
from techtool.i18n import N_, _, phrase
from techtool.tui.actions import bindings
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.export import ExportScreen, SupportScreen
from techtool.tui.views.lines import Line, Mark, Part
from techtool.tui.views.record import RecordView, proof_line, record_view
from techtool.tui.widgets.choices import Choices, Option
from techtool.tui.widgets.text import Plain, facts_grid, lines_grid
from techtool.tui.widgets.toast import toast

if TYPE_CHECKING:
    from techtool.visit.verify import Verification

RESUME, WRITE, CLOSE, EXPORT, SUPPORT = "resume", "write", "close", "export", "support"
PROVE, ATTACH = "prove", "attach"


class RecordScreen(HouseScreen):
    """Show, resume, write the report again, close as stopped."""

    KEYS: ClassVar[tuple[str, ...]] = ("help", "open_report", "back")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", "open_report", "back")]
    ABOUT: ClassVar[str] = N_(
        "One visit as its journal tells it. A closed visit is never changed; its report can be written again. An "
        "unfinished one can be resumed, or closed as stopped: then nothing more is done to its terminals."
    )

    def __init__(self, visit: str) -> None:
        super().__init__()
        self._visit = visit

    def top(self) -> tuple[Part, ...]:
        """Which."""
        return (Part(self._visit, keep=1),)

    def body(self) -> Iterable[Widget]:
        """What it came to, what can be done, then facts, terminals, reports."""
        with VerticalScroll(can_focus=False, classes="body"):
            yield Plain("", id="result-title")
            yield Static(id="conclusion", markup=False)
            yield Plain(_("What to do"), classes="heading")
            yield Choices(id="ways", label_width=28)
            yield Static(id="proof", markup=False)
            yield Static(id="facts", classes="first", markup=False)
            yield Plain(_("Terminals"), classes="heading")
            yield Static(id="terminals", markup=False)
            yield Plain(_("Reports"), classes="heading", id="reports-title")
            yield Static(id="reports", markup=False)

    def on_mount(self) -> None:
        """Read it."""
        self.query_one(Choices).focus()
        self._read()

    def _read(self) -> None:
        def job() -> tuple[VisitRecord, tuple[Path, ...]]:
            doors = self.house.doors
            return doors.record(self._visit), doors.reports(self._visit)

        self.house.in_background(job, self._found, self._failed)

    def _failed(self, error: TechtoolError) -> None:
        mark = self.glyphs.marks[Mark.STOPPED]
        self.query_one("#result-title", Plain).say(f"{mark} {error.code}  {error.what_phrase.text()}")
        actions = [Line(Mark.NOTE, action.text()) for action in error.action_phrases]
        self.query_one("#facts", Static).update(lines_grid(actions, self.glyphs))

    async def _found(self, read: tuple[VisitRecord, tuple[Path, ...]]) -> None:
        view = record_view(*read)
        title = self.query_one("#result-title", Plain)
        title.say(f"{self.glyphs.marks[view.mark]} {view.state}")
        title.set_class(True, f"-{view.mark.value}")
        self.query_one("#facts", Static).update(facts_grid(view.facts))
        self.query_one("#terminals", Static).update(lines_grid(view.terminals, self.glyphs, words=False))
        self.query_one("#reports", Static).update(lines_grid(view.reports, self.glyphs))
        for name in ("#reports", "#reports-title"):
            self.query_one(name).display = bool(view.reports)
        ended = [view.conclusion] if view.conclusion is not None else []
        self.query_one("#conclusion", Static).update(lines_grid(ended, self.glyphs, words=False))
        self.query_one("#conclusion").display = bool(ended)
        self.arm()
        await self.query_one(Choices).offer(_ways(view))

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Do it."""
        event.stop()
        match event.value:
            case value if value == RESUME:
                self.house.resume_visit(self._visit)
            case value if value == WRITE:
                self.house.in_background(
                    lambda: self.house.doors.write_reports(self._visit), self._written, self.house.tell_error
                )
            case value if value == CLOSE:
                self._ask_to_close()
            case value if value == PROVE:
                self.house.in_background(
                    lambda: self.house.doors.prove(self._visit), self._proven, self.house.tell_error
                )
            case value if value == ATTACH:
                self._ask_for_files()
            case value if value == EXPORT:
                self.house.open(lambda: ExportScreen(self._visit))
            case value if value == SUPPORT:
                self.house.open(lambda: SupportScreen(self._visit))

    def _written(self, files: tuple[Path, ...]) -> None:
        toast(self.app, _("{count} files written to {folder}").format(count=len(files), folder=files[0].parent))
        self._read()

    def _proven(self, proof: Verification) -> None:
        if self.is_mounted:
            self.query_one("#proof", Static).update(lines_grid([proof_line(proof)], self.glyphs))
            self.call_after_refresh(self.query_one("#proof").scroll_visible, animate=False)

    def _ask_for_files(self) -> None:
        """Files of an open visit: copied into it, then recorded."""
        question = Question(
            "attach.files",
            AnswerKind.FILE,
            phrase("Photo or slip: path of the file; several are parted by semicolons"),
            help=phrase("What a picture shows is not searched for card numbers: cover them before you take it."),
        )
        self.house.ask(_("Attach to visit {visit}").format(visit=self._visit), question, self._take_files)

    def _take_files(self, text: str) -> None:
        files = [Path(one).expanduser() for one in paths_in(text)]
        doors = self.house.doors
        self.house.in_background(lambda: doors.attach(self._visit, files, ""), self._attached, self.house.tell_error)

    def _attached(self, count: int) -> None:
        toast(self.app, _("{count} files attached.").format(count=count))
        self._read()

    def _ask_to_close(self) -> None:
        """Twice asked: the visit's last four, so that no stray key closes one; then the passphrase for the seal."""
        title = _("Close visit {visit} as stopped").format(visit=self._visit)
        four = Question(
            "close.last4",
            AnswerKind.LAST4,
            phrase("Type the last four of the visit's number: {visit}", visit=self._visit),
            help=phrase("Nothing more is done to its terminals; a report is written, and the record is sealed."),
            serial=self._visit,
        )
        secret = Question(
            "close.passphrase",
            AnswerKind.SECRET,
            phrase("Passphrase of your report key"),
            help=phrase("It signs the seal. Left empty, the record is sealed without a signature."),
        )
        passphrase = self.house.hints.passphrase
        hint = _("Demo: it is {passphrase}").format(passphrase=passphrase) if passphrase else ""
        self.house.ask(title, four, lambda _text: self.house.ask(title, secret, self._abandon, hint))

    def _abandon(self, passphrase: str) -> None:
        self.house.in_background(
            lambda: self.house.doors.abandon(self._visit, passphrase), self._was_closed, self.house.tell_error
        )

    def _was_closed(self, _record: VisitRecord) -> None:
        toast(self.app, _("The visit was closed as stopped."))
        self._read()

    def action_open_report(self) -> None:
        """The page in the language of the screens."""
        self.house.open_report(self._visit)


def _ways(view: RecordView) -> list[Option]:
    support = Option(SUPPORT, _("File for the support desk"), _("redacted, with a case code to read out"))
    if view.unfinished:
        return [
            Option(RESUME, _("Resume this visit"), _("every terminal is read again first")),
            Option(CLOSE, _("Close it as stopped"), _("a truthful report, nothing more is done")),
            Option(ATTACH, _("Attach a photo or a slip"), _("copied into the visit, and recorded")),
            support,
        ]
    return [
        Option(WRITE, _("Write the report again"), _("from the record, in both languages")),
        Option(EXPORT, _("Write reports elsewhere"), _("a folder or a stick; choose formats")),
        support,
        Option(PROVE, _("Prove this record"), _("to the last byte what was sealed, and by whom")),
    ]
