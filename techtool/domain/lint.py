"""Everything that is wrong with the releases of a bundle, before a technician stands in a shop with it.

An *error* is a release that some terminal it was made for can never take, or that nobody could tell from another one.
A *warning* is what works but will make somebody ask. Nothing stops at the first: a publisher sees the whole list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from techtool.domain.release import Release
from techtool.i18n import Phrase, phrase

if TYPE_CHECKING:
    from techtool.domain.lint_install import Reach


class Check(StrEnum):
    """What was looked for; the values are a contract with scripts (``--json``)."""

    SELF_REQUIREMENT = "self-requirement"
    """It needs, of what it replaces, at least itself (fwupd's firmware-dell #174), or must not meet itself."""
    CYCLE = "cycle"
    """Releases that each need another of them first."""
    UNREACHABLE = "unreachable"
    """No terminal can ever take it, or none that it was tested on."""
    UNKNOWN_RULE = "unknown-rule"
    UNKNOWN_MODEL = "unknown-model"
    """No model it is made for is in the catalogue."""
    DUPLICATE = "duplicate"
    """Two descriptions of one id and version, or one id of two publishers."""
    UNORDERED = "unordered"
    """Versions that cannot be compared where they will have to be."""
    MISSING_FILE = "missing-file"
    BAD_DESCRIPTION = "bad-description"
    """A listed description that cannot be read."""
    UNKNOWN_MODEL_SOME = "unknown-model-some"
    PREREQUISITE_MISSING = "prerequisite-missing"
    """It needs what no release of the bundle brings."""
    SAME_CONTENT = "same-content"
    """Two ids that a terminal cannot tell apart."""
    TEXT_MISSING = "text-missing"
    NO_DURATION = "no-duration"
    NO_CODE = "no-code"
    """An APK without a version code."""
    NO_TESTS = "no-tests"
    """Firmware or a boot loader of which nobody says where the lab tried it."""
    FILE_ROLE = "file-role"
    """Files that no connection brings to a terminal it is made for."""
    SIGNER_CHANGE = "signer-change"
    """A package that is signed by another key in another release: Android refuses the one over the other."""


class Severity(StrEnum):
    """What a finding means."""

    ERROR = "error"
    """It must not be published as it is."""
    WARNING = "warning"


_WARNINGS: Final = frozenset(
    {
        Check.UNKNOWN_MODEL_SOME,
        Check.PREREQUISITE_MISSING,
        Check.SAME_CONTENT,
        Check.TEXT_MISSING,
        Check.NO_DURATION,
        Check.NO_CODE,
        Check.NO_TESTS,
        Check.FILE_ROLE,
        Check.SIGNER_CHANGE,
    }
)


MEND_RULES: Final = phrase("Mend the rules of this release: “bundle withdraw”, then “bundle add” again.")
"""What to do about a release whose rules are wrong in themselves."""
ADD_AGAIN: Final = phrase("Mend it: “bundle withdraw”, then “bundle add” again.")
"""What to do about a release that says something else that is wrong."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing that is wrong with one release."""

    check: Check
    release_key: str
    """``ID@VERSION``; for a description that cannot be read its path in the bundle."""
    text: Phrase
    remedy: Phrase
    others: tuple[str, ...] = ()
    """Keys of the other releases that take part: the rest of a circle, the twin."""

    @property
    def severity(self) -> Severity:
        """Follows from the check."""
        return Severity.WARNING if self.check in _WARNINGS else Severity.ERROR

    def concerns(self, keys: Collection[str]) -> bool:
        """Whether one of the releases named by ``keys`` takes part in it."""
        return self.release_key in keys or any(other in keys for other in self.others)


def lint(
    releases: Sequence[Release],
    known_models: Collection[tuple[str, str]],
    known_rules: Collection[str],
    reach: Reach | None = None,
) -> tuple[LintFinding, ...]:
    """Every finding on the releases of one bundle: by release, errors first, in a fixed order.

    ``known_models`` are the catalogue's (vendor, model) pairs, ``known_rules`` the kinds of rules that techtool can
    judge. With ``reach``, what techtool cannot install is told as well.
    """
    return in_order(_findings(tuple(releases), frozenset(known_models), frozenset(known_rules), reach))


def lint_one(
    releases: Sequence[Release],
    key: str,
    known_models: Collection[tuple[str, str]],
    known_rules: Collection[str],
    reach: Reach | None = None,
) -> tuple[LintFinding, ...]:
    """The findings of :func:`lint` on the release of that key; what cannot matter to it is not looked at."""
    from techtool.domain.lint_shelf import Shelf

    near = Shelf(releases).around(key)
    return tuple(f for f in lint([releases[i] for i in near], known_models, known_rules, reach) if f.concerns({key}))


def in_order(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    """By release, errors first, without repetitions."""
    once = {(f.check, f.release_key, f.others, f.text.text("en")): f for f in findings}
    return tuple(once[key] for key in sorted(once, key=lambda key: (key[1], _RANK[key[0]], key[2], key[3])))


_RANK: Final = {check: (check in _WARNINGS, place) for place, check in enumerate(Check)}


def _findings(
    releases: tuple[Release, ...],
    known_models: frozenset[tuple[str, str]],
    known_rules: frozenset[str],
    reach: Reach | None,
) -> Iterator[LintFinding]:
    # They build on the types above.
    from techtool.domain.lint_circles import circles
    from techtool.domain.lint_install import file_roles, signers
    from techtool.domain.lint_needs import own_needs
    from techtool.domain.lint_order import order
    from techtool.domain.lint_release import alone
    from techtool.domain.lint_route import ways
    from techtool.domain.lint_shelf import Shelf

    shelf = Shelf(releases)
    for release in releases:
        yield from alone(release, known_models, known_rules)
        if reach is not None:
            yield from file_roles(release, reach)
    yield from signers(shelf)
    closed: set[int] = set()
    for index in range(len(releases)):
        for finding in own_needs(shelf, index):
            closed.add(index)
            yield finding
    yield from order(shelf)
    findings, absent = circles(shelf, closed)
    yield from findings
    yield from ways(shelf, closed, absent)
