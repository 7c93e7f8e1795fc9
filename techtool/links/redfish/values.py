"""What a Redfish service says, taken apart with care: nothing of it is trusted for type, size, or where it points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

Body = Mapping[str, object]
"""One resource."""

ROOT: Final = "/redfish/v1/"
_LONGEST_PATH: Final = 1024
_LONGEST_TEXT: Final = 2000


def text_of(body: Body, *names: str) -> str:
    """The text under a chain of names; empty where there is none, or where it is no text."""
    value: object = body
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value.strip()[:_LONGEST_TEXT] if isinstance(value, str) else ""


def part_of(body: Body, *names: str) -> Body:
    """The object under a chain of names; an empty one where there is none."""
    value: object = body
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def list_of(body: Body, name: str) -> Sequence[object]:
    """The list of that name; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, list) else ()


def words_of(body: Body, name: str) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(value[:_LONGEST_TEXT] for value in list_of(body, name) if isinstance(value, str))


def path_of(link: object) -> str:
    """Where a link points within its service; empty where it points anywhere else.

    DSP0266 §8: resource identifiers are absolute paths under ``/redfish/``. A scheme, another host, a step upwards,
    however it is written, and everything that no path needs is not followed.
    """
    if not isinstance(link, str) or not link.startswith("/redfish/") or len(link) > _LONGEST_PATH:
        return ""
    plain = unquote(unquote(link.partition("?")[0]))
    odd = not link.isascii() or not link.isprintable() or any(c in link for c in '\\#" <>')
    if odd or "\\" in plain or "//" in plain or {"..", "."} & set(plain.split("/")):
        return ""
    return link


def link_of(body: Body, *names: str) -> str:
    """The checked ``@odata.id`` under a chain of names; empty where there is none, or none that may be followed."""
    return path_of(part_of(body, *names).get("@odata.id"))
