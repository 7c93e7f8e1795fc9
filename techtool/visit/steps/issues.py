"""Known issues: what a release claims to mend is looked at on this very terminal, before the work and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from techtool.domain.known_issues import IssueFinding, IssueRecord, issue_result
from techtool.domain.plan import StepKind
from techtool.domain.probe import PROPERTY, Finding
from techtool.domain.question import AnswerKind, Choice, Question
from techtool.domain.release import Issue
from techtool.i18n import N_, Phrase, bilingual, phrase, raw
from techtool.terminals.probes import COMPARED
from techtool.visit.lane import Lane

_CHOICES = {
    IssueFinding.PRESENT: N_("It is there"),
    IssueFinding.ABSENT: N_("It is not there"),
    IssueFinding.NOT_REPRODUCIBLE: N_("It cannot be provoked here"),
}
_NO_WAY = N_("The release does not say how it shows on site.")


async def before_work(lane: Lane) -> None:
    """Each issue of what will be installed, and what probes must be compared with afterwards.

    What was read before a stop stands: once the terminal was changed, “before” cannot be read any more.
    """
    if (
        lane.changing
        or lane.log.baseline_of(lane.id)
        or any(check.id == "APP-06" for check in lane.log.checks_of(lane.id))
    ):
        return
    for key, issue in _issues(lane):
        if _known(lane, key, issue) is None:
            before, automatic = await _look(lane, issue, "before", StepKind.CHECK)
            _record(lane, key, issue, before, IssueFinding.NOT_CHECKED, automatic=automatic)
    found = {name: await lane.driver.probe(name) for name in COMPARED}
    baseline = {name: finding.value for name, finding in found.items() if finding is not None and finding.value}
    if baseline:
        lane.log.read_before(lane.id, baseline)


async def after_work(lane: Lane) -> tuple[IssueRecord, ...]:
    """Each issue of what was installed again; an answer from before a stop stands."""
    for key, issue in _issues(lane):
        known = _known(lane, key, issue)
        if known is not None and known.after is not IssueFinding.NOT_CHECKED:
            continue
        before = known.before if known is not None else IssueFinding.NOT_CHECKED
        after, automatic = await _look(lane, issue, "after", StepKind.TEST)
        _record(lane, key, issue, before, after, automatic=automatic)
    return lane.log.issues_of(lane.id)


def _issues(lane: Lane) -> Iterator[tuple[str, Issue]]:
    for verified in lane.agreed.releases:
        for issue in verified.release.issues:
            yield verified.release.key, issue


def _known(lane: Lane, key: str, issue: Issue) -> IssueRecord | None:
    return next((r for r in lane.log.issues_of(lane.id) if (r.release_key, r.id) == (key, issue.id)), None)


async def _look(lane: Lane, issue: Issue, when: str, step: StepKind) -> tuple[IssueFinding, bool]:
    """Ask the terminal where it can tell, else the person; whether it was the terminal."""
    if not issue.can_be_checked:
        return IssueFinding.NOT_REPRODUCIBLE, True
    if issue.check is not None and issue.check.probe:
        told = _told(issue.check.probe, issue.check.expect, await lane.driver.probe(issue.check.probe))
        if told is not None:
            return told, True
    answer = await lane.ask(step, _question(issue, when, lane.known.identity.serial))
    return (IssueFinding(answer) if answer else IssueFinding.NOT_CHECKED), False


def _told(probe: str, expect: str, found: Finding | None) -> IssueFinding | None:
    """A probe's word held against the expected one; None: it did not tell."""
    if found is None:
        return None
    word = found.value if probe.startswith(PROPERTY) else (found.result.value if found.result is not None else "")
    if not word:
        return None
    return IssueFinding.ABSENT if word == expect else IssueFinding.PRESENT


def _question(issue: Issue, when: str, serial: str) -> Question:
    title = _title(issue)
    text = phrase("Before the work: is this problem there? {title}", title=title)
    if when == "after":
        text = phrase("After the work: is this problem still there? {title}", title=title)
    way = _text(issue.check.question) if issue.check is not None else None
    return Question(
        f"issue.{when}.{issue.id}",
        AnswerKind.CHOICE,
        text,
        help=way or _text(issue.symptom),
        choices=tuple(Choice(finding.value, Phrase(label)) for finding, label in _CHOICES.items()),
        serial=serial,
        optional=True,
    )


def _title(issue: Issue) -> Phrase:
    return _text(issue.text) or raw(issue.id)


def _text(texts: Mapping[str, str]) -> Phrase | None:
    return bilingual(texts) if texts else None


def _record(lane: Lane, key: str, issue: Issue, before: IssueFinding, after: IssueFinding, *, automatic: bool) -> None:
    note = "" if issue.can_be_checked else _NO_WAY
    result = issue_result(before, after)
    lane.log.issue(lane.id, IssueRecord(key, issue.id, _title(issue), before, after, result, automatic, note))
