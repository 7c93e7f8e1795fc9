"""A stage for the screens: the demo's world, copied, simulated terminals in the same loop, and a hand on the keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.cli.demo_world import DemoWorld
from techtool.i18n import set_language
from tests.tui.hand import Stage


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins in English, in one time zone, and leaves it so."""
    monkeypatch.setenv("TZ", "UTC")
    set_language("en")
    yield
    set_language("en")


@pytest.fixture(scope="session")
def world_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: keys and signatures take half a second."""
    folder = tmp_path_factory.mktemp("world")
    DemoWorld.make(folder, "en")
    return folder


@pytest.fixture
def stage(tmp_path: Path, world_template: Path) -> Stage:
    """This test's own world."""
    shutil.copytree(world_template, tmp_path / "world")
    return Stage(DemoWorld(tmp_path / "world"))
