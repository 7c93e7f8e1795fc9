"""Releases held against each other: the same one twice, and versions that nobody can put in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE, newer, shown_version
from techtool.domain.lint import Check, LintFinding
from techtool.domain.lint_shelf import Model, Need, Shelf, name_of
from techtool.domain.release import Release
from techtool.domain.version_space import Want
from techtool.domain.versions import Comparison, meets, parse
from techtool.i18n import phrase

_MANY: Final = 100
"""Releases of one id up to which every pair is compared; above, neighbours in order are."""


def order(shelf: Shelf) -> Iterator[LintFinding]:
    """Every pair, or group, of releases that cannot stand beside each other."""
    for indices in shelf.by_id.values():
        yield from _twins(shelf, indices)
        yield from _two_publishers(shelf, indices)
        yield from _unordered(shelf, indices)
    yield from _same_content(shelf)
    yield from _across_schemes(shelf)


def publisher_of(release: Release) -> str:
    """Whose it is: the first folder of its payloads, which only one publisher's role may list."""
    return release.files[0].target.partition("/")[0] if release.files else ""


def _twins(shelf: Shelf, indices: Sequence[int]) -> Iterator[LintFinding]:
    by_key: dict[str, list[Release]] = {}
    for index in indices:
        by_key.setdefault(shelf.releases[index].key, []).append(shelf.releases[index])
    for key, twins in by_key.items():
        if len(twins) > 1:
            whose = ", ".join(sorted(publisher_of(release) for release in twins))
            text = phrase("It is described {count} times (publishers: {names}).", count=len(twins), names=whose)
            remedy = phrase("Withdraw all but one; another content needs another version.")
            yield LintFinding(Check.DUPLICATE, key, text, remedy)


def _two_publishers(shelf: Shelf, indices: Sequence[int]) -> Iterator[LintFinding]:
    first_of: dict[str, Release] = {}
    for index in indices:
        first_of.setdefault(publisher_of(shelf.releases[index]), shelf.releases[index])
    if len(first_of) > 1:
        first = first_of[min(first_of)]
        keys = {shelf.releases[index].key for index in indices}
        text = phrase("{id} is released by several publishers: {names}", id=first.id, names=", ".join(sorted(first_of)))
        remedy = phrase("One id belongs to one publisher: add the others under ids of their own.")
        yield LintFinding(Check.DUPLICATE, first.key, text, remedy, tuple(sorted(keys - {first.key})))


def _unordered(shelf: Shelf, indices: Sequence[int]) -> Iterator[LintFinding]:
    """Within one model: the planner asks which is newer only of releases that are made for the terminal's."""
    seen: set[tuple[int, int]] = set()
    for group in _by_model(shelf, indices):
        for first, second in _pairs(shelf, group):
            a, b = shelf.releases[first], shelf.releases[second]
            if (first, second) in seen or a.version == b.version:
                continue
            seen.add((first, second))
            stands = newer(a, b)
            if stands is Comparison.SAME:
                text = phrase(
                    "Its version and {other} mean the same: nobody can tell which one is newer.", other=b.version
                )
            elif stands is Comparison.UNKNOWN:
                text = phrase("It cannot be put in order with version {other} of the same id.", other=b.version)
            else:
                continue
            remedy = phrase("Give them versions that one scheme can order, or another id for another line.")
            yield LintFinding(Check.UNORDERED, a.key, text, remedy, (b.key,))


def _by_model(shelf: Shelf, indices: Sequence[int]) -> set[tuple[int, ...]]:
    groups: dict[Model, list[int]] = {}
    for index in indices:
        for model in shelf.models[index]:
            groups.setdefault(model, []).append(index)
    return {tuple(group) for group in groups.values()}


def _pairs(shelf: Shelf, group: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The pairs to compare: of many releases with the same packages the neighbours, for then order is transitive."""
    alike = len({frozenset(apk.id for apk in shelf.releases[index].packages) for index in group}) == 1
    if len(group) <= _MANY or not alike:
        yield from combinations(group, 2)
        return
    ranked = sorted(group, key=lambda index: _place(shelf.releases[index]))
    yield from pairwise(ranked)


def _place(release: Release) -> tuple[object, ...]:
    """Sorts releases with the same packages so that neighbours are in order wherever all of them can be."""
    codes = tuple(code for _package, code in sorted((apk.id, apk.version_code) for apk in release.packages))
    version = parse(release.version_format, release.version)
    unread = version.line is None
    return sum(codes), codes, release.version_format, unread, version.line or (), version.order, version.text


def _same_content(shelf: Shelf) -> Iterator[LintFinding]:
    """Two ids for what a terminal shows as one and the same."""
    by_content: dict[frozenset[tuple[str, str]], list[int]] = {}
    for index, release in enumerate(shelf.releases):
        shown = {(apk.id, str(apk.version_code)) for apk in release.packages}
        shown |= {(slot, shown_version(release)) for slot in shelf.written[index] & {FIRMWARE, BOOTLOADER}}
        if shown:
            by_content.setdefault(frozenset(shown), []).append(index)
    for indices in by_content.values():
        first = indices[0]
        for second in indices[1:]:
            a, b = shelf.releases[first], shelf.releases[second]
            if a.id != b.id and _share_a_terminal(a, b):
                text = phrase("A terminal that runs it looks the same as with {other}.", other=b.key)
                remedy = phrase("Keep one of the two for each model.")
                yield LintFinding(Check.SAME_CONTENT, a.key, text, remedy, (b.key,))


def _share_a_terminal(a: Release, b: Release) -> bool:
    """Whether some terminal is one that both are made for."""
    return any(
        (ours.vendor, ours.model) == (theirs.vendor, theirs.model)
        and _overlap(ours.hw_revisions, theirs.hw_revisions)
        and _overlap(ours.regions, theirs.regions)
        for ours in a.provides
        for theirs in b.provides
    )


def _overlap(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Empty means any."""
    return not ours or not theirs or bool(set(ours) & set(theirs))


def _across_schemes(shelf: Shelf) -> Iterator[LintFinding]:
    """Rules that read another release's version by a scheme it was not written for."""
    for index, release in enumerate(shelf.releases):
        for need in shelf.needs(index):
            for want in need.wants:
                other = _misread(shelf, index, need, want) if want.readable else None
                if other is None:
                    continue
                text = phrase(
                    "Its rule compares {thing} as {scheme}; {other} states its version as {theirs}.",
                    thing=name_of(need.thing),
                    scheme=want.scheme,
                    other=other.key,
                    theirs=other.version_format,
                )
                remedy = phrase("Name the scheme and a version of that release in the rule (version_format).")
                yield LintFinding(Check.UNORDERED, release.key, text, remedy, (other.key,))


def _misread(shelf: Shelf, index: int, need: Need, want: Want) -> Release | None:
    """A release for the same models that brings what the rule looks at in a version that it cannot compare."""
    for other in shelf.writers(need.thing):
        theirs = shelf.releases[other]
        if other == index or theirs.version_format == want.scheme or not shelf.models[other] & shelf.models[index]:
            continue
        found = shelf.brought(other, need.thing, want.scheme)
        if found and meets(want.scheme, found, want.how, want.version) is None:
            return theirs
    return None
