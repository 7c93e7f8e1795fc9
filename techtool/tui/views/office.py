"""What the office's screen says; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from techtool.clock import said
from techtool.domain.typed import told_fits
from techtool.errors import UsageError
from techtool.i18n import _
from techtool.tui.views.lines import Line, Mark

if TYPE_CHECKING:
    from techtool.office.sync import Step, Synced
    from techtool.tui.office_doors import EnrolmentOffer, OfficeState

_MOST_SHOWN: Final = 8


def state_lines(state: OfficeState) -> tuple[Line, ...]:
    """How many visits wait, where they go, when they last went."""
    if state.waiting:
        text = _("{waiting} of {sealed} closed visits have not gone home")
        lines = [Line(Mark.NEEDS, text.format(waiting=state.waiting, sealed=state.sealed))]
    elif state.sealed:
        lines = [Line(Mark.OK, _("All {sealed} closed visits have gone home").format(sealed=state.sealed))]
    else:
        lines = [Line(Mark.NOTE, _("No visit is closed yet"))]
    if state.partly:
        text = _("{count} visits went without all of their photos: take them home on a stick.")
        lines.append(Line(Mark.NEEDS, text.format(count=state.partly)))
    if state.url:
        last = _("never yet") if state.last is None else said(state.last)
        lines.append(Line(Mark.NOTE, _("To {url}; last time: {last}").format(url=state.url, last=last)))
    else:
        lines.append(Line(Mark.NOTE, _("Where the office's server is, is not known here: use a stick, or enrol")))
    if state.stick is not None:
        lines.append(Line(Mark.NOTE, _("Last handed over on a stick: {last}").format(last=said(state.stick))))
    return tuple(lines)


def enrolled_lines(state: OfficeState) -> tuple[Line, ...]:
    """By whom, and what goes back to them."""
    if state.enrolled is None:
        lines = [Line(Mark.NOTE, _("This laptop is not enrolled yet"))]
    else:
        text = _("Enrolled by {office}, {when}")
        when = state.enrolled.at[:10]
        lines = [Line(Mark.OK, text.format(office=state.enrolled.office, when=when))]
    if state.key_line:
        lines.append(Line(Mark.NOTE, _("For the office's list of signers:"), (state.key_line,)))
    return tuple(lines)


def step_text(step: Step) -> str:
    """How far it is."""
    return _("{number} of {of}: {visit}").format(number=step.number, of=step.of, visit=step.visit)


def result_lines(result: Synced) -> tuple[Line, ...]:
    """What became of each visit; the bad news first."""
    lines = [
        Line(Mark.STOPPED, _("{visit}: the office holds something else under this name; tell it").format(visit=o.visit))
        for o in result.conflicts
    ]
    lines += [Line(Mark.STOPPED, f"{t.visit}: {t.error.what_phrase.text()}") for t in result.troubles]
    lines += [Line(Mark.WARNING, f"{one.visit}: {note.text()}") for one in result.brought for note in one.notes]
    if result.refreshed.error is not None:
        lines.append(Line(Mark.WARNING, result.refreshed.error.what_phrase.text()))
    more = len(lines) - _MOST_SHOWN
    if more > 0:
        lines = [*lines[:_MOST_SHOWN], Line(Mark.WARNING, _("… and {count} more").format(count=more))]
    new = sum(1 for one in result.home if one.new)
    if new:
        lines.append(Line(Mark.OK, _("{count} visits: {place}").format(count=new, place=result.to)))
    elif not lines:
        lines.append(Line(Mark.OK, _("Everything was there already: {place}").format(place=result.to)))
    if result.refreshed.news:
        text = _("The office's newest metadata is kept; sticks are judged by it from now on.")
        lines.append(Line(Mark.OK, text))
    return tuple(lines)


def offer_lines(offer: EnrolmentOffer) -> tuple[Line, ...]:
    """What taking it over would mean."""
    return tuple(Line(Mark.NOTE, change.text()) for change in offer.changes)


def check_typed(offer: EnrolmentOffer, typed: str) -> None:
    """Raise :class:`UsageError` unless what the office told ends the fingerprint."""
    if not told_fits(typed, offer.signed.fingerprint):
        raise UsageError(problem=_("This is not what the office told you. Nothing was changed; ask the office."))
