"""Orders as offices and spreadsheets hand them over: read, or refused with the place."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from techtool.domain.codec import encode_json
from techtool.domain.work_order import ExpectedTerminal, VisitType, same
from techtool.errors import AmbiguousChoice, BadFile, BadOrder, NotFoundError
from techtool.visit.orders import orders_on, read_order, read_orders

PAN = "4111111111111111"
ROWS = (
    "工单号,工单类型,商户名称,装机地址,序列号,品牌,型号,终端号,商户编号,封签号,重点商户,截止日期\n"
    "WO-1,巡检单,南门小吃,南门路1号,SN0001,sunmi,P2,10000001,898000000000001,F1;F2,是,2026/3/31\n"
    'WO-1,,,,SN0002,sunmi,P2,10000002,"898000000000001",,,\n'
    "WO-2,升级,北门书店,,SN0003,verifone,T650p,,,,否,\n"
)


def write(tmp_path: Path, text: str | bytes, name: str = "orders.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_of_one_number_are_one_order(tmp_path: Path) -> None:
    first, second = read_orders(write(tmp_path, ROWS)).orders
    assert (first.number, first.type, first.site.merchant_name) == ("WO-1", VisitType.INSPECTION, "南门小吃")
    assert first.site.critical
    assert first.install_by == date(2026, 3, 31)
    assert [t.serial for t in first.terminals] == ["SN0001", "SN0002"]
    assert first.terminals[0] == ExpectedTerminal(
        "SN0001", "sunmi", "P2", "10000001", "898000000000001", seals=("F1", "F2")
    )
    assert (second.number, second.type, second.site.critical) == ("WO-2", VisitType.UPDATE, False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_every_encoding_and_delimiter_says_the_same(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = ROWS.replace("F1;F2", "F1 F2").replace(",", delimiter).replace("\n", "\r\n")
    read = read_orders(write(tmp_path, text.encode(encoding))).orders
    plain = read_orders(write(tmp_path, ROWS, "plain.csv")).orders
    assert [(o.number, o.site, o.terminals) for o in read] == [(o.number, o.site, o.terminals) for o in plain]


def test_what_a_spreadsheet_adds_is_taken_off(tmp_path: Path) -> None:
    text = 'sep=;\r\nnumber;serial;tid\r\n"=""WO-7""";\'0001234;="00000042"\r\n;;\r\n'.replace('"=""WO-7"""', '="WO-7"')
    (order,) = read_orders(write(tmp_path, text)).orders
    assert (order.number, order.terminals[0].serial, order.terminals[0].tid) == ("WO-7", "0001234", "00000042")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("工单号,序列号\nWO-1,1.23457E+15\n", ("row 2", "序列号")),
        ("工单号,工单类型\nWO-1,升级\nWO-1,聊天\n", ("row 3", "工单类型")),
        ("工单号,商户名称\nWO-1,甲\nWO-1,乙\n", ("row 3", "商户名称")),
        ("工单号,重点商户\nWO-1,maybe\n", ("row 2", "重点商户")),
        ("工单号,截止日期\nWO-1,soon\n", ("row 2", "截止日期")),
        ("工单号,序列号\nWO-1,SN1,more\n", ("row 2",)),
        ("工单号,序列号\n,SN1\n", ("row 2", "工单号")),
        ("序列号,型号\nSN1,P2\n", ("row 1", "work_order_no")),
        ("工单号,number\nWO-1,WO-1\n", ("row 1", "工单号", "number")),
        ('工单号,序列号\nWO-1,"SN1\n', ("row 2",)),
        ("工单号,序列号\nWO-1,SN1\nWO-1,sn1\n", ("SN1", "twice")),
        ("number,install_by\nWO-1,2026-02-31\n", ("row 2", "install_by")),
        ("", ("empty",)),
        ("工单号\n", ("no order",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_bad_tables_name_the_place(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(BadOrder) as refused:
        read_orders(write(tmp_path, text))
    assert all(part in str(refused.value) for part in parts), str(refused.value)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"number": "1", "terminals": [{"serial": "A"}, {"serial": 7}]}, "$.terminals[1].serial"),
        ({"number": "1", "colour": "red"}, "colour"),
        ({"number": "1", "site": {"mcc": ["x"]}}, "$.site.mcc"),
        ([{"number": "1"}, {"number": "2", "type": "holiday"}], "$[1].type"),
        ({"number": " "}, "$.number"),
        ({"number": "1", "note": "x" * 9_999}, "$.note"),
        ([{"number": "1"}, {"number": "1"}], "twice"),
        ([], "no order"),
        ("text", "Expected `object`"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_documents_name_the_place(tmp_path: Path, document: object, place: str) -> None:
    with pytest.raises(BadOrder) as refused:
        read_orders(write(tmp_path, json.dumps(document), "order.json"))
    assert place in str(refused.value)


def test_the_first_orders_still_work(tmp_path: Path) -> None:
    path = write(tmp_path, '{"merchant": "Noodles", "work_order": "WO-9"}', "order.json")
    order = read_order(path)
    assert (order.number, order.site.merchant_name, order.terminals) == ("WO-9", "Noodles", ())


def test_one_of_several_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, ROWS)
    assert read_order(path, "wo-2").number == "WO-2"
    with pytest.raises(AmbiguousChoice, match="WO-1, WO-2"):
        read_order(path)
    with pytest.raises(NotFoundError):
        read_order(path, "WO-3")


def test_no_card_number_is_kept(tmp_path: Path) -> None:
    document = {
        "number": PAN,
        "note": f"card {PAN[:4]} {PAN[4:8]} {PAN[8:12]} {PAN[12:]}",
        "site": {"merchant_name": PAN, "merchant_phone": PAN},
        "terminals": [{"serial": PAN, "tid": PAN, "seals": [PAN]}],
        "releases": [PAN],
    }
    for path in (
        write(tmp_path, json.dumps(document), "order.json"),
        write(tmp_path, f"number,serial,note,{PAN}\nWO-1,{PAN},{PAN},x\n"),
    ):
        read = read_orders(path)
        kept = encode_json(read.orders).decode() + "".join(read.ignored)
        assert PAN not in kept.replace(" ", "")
        assert "411111" in kept


def test_a_masked_serial_number_is_still_recognized(tmp_path: Path) -> None:
    order = read_order(write(tmp_path, f"number,serial\nWO-1,{PAN}\n"))
    assert order.expected(PAN) is order.terminals[0]
    assert order.expected("4111111111111112") is None


def test_orders_on_a_stick(tmp_path: Path) -> None:
    for folder, name in (("orders", "a.csv"), ("TECHTOOL/orders", "b.json"), ("TECHTOOL/orders", "._b.json")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        text = ROWS if name == "a.csv" else '{"number": "WO-5"}'
        write(tmp_path / folder, text if not name.startswith(".") else "\0", name)
    write(tmp_path / "orders", "rubbish", "c.csv")
    for place in (tmp_path, tmp_path / "TECHTOOL"):
        found = orders_on(place)
        assert [order.number for file in found.files for order in file.orders] == ["WO-1", "WO-2", "WO-5"]
        assert ["c.csv" in str(error) for error in found.unusable] == [True]
    with pytest.raises(NotFoundError):
        orders_on(tmp_path / "nothing")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(b"number,serial\nWO-1,\xff\xfe")
@example(b"\xff\xfe")
@example(b'"number","serial"\r\r\n"1","')
def test_rubbish_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    for name in ("x.csv", "x.json", "x"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(data)
        problem = ""
        try:
            assert read_orders(path).orders
        except BadFile as error:
            problem = str(error)
        assert not problem or str(path) in problem


CELL = st.text(st.characters(codec="gb18030", exclude_characters="\0"), max_size=12)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=5),
    delimiter=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    quoted=st.booleans(),
)
def test_any_table_is_read_or_refused_with_its_row(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str, str]],
    delimiter: str,
    encoding: str,
    quoted: bool,
) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quoted else text

    lines = [delimiter.join(cell(text) for text in row) for row in [("工单号", "序列号", "终端号", "备注"), *rows]]
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes("\n".join(lines).encode(encoding))
    try:
        read = read_orders(path)
        numbers = [order.number for order in read.orders]
    except BadOrder as error:
        problem = str(error)
    else:
        problem = ""
    if problem:
        assert "row" in problem or "no order" in problem or "twice" in problem or "GBK" in problem
        return
    assert len(set(numbers)) == len(numbers)
    assert all(numbers)


def test_a_long_order_is_read_in_time_that_grows_with_its_length(tmp_path: Path) -> None:
    """Counted, not timed: how often serial numbers are compared with each other."""
    compared = 0

    class Counted(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    terminals = [{"serial": f"SN{number:06}"} for number in range(2_000)]
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"number": "WO-1", "terminals": terminals}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("techtool.visit.orders.same", lambda text: Counted(same(text)))
        assert len(read_orders(path).orders[0].terminals) == 2_000
    assert compared < 10 * 2_000
    terminals.append(terminals[7])
    path.write_text(json.dumps({"number": "WO-1", "terminals": terminals}), encoding="utf-8")
    with pytest.raises(BadOrder, match="SN000007"):
        read_orders(path)
