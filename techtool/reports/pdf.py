"""A report as PDF for A4: the same parts as on the HTML page, one embedded font, the same bytes for the same record.

Only here and in :mod:`techtool.reports.pdf_parts` is the PDF library known; it is loaded when a PDF is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from techtool.i18n import phrase
from techtool.reports import font
from techtool.reports.parts import MerchantPage, Report, TerminalReport
from techtool.reports.pdf_parts import MARGIN, WIDTH, Drawer

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_LANGUAGE: Final = {"en": "en", "zh": "zh-CN"}
_SIZE: Final = 8.0
"""Points; of the full record."""
_ONE_PAGE_SIZES: Final = (8.5, 7.8, 7.0, 6.3, 5.6)
"""The merchant's page takes the largest in which it is one page."""

_FRAME: Final = 6
"""Points that the library's frame keeps free on every side."""


def render_pdf(report: Report) -> bytes:
    """The full record; every terminal begins a page."""
    draw = Drawer(font.load(), report.language, _SIZE)
    story = [
        *draw.head(report.title, report.subtitle, report.visit_id, report.outcome),
        *(part for notice in report.notices for part in draw.notice(notice)),
        *draw.table(report.summary),
        *draw.table(report.expected),
        *(part for facts in (report.head, report.people, report.place, report.order) for part in draw.facts(facts)),
        *(part for facts in (report.totals, report.close, *report.trust) for part in draw.facts(facts)),
        *draw.table(report.evidence),
        *(part for terminal in report.terminals for part in _terminal(terminal, draw)),
        *draw.signatures(report.signatures),
        *draw.notes(report.notes_title, report.notes),
    ]
    return _document(report, story, draw)[0]


def render_merchant_pdf(page: MerchantPage) -> bytes:
    """The merchant's page; as large as it can be on one page."""
    made = b""
    for size in _ONE_PAGE_SIZES:
        draw = Drawer(font.load(), page.language, size)
        story = [
            *draw.head(page.title, page.subtitle, page.visit_id, page.outcome),
            *(part for notice in page.notices for part in draw.notice(notice)),
            *draw.pair(page.visit, page.people),
            *draw.table(page.terminals),
            *draw.facts(page.todo),
            *draw.facts(page.close),
            *draw.signatures(page.signatures),
            *draw.notes("", page.notes),
        ]
        made, pages = _document(page, story, draw)
        if pages == 1:
            break
    return made


def _terminal(terminal: TerminalReport, draw: Drawer) -> list[Flowable]:
    parts = [
        *draw.terminal_head(terminal.title, terminal.outcome),
        *(draw.problem(terminal.problem) if terminal.problem else ()),
        *draw.facts(terminal.identity),
        *draw.facts(terminal.binding),
        *draw.facts(terminal.condition),
    ]
    for table in (
        terminal.incidents,
        terminal.changes,
        terminal.installed,
        terminal.inspection,
        terminal.checks,
        terminal.issues,
    ):
        parts += draw.table(table)
    parts += [*draw.facts(terminal.risk), *draw.table(terminal.factors), *draw.table(terminal.times)]
    parts += [*draw.facts(terminal.plan), *draw.table(terminal.planned)]
    parts += draw.findings(terminal)
    parts += [*draw.table(terminal.steps), *draw.facts(terminal.backup)]
    return [*parts, *draw.table(terminal.evidence), *draw.table(terminal.answers)]


def _document(report: Report | MerchantPage, story: Sequence[Flowable], draw: Drawer) -> tuple[bytes, int]:
    """The file's bytes and how many pages it has."""
    from reportlab.platypus import SimpleDocTemplate

    class Book(SimpleDocTemplate):  # type: ignore[misc]  # the library has no types
        """Lists the terminals beside the pages, where a viewer shows that."""

        def afterFlowable(self, flowable: Any) -> None:  # noqa: N802 - the library's name
            title = getattr(flowable, "outline", "")
            if title:
                key = f"terminal-{self.page}-{len(title)}"
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(title, key, 0)

    def foot(canvas: Any, _document: Any) -> None:
        canvas.doForm(f"foot{canvas.getPageNumber()}")

    buffer = BytesIO()
    book = Book(
        buffer,
        invariant=1,
        pagesize=draw.page,
        leftMargin=MARGIN - _FRAME,
        rightMargin=MARGIN - _FRAME,
        topMargin=MARGIN - _FRAME,
        bottomMargin=MARGIN + 10,
        title=draw.plain(f"{report.title} {report.visit_id}"),
        author="",
        creator="techtool",
        lang=_LANGUAGE[report.language],
    )
    pages = 0

    def feet(canvas: Any) -> None:
        """When the number of pages is known, what every page's foot says."""
        nonlocal pages
        pages = canvas.getPageNumber() - 1
        for number in range(1, pages + 1):
            canvas.beginForm(f"foot{number}", 0, 0, *draw.page)
            _draw_foot(canvas, report, draw, number, pages)
            canvas.endForm()

    book.build(list(story), onFirstPage=foot, onLaterPages=foot, canvasmaker=_canvas(feet))
    return buffer.getvalue(), pages


def _canvas(feet: Any) -> Any:
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]  # the library has no types
        """Draws the feet last: only then is it known how many pages there are."""

        def save(self) -> None:
            if len(self._code):
                self.showPage()
            feet(self)
            super().save()

    return Numbered


def _draw_foot(canvas: Any, report: Report | MerchantPage, draw: Drawer, number: int, pages: int) -> None:
    page = phrase("page {page} of {pages}", page=number, pages=pages).text(report.language)
    canvas.setFont(font.NAME, 6.5)
    canvas.setFillColor(draw.soft)
    canvas.drawString(MARGIN, MARGIN + 2, draw.plain(report.footer))
    canvas.drawRightString(MARGIN + WIDTH, MARGIN + 2, draw.plain(page))
    canvas.drawString(MARGIN, MARGIN - 7, draw.plain(f"SHA-256 {report.digest}"))
