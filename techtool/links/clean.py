"""Text that a server, a terminal or a network sent, made fit to be shown: never trusted for length or control marks."""

from __future__ import annotations


def clean(text: str, most: int) -> str:
    """Without what cannot be printed, and cut to ``most`` characters."""
    return "".join(c for c in text[: 4 * most] if c.isprintable())[:most]
