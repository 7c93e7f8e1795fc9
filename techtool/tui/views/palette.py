"""What the list of everything offers, and which of it fits what was typed; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from techtool.i18n import translate
from techtool.tui.actions import ACTIONS
from techtool.tui.views.places import PLACES

GO = "go:"
DO = "do:"
_NOT_LISTED = frozenset({"palette", "scroll_up", "scroll_down", "page_up", "page_down"})


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be done; ``value`` says which, the rest is in the language of the screens."""

    value: str
    label: str
    note: str
    english: str = ""
    """Found by that as well: whoever types without an input method has letters only."""


def commands(keys: Iterable[str], *, places: bool) -> tuple[Command, ...]:
    """The actions of the screen below, then every place that may be gone to from there."""
    found = [
        Command(DO + name, f"{translate(action.label)}  {action.shown}", translate(action.help), action.label)
        for name in dict.fromkeys(keys)
        if name not in _NOT_LISTED and (action := ACTIONS.get(name)) is not None
    ]
    if places:
        found += [
            Command(GO + place.id, translate(place.label), translate(place.note), place.label) for place in PLACES
        ]
    return tuple(found)


def fitting(offered: Sequence[Command], typed: str) -> tuple[Command, ...]:
    """Every word that was typed stands in the label or the note; those with all in the label come first."""
    words = _folded(typed).split()
    found = [one for one in offered if all(word in _folded(f"{_names(one)} {one.note}") for word in words)]
    return tuple(sorted(found, key=lambda one: not all(word in _folded(_names(one)) for word in words)))


def _names(one: Command) -> str:
    return f"{one.label} {one.english}"


def _folded(text: str) -> str:
    """Without regard to case and to full-width forms, as an input method leaves them."""
    return unicodedata.normalize("NFKC", text).casefold()
