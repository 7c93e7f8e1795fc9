"""The Chinese message catalogue: ``python -m tests.locale_tools extract|compile|missing``.

``extract`` brings ``techtool.po`` up to date with the source (what is translated stays, what is gone goes), ``compile``
writes the ``.mo`` that techtool loads, ``missing`` names what is not translated and exits 1 if there is any.
"""

from __future__ import annotations

import ast
import functools
import io
import string
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE: Final = Path(__file__).parents[1] / "techtool"
PO: Final = PACKAGE / "locale" / "zh_CN" / "LC_MESSAGES" / "techtool.po"
MO: Final = PO.with_suffix(".mo")
KEYWORDS: Final = {"_": None, "N_": None, "phrase": None, "ngettext": (1, 2)}
_ONCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock in the file: the same source gives the same bytes."""


def template() -> Catalog:
    """Every message of the source, with the files it stands in."""
    catalog = _empty()
    found = extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS, comment_tags=("i18n:",))
    for filename, _line, message, comments, context in sorted(found, key=lambda item: (str(item[0]), item[1])):
        catalog.add(message, None, [(f"techtool/{filename}", 0)], auto_comments=comments, context=context)
    return catalog


def translations() -> Catalog:
    """The catalogue as it lies in the tree; empty when there is none yet."""
    if not PO.exists():
        return _empty()
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN", domain="techtool")


def extract() -> int:
    """Bring the catalogue up to date."""
    catalog = translations()
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date = catalog.revision_date = _ONCE
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, sort_output=True, include_lineno=False)
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(buffer.getvalue())
    return missing()


def compiled() -> bytes:
    """The ``.mo`` that belongs to the ``.po``."""
    buffer = io.BytesIO()
    write_mo(buffer, translations())
    return buffer.getvalue()


def compile_() -> int:
    """Write the ``.mo``."""
    MO.write_bytes(compiled())
    return missing()


def untranslated(source: Catalog | None = None) -> list[str]:
    """Message ids of the source (its :func:`template`) that the catalogue lacks, leaves empty or only guesses."""
    known = {_id(m): m for m in translations() if m.id}
    wanted = filter(has_words, _ids(source or template()))
    return [i for i in wanted if i not in known or not known[i].string or known[i].fuzzy]


def stale(source: Catalog | None = None) -> list[str]:
    """Message ids of the catalogue that the source (its :func:`template`) no longer has."""
    wanted = set(_ids(source or template()))
    return [i for i in _ids(translations()) if i not in wanted]


def wrong_placeholders() -> list[str]:
    """Message ids whose translation has other placeholders than they have."""
    return [
        _id(m)
        for m in translations()
        if m.id and isinstance(m.string, str) and m.string and placeholders(_id(m)) != placeholders(m.string)
    ]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """A source file of the package, parsed once for all that look at it; not to be changed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def has_words(text: str) -> bool:
    """Whether there is anything to translate: ``{remedy}`` and ``{a}: {b}`` read the same in every language."""
    return any(c.isalpha() for literal, *_rest in string.Formatter().parse(text) for c in literal)


def placeholders(text: str) -> set[str]:
    """The names that ``str.format`` fills in."""
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def missing() -> int:
    """Print what is not translated."""
    left = untranslated()
    for message in left:
        print(message)
    print(f"{len(left)} of {len(_ids(template()))} messages are not translated", file=sys.stderr)
    return 1 if left else 0


def _empty() -> Catalog:
    return Catalog(
        locale="zh_CN",
        domain="techtool",
        project="techtool",
        charset="utf-8",
        fuzzy=False,
        copyright_holder="the techtool authors",
        header_comment="# Chinese (Simplified) texts of techtool. Licensed as techtool itself.",
        creation_date=_ONCE,
        revision_date=_ONCE,
        last_translator="the techtool authors",
        language_team="zh_CN",
    )


def _id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _ids(catalog: Catalog) -> list[str]:
    return [_id(m) for m in _messages(catalog)]


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (m for m in catalog if m.id)


COMMANDS: Final[dict[str, Callable[[], int]]] = {"extract": extract, "compile": compile_, "missing": missing}


def main(arguments: list[str]) -> int:
    """Run one command."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m tests.locale_tools {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
