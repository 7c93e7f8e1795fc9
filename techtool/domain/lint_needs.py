"""Needs of one release that no terminal meets: contradictory ones, and such as only the release itself meets."""

from __future__ import annotations

from collections.abc import Iterator

from techtool.domain.lint import MEND_RULES, Check, LintFinding
from techtool.domain.lint_shelf import Need, Shelf, name_of
from techtool.domain.release import Compare, Release
from techtool.domain.version_space import Want, contradiction, is_readable
from techtool.domain.versions import meets
from techtool.i18n import phrase


def own_needs(shelf: Shelf, index: int) -> Iterator[LintFinding]:
    """Needs that no terminal meets: of the release's own place, or contradictory in themselves."""
    yield from _conflicts_with_itself(shelf, index)
    release, own = shelf.releases[index], shelf.own_things(index)
    for need in shelf.needs(index):
        if not need.required or (need.banned and need.thing in own):
            continue
        name = name_of(need.thing)
        if need.banned:
            text = phrase("It conflicts with {thing}, which every terminal has.", thing=name)
            if need.rules:
                text = phrase("It requires {thing} and conflicts with it.", thing=name)
            yield LintFinding(Check.UNREACHABLE, release.key, text, MEND_RULES)
        elif contradiction(need.wants):
            text = phrase("No version of {thing} meets all that it demands: {need}", thing=name, need=need.text)
            yield LintFinding(Check.UNREACHABLE, release.key, text, MEND_RULES)
        elif need.thing in own and _only_itself(release, need, own[need.thing]):
            text = phrase(
                "It demands {need} before it is installed, and brings {thing} {version} itself: no older version will "
                "do, so that only what runs it already could take it.",
                need=need.text,
                thing=name,
                version=own[need.thing],
            )
            remedy = phrase("Name the lowest version that it can be installed from, older than its own.")
            yield LintFinding(Check.SELF_REQUIREMENT, release.key, text, remedy)


def _only_itself(release: Release, need: Need, brings: str) -> bool:
    """Whether nothing older than what the release brings meets its need of the same place."""
    for scheme in {want.scheme for want in need.wants}:
        wants = [want for want in need.wants if want.scheme == scheme]
        own = _as_compared(release, need.thing, brings, scheme)
        if any(not w.forbidden and w.how in (Compare.EQ, Compare.GE) and w.version.strip() == own for w in wants):
            return True
        ordered = scheme != "opaque" and is_readable(scheme, own)
        if ordered and contradiction([*wants, Want(scheme, Compare.LT, own)]):
            return True
    return False


def _as_compared(release: Release, thing: str, brings: str, scheme: str) -> str:
    """What the release brings as a rule of ``scheme`` sees it: Android's code where that is compared."""
    code = next((str(apk.version_code) for apk in release.packages if apk.id == thing), brings)
    return code if scheme == "android-code" else brings


def _conflicts_with_itself(shelf: Shelf, index: int) -> Iterator[LintFinding]:
    release, own = shelf.releases[index], shelf.own_things(index)
    for conflict in release.conflicts:
        thing = shelf.thing_of(conflict)
        if thing not in own:
            continue
        found = _as_compared(release, thing, own[thing], release.version_format)
        how = conflict.compare
        if how is None or meets(release.version_format, found, how, conflict.version) is True:
            text = phrase(
                "It conflicts with {thing} {version}, which it brings itself.", thing=name_of(thing), version=found
            )
            remedy = phrase("Name in the conflict only versions that it does not bring.")
            yield LintFinding(Check.SELF_REQUIREMENT, release.key, text, remedy)
