"""How good the foretold times were: estimate and actual side by side, over all visits that the index remembers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from techtool.domain.learning import Forecast
from techtool.domain.plan import StepKind

ENOUGH: Final = 5
"""Fewer comparisons than this say nothing of how good the estimates are."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good the estimates were for one station and model."""

    step: str
    """Empty: whole terminals."""
    model: str
    """``vendor/model``; empty: all."""
    count: int
    within_p90: float
    """Share of the actual times that were at most the 90 % bound."""
    median_error: float
    """Of |actual - P50| / actual, half are at most this."""

    @property
    def enough(self) -> bool:
        """Whether it says anything."""
        return self.count >= ENOUGH


def calibration(foretold: Sequence[Forecast]) -> tuple[Calibration, ...]:
    """Whole terminals first, then station by station; of all models together, then of each."""
    groups: dict[tuple[str, str], list[Forecast]] = defaultdict(list)
    for one in foretold:
        if one.actual_s > 0:
            groups[one.step, ""].append(one)
            groups[one.step, f"{one.vendor}/{one.model}"].append(one)
    order = {kind.value: place for place, kind in enumerate(StepKind, 1)}
    keys = sorted(groups, key=lambda key: (order.get(key[0], 0), key))
    return tuple(_calibrated(step, model, groups[step, model]) for step, model in keys)


def _calibrated(step: str, model: str, group: Sequence[Forecast]) -> Calibration:
    errors = sorted(abs(one.actual_s - one.p50_s) / one.actual_s for one in group)
    middle = len(errors) // 2
    median = errors[middle] if len(errors) % 2 else (errors[middle - 1] + errors[middle]) / 2
    within = sum(one.actual_s <= one.p90_s for one in group) / len(group)
    return Calibration(step, model, len(group), within, median)
