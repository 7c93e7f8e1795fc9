"""Why a plan may not be carried out: the one rule behind ``plan``'s exit code and the engine's gate."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from techtool.domain.findings import LAPSED_RULE
from techtool.domain.plan import Plan, ReleaseFinding, ReleaseVerdict
from techtool.domain.rules import Verdict
from techtool.errors import Expired, GateClosed, NotCompatible, Recalled, TechtoolError, Withdrawn
from techtool.i18n import Phrase, phrase

STATE_RULES: Final = frozenset(
    {"battery", "external-power", "free-storage", "no-open-batch", "erases-data", "tamper", "serial"}
)
"""Rules about the state of a terminal that a release fits (exit 23); all others say whether it fits at all (22)."""
_PREREQUISITES: Final = frozenset({"firmware", "bootloader", "component"})
"""Rules whose remedy says what is missing: that belongs into the error."""


def refusal(plan: Plan, wanted: Collection[str] = ()) -> TechtoolError | None:
    """The error that stops this plan, or None when it may go on (with work, or with nothing left to do).

    A release that fits and only waits for the terminal's state (battery, open batch …) stops the whole plan: what can
    be put right on the spot is put right first, else half of the work would be called a success. So does a release to
    which the plan would go only half of the way, because a version in between is missing. Who wants the other releases
    now names them.
    """
    asked_for = [f for f in plan.findings if is_wanted(f, wanted)]
    blocked = [f for f in asked_for if f.verdict is ReleaseVerdict.BLOCKED]
    waiting = [f for f in blocked if all(verdict.what in STATE_RULES for verdict in f.failed)]
    if waiting:
        return closed(waiting[0])
    planned = {verified.release.id for verified in plan.releases}
    cut = [f for f in blocked if f.release_id in planned and any(missing.between for missing in f.missing)]
    if cut:
        return closed(cut[0])
    if plan.has_work:
        return None
    for finding in asked_for if wanted else ():
        if finding.verdict is ReleaseVerdict.WITHDRAWN:
            return Withdrawn(release=f"{finding.release_id} {finding.version}")
        if finding.verdict is ReleaseVerdict.RECALLED:
            return _recalled(finding)
    if blocked:
        return closed(blocked[0])
    if any(f.verdict in (ReleaseVerdict.INSTALLED, ReleaseVerdict.OLDER) for f in asked_for):
        return None
    for finding in asked_for:
        if finding.verdict is ReleaseVerdict.RECALLED and all(verdict.what != "model" for verdict in finding.failed):
            return _recalled(finding)
    return NotCompatible(release=phrase("No release on this stick"), reason=phrase("none is made for this model"))


def is_wanted(finding: ReleaseFinding, wanted: Collection[str]) -> bool:
    """Whether it was asked for by id or by ``ID@VERSION``; without a wish everything is."""
    return not wanted or finding.release_id in wanted or f"{finding.release_id}@{finding.version}" in wanted


def closed(finding: ReleaseFinding) -> TechtoolError:
    """The error for one blocked release: about the terminal's state, or about whether it fits."""
    failed = finding.failed
    for verdict in failed:
        if verdict.what == LAPSED_RULE:
            return Expired(role=verdict.reason.params["role"], until=verdict.reason.params["until"])
    unfit = [verdict for verdict in failed if verdict.what not in STATE_RULES]
    if unfit or not failed:
        return NotCompatible(release=f"{finding.release_id} {finding.version}", reason=_joined(unfit))
    return GateClosed(
        reason=_joined(failed), remedy=failed[0].remedy or phrase("Look at the failed rules in the plan.")
    )


def _recalled(finding: ReleaseFinding) -> TechtoolError:
    reasons = [verdict for verdict in finding.failed if verdict.what == "recalled"]
    return Recalled(release=f"{finding.release_id} {finding.version}", reason=_joined(reasons))


def _joined(verdicts: Iterable[Verdict]) -> Phrase:
    joined: Phrase | None = None
    for verdict in verdicts:
        said = _said(verdict)
        joined = phrase("{first}; {second}", first=joined, second=said) if joined else said
    return joined or phrase("a rule is not met")


def _said(verdict: Verdict) -> Phrase:
    if verdict.what in _PREREQUISITES and verdict.remedy is not None:
        return phrase("{reason} {remedy}", reason=verdict.reason, remedy=verdict.remedy)
    return verdict.reason
