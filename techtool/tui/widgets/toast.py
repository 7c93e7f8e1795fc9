"""The only way to raise a toast: Textual reads markup in one, and crashes on some of it."""

from __future__ import annotations

from typing import TypeVar

from textual.app import App

T = TypeVar("T")


def toast(app: App[T], text: str, *, warning: bool = False) -> None:
    """Show ``text`` for a moment, exactly as it is."""
    app.notify(text, severity="warning" if warning else "information", markup=False)
