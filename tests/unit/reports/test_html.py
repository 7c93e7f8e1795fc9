from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from techtool.domain.plan import StepKind
from techtool.domain.visit import VisitRecord
from techtool.i18n import raw
from techtool.reports.html import render_html
from techtool.reports.model import build
from tests import factories as f

VOID = {"meta", "br", "link", "img", "input", "hr"}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;"


class Page(HTMLParser):
    """Reads a page strictly: every tag closed in order, what it holds kept for the tests."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(visit: VisitRecord, language: str = "en") -> tuple[str, Page]:
    text = render_html(build(visit, language))
    return text, Page(text)


VISITS = {
    "rich": f.visit_record(),
    "unfinished": f.unfinished_visit(),
    "abandoned": f.abandoned_visit(),
    "unreached": f.visit_record(f.lane_unreached()),
    "no terminals": f.visit_record(f.lane_done(), lanes=()),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", VISITS)
def test_the_page_is_whole_and_loads_nothing(name: str, language: str) -> None:
    text, read = page(VISITS[name], language)
    assert text.startswith("<!DOCTYPE html>\n")
    assert ("lang", {"en": "en", "zh": "zh-CN"}[language]) in read.attributes
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(read.tags)
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in ("src", "href", "style")]


def test_the_policy_lets_in_this_style_sheet_and_nothing_else() -> None:
    text, read = page(VISITS["rich"])
    policy = next(value for name, value in read.attributes if name == "content" and "default-src" in value)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_same_record_gives_the_same_bytes() -> None:
    assert render_html(build(f.visit_record(), "zh")) == render_html(build(f.visit_record(), "zh"))


def test_text_from_devices_and_people_stays_text() -> None:
    done = f.lane_done()
    evil = replace(
        done,
        serial=EVIL,
        address=EVIL,
        before=f.terminal_state(f.package(EVIL, EVIL, 1), who=f.identity(EVIL, firmware=EVIL, model_name=EVIL)),
        after=None,
        steps=(f.step(1, StepKind.INSTALL, 1, 1, EVIL, raw(EVIL)),),
        answers=tuple(replace(a, answer=EVIL, question_id=EVIL) for a in done.answers),
        checks=tuple(replace(c, reason=EVIL, result=EVIL) for c in done.checks),
        backup=replace(f.backup_record(), not_read=(EVIL,), file=EVIL, recipients=(EVIL,)),
        error=replace(f.error_record(EVIL), what=raw(EVIL), code=EVIL),
    )
    visit = f.visit_record(evil, merchant=EVIL, technician=EVIL, stick=EVIL, work_order=EVIL, head=EVIL)
    text, read = page(visit)
    assert {"script", "img"} & set(read.tags) == set()
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert "<script" not in text
    assert EVIL in "".join(read.texts)
    assert sum(EVIL in t for t in read.texts) > 10


def test_characters_that_turn_or_hide_text_are_written_out() -> None:
    trick = "safe\u202egnp.exe\x00\x1b[31m\ud800\u200b"
    lane = replace(f.lane_failed(), error=f.error_record(trick))
    text, read = page(f.visit_record(lane, technician=trick))
    text.encode("utf-8")
    assert not re.search("[\u202e\x00\x1b\u200b\ud800]", text)
    assert "safe[U+202E]gnp.exe[U+0000][U+001B][31m[U+D800][U+200B]" in "".join(read.texts)


def test_the_mark_says_in_a_sign_what_it_says_in_colour() -> None:
    text, _ = page(f.visit_record())
    for tone, sign in (("good", "✓"), ("warn", "!"), ("bad", "✗")):
        assert re.search(rf'class="mark {tone}"><span class="sign">{sign}</span>', text)
