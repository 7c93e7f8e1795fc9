"""How far an installation can be undone, known before it starts: one class for each release and one for the whole plan.

Pure: it looks at what the release's publisher allows, at what the terminal says it takes, and at whether the package
that runs now will be in the backup. Nothing is assumed of a terminal that does not say it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from techtool.domain.components import Relation, parts, starting_versions
from techtool.domain.release import ApkFacts, Compare, Release, ReleaseKind
from techtool.domain.terminal import TerminalState
from techtool.domain.versions import meets
from techtool.i18n import N_, Phrase, phrase


class RollbackClass(StrEnum):
    """What going back takes, the easiest first; the values are the words of journals and ``--json``."""

    NOTHING = "nothing"
    """Nothing is changed."""
    TERMINAL = "terminal"
    """The terminal goes back by itself when the new system does not start (A/B slots, as the terminal says)."""
    KEEPS_DATA = "reinstall-keeps-data"
    """The former package goes over the new one; only where the terminal takes an older version over a newer one."""
    REMOVES = "remove"
    """The package was not there before: it is uninstalled, with what it stored since."""
    LOSES_DATA = "reinstall-loses-data"
    """Uninstall, then install the former package from the backup: the application's data is lost."""
    NOT_POSSIBLE = "not-possible"


_ORDER: Final = tuple(RollbackClass)

CLASS_LABEL: Final = {
    RollbackClass.NOTHING: N_("nothing to undo"),
    RollbackClass.TERMINAL: N_("the terminal goes back by itself"),
    RollbackClass.KEEPS_DATA: N_("can be put back, application data stays"),
    RollbackClass.REMOVES: N_("can be removed again"),
    RollbackClass.LOSES_DATA: N_("can be put back, application data is lost"),
    RollbackClass.NOT_POSSIBLE: N_("cannot be undone on site"),
}
"""How a class is said to the technician."""


@dataclass(frozen=True, slots=True)
class ReleaseRollback:
    """One release of a plan: how it can be undone, and why so."""

    release_key: str
    kind: RollbackClass
    reason: Phrase


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """The whole plan: as hard to undo as the hardest of its releases."""

    kind: RollbackClass = RollbackClass.NOTHING
    releases: tuple[ReleaseRollback, ...] = ()

    @property
    def by_techtool(self) -> bool:
        """Whether techtool can carry it out from the backup."""
        return self.kind in (RollbackClass.KEEPS_DATA, RollbackClass.REMOVES, RollbackClass.LOSES_DATA)


def rollback_of(releases: Sequence[Release], before: TerminalState) -> RollbackPlan:
    """The classes of a plan's releases; ``before``: the terminal as it is before the first of them."""
    found = tuple(ReleaseRollback(release.key, *_of_release(release, before)) for release in releases)
    return RollbackPlan(hardest([one.kind for one in found]), found)


def hardest(classes: Sequence[RollbackClass]) -> RollbackClass:
    """The one that decides; of none: nothing."""
    return max(classes, key=_ORDER.index, default=RollbackClass.NOTHING)


def falls_below(release: Release, before: TerminalState) -> bool:
    """Whether what runs now could not come back after ``release``, by the lowest version it lets in.

    ``rollback.lowest`` is fwupd's ``VersionLowest``: once the release runs, the terminal takes nothing older than that.
    It closes no gate, for techtool never goes back to an older version by itself; it decides what can be undone. What
    cannot be compared, or not read at all, counts as too old.
    """
    lowest = release.rollback.lowest
    if not lowest:
        return False
    if any(part.relation is Relation.UNREADABLE for part in parts(release, before)):
        return True
    met = (meets(release.version_format, v, Compare.GE, lowest) for v in starting_versions(release, before))
    return not all(met)


def _of_release(release: Release, before: TerminalState) -> tuple[RollbackClass, Phrase]:
    no = RollbackClass.NOT_POSSIBLE
    if not release.rollback.allowed:
        return no, phrase("its publisher does not allow going back")
    if falls_below(release, before):
        return no, phrase("it lets nothing older than {lowest} come back", lowest=release.rollback.lowest)
    if release.kind is ReleaseKind.BOOTLOADER:
        return no, phrase("a boot loader is never put back")
    if release.kind is ReleaseKind.FIRMWARE:
        if before.goes_back_itself:
            text = phrase("the terminal has two systems and starts the former one when the new one does not start")
            return RollbackClass.TERMINAL, text
        return no, phrase("firmware cannot be put back, and the terminal does not say that it goes back by itself")
    if not release.packages or len(release.packages) != len(release.files):
        return no, phrase("what it brings is not in the backup")
    return max((_of_package(release, apk, before) for apk in release.packages), key=lambda one: _ORDER.index(one[0]))


def _of_package(release: Release, apk: ApkFacts, before: TerminalState) -> tuple[RollbackClass, Phrase]:
    former = before.package(apk.id)
    if former is None:
        return RollbackClass.REMOVES, phrase("{package} was not there before and is uninstalled", package=apk.id)
    if former.in_system_image:
        return RollbackClass.NOT_POSSIBLE, phrase(
            "{package} runs from the firmware now, so that it is not in the backup", package=apk.id
        )
    if release.erases_data or release.rollback.data == "wipe":
        return RollbackClass.LOSES_DATA, phrase("the data of {package} does not fit both versions", package=apk.id)
    if former.version_code >= apk.version_code:
        return RollbackClass.KEEPS_DATA, phrase("{package} goes over the new one", package=apk.id)
    if before.takes_older:
        return RollbackClass.KEEPS_DATA, phrase(
            "this terminal takes an older {package} over a newer one", package=apk.id
        )
    return RollbackClass.LOSES_DATA, phrase(
        "this terminal takes an older {package} only after the newer one was uninstalled", package=apk.id
    )


def rollback_lines(plan: RollbackPlan) -> tuple[Phrase, ...]:
    """One line for each release: its class and why."""
    return tuple(
        phrase(
            "{release}: {kind} ({reason}).",
            release=one.release_key,
            kind=Phrase(CLASS_LABEL[one.kind]),
            reason=one.reason,
        )
        for one in plan.releases
    )
