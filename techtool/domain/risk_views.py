"""The risk in words and as JSON: one line, every number explained, what can be done about it."""

from __future__ import annotations

from typing import Final

from techtool.domain.risk import Band, Factor, Risk, Side
from techtool.i18n import N_, Phrase, phrase

BAND_LABEL: Final = {
    Band.LOW: N_("low"),
    Band.MODERATE: N_("moderate"),
    Band.HIGH: N_("high"),
    Band.CRITICAL: N_("very high"),
}
POLICY: Final = {
    Band.LOW: N_("go"),
    Band.MODERATE: N_("do first what lowers it, as far as it can be done here"),
    Band.HIGH: N_("do first what lowers it; a named person at the merchant's and a supervisor accept it"),
    Band.CRITICAL: N_("not on this visit: another day, or another terminal"),
}
FACTOR_LABEL: Final = {
    "power": N_("power"),
    "storage": N_("storage"),
    "link": N_("connection"),
    "drops": N_("lost connections"),
    "path": N_("steps"),
    "component": N_("what is changed"),
    "history": N_("how it went before"),
    "time": N_("time left"),
    "health": N_("the terminal's health"),
    "resume": N_("going on after a stop"),
    "experience": N_("experience"),
    "rollback": N_("way back"),
    "backup": N_("backup"),
    "batch": N_("takings"),
    "keys": N_("keys"),
    "trading": N_("the merchant's trade"),
    "spare": N_("spare terminal"),
    "merchant": N_("merchant"),
}


_SAYS_ITSELF: Final = frozenset({"link", "component"})
"""Factors whose fact begins with their own name."""


def risk_words(risk: Risk) -> Phrase:
    """“moderate (6 of 25): do first …”, where “risk” stands beside it."""
    return phrase(
        "{band} ({score} of 25): {policy}.",
        band=Phrase(BAND_LABEL[risk.band]),
        score=risk.score,
        policy=Phrase(POLICY[risk.band]),
    )


def risk_line(risk: Risk) -> Phrase:
    """“Risk: moderate (6 of 25): do first …”"""
    return phrase(
        "Risk: {band} ({score} of 25): {policy}.",
        band=Phrase(BAND_LABEL[risk.band]),
        score=risk.score,
        policy=Phrase(POLICY[risk.band]),
    )


def reasons(risk: Risk) -> tuple[Phrase, ...]:
    """What adds points, the heaviest first, and the floors that hold."""
    heavy = sorted((f for f in risk.factors if f.points > 0), key=lambda factor: -factor.points)
    facts = tuple(phrase("+{points} {fact}", points=factor.points, fact=factor.fact) for factor in heavy)
    floors = tuple(
        phrase("at least {band}: {reason}", band=Phrase(BAND_LABEL[floor.band]), reason=floor.reason)
        for floor in risk.floors
    )
    return (*floors, *facts)


def _weighed(factor: Factor) -> Phrase:
    points = f"{factor.points:+d}"
    if factor.id in _SAYS_ITSELF:
        return phrase("  {points} {fact}", points=points, fact=factor.fact)
    label = Phrase(FACTOR_LABEL.get(factor.id, factor.id))
    return phrase("  {points} {factor}: {fact}", points=points, factor=label, fact=factor.fact)


def explained(risk: Risk) -> tuple[Phrase, ...]:
    """Every number: each factor of both sides with its points, the sums, the levels, the score, the floors."""
    lines: list[Phrase] = []
    for side, title, points, level in (
        (Side.LIKELIHOOD, N_("Likelihood"), risk.likelihood_points, risk.likelihood),
        (Side.IMPACT, N_("Impact"), risk.impact_points, risk.impact),
    ):
        head = phrase("{title}: {points} points, level {level} of 5", title=Phrase(title), points=points, level=level)
        lines.append(head)
        lines.extend(_weighed(factor) for factor in risk.factors if factor.side is side)
    lines.append(
        phrase("Score: {likelihood} × {impact} = {score} of 25", likelihood=risk.likelihood, impact=risk.impact,
               score=risk.score)
    )  # fmt: skip
    lines += [
        phrase("At least {band}: {reason}", band=Phrase(BAND_LABEL[floor.band]), reason=floor.reason)
        for floor in risk.floors
    ]
    lines.append(phrase("Band: {band}", band=Phrase(BAND_LABEL[risk.band])))
    return tuple(lines)


def risk_json(risk: Risk, language: str) -> dict[str, object]:
    """For ``--json``."""
    return {
        "score": risk.score,
        "band": risk.band.value,
        "likelihood": {"points": risk.likelihood_points, "level": risk.likelihood},
        "impact": {"points": risk.impact_points, "level": risk.impact},
        "factors": [
            {
                "id": factor.id,
                "side": factor.side.value,
                "points": factor.points,
                "fact": factor.fact.text(language),
                "source": factor.source,
                "mitigation": factor.mitigation.text(language) if factor.mitigation else None,
            }
            for factor in risk.factors
        ],
        "floors": [
            {"id": floor.id, "band": floor.band.value, "reason": floor.reason.text(language)} for floor in risk.floors
        ],
    }
