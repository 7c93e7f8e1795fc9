"""Where a release is not for this hardware revision: which version of it on the stick is the highest that is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from techtool.domain.components import newer
from techtool.domain.findings import Judge
from techtool.domain.plan import ReleaseFinding, ReleaseVerdict
from techtool.domain.release import Release
from techtool.domain.rules import Verdict
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import Comparison
from techtool.i18n import Phrase, phrase

_REFUSING: Final = ("hw-revision", "blocked-hardware")
_HARDWARE: Final = frozenset({"model", "region", *_REFUSING})
"""Rules on what the terminal is, not on what runs on it."""


def with_highest(
    finding: ReleaseFinding, judge: Judge, terminal: TerminalState, listed: Collection[int]
) -> ReleaseFinding:
    """The same finding, or, where the hardware revision is what refuses it, with the highest version that fits.

    ``listed``: releases that are neither withdrawn nor recalled. Other gates of that version may be closed; its own
    finding says so.
    """
    refused = any(_refuses(rule) for rule in finding.rules)
    unknown = terminal.identity.hw_revision is None or finding.verdict is ReleaseVerdict.NOT_FOR_THIS_MODEL
    if not refused or unknown:
        return finding
    fitting = [
        judge.releases[index]
        for index in sorted(listed)
        if judge.releases[index].id == finding.release_id
        and all(rule.ok for rule in judge.rules(index, terminal) if rule.what in _HARDWARE)
    ]
    top = _top(fitting)
    rules = tuple(_advised(rule, top) if _refuses(rule) else rule for rule in finding.rules)
    return replace(finding, rules=rules, highest=top.version if top is not None else "")


def _refuses(rule: Verdict) -> bool:
    return not rule.ok and rule.what in _REFUSING


def _top(releases: list[Release]) -> Release | None:
    """One that no other is newer than."""
    return next((one for one in releases if not any(newer(other, one) is Comparison.NEWER for other in releases)), None)


def _advised(rule: Verdict, top: Release | None) -> Verdict:
    if top is None:
        highest: Phrase = phrase("Highest for this hardware: none on this stick; think of a swap.")
    else:
        highest = phrase("Highest for this hardware on this stick: {release}.", release=f"{top.id} {top.version}")
    return replace(
        rule, remedy=phrase("{remedy} {highest}", remedy=rule.remedy, highest=highest) if rule.remedy else highest
    )
