"""Screens outside a visit: first run, language, records, stick check, keys that fit, text that stays raw."""

from __future__ import annotations

import ast
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.widgets import Input

from techtool.clock import FixedClock
from techtool.domain.outcome import Outcome
from techtool.domain.plan import StepKind
from techtool.domain.visit_state import VisitState
from techtool.events import Event, Finished, LaneIdentified, Notice, StepStarted, VisitStarted
from techtool.i18n import language, raw, set_language
from techtool.paths import Paths
from techtool.settings import read_settings
from techtool.tui import app as app_module
from techtool.tui.actions import ACTIONS, footer_keys
from techtool.tui.app import TechtoolApp, run_app
from techtool.tui.bridge import EngineLike
from techtool.tui.doors import HouseDoors
from techtool.tui.house import RESTART
from techtool.tui.screens.ask import AskScreen
from techtool.tui.screens.base import HouseScreen
from techtool.tui.screens.first_run import FirstRunScreen
from techtool.tui.screens.help import HelpScreen
from techtool.tui.screens.home import HomeScreen
from techtool.tui.screens.new_visit import NewVisitScreen
from techtool.tui.screens.record import RecordScreen
from techtool.tui.screens.result import ResultScreen
from techtool.tui.screens.stick import StickScreen
from techtool.tui.screens.visits import VisitsScreen
from techtool.tui.views.lines import cells
from techtool.visit.hints import Hints
from techtool.visit.operator import Operator
from techtool.visit.services import ResumeRequest, VisitRequest
from techtool.visit.setup import missing
from techtool.visit.visits import list_visits
from tests.tui.hand import Hand, Stage

SOURCE = Path(app_module.__file__).parent


def screens() -> list[type[HouseScreen]]:
    found: list[type[HouseScreen]] = []
    todo: list[type[HouseScreen]] = [HouseScreen]  # type: ignore[type-abstract]
    while todo:
        todo += (below := todo.pop().__subclasses__())
        found += [screen for screen in below if screen.KEYS]
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("screen", screens(), ids=lambda s: s.__name__)
def test_every_key_of_a_screen_exists_and_the_footer_fits_80_columns(screen: type[HouseScreen], lang: str) -> None:
    set_language(lang)
    assert len(screen.KEYS) <= 5
    width = sum(cells(f"{key} {label}") + 3 for _id, key, label in footer_keys(screen.KEYS))
    assert width <= 80
    bound = {getattr(binding, "action", "") for binding in (*screen.BINDINGS, *TechtoolApp.BINDINGS)}
    for key in screen.KEYS:
        assert key in bound, f"{screen.__name__} shows {ACTIONS[key].shown} and does not bind it"
    for action in bound:
        assert hasattr(screen, f"action_{action}") or hasattr(TechtoolApp, f"action_{action}")


def test_no_toast_reads_markup() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.name != "toast.py":
            assert ".notify(" not in path.read_text(encoding="utf-8"), path


def test_static_text_is_never_markup() -> None:
    """Every bare Static or Label says ``markup=False``."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Static", "Label"):
                assert "markup" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"


async def test_the_first_run(tmp_path: Path, stage: Stage) -> None:
    paths = Paths(tmp_path / "new")
    office = stage.world.folder / "office"
    hints = Hints()
    set_language("en")
    app = TechtoolApp(HouseDoors(paths), hints, settle_s=0)
    async with app.run_test(size=(80, 24)) as pilot:
        hand = Hand(app, pilot)
        await hand.on(FirstRunScreen)
        await field(hand, "Choices")
        await hand.press("2")
        await field(hand, "#marks")
        assert not paths.settings.exists()
        await hand.press("1")
        await hand.until(lambda: app.return_value == RESTART, "restart in the language chosen")
    assert read_settings(paths.settings).language == "en"
    assert not read_settings(paths.settings).ascii
    app = TechtoolApp(HouseDoors(paths), hints, settle_s=0)
    async with app.run_test(size=(80, 24)) as pilot:
        hand = Hand(app, pilot)
        screen = await hand.on(FirstRunScreen)
        await field(hand, "#name")
        await hand.press("enter")
        await hand.until(lambda: "may not be empty" in hand.text(), "an empty name is refused")
        await hand.type("Li [red]Wei", "enter")
        await field(hand, "#first")
        await hand.type("correct horse", "enter")
        await hand.type("correct h0rse", "enter")
        await hand.until(lambda: "differ" in hand.text(), "the second differs")
        assert not paths.report_key.exists()
        screen.query_one("#second", Input).value = "correct horse"
        await hand.press("enter")
        await field(hand, "#root")
        screen.query_one("#root", Input).value = str(tmp_path)
        await hand.press("enter")
        await hand.until(lambda: "TT-" in hand.text() or "no techtool bundle" in hand.text(), "no stick there")
        screen.query_one("#root", Input).value = str(stage.world.stick)
        await hand.press("enter")
        await field(hand, "#fingerprint")
        await hand.type("0000 0000 0000 0000", "enter")
        await hand.until(lambda: "Nothing is trusted" in hand.text(), "another fingerprint")
        assert missing(paths).root
        digits = fingerprint(stage)[-16:]
        screen.query_one("#fingerprint", Input).value = f"{digits[:4]} {digits[4:].upper()}"
        await hand.press("enter")
        await field(hand, "#recipients")
        screen.query_one("#recipients", Input).value = str(office / "office.agekey")
        await hand.press("enter")
        await hand.until(lambda: "cannot be used" in hand.text(), "no recipients in it")
        screen.query_one("#recipients", Input).value = str(office / "recipients.txt")
        await hand.press("enter")
        await field(hand, "#ready")
        assert "ssh-ed25519" in hand.text()
        await hand.press("enter")
        await hand.on(HomeScreen)
        await hand.until(lambda: "Li [red]Wei" in hand.text(), "the name, as it was typed")
    assert not missing(paths).any


async def field(hand: Hand, selector: str) -> None:
    """Wait until the cursor is there."""
    await hand.until(lambda: any(w.has_focus for w in hand.app.screen.query(selector)), selector)


def fingerprint(stage: Stage) -> str:
    import hashlib

    return hashlib.sha256((stage.world.stick / "TECHTOOL/metadata/1.root.json").read_bytes()).hexdigest()


async def test_the_language_is_changed_from_home(stage: Stage) -> None:
    async with stage.screens() as hand:
        await hand.on(HomeScreen)
        await hand.press("f9")
        await hand.until(lambda: hand.app.return_value == RESTART, "restart")
    assert read_settings(stage.world.paths.settings).language == "zh"


def test_the_app_is_built_again_in_the_language_chosen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    chosen = iter([RESTART, 7])

    def run(app: TechtoolApp) -> int:
        seen.append(language())
        from techtool.tui.setup_flow import save_language

        save_language(app.house.paths, "zh")
        return next(chosen)

    monkeypatch.setattr(TechtoolApp, "run", run)
    assert run_app(stage.world.paths) == 7
    assert seen == ["en", "zh"]


@pytest.mark.slow
async def test_an_unfinished_visit_is_closed_as_stopped(stage: Stage) -> None:
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses, size=(80, 24)) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("f2")
        await hand.answers({}, stop_at=["inspect."])
        await hand.press("f8")
        await hand.on(ResultScreen)
        await hand.press("escape")
        await hand.on(HomeScreen)
        await hand.until(lambda: bool(hand.app.house.home_facts.unfinished), "unfinished work")
        await hand.press("4")
        await hand.on(VisitsScreen)
        await field(hand, "#visits")
        await hand.press("enter")
        await hand.on(RecordScreen)
        await field(hand, "#ways")
        await hand.press("2")
        ask = await hand.on(AskScreen)
        await hand.question("close.last4")
        await hand.type("zzzz", "enter")
        assert hand.app.screen is ask
        visit = stage.visit()
        await hand.type(visit.id[-4:], "enter")
        await hand.question("close.passphrase")
        await hand.type("demo-passphrase", "enter")
        await hand.on(RecordScreen)
        await hand.until(lambda: stage.visit().sealed, "sealed")
    (summary,) = list_visits(stage.services)
    assert summary.state is VisitState.ABANDONED
    assert stage.visit().lanes[0].outcome is Outcome.CANCELLED


async def test_a_stick_is_checked_to_its_last_byte(stage: Stage) -> None:
    async with stage.screens() as hand:
        await hand.on(HomeScreen)
        await hand.press("2")
        screen = await hand.on(StickScreen)
        await field(hand, "#stick")
        await hand.press("enter")
        await hand.until(lambda: "can be used" in hand.text(), "every byte")
        payload = next(p for p in (stage.world.stick / "TECHTOOL").rglob("*.apk"))
        payload.write_bytes(payload.read_bytes()[:-1] + b"?")
        screen.query_one("#stick").focus()
        await hand.press("enter")
        await hand.until(lambda: "damaged on this stick" in hand.text(), "damage")
        await hand.until(lambda: "Nothing may be installed" in hand.text(), "the end")
        screen.query_one("#stick", Input).value = str(stage.world.folder)
        await hand.press("enter")
        await hand.until(lambda: "TT-111" in hand.text(), "no stick")


async def test_help_shows_the_keys_of_the_screen(stage: Stage) -> None:
    async with stage.screens(size=(80, 24)) as hand:
        await hand.on(HomeScreen)
        await hand.press("f1")
        await hand.on(HelpScreen)
        assert all(ACTIONS[key].shown in hand.text() for key in HomeScreen.KEYS)
        await hand.press("escape")
        await hand.on(HomeScreen)


class Script:
    """An engine that tells what it is given."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
        for event in self._events:
            yield event

    async def resume(self, request: ResumeRequest) -> AsyncGenerator[Event, None]:
        for event in self._events:
            yield event


class ScriptedDoors(HouseDoors):
    """The house with a script for an engine and a clock that stands."""

    def __init__(self, paths: Paths, *events: Event) -> None:
        super().__init__(paths)
        self.clock = FixedClock(datetime(2026, 11, 22, 13, 58, tzinfo=UTC))
        self.events = events

    def engine(self, operator: Operator) -> EngineLike:
        return Script(*self.events)


AT = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
EVIL = "[red]S/N[/] [/] C:\\[dir] [@click=app.quit]x"


async def test_text_from_a_device_is_shown_raw(stage: Stage) -> None:
    events = (
        VisitStarted("V-1", AT),
        StepStarted("1", StepKind.IDENTIFY, AT, title=raw(EVIL)),
        LaneIdentified("1", AT, "adb://h:1", "[ABC-123]", "[b]ACME[/b]", "X[1]", "11"),
        Notice("1", None, AT, raw(EVIL), warning=True),
        Finished("V-1", AT, Outcome.SUCCESS, 0, sealed=False),
    )
    doors = ScriptedDoors(stage.world.paths, *events)
    async with stage.screens("adb://h:1", doors=doors) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("f2")
        await hand.on(ResultScreen)
        assert "[ABC-123]" in hand.text()
        assert "[b]ACME[/b]" in hand.text()
        await hand.press("f3")
        await hand.until(lambda: EVIL in hand.text(), "the log, raw")


async def test_a_defect_of_the_engine_is_a_problem_without_its_variables(stage: Stage) -> None:
    class Broken(Script):
        async def run(self, request: VisitRequest) -> AsyncGenerator[Event, None]:
            secret = "4111 1111 1111 1111"
            yield VisitStarted("V-1", AT)
            raise RuntimeError(secret)

    doors = ScriptedDoors(stage.world.paths)
    doors.engine = lambda operator: Broken()  # type: ignore[method-assign]
    async with stage.screens("adb://h:1", doors=doors) as hand:
        await hand.on(HomeScreen)
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("f2")
        await hand.until(lambda: "TT-900" in hand.text(), "a problem")
        assert "4111" not in hand.text()
        assert "RuntimeError" in hand.text()


@pytest.mark.slow
async def test_ascii_mode_draws_no_mark_of_unsure_width(stage: Stage) -> None:
    settings = stage.world.paths.settings
    settings.write_text(settings.read_text(encoding="utf-8").replace("ascii = false", "ascii = true"), encoding="utf-8")
    assert read_settings(settings).ascii
    async with stage.terminals() as simulation, stage.screens(*simulation.addresses) as hand:
        await hand.on(HomeScreen)
        seen = [hand.text()]
        await hand.press("1")
        await hand.on(NewVisitScreen)
        await hand.press("f2")
        await hand.answers({}, stop_at=["confirm."])
        seen.append(hand.text())
        await hand.answers({}, stop_at=["sign_off."])
        seen.append(hand.text())
        await hand.press("f1")
        await hand.on(HelpScreen)
        seen.append(hand.text())
    drawn = set("".join(seen)) & set("✓✗▸·━─│╭╮╰╯┃▔▁▄▅▆▇█●")
    assert drawn == set()
