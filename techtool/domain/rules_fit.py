"""Whether a release was made for this terminal at all: model, hardware revision, region, ways to install it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from techtool.domain.release import Provides
from techtool.domain.rules import Case, Verdict
from techtool.domain.verdicts import told, untold
from techtool.i18n import Phrase, phrase, raw


def fit(case: Case) -> Iterator[Verdict]:
    """Model, then (for this model's entries) hardware revision and region, blocked hardware, roles of files."""
    identity = case.terminal.identity
    entries = [p for p in case.release.provides if (p.vendor, p.model) == (identity.vendor, identity.model)]
    yield _model(case, bool(entries))
    if entries:
        yield from _variant(case, entries)
    yield from _blocked(case)
    yield _roles(case)


def _model(case: Case, fits: bool) -> Verdict:
    identity = case.terminal.identity
    found = identity.title
    if fits:
        return Verdict("model", True, phrase("Made for {model}.", model=found))
    made_for = sorted({f"{p.vendor} {p.model}" for p in case.release.provides})
    reason = phrase("Made for {models}; this is {model}.", models=", ".join(made_for) or "–", model=found)
    return told("model", False, reason, phrase("Choose a release for this model."))


def _variant(case: Case, entries: Sequence[Provides]) -> Iterator[Verdict]:
    """Revision and region must fit in one and the same entry."""
    revision, region = case.terminal.identity.hw_revision, case.terminal.region
    if revision is None and region is None:
        yield from _neither_told(case, entries)
        return
    of_region = [e for e in entries if not e.regions or region is None or region in e.regions]
    of_revision = [e for e in entries if not e.hw_revisions or revision is None or revision in e.hw_revisions]
    yield _listed(
        case,
        "hw-revision",
        phrase("hardware revision"),
        revision,
        [e.hw_revisions for e in of_region or entries],
        phrase("Compare the label; choose a release for this hardware revision."),
    )
    yield _listed(
        case,
        "region",
        phrase("region"),
        region,
        [e.regions for e in of_revision or entries],
        phrase("Choose a release for this region."),
    )


def _listed(
    case: Case, what: str, name: Phrase, found: str | None, lists: Sequence[Sequence[str]], remedy: Phrase
) -> Verdict:
    if any(not values for values in lists):
        return Verdict(what, True, phrase("Made for every {name}.", name=name))
    values = sorted({value for several in lists for value in several})
    listed = ", ".join(values)
    if found is None:
        need = phrase("{name} is one of: {values}", name=name, values=listed)
        return untold(what, f"check.{what}.{'|'.join(values)}", need, case.environment, remedy)
    reason = phrase("Made for {name} {values}; this is {found}.", name=name, values=listed, found=found)
    return told(what, found in values, reason, remedy)


def _neither_told(case: Case, entries: Sequence[Provides]) -> Iterator[Verdict]:
    """With both unknown, one question names the allowed pairs: two separate answers could mix two entries."""
    whats = ("hw-revision", "region")
    if any(not e.hw_revisions and not e.regions for e in entries):
        for what in whats:
            yield Verdict(what, True, phrase("Made for every hardware revision and region."))
        return
    pairs = sorted({f"{'/'.join(e.hw_revisions) or '*'} {'/'.join(e.regions) or '*'}" for e in entries})
    need = phrase("hardware revision and region are one of: {values} (* means any)", values="; ".join(pairs))
    for what in whats:
        remedy = phrase("Compare the label; choose a release for this hardware revision and region.")
        yield untold(what, f"check.made-for.{'|'.join(pairs)}", need, case.environment, remedy)


def _blocked(case: Case) -> Iterator[Verdict]:
    revision = case.terminal.identity.hw_revision
    for blocked in case.release.blocked_hw:
        remedy = phrase("Never install it on this hardware revision; ask the office for another release.")
        if revision is None:
            need = phrase("hardware revision is not {revision}", revision=blocked.hw_revision)
            ask = f"check.hw-not.{blocked.hw_revision}"
            yield untold("blocked-hardware", ask, need, case.environment, remedy)
            continue
        reason = phrase(
            "Blocked on hardware revision {blocked} ({why}); this is {found}.",
            blocked=blocked.hw_revision,
            why=raw(blocked.reason),
            found=revision,
        )
        yield told("blocked-hardware", revision != blocked.hw_revision, reason, remedy)


def _roles(case: Case) -> Verdict:
    files = case.release.files
    unknown = sorted({file.role for file in files} - case.environment.roles)
    if not files:
        reason = phrase("The release holds no file.")
    elif unknown:
        reason = phrase(
            "It holds files ({roles}) that cannot be installed over this connection.", roles=", ".join(unknown)
        )
    else:
        reason = phrase("{count} files, all of a kind that can be installed.", count=len(files))
    return told("file-role", bool(files) and not unknown, reason, _way(case, unknown))


def _way(case: Case, roles: Sequence[str]) -> Phrase:
    """What to do with files that cannot be brought to the terminal from here."""
    policy, who = case.environment.policy, case.terminal.identity
    for role in roles:
        way = policy.way(role, case.release.kind, who.vendor, who.family)
        if way is not None:
            return way
    return phrase("Use the terminal maker's own way to install it, or a newer techtool.")
