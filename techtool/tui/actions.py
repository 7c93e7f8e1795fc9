"""Every key of the screens in one registry: bindings, footer and help are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

from techtool.i18n import N_, translate


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does."""

    id: str
    """Also the name of the screen's ``action_`` method."""
    key: str
    shown: str
    """The key as people read it."""
    label: str
    help: str


_ALL: Final = (
    Action("help", "f1", "F1", N_("Help"), N_("the keys of this screen, and what it is for")),
    Action("begin", "f2", "F2", N_("Begin"), N_("begin with what is entered")),
    Action("save", "f2", "F2", N_("Keep"), N_("keep what is entered")),
    Action("log", "f3", "F3", N_("Log"), N_("everything that happened in this visit, newest last")),
    Action("upkeep", "f3", "F3", N_("Log, delete"), N_("who opened which backup; delete what is past its time")),
    Action("filters", "f4", "F4", N_("Narrow down"), N_("by site, release, days, or how it ended; again: without")),
    Action("every_rule", "f4", "F4", N_("Every rule"), N_("show the rules that are met as well")),
    Action("pick_all", "f4", "F4", N_("All"), N_("pick every terminal of the list, or none")),
    Action("refresh", "f5", "F5", N_("Look again"), N_("look for terminals, sticks and visits again")),
    Action("open_report", "f6", "F6", N_("Open report"), N_("open the report in this laptop's browser")),
    Action(
        "pair", "f6", "F6", N_("Pair"), N_("pair an Android terminal over the network, with the code of its screen")
    ),
    Action("next_lane", "f7", "F7", N_("Next one"), N_("to the terminal that has waited longest for you")),
    Action("stop", "f8", "F8", N_("Stop safely"), N_("stop at the next safe point; the visit can be resumed")),
    Action("language", "f9", "F9", N_("中文 / English"), N_("change the language; the screens start again in place")),
    Action("palette", "ctrl+p", "^P", N_("Everything"), N_("all that can be done here, and every place; F10 too")),
    Action("back", "escape", "Esc", N_("Back"), N_("to the screen before")),
    Action("fleet", "escape", "Esc", N_("All"), N_("to all terminals; this one goes on")),
    Action("home", "escape", "Esc", N_("Home"), N_("to the first screen")),
    Action("quit", "ctrl+q", "^Q", N_("Quit"), N_("leave techtool; what runs is brought to a safe point first")),
    Action("scroll_up", "up", "↑", N_("Up"), N_("move or scroll up")),
    Action("scroll_down", "down", "↓", N_("Down"), N_("move or scroll down")),
    Action("page_up", "pageup", "PgUp", N_("Page up"), N_("scroll a page up")),
    Action("page_down", "pagedown", "PgDn", N_("Page down"), N_("scroll a page down")),
)
ACTIONS: Final = {action.id: action for action in _ALL}

GENERAL: Final = (
    (N_("↑ ↓"), N_("move; scroll where there is more")),
    (N_("PgUp PgDn"), N_("scroll a page")),
    (N_("1 to 9"), N_("choose that line at once")),
    (N_("Enter"), N_("choose the marked line; go on from a field")),
    (N_("Tab"), N_("next field")),
    (N_("^P F10"), N_("everything that can be done here, and every place")),
)
"""What holds on every screen: key and meaning."""


def bindings(*ids: str) -> list[Binding]:
    """Textual bindings of these actions; their labels are looked up when they are drawn, in the language of then."""
    return [Binding(ACTIONS[i].key, i, ACTIONS[i].label, show=False, id=i) for i in ids]


def footer_keys(ids: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Action id, key and label for the footer: at most five."""
    return [(i, ACTIONS[i].shown, translate(ACTIONS[i].label)) for i in ids[:5]]


def help_rows(ids: tuple[str, ...]) -> list[tuple[str, str]]:
    """Key and what it does, of these actions and of every screen."""
    own = [(ACTIONS[i].shown, translate(ACTIONS[i].help)) for i in ids]
    return own + [(translate(key), translate(text)) for key, text in GENERAL]
