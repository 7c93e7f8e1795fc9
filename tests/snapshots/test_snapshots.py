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
LOOKS = [
    pytest.param("en", (80, 24), id="en-80x24", marks=pytest.mark.slow),
    pytest.param("en", (100, 30), id="en-100x30"),
    pytest.param("zh", (80, 24), id="zh-80x24"),
    pytest.param("zh", (100, 30), id="zh-100x30", marks=pytest.mark.slow),
]
"""While working, each language and each size once: Chinese where there is least room."""


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with in_utc():
        yield
    set_language("en")


@pytest.mark.parametrize(("lang", "size"), LOOKS)
@pytest.mark.parametrize("scene", [s for s in scenes() if s.name in (*SHOWN, *PLACES)], ids=lambda s: s.name)
def test_scene(
    scene: Scene, lang: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]
) -> None:
    set_language(lang)
    assert snap_compare(scene.app(tmp_path), terminal_size=size, run_before=scene.play)
