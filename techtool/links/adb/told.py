"""What a Prolin terminal's ``devinfo`` says, as names and values. Pure.

PAX's manual calls the answer XML and publishes no element of it: so every text is kept under the path of its elements,
and which of them is the serial number is left to a rule that was recorded from a real terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

_FACTS: Final = 200
_VALUE: Final = 200
"""Characters of one value."""
_DEPTH: Final = 8


def facts_of(data: bytes) -> dict[str, str]:
    """``<a><b>1</b></a>`` as ``devinfo.a.b`` → ``1``, attributes as ``devinfo.a@name``; what is no XML stays one text.

    Document types, and with them entities, are not read.
    """
    data = data.strip(b"\0 \r\n\t")
    if not data:
        return {}
    plain = {"devinfo": _one_line(data.decode("utf-8", "replace"))}
    if b"<!" in data or b"\0" in data:  # with NUL between, it would be UTF-16, in which “<!” looks otherwise
        return plain
    try:
        root = ET.fromstring(data)  # noqa: S314 - no document type: nothing is expanded or fetched
    except (ET.ParseError, ValueError, LookupError):
        return plain
    found: dict[str, str] = {}
    for name, value in _texts(root, "devinfo", 0):
        if len(found) >= _FACTS:
            break
        found.setdefault(name, value)
    return found


def _texts(element: ET.Element, path: str, depth: int) -> Iterator[tuple[str, str]]:
    here = f"{path}.{element.tag}"
    own = [(f"{here}@{name}", value) for name, value in element.attrib.items()]
    for name, value in (*own, (here, element.text or "")):
        text = _one_line(value)
        if text:
            yield name, text
    if depth < _DEPTH:
        for child in element:
            yield from _texts(child, here, depth + 1)


def _one_line(text: str) -> str:
    """Bounded, and without what could move a screen's cursor."""
    return "".join(c if c.isprintable() else "·" for c in " ".join(text.split())[:_VALUE])
