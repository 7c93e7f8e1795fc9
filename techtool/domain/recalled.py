"""What a recall means for one terminal: the release is never planned, and a terminal that runs it is told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from techtool.domain.plan import ReleaseFinding, ReleaseVerdict
from techtool.domain.recall import Recall
from techtool.domain.release import Release, ReleaseKind
from techtool.domain.terminal import TerminalState
from techtool.domain.verdicts import told
from techtool.domain.versions import Comparison, compare
from techtool.i18n import Phrase, phrase

_SHOWN_BY: Final = frozenset({ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER})
_SAME: Final = Comparison.SAME


def recalled_installed(
    terminal: TerminalState, recalls: Iterable[Recall], in_force: Iterable[Release] = ()
) -> tuple[Recall, ...]:
    """Every recall of something that the terminal runs now.

    A package is recognised by its id and version code, on any model: what is installed is installed. Of several
    packages, one that a release ``in_force`` brings in the very same version says nothing: the replacement of a
    recalled release may keep the good ones. Firmware and boot loader are recognised by the text they show, on the
    models that the release was made for, since such a text names nothing across models.
    """
    held = tuple(recalls)
    recalled = {recall.key for recall in held}
    good = {(apk.id, apk.version_code) for r in in_force if r.key not in recalled for apk in r.packages}
    return tuple(recall for recall in held if _runs(terminal, recall, good))


def _runs(terminal: TerminalState, recall: Recall, good: set[tuple[str, int]]) -> bool:
    if recall.packages:
        installed = {(p.id, p.version_code) for p in terminal.packages}
        marks = {(p.id, p.version_code) for p in recall.packages}
        return bool((marks - good) & installed) if marks - good else marks <= installed
    if recall.kind not in _SHOWN_BY:
        return False
    identity = terminal.identity
    shown = identity.firmware if recall.kind is ReleaseKind.FIRMWARE else terminal.bootloader or ""
    return _made_for(recall, terminal) and compare("opaque", shown, recall.shown_version or recall.version) is _SAME


def _made_for(recall: Recall, terminal: TerminalState) -> bool:
    identity = terminal.identity
    return any((p.vendor, p.model) == (identity.vendor, identity.model) for p in recall.provides)


def recalled_finding(recall: Recall, terminal: TerminalState, findings: Sequence[ReleaseFinding]) -> ReleaseFinding:
    """The finding on a recalled release; ``findings`` are those on the other releases of the stick."""
    reason = phrase(
        "{why} (recalled on {date}, {urgency})",
        date=recall.date.isoformat(),
        urgency=recall.urgency_phrase,
        why=recall.reason_phrase,
    )
    remedy = phrase("Do not install it. {replacement}", replacement=way_on(recall, findings))
    rules = [told("recalled", False, reason, remedy)]
    if recall.provides and not _made_for(recall, terminal):
        rules.insert(0, told("model", False, phrase("It was made for another model."), remedy))
    return ReleaseFinding(recall.id, recall.version, ReleaseVerdict.RECALLED, tuple(rules))


def runs_recalled(recall: Recall, findings: Sequence[ReleaseFinding]) -> Phrase:
    """What a technician is told of a terminal that runs something recalled."""
    return phrase(
        "This terminal runs {id} {version}, which was recalled on {date} ({urgency}): “{why}” {replacement}",
        id=recall.id,
        version=recall.version,
        date=recall.date.isoformat(),
        urgency=recall.urgency_phrase,
        why=recall.reason_phrase,
        replacement=way_on(recall, findings),
    )


def replacement_finding(recall: Recall, findings: Sequence[ReleaseFinding]) -> ReleaseFinding | None:
    """What was found about the release that replaces a recalled one; None where it is not on the stick."""
    return next((f for f in findings if recall.replacement and f.key == recall.replacement), None)


def way_on(recall: Recall, findings: Sequence[ReleaseFinding]) -> Phrase:
    """What to install instead, and whether this stick has it for this terminal."""
    if not recall.replacement:
        return phrase("There is no replacement yet: ask the office.")
    found = replacement_finding(recall, findings)
    release = recall.replacement
    if found is None:
        return phrase("{release} replaces it: ask the office for a stick that carries it.", release=release)
    match found.verdict:
        case ReleaseVerdict.INSTALL:
            return phrase("{release} replaces it and is in this plan.", release=release)
        case ReleaseVerdict.INSTALLED:
            return phrase("{release} replaces it and is installed already.", release=release)
        case ReleaseVerdict.SUPERSEDED | ReleaseVerdict.OLDER:
            return phrase("{release} replaces it; this terminal gets or has a newer one.", release=release)
        case ReleaseVerdict.NOT_CHOSEN:
            return phrase("{release} replaces it and is on this stick, but was not asked for.", release=release)
        case _:
            return phrase("{release} replaces it and is on this stick, but may not be installed here.", release=release)
