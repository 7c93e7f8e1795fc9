"""A shop with a terminal that only eats a stick, and somebody who stands at its menu and reads what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from techtool.bundles.description import Description, ProvidesEntry
from techtool.bundles.publish.workspace import Workspace
from techtool.clock import SystemClock
from techtool.domain.question import Question
from techtool.domain.release import KeyFate, ReleaseKind, Requirement, Rollback
from techtool.errors import TechtoolError
from techtool.events import Finished
from techtool.simulator.menu import BAD_FILE, NOT_FOUND, RESTART_NOW, MenuTerminal, stand_in
from techtool.visit.operator import NO, YES, ScriptedOperator
from tests.visit.conftest import Shop

S1 = (ProvidesEntry("example", "S1"),)
APP = "com.example.s1.app"
BATCH: Final[dict[str, str | bool]] = {
    "check.batch": True,
    "check.batch.evidence": "slip 12",
    "inspect.tamper": True,
    "confirm.spare": True,
}


def firmware(version: str, padding: int = 100) -> bytes:
    return f"SIMUPD firmware {version}\n".encode() + b"\xa5" * padding


def add(
    shop: Shop,
    name: str,
    content: bytes,
    version: str,
    *,
    release_id: str = "example.s1.firmware",
    kind: ReleaseKind = ReleaseKind.FIRMWARE,
    requires: tuple[Requirement, ...] = (),
) -> None:
    """Publish one more release for the terminal and write the office's stick again."""
    workspace = Workspace.open(shop.world.folder / "office" / "bundle")
    path = shop.world.folder / name
    path.write_bytes(content)
    clock = SystemClock()
    draft = Description(
        id=release_id,
        version=version,
        version_format="dotted",
        kind=kind,
        provides=S1,
        requires=requires,
        keys=KeyFate.KEPT,
        rollback=Rollback(allowed=True),
    )
    workspace.add("sunmi", [path], draft, clock)
    workspace.sign(clock, accept_lint=True)
    workspace.write(shop.world.stick, clock)


@dataclass
class Person:
    """Answers as the shop's answers file says; at the menu they press, look, and type what they see."""

    shop: Shop
    stick: Path
    terminal: MenuTerminal = field(default_factory=MenuTerminal)
    said: dict[str, str] = field(default_factory=dict)
    """Instead of what they would say."""
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """Question id → what happens before it is answered."""
    asked: list[str] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    """On after the next failures of the installation."""
    restarts: bool = True

    async def ask(self, question: Question) -> str:
        self.asked.append(question.id)
        self.before.pop(question.id, lambda: None)()
        if question.id == "problem.install" and self.ways:
            return self.ways.pop(0)
        if question.id in self.said:
            return self.said[question.id]
        at_menu = self._at_menu(question.id)
        if at_menu is not None:
            return at_menu
        if question.id.startswith("check.") and question.id not in BATCH:
            return YES
        return await ScriptedOperator(self.shop.answers(), (self.terminal.serial[-4:],)).ask(question)

    def _at_menu(self, name: str) -> str | None:
        step, _, what = name.partition(".")
        if what.startswith(("firmware", "version.")) and step in ("identify", "verify"):
            return self.terminal.versions.get(what.removeprefix("version."), "")
        match name:
            case "identify.model":
                return "example/S1"
            case "identify.serial" | "identify.serial.again":
                return self.terminal.serial
            case "install.eject" | "install.guide.insert":
                return YES
            case "install.guide.start":
                shown = self.terminal.update(self.stick)
                words = {RESTART_NOW: "restart", NOT_FOUND: "not-found"}
                return words.get(shown, "error" if shown.startswith(BAD_FILE) else shown)
            case "install.guide.restart":
                if self.restarts:
                    self.terminal.restart()
                return YES
            case "install.log":
                return YES
            case "install.others":
                return "move"
            case "install.guide.start.instead" | "install.resume.shown":
                return "E-17"
        return None


@dataclass
class Counter:
    """Shop, stick and person together."""

    shop: Shop
    person: Person

    @classmethod
    def make(cls, shop: Shop) -> Counter:
        stick = shop.world.folder / "terminal stick"
        stand_in(stick)
        shop.changed |= BATCH
        return cls(shop, Person(shop, stick))

    @property
    def stick(self) -> Path:
        return self.person.stick

    @property
    def address(self) -> str:
        return f"medium:{self.stick}"

    async def run(self) -> Finished:
        return await self.shop.run(self.address, operator=self.person)

    def files(self) -> dict[str, bytes]:
        """What lies on the terminal's stick."""
        return {
            p.relative_to(self.stick).as_posix(): p.read_bytes() for p in sorted(self.stick.rglob("*")) if p.is_file()
        }


__all__ = ["APP", "BATCH", "NO", "S1", "Counter", "Person", "TechtoolError", "add", "firmware"]
