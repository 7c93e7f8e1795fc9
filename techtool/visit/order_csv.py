"""Orders as a table, one row a terminal: what offices export, and what a spreadsheet makes of it on the way.

Headers in English keys or in the Chinese words of the trade; comma, semicolon or tab; UTF-8 with or without a mark,
UTF-16 with one, or GBK. Rows with the same order number are one order.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from techtool.domain.sensitive import redact
from techtool.domain.work_order import VisitType
from techtool.errors import BadOrder
from techtool.i18n import Phrase, phrase

MAX_ROWS: Final = 10_000

_ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("work_order_no", "number", "work_order", "order_no", "工单号", "工单编号"),
    "type": ("visit_type", "type", "工单类型"),
    "source": ("work_order_source", "source", "派单方"),
    "acquirer": ("acquirer", "收单机构"),
    "service_company": ("service_company", "服务商"),
    "install_by": ("install_by", "最迟日期", "截止日期"),
    "note": ("note", "备注"),
}
_SITE: Final[Mapping[str, tuple[str, ...]]] = {
    "merchant_name": ("merchant_name", "merchant", "商户名称"),
    "merchant_contact": ("merchant_contact", "商户联系人"),
    "merchant_phone": ("merchant_phone", "联系电话"),
    "mcc": ("mcc", "商户类别"),
    "credit_code": ("credit_code", "统一社会信用代码"),
    "site_id": ("site_id", "门店编号", "网点编号"),
    "site_address": ("site_address", "装机地址"),
    "geo": ("geo", "经纬度"),
    "trading_hours": ("trading_hours", "营业时间"),
    "critical": ("critical", "重点商户"),
}
_TERMINAL: Final[Mapping[str, tuple[str, ...]]] = {
    "serial": ("serial", "serial_label", "serial_software", "序列号", "机身序列号"),
    "vendor": ("vendor", "品牌"),
    "model": ("model", "型号"),
    "tid": ("tid", "终端号"),
    "mid": ("mid", "商户编号", "商户号"),
    "asset_no": ("asset_no", "资产编号"),
    "counter": ("counter", "柜台", "款台号", "柜台/款台号"),
    "seals": ("seals", "seal_numbers", "封签号"),
    "releases": ("releases", "bundle_id", "安装包编号"),
}
_LISTS: Final = frozenset({"seals", "releases"})
_NUMBERS: Final = frozenset({"number", "serial", "tid", "mid", "asset_no", "merchant_phone", "credit_code", "seals"})
_FIELD_OF: Final[Mapping[str, str]] = {
    name.casefold(): field for part in (_ORDER, _SITE, _TERMINAL) for field, names in part.items() for name in names
}
_TYPES: Final[Mapping[str, VisitType]] = {
    **{kind.value: kind for kind in VisitType},
    "装机": VisitType.INSTALL,
    "升级": VisitType.UPDATE,
    "巡检": VisitType.INSPECTION,
    "巡机": VisitType.INSPECTION,
    "维护": VisitType.REPAIR,
    "维修": VisitType.REPAIR,
    "换机": VisitType.SWAP,
    "移机": VisitType.RELOCATION,
    "撤机": VisitType.REMOVAL,
    "培训": VisitType.TRAINING,
}
_YES: Final = frozenset({"yes", "true", "1", "y", "是"})
_NO: Final = frozenset({"no", "false", "0", "n", "否", ""})
_ROUNDED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
"""What a spreadsheet makes of a long number."""
_TEXT_FORMULA: Final = re.compile(r'="(.*)"')
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_SEPARATORS: Final = re.compile(r"[;；,，、|\s]+")


@dataclass(slots=True)
class _Gathered:
    """One order while its rows are read."""

    order: dict[str, object]
    site: dict[str, object]
    terminals: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Table:
    path: Path
    header: tuple[str, ...]
    fields: tuple[str, ...]
    """Of each column; empty: unknown."""

    def bad(self, row: int, name: str, problem: Phrase) -> BadOrder:
        """Names row (as a spreadsheet counts them) and column."""
        place = phrase("row {row}, column {column}: {problem}", row=row, column=self._title(name), problem=problem)
        return BadOrder(path=str(self.path), problem=place)

    def _title(self, name: str) -> str:
        return self.header[self.fields.index(name)] if name in self.fields else name


def read_table(path: Path, data: bytes) -> tuple[list[tuple[str, Mapping[str, object]]], tuple[str, ...]]:
    """Every order with its place, and the columns that mean nothing here; raises :class:`BadOrder`."""
    text = _decoded(path, data)
    rows = _rows(path, text)
    first = next(rows, None)
    if first is None:
        raise BadOrder(path=str(path), problem=phrase("it is empty"))
    table = _header(path, first[1])
    orders: dict[str, _Gathered] = {}
    places: dict[str, str] = {}
    for row, cells in rows:
        if row > MAX_ROWS:
            raise BadOrder(path=str(path), problem=phrase("it has more than {count} rows", count=MAX_ROWS))
        values = _values(table, row, cells)
        number = str(values["number"])
        places.setdefault(number, f"row {row}")
        _add(table, row, values, orders)
    documents: list[tuple[str, Mapping[str, object]]] = [
        (places[number], {**found.order, "site": found.site, "terminals": found.terminals})
        for number, found in orders.items()
    ]
    ignored = tuple(
        redact(title)[:60] for title, name in zip(table.header, table.fields, strict=True) if title and not name
    )
    return documents, ignored


def _decoded(path: Path, data: bytes) -> str:
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadOrder(path=str(path), problem=phrase("it is no table: neither UTF-8 nor GBK text"))


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, by the number of their first line."""
    lines = text.splitlines(keepends=True)
    skipped = 0
    if lines and re.fullmatch(r"sep=.[\r\n]*", lines[0]):
        skipped, lines = 1, lines[1:]
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=_delimiter(lines), strict=True)
    while True:
        row = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = redact(str(error))
            problem = phrase("row {row}: {problem}", row=row, problem=text)
            raise BadOrder(path=str(path), problem=problem) from error
        if any(cell.strip() for cell in cells):
            yield row, cells


def _delimiter(lines: Sequence[str]) -> str:
    """By which the header falls into the most names that are known."""
    header = next((line for line in lines if line.strip()), "")

    def known(delimiter: str) -> int:
        return sum(_name(cell.strip('"')) in _FIELD_OF for cell in header.split(delimiter))

    return max((",", ";", "\t"), key=known)


def _name(title: str) -> str:
    return title.strip().strip("*＊").strip().casefold()


def _header(path: Path, cells: Sequence[str]) -> _Table:
    header = tuple(cell.strip()[:60] for cell in cells)
    fields = tuple(_FIELD_OF.get(_name(title), "") for title in header)
    for place, name in enumerate(fields):
        if name and name in fields[:place]:
            problem = phrase(
                "row {row}: the columns {first} and {second} mean the same", row=1, **_pair(header, fields, place)
            )
            raise BadOrder(path=str(path), problem=problem)
    if "number" not in fields:
        text = phrase(
            "row {row}: there is no column for the order's number ({names})", row=1, names=", ".join(_ORDER["number"])
        )
        raise BadOrder(path=str(path), problem=text)
    return _Table(path, tuple(redact(title) for title in header), fields)


def _pair(header: Sequence[str], fields: Sequence[str], place: int) -> dict[str, str]:
    return {"first": redact(header[fields.index(fields[place])]), "second": redact(header[place])}


def _values(table: _Table, row: int, cells: Sequence[str]) -> dict[str, object]:
    """One row's cells by field."""
    extra = [cell for cell in cells[len(table.fields) :] if cell.strip()]
    if extra:
        problem = phrase("row {row}: it has more cells than the first row has columns", row=row)
        raise BadOrder(path=str(table.path), problem=problem)
    values: dict[str, object] = {}
    for name, cell in zip(table.fields, cells, strict=False):
        if name:
            values[name] = _value(table, row, name, cell)
    if not values.get("number"):
        raise table.bad(row, "number", phrase("the order's number is empty"))
    return values


def _value(table: _Table, row: int, name: str, cell: str) -> object:
    text = cell.strip()
    formula = _TEXT_FORMULA.fullmatch(text)
    text = (formula.group(1) if formula else text.removeprefix("'")).strip()
    if name in _NUMBERS and _ROUNDED.fullmatch(text):
        raise table.bad(row, name, phrase("a spreadsheet has rounded this number; export the column as text"))
    if name in _LISTS:
        return [part for part in _SEPARATORS.split(text) if part]
    if name == "type" and text:
        kind = _TYPES.get(text.casefold()) or _TYPES.get(text.removesuffix("单"))
        if kind is None:
            raise table.bad(row, name, phrase("no such type; possible: {names}", names=", ".join(_TYPES)))
        return kind.value
    if name == "critical":
        if text.casefold() not in _YES | _NO:
            raise table.bad(row, name, phrase("yes or no is needed"))
        return text.casefold() in _YES
    if name == "install_by" and text:
        date = _DATE.fullmatch(text)
        if date is None:
            raise table.bad(row, name, phrase("a date is needed, as 2026-03-31"))
        return "-".join((date[1], date[2].zfill(2), date[3].zfill(2)))
    return text


def _add(table: _Table, row: int, values: Mapping[str, object], orders: dict[str, _Gathered]) -> None:
    """Put a row's terminal into its order; what is said of the order must be the same in all its rows."""
    order = {name: values[name] for name in _ORDER if values.get(name)}
    site = {name: values[name] for name in _SITE if values.get(name)}
    terminal = {name: values[name] for name in _TERMINAL if values.get(name)}
    known = orders.setdefault(str(values["number"]), _Gathered(order, site))
    for told, new in ((known.order, order), (known.site, site)):
        for name, value in new.items():
            if told.setdefault(name, value) != value:
                raise table.bad(row, name, phrase("another row of the same order says something else"))
    if terminal:
        known.terminals.append(terminal)
