"""How a station that still runs compares with its estimate, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.domain.plan import Estimate, StepKind
from techtool.i18n import N_, Phrase, phrase


class Tempo(StrEnum):
    """How a phase that still runs compares with its estimate."""

    USUAL = "usual"
    LONGER = "longer"
    """Past its 90 % bound."""
    STUCK = "stuck"
    """Past twice its 90 % bound."""


@dataclass(frozen=True, slots=True)
class Running:
    """A phase that still runs, in one word and, where it is not as usual, in a sentence."""

    tempo: Tempo
    text: Phrase | None = None


def pace(elapsed_s: float, estimate: Estimate, step: StepKind | None = None) -> Running:
    """Longer than usual after its P90, “stuck?” after twice that, with what can be done about it."""
    if elapsed_s <= estimate.p90_s or estimate.p90_s <= 0:
        return Running(Tempo.USUAL)
    if elapsed_s <= 2 * estimate.p90_s:
        return Running(Tempo.LONGER, phrase("Takes longer than usual; nothing has to be done."))
    return Running(Tempo.STUCK, Phrase(_HINT.get(step, _HINT_ANY) if step else _HINT_ANY))


_HINT_ANY: Final = N_(
    "Stuck? Look at the terminal's screen and the cable. You may stop here: what is done is recorded, and “techtool "
    "visit resume” goes on."
)
_HINT: Final = {
    StepKind.INSTALL: N_(
        "Stuck? Leave the terminal switched on and connected. If its screen shows no progress either, stop here: "
        "“techtool visit resume” reads it again and goes on without sending twice."
    ),
}
