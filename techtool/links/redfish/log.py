"""The log that a Redfish service keeps of itself, for the support desk. Source: DMTF DSP0268 (LogService, LogEntry)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from techtool.links.redfish.values import Body, link_of, list_of, path_of, text_of

if TYPE_CHECKING:
    from techtool.links.redfish.link import RedfishLink

_KEEPERS: Final = ("Managers", "Systems")
"""Who keeps logs; a chassis' are the manager's as well."""
_PAGES_LIMIT: Final = 20
_ENTRIES_LIMIT: Final = 2_000
_ASKED_LIMIT: Final = 100
"""Of entries that are only links, each of which is a question of its own."""


async def read_log(link: RedfishLink, limit_bytes: int) -> bytes:
    """Every entry as a line (time, severity, message), the newest last; of a long log its end."""
    lines: list[tuple[str, str]] = []
    for keeper in _KEEPERS:
        path = link_of(link.root, keeper)
        for body in await link.members(path) if path else ():
            services = link_of(body, "LogServices")
            for service in await link.members(services) if services else ():
                lines += [_line(entry) for entry in await _entries(link, link_of(service, "Entries"))]
    log = b"".join(f"{' '.join(words.split())}\n".encode("utf-8", "replace") for _at, words in sorted(lines))
    start = len(log) - limit_bytes
    return log if start <= 0 else log[log.find(b"\n", start) + 1 :]


async def _entries(link: RedfishLink, path: str) -> list[Body]:
    """Some services write the entries into their list, others only where each is."""
    found: list[Body] = []
    asked, pages = 0, 0
    while path and pages < _PAGES_LIMIT and len(found) < _ENTRIES_LIMIT:
        page = await link.find(path)
        pages += 1
        for member in list_of(page, "Members"):
            there = path_of(member.get("@odata.id")) if isinstance(member, Mapping) else ""
            if isinstance(member, Mapping) and "Message" in member:
                found.append(member)
            elif there and asked < _ASKED_LIMIT:
                asked += 1
                found.append(await link.find(there))
        path = path_of(page.get("Members@odata.nextLink"))
    return found[:_ENTRIES_LIMIT]


def _line(entry: Body) -> tuple[str, str]:
    at = text_of(entry, "Created")
    said = text_of(entry, "Message") or text_of(entry, "MessageId")
    return at, f"{at} {text_of(entry, 'Severity')} {said}"
