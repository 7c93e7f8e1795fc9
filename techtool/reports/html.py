"""A report as one HTML file: no script, nothing loaded from anywhere, every text escaped; for the screen and for A4."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from techtool.reports.parts import (
    WIDTHS,
    Cell,
    Facts,
    MerchantPage,
    Notice,
    Problem,
    ReleaseFindings,
    Report,
    Table,
    TerminalReport,
    Tone,
)

_HTML_LANGUAGE: Final = {"en": "en", "zh": "zh-CN"}
_SIGN: Final = {Tone.GOOD: "✓", Tone.WARN: "!", Tone.BAD: "✗"}


@cache
def _style() -> str:
    """The style sheet with the widths of the tables' columns; rules for paper stand last and so prevail."""
    columns = "".join(
        f".{kind} th:nth-child({place}) {{ width: {width}%; }}\n"
        for kind, widths in WIDTHS.items()
        for place, width in enumerate(widths, 1)
    )
    return columns + (Path(__file__).parent / "report.css").read_text(encoding="utf-8")


def _policy() -> str:
    """A content security policy that lets in this one style sheet, by its digest, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def render_html(report: Report) -> str:
    """The whole file; the same report gives the same text."""
    body = [
        _header(report),
        *(_notice(n) for n in report.notices),
        _table(report.summary),
        _table(report.expected),
        f'<div class="pair">{_facts(report.head)}<div>{_facts(report.people)}{_facts(report.totals)}</div></div>',
        f'<div class="pair">{_facts(report.place)}<div>{_facts(report.order)}{_facts(report.close)}</div></div>',
        *(_facts(part) for part in report.trust),
        _table(report.evidence),
        *(_terminal(part) for part in report.terminals),
        _signatures(report.signatures),
        _notes(report),
        f"<footer>{escape(report.footer)}</footer>",
    ]
    return _page(report, body, "")


def render_merchant_html(page: MerchantPage) -> str:
    """The merchant's one page."""
    body = [
        _header(page),
        *(_notice(n) for n in page.notices),
        f'<div class="pair">{_facts(page.visit)}{_facts(page.people)}</div>',
        _table(page.terminals),
        _facts(page.todo),
        _facts(page.close),
        _signatures(page.signatures),
        f'<section class="notes"><ul>{"".join(f"<li>{escape(n)}</li>" for n in page.notes)}</ul></section>',
        f"<footer>{escape(page.footer)}</footer>",
    ]
    return _page(page, body, "one-page")


def _page(report: Report | MerchantPage, body: Sequence[str], kind: str) -> str:
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy())}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(report.title)} {escape(report.visit_id)}</title>"
        f"<style>{_style()}</style>"
    )
    language = _HTML_LANGUAGE.get(report.language, report.language)
    main = f'<main class="{kind}">' if kind else "<main>"
    page = "\n".join(part for part in body if part)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>{head}</head>\n'
        f"<body>\n{main}\n{page}\n</main>\n</body>\n</html>\n"
    )


def _header(report: Report | MerchantPage) -> str:
    outcome = report.outcome
    return (
        f'<header class="top"><div><p class="kind">{escape(report.title)}</p><h1>{escape(report.subtitle)}</h1>'
        f'<p class="id">{escape(report.visit_id)}</p></div>'
        f'<div class="outcome {outcome.tone.value}">{_mark(outcome)}</div></header>'
    )


def _notice(notice: Notice) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in notice.lines)
    return f'<aside class="notice {notice.tone.value}"><strong>{escape(notice.text)}</strong>{lines}</aside>'


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _mark(cell: Cell) -> str:
    sign = _SIGN.get(cell.tone)
    shown = f'<span class="sign">{sign}</span> ' if sign else ""
    note = f'<small class="note">{_lines(cell.note)}</small>' if cell.note else ""
    return f'<span class="mark {cell.tone.value}">{shown}{_lines(cell.text)}</span>{note}'


def _cell(cell: Cell) -> str:
    if cell.tone is not Tone.PLAIN:
        return _mark(cell)
    text = f"<code>{_lines(cell.text)}</code>" if cell.mono and cell.text else _lines(cell.text)
    note = f'<small class="note">{_lines(cell.note)}</small>' if cell.note else ""
    return f"{text}{note}"


def _none(title: str, sentence: str) -> str:
    """A part with nothing in it says so in one line; without a sentence it is left out."""
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<section class="none">{heading}<p>{escape(sentence)}</p></section>' if sentence else ""


def _facts(facts: Facts) -> str:
    if not facts.items:
        return _none(facts.title, facts.empty)
    rows = "".join(f"<div><dt>{escape(f.label)}</dt><dd>{_cell(f.value)}</dd></div>" for f in facts.items)
    return f'<section class="facts"><h3>{escape(facts.title)}</h3><dl>{rows}</dl></section>'


def _table(table: Table) -> str:
    if not table.rows:
        return _none(table.title, table.empty)
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(c)}</td>" for c in row) + "</tr>" for row in table.rows)
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<section class="{table.kind}">{title}{grid}</section>'


def _problem(problem: Problem) -> str:
    state = f"<p><b>{escape(problem.state_label)}</b> {escape(problem.state_now)}</p>" if problem.state_now else ""
    actions = "".join(f"<li>{escape(a)}</li>" for a in problem.next_actions)
    todo = f"<p><b>{escape(problem.actions_label)}</b></p><ol>{actions}</ol>" if actions else ""
    detail = f"<p><b>{escape(problem.detail_label)}</b><br><code>{_lines(problem.detail)}</code></p>"
    return (
        f'<aside class="notice bad"><strong>{escape(problem.title)} · {escape(problem.code)}</strong>'
        f"<p>{escape(problem.what)}</p>{state}{todo}{detail if problem.detail else ''}</aside>"
    )


def _finding(finding: ReleaseFindings) -> str:
    return f'<div class="release"><h4>{_cell(finding.name)} {_mark(finding.verdict)}</h4>{_table(finding.rules)}</div>'


def _findings(terminal: TerminalReport) -> str:
    shown = "".join(_finding(f) for f in terminal.findings)
    if not shown:
        return _none(terminal.findings_title, terminal.findings_empty)
    return f"<section><h3>{escape(terminal.findings_title)}</h3>{shown}</section>"


def _terminal(terminal: TerminalReport) -> str:
    parts = (
        _problem(terminal.problem) if terminal.problem else "",
        f'<div class="pair">{_facts(terminal.identity)}{_facts(terminal.condition)}</div>',
        _facts(terminal.binding),
        _table(terminal.incidents),
        _table(terminal.changes),
        _table(terminal.installed),
        _table(terminal.inspection),
        _table(terminal.checks),
        _table(terminal.issues),
        _facts(terminal.risk),
        _table(terminal.factors),
        _table(terminal.times),
        _facts(terminal.plan),
        _table(terminal.planned),
        _findings(terminal),
        _table(terminal.steps),
        _facts(terminal.backup),
        _table(terminal.evidence),
        _table(terminal.answers),
    )
    return (
        f'<article class="terminal"><header><h2>{escape(terminal.title)}</h2>'
        f'<div class="outcome {terminal.outcome.tone.value}">{_mark(terminal.outcome)}</div></header>'
        + "".join(parts)
        + "</article>"
    )


def _signatures(captions: Sequence[str]) -> str:
    lines = "".join(f"<div><span></span>{escape(caption)}</div>" for caption in captions)
    return f'<section class="signatures">{lines}</section>' if lines else ""


def _notes(report: Report) -> str:
    notes = "".join(f"<li>{escape(n)}</li>" for n in report.notes)
    return f'<section class="notes"><h3>{escape(report.notes_title)}</h3><ul>{notes}</ul></section>'
