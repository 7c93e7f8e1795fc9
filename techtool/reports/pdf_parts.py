"""The parts of a PDF report: headings, facts, tables, notices, drawn with the one embedded font."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from techtool.i18n import phrase
from techtool.reports import font
from techtool.reports.parts import WIDTHS, Cell, Facts, Notice, Problem, Table, TerminalReport, Tone
from techtool.reports.pdf_text import Look, Text

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

MM: Final = 72 / 25.4
PAGE: Final = (210 * MM, 297 * MM)
MARGIN: Final = 14 * MM
WIDTH: Final = PAGE[0] - 2 * MARGIN
_INK, _SOFT, _LINE = "#16202b", "#5a6775", "#d6dde4"
_COLOUR: Final = {Tone.PLAIN: _INK, Tone.GOOD: "#17653a", Tone.WARN: "#7a4d00", Tone.BAD: "#a01c1c"}
_PALE: Final = {Tone.PLAIN: "#f4f6f8", Tone.GOOD: "#e6f4ec", Tone.WARN: "#fdf2dc", Tone.BAD: "#fbe9e8"}
_SIGN: Final = {Tone.GOOD: "√", Tone.WARN: "!", Tone.BAD: "×"}
"""The font has these; the signs of the HTML page it has not all."""
_MONO_SCALE: Final = 0.87
_NOTE_SCALE: Final = 0.84

_LONGEST: Final = 600
"""Characters of one text; a narrow column holds them on one page. The JSON report has all."""
_MOST_LINES: Final = 24


class Drawer:
    """Turns parts of a report into flowables of one size, in one language; every character is checked on its way."""

    def __init__(self, known: Collection[int], language: str, size: float) -> None:
        from reportlab.lib.colors import HexColor
        from reportlab.lib.styles import ParagraphStyle

        self._known = known
        self._language = language
        self._size = size
        wrap = "CJK" if language == "zh" else None
        base: dict[str, Any] = {"fontName": font.NAME, "wordWrap": wrap, "splitLongWords": 1}
        self._body = ParagraphStyle("body", **base, fontSize=size, leading=size * 1.32, textColor=HexColor(_INK))
        self._label = ParagraphStyle("label", parent=self._body, textColor=HexColor(_SOFT))
        self._heading = ParagraphStyle("heading", parent=self._label, spaceBefore=size, spaceAfter=size * 0.3)
        self._title = ParagraphStyle("title", parent=self._body, fontSize=size * 2, leading=size * 2.5)
        self._lane = ParagraphStyle("lane", parent=self._body, fontSize=size * 1.6, leading=size * 2)
        self._looks: dict[tuple[str, str], Look] = {}
        self.soft = HexColor(_SOFT)
        self.page = PAGE

    def plain(self, text: str) -> str:
        """``text`` with what the font lacks written out, cut where a cell would fill pages."""
        lines = text.split("\n", _MOST_LINES)
        short = "\n".join(lines[:_MOST_LINES])[:_LONGEST]
        left = len(text) - len(short)
        if left:
            more = phrase("{n} more characters are in the record", n=left).text(self._language)
            short = f"{short} … ({more})"
        return font.covered(short, self._known)

    def _markup(self, text: str) -> str:
        return escape(self.plain(text), quote=False).replace("\n", "<br/>")

    def _text(self, text: str, style: Any) -> Flowable:
        return self._look("{}", style).of(self.plain(text))

    def _cell(self, cell: Cell) -> Flowable:
        sign = f"{_SIGN[cell.tone]} " if cell.tone in _SIGN else ""
        around = "{}"
        if cell.mono and cell.text:
            around = f'<font size="{self._size * _MONO_SCALE:.2f}">{around}</font>'
        if cell.tone is not Tone.PLAIN:
            around = f'<font color="{_COLOUR[cell.tone]}">{around}</font>'
        if not cell.note:
            return self._look(around, self._body).of(self.plain(sign + cell.text))
        size = self._size * _NOTE_SCALE
        note = f'<br/><font size="{size:.2f}" color="{_SOFT}">{self._markup(cell.note)}</font>'
        return Text(around.format(self._markup(sign + cell.text)) + note, self._body)

    def _look(self, around: str, style: Any) -> Look:
        key = (around, style.name)
        if key not in self._looks:
            self._looks[key] = Look(around, style)
        return self._looks[key]

    # -- parts ------------------------------------------------------------------------------------------------------

    def head(self, title: str, subtitle: str, visit_id: str, outcome: Cell) -> list[Flowable]:
        """The top of the first page: whose report, of which visit, with which end."""
        left = [self._text(title, self._label), self._text(subtitle, self._title), self._text(visit_id, self._label)]
        return [self._beside(left, outcome), self._space(0.6)]

    def terminal_head(self, title: str, outcome: Cell) -> list[Flowable]:
        """A new page for a terminal."""
        from reportlab.platypus import PageBreak

        head = self._beside([self._text(title, self._lane)], outcome)
        head.outline = self.plain(title)
        return [PageBreak(), head, self._space(0.4)]

    def _beside(self, left: list[Flowable], outcome: Cell) -> Any:
        colour = _COLOUR[outcome.tone]
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 1.2, _INK),
            ("LINEBEFORE", (1, 0), (1, 0), 3, colour),
            ("LEFTPADDING", (0, 0), (0, 0), 0),
            ("LEFTPADDING", (1, 0), (1, 0), 6),
        ]
        return self._grid([[left, self._cell(outcome)]], (66, 34), style)

    def notice(self, notice: Notice) -> list[Flowable]:
        """What must not be missed."""
        title = Cell(notice.text, tone=notice.tone)
        return self._box([self._cell(title), *(self._text(line, self._body) for line in notice.lines)], notice.tone)

    def problem(self, problem: Problem) -> list[Flowable]:
        """An error: what, state now, what to do."""
        lines = [self._cell(Cell(f"{problem.title} · {problem.code}", tone=Tone.BAD))]
        lines.append(self._text(problem.what, self._body))
        if problem.state_now:
            lines.append(self._text(f"{problem.state_label}: {problem.state_now}", self._body))
        for number, action in enumerate(problem.next_actions, 1):
            lines.append(self._text(f"{problem.actions_label} {number}: {action}", self._body))
        if problem.detail:
            lines.append(self._text(f"{problem.detail_label}: {problem.detail}", self._label))
        return self._box(lines, Tone.BAD)

    def _box(self, lines: list[Flowable], tone: Tone) -> list[Flowable]:
        style = [
            ("BACKGROUND", (0, 0), (-1, -1), _PALE[tone]),
            ("LINEBEFORE", (0, 0), (0, -1), 3, _COLOUR[tone]),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ]
        return [self._grid([[line] for line in lines], (100,), style), self._space(0.5)]

    def facts(self, facts: Facts) -> list[Flowable]:
        """Labels and values."""
        if not facts.items:
            return self._none(facts.title, facts.empty)
        return [*self._headline(facts.title), self._facts_grid(facts, WIDTH)]

    def _facts_grid(self, facts: Facts, width: float) -> Flowable:
        rows = [[self._text(item.label, self._label), self._cell(item.value)] for item in facts.items]
        style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE), ("LEFTPADDING", (0, 0), (0, -1), 0)]
        return self._grid(rows, (30, 70), style, width=width)

    def pair(self, left: Facts, right: Facts) -> list[Flowable]:
        """Two lists of facts beside each other."""
        half = WIDTH / 2 - 5
        sides = [[*self._headline(part.title), self._facts_grid(part, half)] for part in (left, right)]
        style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
        return [self._grid([sides], (50, 50), style)]

    def table(self, table: Table) -> list[Flowable]:
        """Rows under headings that come again on every page."""
        if not table.rows:
            return self._none(table.title, table.empty)
        widths: Sequence[float] = WIDTHS.get(table.kind) or [100 / len(table.columns)] * len(table.columns)
        head = [self._text(column, self._label) for column in table.columns]
        rows = [head, *([self._cell(cell) for cell in row] for row in table.rows)]
        style = [
            ("LINEBELOW", (0, 0), (-1, 0), 0.9, _INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, _LINE),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
        ]
        return [*self._headline(table.title), self._grid(rows, widths, style, repeat=1)]

    def findings(self, terminal: TerminalReport) -> list[Flowable]:
        """Every release with every rule."""
        if not terminal.findings:
            return self._none(terminal.findings_title, terminal.findings_empty)
        parts = self._headline(terminal.findings_title)
        for finding in terminal.findings:
            name = Cell(f"{finding.name.text} · {finding.verdict.text}", finding.verdict.note, finding.verdict.tone)
            parts += [*self._room(), self._space(0.5), self._cell(name), *self.table(finding.rules)]
        return parts

    def signatures(self, captions: Sequence[str]) -> list[Flowable]:
        """Lines to sign on."""
        row = [self._text(caption, self._label) for caption in captions]
        style: list[tuple[Any, ...]] = [("LINEABOVE", (i, 0), (i, 0), 0.7, _INK) for i in range(0, len(row) * 2, 2)]
        style.append(("LEFTPADDING", (0, 0), (-1, -1), 0))
        cells: list[Any] = []
        widths: list[float] = []
        for caption in row:
            cells += [caption, ""]
            widths += [100 / len(row) - 6, 6]
        return [self._space(5), self._grid([cells], tuple(widths), style)]

    def notes(self, title: str, notes: Sequence[str]) -> list[Flowable]:
        """On evidence, redaction, and how the signature is checked."""
        return [*self._headline(title), *(self._text(f"· {note}", self._label) for note in notes)]

    # -- pieces -----------------------------------------------------------------------------------------------------

    def _headline(self, title: str) -> list[Flowable]:
        return [*self._room(), self._text(title, self._heading)] if title else []

    def _room(self) -> list[Flowable]:
        """A heading is not left alone at the foot of a page."""
        from reportlab.platypus import CondPageBreak

        return [CondPageBreak(self._size * 10)]

    def _none(self, title: str, sentence: str) -> list[Flowable]:
        """A part with nothing in it says so in one line; without a sentence it is left out."""
        if not sentence:
            return []
        text = f"{title}: {sentence}" if title else sentence
        return [self._space(0.5), self._text(text, self._label)]

    def _space(self, lines: float) -> Flowable:
        from reportlab.platypus import Spacer

        return Spacer(1, self._size * lines)

    def _grid(
        self,
        rows: list[list[Any]],
        per_cent: Sequence[float],
        style: list[tuple[Any, ...]],
        *,
        repeat: int = 0,
        width: float = WIDTH,
    ) -> Any:
        from reportlab.platypus import Table as Grid

        pad = self._size * 0.26
        common = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), pad),
            ("BOTTOMPADDING", (0, 0), (-1, -1), pad),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ]
        columns = [width * share / 100 for share in per_cent]
        return Grid(rows, columns, style=[*common, *style], repeatRows=repeat, splitInRow=1)
