"""How a person names a file: typed, quoted, or dragged into the window. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_PIECE: Final = re.compile(r"""\s*("[^"\n]*"|'[^'\n]*'|[^;；\n]*?)\s*(?:[;；\n]|\Z)""")
_ESCAPED: Final = re.compile(r"\\([ ()&'\"\[\]!$;])")
"""What a shell's terminal puts before such letters in a name that is dragged into it."""
_WINDOWS: Final = re.compile(r"/[A-Za-z]:[/\\]")


def paths_in(text: str) -> tuple[str, ...]:
    """The paths in an answer: one a line or parted by ``;`` (or ``；``), quoted or not, or ``file://`` addresses."""
    found = []
    for match in _PIECE.finditer(text.strip()):
        piece = _plain(match.group(1))
        if piece and piece not in found:
            found.append(piece)
    return tuple(found)


def _plain(piece: str) -> str:
    if len(piece) >= 2 and piece[0] == piece[-1] and piece[0] in "\"'":
        piece = piece[1:-1].strip()
    elif piece.startswith(("/", "~")):
        piece = _ESCAPED.sub(r"\1", piece)
    if piece.casefold().startswith("file:"):
        try:
            address = urlsplit(piece)
        except ValueError:
            return piece
        path = unquote(address.path)
        if _WINDOWS.match(path):
            return path[1:]
        return f"//{address.netloc}{path}" if address.netloc not in ("", "localhost") else path
    return piece
