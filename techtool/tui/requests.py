"""What was typed on the new-visit screen as a request to the engine; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from techtool.domain.pace import MOST, Pace
from techtool.domain.terminal import Address
from techtool.domain.typed import narrow
from techtool.errors import UsageError
from techtool.i18n import _
from techtool.visit.services import VisitRequest

_WORD: Final = re.compile(r"medium:[^;,；，]*|[^\s,;，；、]+")
"""An address; the folder of a stick may have blanks in it, and ends at a comma or semicolon."""
_RANGE: Final = re.compile(r"(?P<before>adb://.+:)(?P<first>\d{1,5})-(?P<last>\d{1,5})")


class Order(StrEnum):
    """In what order several terminals are worked on; the first is what nobody needs to choose."""

    ONE_FIRST = "one-first"
    ONE_BY_ONE = "one-by-one"
    ALL = "all"


_PACE: Final = {
    Order.ONE_FIRST: Pace(MOST),
    Order.ONE_BY_ONE: Pace(),
    Order.ALL: Pace(MOST, one_first=False),
}


def addresses_of(typed: str) -> tuple[str, ...]:
    """Addresses parted by blanks, commas or semicolons; ``adb://HOST:5555-5584`` stands for every port from to."""
    words = (text.strip() if text.startswith(("medium:", "replay:")) else narrow(text) for text in _WORD.findall(typed))
    return tuple(address for word in words for address in _expanded(word))


def _expanded(text: str) -> Iterator[str]:
    found = _RANGE.fullmatch(text)
    if found is None:
        yield text
        return
    ports = range(int(found["first"]), int(found["last"]) + 1)
    if not 0 < len(ports) <= MOST:
        raise UsageError(problem=_("{text}: from 1 to {most} ports, the lower one first.").format(text=text, most=MOST))
    for port in ports:
        yield f"{found['before']}{port}"


def visit_request(
    picked: Sequence[str],
    typed: str,
    stick: str,
    order: Order = Order.ONE_FIRST,
    *,
    announced: Collection[str] = (),
) -> VisitRequest:
    """The request; raises :class:`BadAddress` or :class:`UsageError` in words for the person.

    ``announced``: which of the picked ones were named by nobody but the network; one that is typed as well, was.
    """
    typed_in = dict.fromkeys(Address.parse(text) for text in addresses_of(typed))
    heard = (
        replace(one, announced=one not in typed_in and str(one) in announced) for one in map(Address.parse, picked)
    )
    addresses = tuple(dict.fromkeys([*heard, *typed_in]))
    if len(addresses) > MOST:
        raise UsageError(
            problem=_("At most {most} terminals at once; {count} are chosen.").format(most=MOST, count=len(addresses))
        )
    if not addresses:
        raise UsageError(problem=_("No terminal is chosen: pick one of the list, or type its address."))
    place = stick.strip().strip('"')
    if not place:
        raise UsageError(problem=_("No stick is named: put it in and look again, or type its folder."))
    pace = _PACE[order] if len(addresses) > 1 else Pace()
    return VisitRequest(addresses, Path(place).expanduser(), pace=pace)
