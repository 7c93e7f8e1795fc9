"""Which screen each place is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.screen import Screen

from techtool.tui.screens.backups import BackupsScreen
from techtool.tui.screens.due import DueScreen
from techtool.tui.screens.facts import FactsScreen
from techtool.tui.screens.health import HealthScreen
from techtool.tui.screens.history import HistoryScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.office import OfficeScreen
from techtool.tui.screens.settings import SettingsScreen
from techtool.tui.screens.stick import StickScreen
from techtool.tui.screens.support_check import SupportCheckScreen
from techtool.tui.screens.trust import TrustScreen
from techtool.tui.screens.upkeep import UpkeepScreen
from techtool.tui.screens.visits import VisitsScreen
from techtool.tui.views import places

SCREENS: Final[dict[str, Callable[[], Screen[None]]]] = {
    places.NEW: NewVisitScreen,
    places.STICK: StickScreen,
    places.VISITS: VisitsScreen,
    places.BACKUPS: BackupsScreen,
    places.HISTORY: HistoryScreen,
    places.DUE: DueScreen,
    places.OFFICE: OfficeScreen,
    places.SETTINGS: SettingsScreen,
    places.UPKEEP: UpkeepScreen,
    places.SUPPORT_CHECK: SupportCheckScreen,
    places.TRUST: TrustScreen,
    places.HEALTH: HealthScreen,
    places.FACTS: FactsScreen,
}
