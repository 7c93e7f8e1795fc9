"""The app: which screen is due, what a screen may ask for, and an orderly end whatever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Final, TypeVar

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen

from techtool.errors import BadSettings, TechtoolError
from techtool.i18n import _, language, set_language
from techtool.paths import Paths
from techtool.settings import read_settings
from techtool.tui.actions import bindings
from techtool.tui.bridge import Bridge
from techtool.tui.doors import Doors, HouseDoors
from techtool.tui.screens.base import HouseScreen, VisitScreenBase
from techtool.tui.screens.help import HelpScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.plan import PlanScreen
from techtool.tui.screens.problem import ProblemScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.visit import LogScreen, VisitScreen
from techtool.tui.setup_flow import looks_ready, save_language
from techtool.tui.theme import THEME, Glyphs, glyphs_for
from techtool.tui.views.home import HomeFacts
from techtool.tui.views.visit import Place, VisitView, place_of
from techtool.tui.widgets.toast import toast
from techtool.visit.services import Hints, VisitRequest

T = TypeVar("T")
SETTLE_S: Final = 0.35
"""How long a new question turns a deaf ear: a hand that was typing needs this to stop."""
RESTART: Final = -1
"""Returned by the app when it is to be built again, in another language."""
_GUARDED: Final = (events.Key, events.Paste, events.MouseDown, events.MouseUp)
_OVERLAYS: Final[dict[Place, type[VisitScreenBase]]] = {
    Place.PLAN: PlanScreen,
    Place.PROBLEM: ProblemScreen,
    Place.RESULT: ResultScreen,
}
