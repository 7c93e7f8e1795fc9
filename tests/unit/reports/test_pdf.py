from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from techtool.domain.visit import VisitRecord
from techtool.reports import font
from techtool.reports.merchant import build_merchant
from techtool.reports.model import build
from techtool.reports.pdf import render_merchant_pdf, render_pdf
from tests import factories as f
from tests.locale_tools import translations
from tests.unit.reports import evidence as e


def pages(visit: VisitRecord, language: str = "en") -> list[str]:
    reader = PdfReader(BytesIO(render_pdf(build(visit, language))))
    return [page.extract_text() for page in reader.pages]


def many(count: int) -> VisitRecord:
    lanes = [(f.lane_failed if n % 7 == 3 else f.lane_done)(str(n), f"P2A01234{n:05d}") for n in range(1, count + 1)]
    return f.visit_record(*lanes)


def flat(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_page_tells_the_pdf_tells_too(language: str) -> None:
    """Every cell of the report's model is in the PDF's text."""
    visit = e.full_visit()
    report = build(visit, language)
    text = flat("".join(pages(visit, language)))
    lane = report.terminals[0]
    for table in (report.summary, report.expected, lane.checks, lane.inspection, lane.issues, lane.incidents):
        assert table.rows
        for row in table.rows:
            for cell in row:
                assert flat(cell.text) in text
    for facts in (report.people, report.place, report.order, report.close, lane.binding, lane.risk, lane.identity):
        assert facts.items
        for item in facts.items:
            assert flat(item.label) in text
            assert all(flat(line) in text for line in item.value.text.split("\n"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_has_its_foot(language: str) -> None:
    visit = many(3)
    report = build(visit, language)
    texts = pages(visit, language)
    assert len(texts) > 6
    for number, text in enumerate(texts, 1):
        assert visit.id in text
        assert report.digest in text
        if language == "en":
            assert f"page {number} of {len(texts)}" in text


@pytest.mark.slow
def test_thirty_terminals_are_a_table_whose_heads_come_again() -> None:
    visit = many(30)
    texts = pages(visit)
    summary = [t for t in texts[:4] if "Outcome" in t and "P2A01234" in t]
    assert len(summary) == 2, "the table of terminals breaks once, and its heading stands on both pages"
    assert sum("Terminal 17:" in t for t in texts) == 1
    serials = set(re.findall(r"P2A01234\d{5}", "".join(texts)))
    assert len(serials) == 30


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [1, 30, 80])
def test_the_merchants_copy_is_one_page(count: int, language: str) -> None:
    visit = replace(many(count), sign_off=e.signed(), order=e.order())
    reader = PdfReader(BytesIO(render_merchant_pdf(build_merchant(visit, language))))
    assert len(reader.pages) == 1
    text = reader.pages[0].extract_text()
    assert "P2A0123400001" in text or count > 30
    assert "王秀英" in text
    if count > 3:
        assert "P2A0123400003" in text, "one that is not in order stands first"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_font_lacks_is_written_out(language: str) -> None:
    text = flat("".join(pages(f.visit_record(merchant="\U00020bb7野家 \U0001f600 ไทย"), language)))
    assert "[U+20BB7]野家" in text
    assert "[U+1F600]" in text
    assert "[U+0E44]" in text


def test_the_font_has_every_character_of_our_own_texts_and_of_gbk() -> None:
    known = font.load()
    texts = [str(message.string) for message in translations()]
    assert len(texts) > 500
    lacking = {c for text in texts for c in text if ord(c) not in known and c != "\n"}
    assert lacking <= {"✓", "✗", "●", "○"}, "signs of the screens only"
    characters = {
        bytes((lead, trail)).decode("gbk", "ignore") for lead in range(0x81, 0xF8) for trail in range(0x40, 0xFF)
    }
    ideographs = {c for c in characters if len(c) == 1 and "\u4e00" <= c <= "\u9fa5"}
    assert len(ideographs) > 20_000
    assert not {c for c in ideographs if ord(c) not in known}


def test_a_tab_and_a_line_end_are_no_missing_characters() -> None:
    assert font.covered("a\tb\nc\u0416", {ord(c) for c in "abc"}) == "a b\nc[U+0416]"


def test_the_font_is_embedded_and_nothing_else_is_needed() -> None:
    reader = PdfReader(BytesIO(render_pdf(build(f.visit_record(), "zh"))))
    fonts = {
        str(font_object.get_object()["/BaseFont"])
        for page in reader.pages
        for font_object in page["/Resources"]["/Font"].values()  # type: ignore[index]
        if "/FontDescriptor" in font_object.get_object()
    }
    assert fonts
    assert all("NotoSansSC" in name for name in fonts)


def test_the_same_record_gives_the_same_bytes() -> None:
    visit = e.full_visit()
    assert render_pdf(build(visit, "zh")) == render_pdf(build(visit, "zh"))
    assert render_merchant_pdf(build_merchant(visit, "en")) == render_merchant_pdf(build_merchant(visit, "en"))


@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from tests.unit.reports import evidence as e; from techtool.reports.model import build; "
        "from techtool.reports.pdf import render_pdf; "
        "print(hashlib.sha256(render_pdf(build(e.full_visit(), 'zh'))).hexdigest())"
    )
    seen = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(seen) == 1


def test_the_library_is_loaded_only_for_a_pdf() -> None:
    code = (
        "import sys, techtool.cli.main, techtool.cli.report, techtool.visit.closing; "
        "print([m for m in sys.modules if m.split('.')[0] in ('reportlab', 'PIL')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_terminals_are_listed_beside_the_pages() -> None:
    reader = PdfReader(BytesIO(render_pdf(build(many(3), "en"))))
    assert [item.title for item in reader.outline] == [  # type: ignore[union-attr]
        f"Terminal {n}: SUNMI P2 · P2A01234{n:05d}" for n in (1, 2, 3)
    ]
    places = [reader.get_destination_page_number(item) or 0 for item in reader.outline]  # type: ignore[arg-type]
    assert places == sorted(set(places))
