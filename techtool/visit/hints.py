"""What is offered on the screens before it is typed; apart from everything else, because they start with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hints:
    """What a screen may offer before it is typed: the demo's terminals, its stick and its passphrase."""

    addresses: tuple[str, ...] = ()
    stick: str = ""
    passphrase: str = ""
    """Only ever of a throwaway home."""
