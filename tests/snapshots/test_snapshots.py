"""How the screens look, at both sizes and in both languages.

Make the pictures anew with ``pytest tests/snapshots --snapshot-update``, and look at each before it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from techtool.i18n import set_language
from tests.tui.scenes import Scene, in_utc, scenes

SHOWN = ("home", "plan", "run", "problem", "result", "fleet")
PLACES = ("backups", "restore", "history", "terminal", "due", "office", "settings", "trust", "palette")
"""The places beside a visit."""


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with in_utc():
        yield
    set_language("en")


@pytest.mark.parametrize("size", [(80, 24), (100, 30)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scene", [s for s in scenes() if s.name in (*SHOWN, *PLACES)], ids=lambda s: s.name)
def test_scene(
    scene: Scene, lang: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]
) -> None:
    set_language(lang)
    assert snap_compare(scene.app(tmp_path), terminal_size=size, run_before=scene.play)
