"""``techtool`` without a command: the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techtool.paths import Paths

if TYPE_CHECKING:
    from techtool.visit.hints import Hints


def run_screens(paths: Paths | None = None, hints: Hints | None = None) -> int:
    """Open the screens over a home folder; Textual is loaded here and nowhere else."""
    from techtool.tui.app import run_app

    return run_app(paths or Paths.default(), hints)
