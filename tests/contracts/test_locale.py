"""The Chinese catalogue is whole: run ``python -m tests.locale_tools extract``, translate, then ``compile``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tests import locale_tools

SOURCES = sorted(p for p in locale_tools.PACKAGE.rglob("*.py") if p.name != "i18n.py")


@pytest.fixture(scope="module")
def source() -> Catalog:
    """Every message of the source: reading them takes seconds."""
    return locale_tools.template()


def test_every_message_is_translated(source: Catalog) -> None:
    assert locale_tools.untranslated(source) == []


def test_no_translation_is_left_over(source: Catalog) -> None:
    assert locale_tools.stale(source) == []


def test_translations_have_the_placeholders_of_their_message() -> None:
    assert locale_tools.wrong_placeholders() == []


def test_the_compiled_catalogue_belongs_to_its_text() -> None:
    assert locale_tools.MO.is_file(), "python -m tests.locale_tools compile"
    assert locale_tools.MO.read_bytes() == locale_tools.compiled()


def _marked(path: Path) -> Iterator[tuple[int, str | None]]:
    """Line and text of every marked message; None where it is no literal."""
    for node in ast.walk(locale_tools.parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in locale_tools.KEYWORDS:
            first = node.args[0] if node.args else None
            literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
            yield node.lineno, ast.literal_eval(first) if literal and first else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(locale_tools.PACKAGE)))
def test_marked_texts_are_literals(path: Path) -> None:
    """What is put together at run time cannot be found in a catalogue."""
    for line, text in _marked(path):
        assert text is not None, f"{path.name}:{line}: not a literal"
        assert text.strip(), f"{path.name}:{line}: an empty message is the catalogue's header"
        for name in locale_tools.placeholders(text):
            assert name.isidentifier(), f"{path.name}:{line}: placeholders have names, {name!r} is none"


def test_the_tool_keeps_translations_and_drops_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "techtool"
    package.mkdir()
    source = package / "some.py"
    source.write_text('a = _("first {n}")\nb = N_("second" " part")\nc = phrase("third {x}", x=1)\n')
    monkeypatch.setattr(locale_tools, "PACKAGE", package)
    monkeypatch.setattr(locale_tools, "PO", tmp_path / "techtool.po")
    monkeypatch.setattr(locale_tools, "MO", tmp_path / "techtool.mo")
    assert locale_tools.main(["extract"]) == 1
    assert locale_tools.untranslated() == ["first {n}", "second part", "third {x}"]
    text = locale_tools.PO.read_text()
    for message, translation in (("first {n}", "第一 {n}"), ("second part", "第二"), ("third {x}", "第三 {y}")):
        text = text.replace(f'msgid "{message}"\nmsgstr ""', f'msgid "{message}"\nmsgstr "{translation}"')
    locale_tools.PO.write_text(text, encoding="utf-8")
    assert locale_tools.main(["compile"]) == 0
    assert locale_tools.wrong_placeholders() == ["third {x}"]
    assert locale_tools.MO.read_bytes() == locale_tools.compiled()

    source.write_text('a = _("first {n}")\nd = _("fourth")\n')
    assert locale_tools.stale() == ["second part", "third {x}"]
    assert locale_tools.main(["extract"]) == 1
    assert locale_tools.untranslated() == ["fourth"]
    assert locale_tools.stale() == []
    once = locale_tools.PO.read_bytes()
    locale_tools.main(["extract"])
    assert locale_tools.PO.read_bytes() == once
    assert "第一 {n}" in once.decode()


@pytest.mark.parametrize("arguments", [[], ["translate"], ["extract", "compile"]])
def test_the_tool_says_what_it_takes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert locale_tools.main(arguments) == 2
    assert "extract|compile|missing" in capsys.readouterr().err


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(locale_tools.PACKAGE)))
def test_no_text_hides_in_an_f_string(path: Path) -> None:
    """The extractor does not look inside f-strings on Python 3.11: a text there would stay English for ever."""
    tree = locale_tools.parsed(path)
    hidden = [
        call.lineno
        for joined in ast.walk(tree)
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in locale_tools.KEYWORDS
        and any(isinstance(argument, ast.Constant) for argument in call.args)
    ]
    assert hidden == []
