"""How risky the work on one terminal is: facts and weights in, the whole sum out. Pure; no number of its own.

Likelihood points and impact points are each brought to a level of 1 to 5; the score is level times level; floors lift
the band where the product alone is known to be wrong. Gates are not here: they are rules, and a plan that is put to a
person has passed them. The weights are data (``catalogue/data/risk.toml``), each with its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final

from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.risk import Band, Factor, Floor, Risk, Side
from techtool.domain.risk_subject import Facts, Trading, WayBack
from techtool.domain.risk_weights import FactorWeight, Weights
from techtool.domain.risk_words import words_for
from techtool.domain.terminal import BatchState
from techtool.i18n import Phrase, bilingual


def assess(facts: Facts, weights: Weights) -> Risk:
    """Every factor with its points, the levels, the score, the floors; factors of no points are in it too."""
    by_id = {factor.id: factor for factor in weights.factor}
    factors = tuple(_factor(by_id[name], word, fact) for name, word, fact in words_for(facts, weights.threshold))
    factors = (*factors, *_health(facts, by_id["health"]))
    points = {side: max(0, sum(f.points for f in factors if f.side is side)) for side in Side}
    likelihood = weights.level.likelihood.of(points[Side.LIKELIHOOD])
    impact = weights.level.impact.of(points[Side.IMPACT])
    score = likelihood * impact
    floors = tuple(
        Floor(floor.id, floor.band, bilingual(floor.reason)) for floor in weights.floor if _holds(floor.id, facts)
    )
    bands = [weights.band.of(score), *(floor.band for floor in floors)]
    return Risk(
        factors=factors,
        likelihood_points=points[Side.LIKELIHOOD],
        impact_points=points[Side.IMPACT],
        likelihood=likelihood,
        impact=impact,
        score=score,
        band=max(bands, key=ORDER.index),
        floors=floors,
    )


ORDER: Final = tuple(Band)
"""From the lightest to the gravest."""


def open_questions(facts: Facts, weights: Weights) -> tuple[str, ...]:
    """``trading`` and ``spare`` where nobody said it yet and the answer can change the band."""
    found: list[str] = []
    tradings = (facts.trading,) if facts.trading is not None else tuple(Trading)
    spares = (facts.spare,) if facts.spare is not None else (False, True)
    bands = {
        (trading, spare): assess(replace(facts, trading=trading, spare=spare), weights).band
        for trading, spare in product(tradings, spares)
    }
    if any(len({bands[trading, spare] for trading in tradings}) > 1 for spare in spares):
        found.append("trading")
    if any(len({bands[trading, spare] for spare in spares}) > 1 for trading in tradings):
        found.append("spare")
    return tuple(found)


def _factor(weight: FactorWeight, word: str, fact: Phrase) -> Factor:
    heaviest = max(weight.points.values())
    points = weight.points.get(word, heaviest)
    return Factor(weight.id, weight.side, points, fact, weight.source, _mitigation(weight))


def _mitigation(weight: FactorWeight) -> Phrase | None:
    return bilingual(weight.mitigation) if weight.mitigation else None


def _health(facts: Facts, weight: FactorWeight) -> Iterator[Factor]:
    left = weight.most if weight.most is not None else sum(weight.points.values()) * len(facts.warnings)
    for warning in facts.warnings:
        points = min(weight.points["warning"], left)
        left -= points
        yield Factor(weight.id, weight.side, points, warning, weight.source, _mitigation(weight))


def _holds(floor: str, facts: Facts) -> bool:
    match floor:
        case "open-batch":
            return facts.batch is BatchState.OPEN
        case "keys-wiped":
            return facts.keys is KeyFate.WIPED
        case "irreversible":
            return facts.way_back is WayBack.IRREVERSIBLE
        case "keys-unknown":
            return facts.keys is KeyFate.UNKNOWN and bool(facts.kinds & {ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER})
        case "anomaly":
            return facts.anomaly
    return False
