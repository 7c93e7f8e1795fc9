from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest

from techtool.domain.visit import CheckRecord, VisitRecord
from techtool.i18n import bilingual, raw
from techtool.reports.csv_rows import INSPECTION_LOG, REGISTER, inspection_csv, register_csv, safe
from tests import factories as f
from tests.unit.reports import evidence as e


def rows(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf"), "Excel needs the mark to show Chinese"
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


def test_one_row_a_terminal_with_the_columns_that_are_written_down() -> None:
    visit = f.visit_record()
    for made, columns in ((register_csv(visit, "en"), REGISTER), (inspection_csv(visit, "en"), INSPECTION_LOG)):
        found = rows(made)
        assert [row["Serial number"] for row in found] == ["P2A0123456789", "P2A0987654321", ""]
        assert list(found[0]) == list(columns)


def test_the_header_follows_the_language_and_the_order_does_not() -> None:
    first = [register_csv(e.full_visit(), language).decode("utf-8-sig").splitlines() for language in ("en", "zh")]
    assert first[0][0] != first[1][0]
    assert "序列号" in first[1][0].split(",")
    assert first[1][0].split(",").index("序列号") == first[0][0].split(",").index("Serial number")


def test_the_register_says_make_model_place_and_mark() -> None:
    (row,) = rows(register_csv(e.full_visit(), "en"))
    assert row["Maker"] == "SUNMI"
    assert row["Model"] == "P2"
    assert row["Site address"] == "上海市南门路 7 号"
    assert row["Counter"] == "1 号台"
    assert row["Asset no."] == "AS-1"
    assert row["Terminal no. (TID)"] == "****3040"
    assert row["Installed"] == f"{f.PAY} 3.2.0"


def test_the_inspection_log_says_who_when_result_and_anomaly() -> None:
    (row,) = rows(inspection_csv(e.full_visit(), "en"))
    assert row["Technician"] == "Zhang Wei"
    assert row["Inspected"] == "2026-03-14 09:00:21"
    assert row["Inspection result"] == "fail"
    assert "SE-02.card-slot Card slot: glue" in row["Not in order"]
    assert row["Seal numbers"] == "SL-1, SL-2"
    assert row["Incidents"] == "V-1-1"
    assert row["Reported to"] == "V-1-1: hotline 17:10"


def test_without_an_inspection_the_log_says_so() -> None:
    row = rows(inspection_csv(f.visit_record(f.lane_done()), "en"))[0]
    assert (row["Inspected"], row["Inspection result"]) == ("not recorded", "not recorded")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(first: str) -> None:
    evil = f'{first}HYPERLINK("http://example.invalid","x")'
    visit: VisitRecord = replace(e.full_visit(), merchant=evil, technician=evil, staff_no=evil)
    for made in (register_csv(visit, "zh"), inspection_csv(visit, "en")):
        for row in csv.reader(StringIO(made.decode("utf-8-sig"), newline="")):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert safe(evil).startswith("'")


def test_a_cell_is_one_line() -> None:
    assert safe("a\nb\r\nc") == "a b  c"
    assert safe("ordinary") == "ordinary"
    assert safe("") == ""


def test_a_reason_that_techtool_gave_is_in_the_language_of_the_rows() -> None:
    said = bilingual({"en": "the approval ran out", "zh": "认证已过期"})
    check = CheckRecord("SE-04", raw("Seals"), "fail", "认证已过期", f.at(100), said=said)
    visit = f.visit_record(replace(f.lane_done(), checks=(check,)))
    (row,) = rows(inspection_csv(visit, "en"))
    assert row["Not in order"] == "SE-04 Seals: the approval ran out"
