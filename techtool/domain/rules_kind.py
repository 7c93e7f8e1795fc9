"""What a release's kind needs of the terminal even where its description does not ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from techtool.domain.estimate import human_duration
from techtool.domain.policy import KindPolicy
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.rules_state import batch_settled, external_power
from techtool.domain.verdicts import told
from techtool.i18n import bilingual, phrase


def kind(case: Case) -> Iterator[Verdict]:
    """The gates of the kind that the release does not state itself; a battery minimum is among the floors."""
    policy = case.environment.policy.of(case.release.kind)
    if policy.settled_batch and not (case.release.erases_data or case.states("no-open-batch")):
        yield _with_why(batch_settled(case, "no-open-batch"), policy)
    if policy.external_power and not case.states("external-power"):
        yield _with_why(external_power(case, "external-power"), policy)
    if policy.clock_within_s:
        yield _clock(case, policy)


def _clock(case: Case, policy: KindPolicy) -> Verdict:
    offset_s = case.terminal.clock_offset_s
    if offset_s is None:
        return Verdict("clock", True, phrase("The terminal's clock was not compared with this laptop's."))
    most = policy.clock_within_s
    found = human_duration(abs(offset_s))
    reason = phrase(
        "The terminal's clock is off this laptop's by {found}; up to {most} s is usual.", found=found, most=most
    )
    verdict = told("clock", abs(offset_s) <= most, reason, phrase("Set the right clock first."), Force.WARNING)
    return _with_why(verdict, policy)


def _with_why(verdict: Verdict, policy: KindPolicy) -> Verdict:
    """What to do about it, and why this kind of release asks for it."""
    if verdict.remedy is None or not policy.why:
        return verdict
    return replace(verdict, remedy=phrase("{remedy} {why}", remedy=verdict.remedy, why=bilingual(policy.why)))
