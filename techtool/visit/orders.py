"""Work orders as the office hands them over: JSON or CSV files, read strictly, believed in nothing.

An order can never loosen a rule: it says who ordered what, which terminals stand there and which releases are wanted.
What is signed, and what the terminal says of itself, decides.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, convert, convert_exactly, decode_json_untyped, plain
from techtool.domain.sensitive import redact
from techtool.domain.work_order import Site, WorkOrder, same
from techtool.errors import AmbiguousChoice, BadFile, BadOrder, NotFoundError
from techtool.i18n import Phrase, phrase, raw
from techtool.visit.order_csv import read_table

MAX_BYTES: Final = 4_000_000
MAX_FILES: Final = 200
"""In one folder of a stick."""
_LONGEST: Final = 500
"""Of one text; a note may have four times as many characters."""
_MAX_ORDERS: Final = 2_000
_OLD: Final = frozenset({"merchant", "work_order"})


@dataclass(frozen=True, slots=True)
class OrderFile:
    """What one file holds."""

    path: Path
    orders: tuple[WorkOrder, ...]
    ignored: tuple[str, ...] = ()
    """Columns of a CSV file that mean nothing here."""


@dataclass(frozen=True, slots=True)
class FoundOrders:
    """What lies in the folders of a stick where orders are looked for."""

    files: tuple[OrderFile, ...]
    unusable: tuple[BadFile, ...]


def read_orders(path: Path) -> OrderFile:
    """Read a file of one or more orders; raises :class:`BadOrder` naming the place, :class:`BadFile`.

    Nothing that looks like a card number is kept.
    """
    data = _bytes(path)
    if path.suffix.lower() == ".csv" or not _is_json(path, data):
        documents, ignored = read_table(path, data)
    else:
        documents, ignored = _documents(path, data), ()
    orders = tuple(_order(path, place, document) for place, document in documents)
    if not orders:
        raise BadOrder(path=str(path), problem=phrase("there is no order in it"))
    _refuse_twins(path, orders)
    digest = hashlib.sha256(data).hexdigest()
    return OrderFile(path, tuple(replace(order, file=redact(path.name), sha256=digest) for order in orders), ignored)


def read_order(path: Path, number: str = "") -> WorkOrder:
    """One order of a file, by its number where there are several.

    Raises :class:`AmbiguousChoice`, :class:`NotFoundError` and what :func:`read_orders` raises.
    """
    orders = read_orders(path).orders
    if number:
        found = next((order for order in orders if same(order.number) == same(number)), None)
        if found is None:
            raise NotFoundError(what=number)
        return found
    if len(orders) > 1:
        raise AmbiguousChoice(what=path.name, choices=", ".join(order.number for order in orders))
    return orders[0]


def orders_on(place: Path) -> FoundOrders:
    """The orders on a stick (its root or its ``TECHTOOL``) or in a folder; files that cannot be used are named.

    Looked for in ``orders/`` and ``TECHTOOL/orders/``, and in a folder that is itself given. Raises
    :class:`NotFoundError` where there is no such folder.
    """
    if place.is_file():
        return FoundOrders((read_orders(place),), ())
    if not place.is_dir():
        raise NotFoundError(what=str(place))
    root = place.parent if place.name.upper() == "TECHTOOL" else place
    folders = [root / "orders", root / "TECHTOOL" / "orders"]
    if not any(folder.is_dir() for folder in folders) and not (root / "TECHTOOL").is_dir():
        folders = [place]
    files: list[OrderFile] = []
    unusable: list[BadFile] = []
    for path in [path for folder in folders for path in _files_in(folder)]:
        try:
            files.append(read_orders(path))
        except BadFile as error:
            unusable.append(error)
    return FoundOrders(tuple(files), tuple(unusable))


def _files_in(folder: Path) -> list[Path]:
    """In the order of their names; what other systems leave behind is passed over."""
    try:
        with os.scandir(folder) as entries:
            found = [
                Path(entry.path)
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name.lower().endswith((".json", ".csv"))
                and entry.is_file(follow_symlinks=False)
            ]
    except OSError:
        return []
    return sorted(found)[:MAX_FILES]


def _bytes(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise BadOrder(path=str(path), problem=phrase("it is not a file"))
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be read"
        raise BadOrder(path=str(path), problem=raw(text)) from error
    if len(data) > MAX_BYTES:
        raise BadOrder(path=str(path), problem=phrase("it is larger than {count} MB", count=MAX_BYTES // 1_000_000))
    return data


def _is_json(path: Path, data: bytes) -> bool:
    return path.suffix.lower() == ".json" or data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _documents(path: Path, data: bytes) -> list[tuple[str, Mapping[str, object]]]:
    """The order or orders of a JSON file, each with its place."""
    try:
        document = decode_json_untyped(data.removeprefix(b"\xef\xbb\xbf"))
        if isinstance(document, list):
            listed = convert(document, list[dict[str, object]])
            if len(listed) > _MAX_ORDERS:
                raise BadOrder(path=str(path), problem=phrase("it holds more than {count} orders", count=_MAX_ORDERS))
            return [(f"$[{place}]", item) for place, item in enumerate(listed)]
        return [("$", convert(document, dict[str, object]))]
    except CodecError as error:
        raise BadOrder(path=str(path), problem=raw(redact(str(error)))) from error


def _order(path: Path, place: str, document: Mapping[str, object]) -> WorkOrder:
    """One order from JSON-like values; raises :class:`BadOrder`."""
    if "number" not in document and _OLD & document.keys():
        return _old_order(path, document)
    try:
        order = convert_exactly(dict(document), WorkOrder)
    except CodecError as error:
        problem = str(error).replace("`$", f"`{place}", 1)
        raise BadOrder(path=str(path), problem=raw(redact(problem))) from error
    cleaned = convert(_harmless(path, place, plain(replace(order, file="", sha256=""))), WorkOrder)
    if not cleaned.number:
        raise BadOrder(path=str(path), problem=phrase("{place}: the order's number is empty", place=f"{place}.number"))
    counted = Counter(same(terminal.serial) for terminal in cleaned.terminals if terminal.serial)
    twice = next((serial for serial, count in counted.items() if count > 1), None)
    if twice is not None:
        text = phrase("{place}: the serial number {serial} stands twice", place=place, serial=twice.upper())
        raise BadOrder(path=str(path), problem=text)
    return cleaned


def _old_order(path: Path, document: Mapping[str, object]) -> WorkOrder:
    """The two fields of the first orders; whatever else stands beside them says nothing."""
    given = {name: document.get(name, "") for name in _OLD}
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            raise BadOrder(path=str(path), problem=phrase("{place}: a text is needed", place=f"$.{name}"))
    texts = {name: redact(str(value).strip()[:_LONGEST]) for name, value in given.items()}
    return WorkOrder(number=texts["work_order"], site=Site(merchant_name=texts["merchant"]))


def _harmless(path: Path, place: str, value: object) -> object:
    """Texts without card numbers and control characters; raises :class:`BadOrder` for one of absurd length."""
    if isinstance(value, Mapping):
        return {key: _harmless(path, f"{place}.{key}", item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_harmless(path, f"{place}[{number}]", item) for number, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST * (4 if place.endswith(".note") else 1):
        raise BadOrder(path=str(path), problem=phrase("{place}: the text is too long", place=place))
    return redact("".join(letter if letter.isprintable() else " " for letter in value).strip())


def _refuse_twins(path: Path, orders: Sequence[WorkOrder]) -> None:
    seen: set[str] = set()
    for order in orders:
        if same(order.number) in seen:
            text: Phrase = phrase("the order {number} stands twice", number=order.number)
            raise BadOrder(path=str(path), problem=text)
        seen.add(same(order.number))
