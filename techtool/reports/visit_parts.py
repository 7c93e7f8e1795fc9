"""The parts of a report about the visit as a whole: people, place and time, order, evidence, and how it was closed.

Where a reader would look for a fact and must not be left to guess (who was there, who was shown an identity card, where
it was), a missing one is said to be missing. What is only of use where it is known (a contact, trading hours, a
position) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from techtool.domain.conclusion import CameTo
from techtool.domain.evidence import EvidenceFile
from techtool.domain.sign_off import SignOff, SignOffWay
from techtool.domain.visit import VisitRecord
from techtool.domain.work_order import Arrival, ExpectedTerminal
from techtool.i18n import N_, phrase
from techtool.reports.labels import EVIDENCE_KIND_LABEL, METHOD_LABEL, TYPE_LABEL, WAY_LABEL
from techtool.reports.parts import Cell, Fact, Facts, Table, Tone
from techtool.reports.words import KIND_LABEL, Words


def visit_type(visit: VisitRecord, t: Words) -> str:
    """In the words of the trade, with what techtool did where that says more."""
    named, done = t(TYPE_LABEL[visit.type]), t(KIND_LABEL[visit.kind])
    return named if named == done else f"{named} ({done})"


def people(visit: VisitRecord, t: Words) -> Facts:
    """Who came, who met them, who was shown what; then every question about the visit and its answer."""
    arrival = visit.arrival
    site = visit.order.site if visit.order else None
    facts = [
        t.fact(N_("Technician"), t.recorded(visit.technician)),
        t.fact(N_("Staff no."), t.recorded(visit.staff_no)),
        t.fact(N_("Identity and order shown"), identity_shown(arrival, t)),
        t.fact(N_("Checked by"), t.recorded(arrival.identity_checked_by if arrival else "")),
        t.fact(N_("How checked"), t.recorded(_method(arrival.identity_check_method if arrival else "", t))),
    ]
    facts += _if_known(N_("Second person"), arrival.second_person if arrival else "", t)
    if site:
        facts += _if_known(N_("Merchant contact"), site.merchant_contact, t)
        facts += _if_known(N_("Telephone"), site.merchant_phone, t)
    asked = (Fact(t.say(a.text), Cell(t.answer(a.answer), t.moment(a.at))) for a in visit.answers)
    return Facts(t(N_("People")), (*facts, *asked))


def identity_shown(arrival: Arrival | None, t: Words) -> Cell:
    """Three answers: shown, not shown, nobody was asked."""
    shown = arrival.identity_shown if arrival else None
    if shown is None:
        return Cell(t.recorded(""))
    return Cell(t(N_("yes")), tone=Tone.GOOD) if shown else Cell(t(N_("no")), tone=Tone.WARN)


def _method(method: str, t: Words) -> str:
    return t(METHOD_LABEL[method]) if method in METHOD_LABEL else method


def place(visit: VisitRecord, t: Words) -> Facts:
    """Where it was, and when somebody was there."""
    site = visit.order.site if visit.order else None
    arrival = visit.arrival
    facts = [
        t.fact(N_("Merchant"), t.recorded(visit.merchant or (site.merchant_name if site else ""))),
        t.fact(N_("Merchant no. (MID)"), t.recorded((site.mid if site else "") or _mids(visit))),
        t.fact(N_("Site address"), t.recorded(site.site_address if site else "")),
        t.fact(N_("Place is the one of the order"), t.recorded(_method(arrival.address_match if arrival else "", t))),
        t.fact(N_("Arrived"), t.moment(arrival.arrived_at) if arrival else t.recorded("")),
        t.fact(N_("Started"), t.moment(visit.started_at), t.zone(visit.started_at)),
        t.fact(N_("Finished"), t.moment(visit.finished_at), _on_site(visit, t)),
    ]
    if site:
        facts += _if_known(N_("Site"), site.site_id, t)
        facts += _if_known(N_("Merchant category"), site.mcc, t)
        facts += _if_known(N_("Credit code"), site.credit_code, t)
        facts += _if_known(N_("Trading hours"), site.trading_hours, t)
    position = (arrival.geo if arrival else "") or (site.geo if site else "")
    if position:
        source = arrival.geo_source if arrival and arrival.geo else t(N_("from the order"))
        facts.append(t.fact(N_("Position"), position, source))
    return Facts(t(N_("Place and time")), tuple(facts))


def _mids(visit: VisitRecord) -> str:
    return ", ".join(dict.fromkeys(s.mid for lane in visit.lanes if (s := lane.after or lane.before) and s.mid))


def _on_site(visit: VisitRecord, t: Words) -> str:
    if visit.finished_at is None:
        return ""
    begun = visit.arrival.arrived_at if visit.arrival else visit.started_at
    return t.duration((visit.finished_at - begun).total_seconds())


def _if_known(label: str, value: str, t: Words) -> list[Fact]:
    return [t.fact(label, value)] if value else []


def order(visit: VisitRecord, t: Words) -> Facts:
    """The order as it was read; it proves nothing, so its file is named by its digest."""
    title, given = t(N_("Work order")), visit.order
    if given is None:
        return Facts(title, (), "")
    facts = [
        t.fact(N_("Work order"), t.recorded(given.number)),
        t.fact(N_("Ordered by"), t.recorded(given.source)),
        t.fact(N_("Acquirer"), t.recorded(given.acquirer)),
        t.fact(N_("Service company"), t.recorded(given.service_company)),
    ]
    facts += _if_known(N_("Releases ordered"), ", ".join(given.releases), t)
    facts += _if_known(N_("To be installed by"), given.install_by.isoformat() if given.install_by else "", t)
    facts += _if_known(N_("Note of the order"), given.note, t)
    if given.file:
        facts.append(t.fact(N_("File"), Cell(given.file, given.sha256, mono=True)))
    return Facts(title, tuple(facts))


def expected(visit: VisitRecord, came_to: CameTo, t: Words) -> Table:
    """Terminals of the order, each with whether it was reached."""
    columns = (t(N_("Terminal of the order")), t(N_("Terminal no. (TID)")), t(N_("Counter")), t(N_("Reached")))
    given = visit.order
    rows = tuple(_expected(place, one, visit, came_to, t) for place, one in enumerate(given.terminals if given else ()))
    return Table(t(N_("Terminals of the order")), columns, rows, "", kind="expected")


def _expected(
    place: int, terminal: ExpectedTerminal, visit: VisitRecord, came_to: CameTo, t: Words
) -> tuple[Cell, ...]:
    name = " ".join(filter(None, (terminal.vendor, terminal.model))) or t(N_("Terminal"))
    reached = came_to.reached_as[place]
    if reached is not None:
        mark = Cell(phrase("as terminal {lane}", lane=visit.lanes[reached].lane).text(t.language), tone=Tone.GOOD)
    elif place in came_to.missing:
        mark = Cell(t(N_("not reached")), tone=Tone.WARN)
    else:
        mark = Cell(t(N_("cannot be told: the order names no serial number")))
    note = " · ".join(filter(None, (terminal.serial, terminal.asset_no)))
    return Cell(name, note), Cell(terminal.tid or "–"), Cell(terminal.counter or "–"), mark


def named(terminal: ExpectedTerminal, t: Words) -> str:
    """By what the order names it best."""
    model = " ".join(filter(None, (terminal.vendor, terminal.model)))
    return terminal.serial or terminal.tid or model or terminal.counter or t(N_("Terminal"))


def evidence(title: str, files: Sequence[EvidenceFile], t: Words) -> Table:
    """Files by their digests; the pictures themselves stay in the visit's folder."""
    columns = (t(N_("File")), t(N_("Taken")), t(N_("SHA-256 and what it belongs to")))
    return Table(title, columns, tuple(_file(f, t) for f in files), "", kind="evidence")


def _file(file: EvidenceFile, t: Words) -> tuple[Cell, ...]:
    name = Cell(
        t(EVIDENCE_KIND_LABEL[file.kind]), " · ".join(filter(None, (t.clip(file.name), t.size(file.size_bytes))))
    )
    source = ", ".join(filter(None, (file.camera, file.geo)))
    taken = Cell(t.clip(file.taken_at) or t.moment(file.modified_at or file.at), t.clip(source))
    masked = t(N_("card, terminal and merchant numbers in it were masked")) if file.masked else ""
    about = " · ".join(filter(None, (file.about, t.clip(file.note), masked)))
    return name, taken, Cell(file.sha256, about, mono=True)


def sign_off_facts(sign_off: SignOff | None, t: Words) -> Iterator[Fact]:
    """How it was signed off, as what it was: typed, on paper, refused, or not at all."""
    if sign_off is None:
        yield t.fact(N_("Signed off"), Cell(t.recorded(""), tone=Tone.WARN))
        return
    tone = Tone.WARN if sign_off.way is SignOffWay.REFUSED else Tone.PLAIN
    yield t.fact(N_("Signed off"), Cell(t(WAY_LABEL[sign_off.way]), t.moment(sign_off.at), tone))
    if sign_off.way is SignOffWay.REFUSED:
        yield t.fact(N_("Why nobody signed"), t.recorded(sign_off.reason))
    else:
        yield t.fact(N_("Name"), t.recorded(sign_off.name))
        yield t.fact(N_("Role"), t.recorded(sign_off.role))
    if sign_off.way is SignOffWay.TYPED:
        yield t.fact(N_("Confirmation code"), _code(sign_off, t))
    if sign_off.way is SignOffWay.PAPER:
        photo = Cell(sign_off.photo, mono=True) if sign_off.photo else Cell(t(N_("no photo")))
        yield t.fact(N_("Photo of the signed paper"), photo)
    for label, text in (
        (N_("Findings, parts and material"), sign_off.findings),
        (N_("Recommendations"), sign_off.recommendations),
        (N_("Follow-up"), sign_off.followup),
        (N_("Training given"), sign_off.training),
        (N_("Merchant's rating (1 to 5)"), sign_off.rating),
    ):
        if text:
            yield t.fact(label, text)


def _code(sign_off: SignOff, t: Words) -> Cell:
    if not sign_off.code:
        return Cell(t(N_("not typed")), t(N_("the name alone was given")), Tone.WARN)
    if not sign_off.code_typed:
        return Cell(sign_off.code, t(N_("not typed by a person: an answers file asked for it")), Tone.WARN)
    return Cell(sign_off.code, t(N_("typed as the screen showed it; it is derived from the record")), mono=True)
