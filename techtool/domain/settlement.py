"""What a settlement slip says, as a person typed it: number of sales and their sum, never a card number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from techtool.domain.sensitive import redact

_BATCH: Final = re.compile(r"(?:batch(?:\s+no\.?)?|批次号?)\s*[:：#]?\s*(\d{1,8})(?!\d)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d{1,3}(?:[,']\d{3})+(?:\.\d{1,2})?(?![\d.,]\d|\d)|\d+(?:[.,]\d{1,2})?(?!\d)")
_MOST_SALES: Final = 99_999
_LONGEST_SUM: Final = 9
"""Digits before the point: longer ones are no sum of a batch, and may be something that nobody should keep."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A batch that a person settled and saw the slip of."""

    at: datetime
    """When it was said."""
    text: str = ""
    """Count and sum as they were typed, without anything that looks like a card number; empty: not recorded."""
    count: int | None = None
    """Sales on the slip; None: not said, or not understood."""
    total: str = ""
    """Their sum, ``5210.00``, in the shop's currency; empty: not said, or not understood."""
    batch_no: str = ""
    evidence: str = ""
    """What shows it: number of the slip, or name of a photo."""


def settlement(typed: str, evidence: str, at: datetime) -> Settlement:
    """Read leniently: “37 / 5210.00”, “37笔 5,210.00元”, “batch 000123: 37 / 5210”; else only the text is kept."""
    text, shown = redact(typed.strip()), redact(evidence.strip())
    if text != typed.strip():
        return Settlement(at, text, evidence=shown)
    batch = _BATCH.search(text)
    count, total = _figures(_BATCH.sub(" ", text))
    return Settlement(at, text, count, total, batch[1] if batch else "", shown)


def _figures(text: str) -> tuple[int | None, str]:
    numbers = [_plain(found) for found in _NUMBER.findall(text)]
    if len(numbers) != 2:
        return None, ""
    count, total = numbers if "." not in numbers[0] else numbers[::-1]
    if "." in count or int(count) > _MOST_SALES or len(total.partition(".")[0]) > _LONGEST_SUM:
        return None, ""
    return int(count), total


def _plain(number: str) -> str:
    """With a point before the cents and nothing between the thousands."""
    if re.fullmatch(r"\d+,\d{1,2}", number):
        return number.replace(",", ".")
    return number.replace(",", "").replace("'", "")
