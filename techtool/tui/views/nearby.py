"""The list of terminals that can be picked, kept up to date while cables go in and out; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from techtool.domain.nearby import GONE, MENU_STICK, PAIRING, How, Nearby
from techtool.i18n import _
from techtool.tui.widgets.choices import Option

PAIR: Final = "pair:"
"""Begins the value of a line that is no terminal yet: choosing it leads to the pairing."""


def key_of(seen: Nearby) -> str:
    """The value of its line; empty: it is not listed, nothing can be done with it here."""
    if seen.address:
        return seen.address
    return f"{PAIR}{seen.place}" if seen.state == PAIRING else ""


def listed(seen: Sequence[Nearby]) -> dict[str, Nearby]:
    """What is listed, by the value of its line."""
    return {key: one for one in seen if (key := key_of(one))}


def announced(seen: Iterable[Nearby]) -> frozenset[str]:
    """The addresses that nobody but the network has named."""
    return frozenset(one.address for one in seen if one.how is How.MDNS)


def after_cables(known: dict[str, Nearby], cables: Sequence[Nearby], picked: Collection[str]) -> dict[str, Nearby]:
    """The list after a cable went in or out: what is gone leaves it, unless it was picked; then it says so."""
    now = listed(cables)
    kept: dict[str, Nearby] = {}
    for key, one in known.items():
        if key in now:
            kept[key] = now[key]
        elif one.how is not How.ADB_SERVER:
            kept[key] = one
        elif key in picked:
            kept[key] = replace(one, state=GONE)
    return {**kept, **{key: one for key, one in now.items() if key not in kept}}


def option_of(key: str, seen: Nearby, picked: Collection[str]) -> Option:
    """Its line: what it is, or why it is not ready."""
    if key.startswith(PAIR):
        return Option(key, seen.place, seen.said.text())
    return Option(key, key, "" if seen.usable and not seen.title else _note(seen), picked=key in picked)


def _note(seen: Nearby) -> str:
    if seen.usable:
        return seen.title
    if seen.state == MENU_STICK:
        return seen.said.text()
    return _("not ready: {state}").format(state=seen.said.text())


def first_advice(seen: Sequence[Nearby]) -> str:
    """What to do about the first one that is not ready; empty when all are."""
    for one in seen:
        if not one.usable and (text := one.advice.text()):
            return _("{place}: {advice}").format(place=one.address or one.place, advice=text)
    return ""
