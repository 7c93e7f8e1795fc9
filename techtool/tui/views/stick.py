"""A verified stick as the check screen shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from techtool.domain.release import VerifiedRelease
from techtool.domain.verdicts import size_text
from techtool.i18n import _, language
from techtool.tui.views.lines import Line, Mark, named

if TYPE_CHECKING:
    from techtool.bundles.memory import StickTrust
    from techtool.bundles.refresh import Known
    from techtool.bundles.trust import Stick
    from techtool.domain.recall import Recall
    from techtool.errors import Expired


@dataclass(frozen=True, slots=True)
class StickView:
    """The stick: whether to trust it, and what is on it."""

    place: str
    usable: bool
    trust: tuple[Line, ...]
    releases: tuple[Line, ...]
    fingerprint: str


def stick_view(stick: Stick, checked: tuple[str, ...] = (), damaged: tuple[str, ...] = ()) -> StickView:
    """The view of ``stick``; ``checked`` and ``damaged`` are targets whose payload was hashed."""
    trust = stick.trust
    lines = _trust_lines(trust, stick.expired)
    if trust.from_mirror:
        lines.append(Line(Mark.NOTE, _("Older than what this laptop already knows: the newer list decides")))
    lines += [Line(Mark.WARNING, note.text()) for note in stick.notes]
    recalled = stick.recalled
    releases = [_release(item, checked, damaged, recalled.get(item.release.key)) for item in stick.releases]
    releases += [Line(Mark.STOPPED, f"{key}: {error.what_phrase.text()}") for key, error in stick.lapsed.items()]
    releases += [
        Line(Mark.STOPPED, _("{name} {version}: withdrawn by its publisher").format(name=name, version=version))
        for name, version in stick.withdrawn
    ]
    return StickView(
        place=str(stick.root.parent),
        usable=stick.expired is None and not damaged,
        trust=tuple(lines),
        releases=tuple(releases),
        fingerprint=trust.root_sha256,
    )


def known_view(known: Known, place: str) -> StickView:
    """What a refresh file taught this laptop."""
    trust = known.trust
    learned = _("This laptop learned something newer.") if known.news else _("This laptop knew all of that already.")
    lines = [*_trust_lines(trust, known.expired), Line(Mark.NOTE, learned)]
    lines += [Line(Mark.WARNING, note.text()) for note in known.notes]
    return StickView(
        place=place,
        usable=known.expired is None,
        trust=tuple(lines),
        releases=tuple(Line(Mark.STOPPED, f"{recall.key}: {_recalled(recall)}") for recall in known.recalls),
        fingerprint=trust.root_sha256,
    )


def _trust_lines(trust: StickTrust, expired: Expired | None) -> list[Line]:
    """Whose it is, and how old."""
    lines = [Line(Mark.OK, _("Signed by the office whose root this laptop trusts"))]
    issued = _("Issued {issued}, {days} days old, use by {use_by}").format(
        issued=f"{trust.issued:%Y-%m-%d}", days=trust.age_days, use_by=f"{trust.use_by:%Y-%m-%d}"
    )
    if expired is None:
        lines.append(Line(Mark.OK, issued))
    else:
        advice = tuple(_("Do: {what}").format(what=a.text()) for a in expired.action_phrases)
        lines.append(Line(Mark.STOPPED, expired.what_phrase.text(), (issued, *advice)))
    return lines


def _recalled(recall: Recall) -> str:
    """Why it must not be installed, and what instead."""
    text = _("recalled on {day} ({urgency}): {reason}").format(
        day=recall.date.isoformat(), urgency=recall.urgency_phrase, reason=recall.reason_phrase
    )
    if recall.replacement:
        text += " " + _("Install {release} instead.").format(release=recall.replacement)
    return " ".join(text.split())


def _release(item: VerifiedRelease, checked: tuple[str, ...], damaged: tuple[str, ...], recall: Recall | None) -> Line:
    release = item.release
    targets = {file.target for file in release.files}
    size = size_text(release.size_bytes)
    if recall is not None:
        mark, state = Mark.STOPPED, _recalled(recall)
    elif targets & set(damaged):
        mark, state = Mark.STOPPED, _("damaged on this stick")
    elif targets <= set(checked):
        mark, state = Mark.OK, _("every byte checked")
    else:
        mark, state = Mark.WAITING, _("not read yet")
    models = ", ".join(
        f"{p.vendor} {p.model}" + (" " + "/".join(p.hw_revisions) if p.hw_revisions else "") for p in release.provides
    )
    news = " ".join((release.text.get(language()) or release.text.get("en") or "").split())
    facts = _("for {models}; {size}; signed by {publisher}").format(
        models=models, size=size, publisher=item.trust.publisher
    )
    details = (facts, news) if news else (facts,)
    return Line(mark, named(f"{release.id} {release.version}", state), details)
