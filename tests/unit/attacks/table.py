"""All attacks, by the modules that describe them."""

from __future__ import annotations

from tests.unit.attacks import (  # noqa: F401 - each enters its rows
    bytes_on_the_stick,
    hostile_json,
    keys,
    objects,
    paths,
    recalls,
    roots,
    sizes,
    states,
)
from tests.unit.attacks.registry import ATTACKS, CODES, Attack

__all__ = ["ATTACKS", "CODES", "Attack"]
