"""The risk weights' one reader: strict, and complete before anything is counted with them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.risk_weights import Level, Weights
from techtool.domain.risk_words import FACTORS, FLOORS
from techtool.errors import BadFile
from techtool.i18n import LANGUAGES

_FILE: Final = Path(__file__).parent / "data" / "risk.toml"


@cache
def load_weights(path: Path = _FILE) -> Weights:
    """The weights; raises :class:`BadFile` naming file and place."""
    try:
        weights = decode_toml(path.read_bytes(), Weights, strict=True)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or type(error).__name__) from error
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    problem = problem_in(weights)
    if problem:
        raise BadFile(path=str(path), problem=problem)
    return weights


def problem_in(weights: Weights) -> str:
    """Place and kind of the first thing that is wrong; empty when nothing is."""
    if [weights.band.low, weights.band.moderate, weights.band.high] != sorted(
        {weights.band.low, weights.band.moderate, weights.band.high}
    ):
        return "$.band: not in rising order"
    for name, level in (("likelihood", weights.level.likelihood), ("impact", weights.level.impact)):
        if not _rises(level):
            return f"$.level.{name}.at_most: not four rising numbers"
    return _problem_in_factors(weights) or _problem_in_floors(weights)


def _rises(level: Level) -> bool:
    return len(level.at_most) == 4 and list(level.at_most) == sorted(set(level.at_most))


def _problem_in_factors(weights: Weights) -> str:
    found = [factor.id for factor in weights.factor]
    if sorted(found) != sorted(FACTORS):
        odd = ", ".join(sorted(set(found) ^ set(FACTORS))) or "one stands twice"
        return f"$.factor: {odd}"
    links = {link.name for link in weights.link}
    for place, factor in enumerate(weights.factor):
        words = set(FACTORS[factor.id]) or links
        missing = sorted(words - set(factor.points))
        if missing:
            return f"$.factor[{place}].points: {', '.join(missing)} missing"
        if factor.id != "link" and set(factor.points) - words:
            return f"$.factor[{place}].points: no word “{sorted(set(factor.points) - words)[0]}”"
        if factor.mitigation is not None and any(not factor.mitigation.get(language) for language in LANGUAGES):
            return f"$.factor[{place}].mitigation: a language is missing"
        if not factor.source:
            return f"$.factor[{place}].source: missing"
    return ""


def _problem_in_floors(weights: Weights) -> str:
    if sorted(floor.id for floor in weights.floor) != sorted(FLOORS):
        return "$.floor: not exactly the floors that are known"
    for place, floor in enumerate(weights.floor):
        if any(not floor.reason.get(language) for language in LANGUAGES) or not floor.source:
            return f"$.floor[{place}]: reason or source missing"
    return ""
