"""A card number in every free text of a record: in no export, of any format, in any language."""

from __future__ import annotations

import base64
import re
import unicodedata
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from techtool.domain.visit import VisitRecord
from techtool.reports.formats import FORMATS
from techtool.reports.write import write_reports
from tests.unit.reports.evidence import everywhere

CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "６２１２３４５６７８９０１２３２",
    "378282246310005",
)


def streams(data: bytes) -> Iterator[bytes]:
    """Every stream of a PDF, unpacked where it is packed."""
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        body = match[1].strip(b"\r\n")
        try:
            yield zlib.decompress(base64.a85decode(body.removesuffix(b"~>")))
        except (zlib.error, ValueError):
            yield body


def texts(path: Path) -> Iterator[str]:
    """What anybody could read out of a file."""
    data = path.read_bytes()
    if path.suffix != ".pdf":
        yield data.decode("utf-8")
        return
    reader = PdfReader(BytesIO(data))
    yield "\n".join(page.extract_text() for page in reader.pages)
    yield str(reader.metadata)
    yield from (stream.decode("latin-1") for stream in streams(data))


def digits(text: str) -> str:
    return unicodedata.normalize("NFKC", re.sub(r"[\s\u00ad'()*-]|\[U.00AD\]", "", text))


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_in_every_text_is_in_no_export(card: str, tmp_path: Path) -> None:
    visit = everywhere(VisitRecord, f"slip {card} end")
    written = write_reports(visit, FORMATS, tmp_path, ("en", "zh"), None)
    assert {p.suffix for p in written} == {".html", ".pdf", ".csv", ".json"}
    number = digits(card)
    for path in written:
        found = list(texts(path))
        assert not [t for t in found if number in digits(t)], path.name
        assert any("slip" in t for t in found), f"{path.name}: the words around it stay"


def test_the_look_into_a_pdf_would_find_it(tmp_path: Path) -> None:
    """The same search finds a number that may stand: a serial number in the field of its own."""
    from dataclasses import replace

    from tests import factories as f

    lane = replace(f.lane_done("1", CARDS[0]), address="adb://192.0.2.1:5555")
    for path in write_reports(f.visit_record(lane), ["pdf", "merchant"], tmp_path, ("en", "zh"), None):
        assert CARDS[0] in digits("".join(texts(path))), path.name


TEXTS = {
    "long": "长" * 3_000,
    "word": "w" * 3_000,
    "lines": "line\n" * 300,
    "markup": "<b>&amp;</para>",
    "rare": "\U00020bb7\U0001f600",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_any_text_anywhere_makes_whole_files(name: str, tmp_path: Path) -> None:
    visit = everywhere(VisitRecord, TEXTS[name])
    for path in write_reports(visit, FORMATS, tmp_path, ("en", "zh"), None):
        assert path.stat().st_size > 200
        if path.suffix == ".pdf":
            assert len(PdfReader(path).pages) >= 1
