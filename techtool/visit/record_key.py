"""Whether the key that opens this laptop's records is here, as the home screen asks at every start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from techtool.errors import StoreKeyUnusable
from techtool.i18n import Phrase, phrase
from techtool.paths import Paths
from techtool.store.keys import read_store_key
from techtool.store.tokens import PREFIX

_MOST_BYTES: Final = 4 * 1024 * 1024
"""Of each record: far more than one has before its first confidential word."""
_TOKEN: Final = re.compile(re.escape(PREFIX).encode() + rb"([A-Za-z0-9_-]{8}):")


def key_problem(paths: Paths, visits: Iterable[str]) -> Phrase | None:
    """What is wrong with the key of these visits; None: every sealed word in them has its key here.

    Looks at bytes only, so it needs no cryptography. ``doctor`` says the same of every record, and what to do.
    """
    try:
        have = {key_id.encode() for key_id in read_store_key(paths.store_key)}
    except StoreKeyUnusable as error:
        return error.what_phrase
    if all(_keys_in(paths.visits / f"{visit}.jnl") <= have for visit in visits):
        return None
    return phrase(
        "The key to records of this laptop is missing: numbers show as ****, and those visits cannot be gone on with."
    )


def _keys_in(path: Path) -> set[bytes]:
    """The names of the keys that a record's words were sealed with; none of a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return set(_TOKEN.findall(file.read(_MOST_BYTES)))
    except OSError:
        return set()
