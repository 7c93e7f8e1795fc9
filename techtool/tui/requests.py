"""What was typed on the new-visit screen as a request to the engine; pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from techtool.domain.terminal import Address
from techtool.errors import UsageError
from techtool.i18n import _
from techtool.visit.services import VisitRequest


def visit_request(picked: Sequence[str], typed: str, stick: str) -> VisitRequest:
    """The request; raises :class:`BadAddress` or :class:`UsageError` in words for the person."""
    texts = [*picked, *typed.replace(",", " ").replace(";", " ").split()]
    addresses = tuple(dict.fromkeys(Address.parse(text) for text in texts))
    if not addresses:
        raise UsageError(problem=_("No terminal is chosen: pick one of the list, or type its address."))
    place = stick.strip().strip('"')
    if not place:
        raise UsageError(problem=_("No stick is named: put it in and look again, or type its folder."))
    return VisitRequest(addresses, Path(place).expanduser())
