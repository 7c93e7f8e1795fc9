"""Releases that are right in themselves and cannot be installed: by what brings their files, and by signer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from techtool.domain.lint import Check, LintFinding
from techtool.domain.lint_shelf import Model, Shelf
from techtool.domain.policy import Policy
from techtool.domain.release import ApkFacts, Release
from techtool.i18n import Phrase, phrase

_NAMED = 3
"""Releases that a text names; all of them are in the finding."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What techtool itself can bring to which terminals, and the ways that there are besides."""

    roles: Mapping[Model, frozenset[str]]
    """Model → roles of files; a model that is not here is not judged."""
    policy: Policy


def file_roles(release: Release, reach: Reach) -> Iterator[LintFinding]:
    """A finding for each way that files of the release need because no connection brings them."""
    groups: dict[tuple[str, ...], tuple[Phrase, set[Model]]] = {}
    for model in {(entry.vendor, entry.model) for entry in release.provides}:
        lacking = sorted({file.role for file in release.files} - reach.roles.get(model, _roles_of(release)))
        if lacking:
            way = _way(release, lacking, model[0], reach.policy)
            groups.setdefault((way.text("en"), *lacking), (way, set()))[1].add(model)
    for (_text, *lacking), (way, models) in sorted(groups.items()):
        text = phrase(
            "techtool itself cannot install its files ({roles}) on: {models}",
            roles=", ".join(lacking),
            models=", ".join(f"{vendor}/{model}" for vendor, model in sorted(models)),
        )
        yield LintFinding(Check.FILE_ROLE, release.key, text, way)


def signers(shelf: Shelf) -> Iterator[LintFinding]:
    """A finding for each release of which a terminal that runs another one refuses a package.

    The key of the lowest version code counts as the first one. Releases for different models may well have different
    signers: no terminal meets both.
    """
    signed: dict[str, list[tuple[int, ApkFacts]]] = {}
    for index, release in enumerate(shelf.releases):
        for apk in release.packages:
            signed.setdefault(apk.id, []).append((index, apk))
    for package, all_of_them in signed.items():
        by_code = sorted(all_of_them, key=lambda item: item[1].version_code)
        first = by_code[0][1].signer.lower()
        for index, apk in by_code:
            if apk.signer.lower() != first and (found := _signer_finding(shelf, package, index, apk, by_code)):
                yield found


def _signer_finding(
    shelf: Shelf, package: str, index: int, apk: ApkFacts, all_of_them: list[tuple[int, ApkFacts]]
) -> LintFinding | None:
    others = {
        shelf.releases[i].key: other.signer
        for i, other in all_of_them
        if other.signer.lower() != apk.signer.lower() and shelf.models[i] & shelf.models[index]
    }
    if not others:
        return None
    named = ", ".join(list(others)[:_NAMED]) + ("…" if len(others) > _NAMED else "")
    text = phrase(
        "{package} is signed by {new}… here and by {old}… in {others}: a terminal that runs the one refuses the other.",
        package=package,
        new=apk.signer[:8],
        old=next(iter(others.values()))[:8],
        others=named,
    )
    remedy = phrase(
        "Ask the vendor for packages signed with one key. With another key they reach only terminals that do not have "
        "the package yet."
    )
    return LintFinding(Check.SIGNER_CHANGE, shelf.releases[index].key, text, remedy, tuple(sorted(others)))


def _roles_of(release: Release) -> frozenset[str]:
    return frozenset(file.role for file in release.files)


def _way(release: Release, roles: list[str], vendor: str, policy: Policy) -> Phrase:
    """What to do instead, as a technician is told it."""
    ways = (policy.way(role, release.kind, vendor) for role in roles)
    other = phrase("Use the terminal maker's own way to install it, or a newer techtool.")
    return next((way for way in ways if way is not None), other)
