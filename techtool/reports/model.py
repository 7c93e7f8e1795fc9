"""From a visit's record to a report in one language: what every writer (HTML, PDF, paper) draws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, tzinfo

from techtool.domain.conclusion import came_to
from techtool.domain.question import CheckResult
from techtool.domain.release import TrustFacts
from techtool.domain.visit import VisitRecord
from techtool.i18n import N_, phrase
from techtool.reports.closing_part import close
from techtool.reports.facts import Totals, VisitState, simulated, state_of, totals
from techtool.reports.parts import Cell, Fact, Facts, Notice, Report, Table, Tone
from techtool.reports.redaction import redacted
from techtool.reports.salvage import salvage_notices
from techtool.reports.statement import statement
from techtool.reports.terminal import lane_name, lane_outcome, terminal_report
from techtool.reports.visit_parts import evidence, expected, order, people, place, visit_type
from techtool.reports.words import CHECK_LABEL, VISIT_STATE_LABEL, Words, grouped


def build(visit: VisitRecord, language: str, zone: tzinfo = UTC) -> Report:
    """The report of ``visit`` in ``language``, times in ``zone``; finished, unfinished and abandoned visits alike."""
    digest = hashlib.sha256(statement(visit)).hexdigest()
    whole = came_to(visit)
    visit = redacted(visit)
    t = Words(language, zone)
    sums = totals(visit)
    return Report(
        language=language,
        visit_id=visit.id,
        digest=digest,
        title=t(N_("Visit report")),
        subtitle=t.clip(visit.merchant) or t(N_("Merchant not recorded")),
        outcome=_outcome(visit, t),
        notices=tuple(_notices(visit, t)),
        head=_head(visit, digest, t),
        people=people(visit, t),
        place=place(visit, t),
        order=order(visit, t),
        expected=expected(visit, whole, t),
        trust=_trust(visit, t),
        summary=_summary(visit, t),
        terminals=tuple(terminal_report(lane, visit.started_at, t) for lane in visit.lanes),
        totals=_totals(sums, t),
        evidence=evidence(t(N_("Photos and files of the visit")), visit.evidence, t),
        close=close(visit, whole, t),
        signatures=(t(N_("Technician, date")), t(N_("Merchant, name and date"))),
        notes_title=t(N_("How to read and check this report")),
        notes=tuple(_notes(visit, t)),
        footer=phrase("techtool {version} · visit {visit}", version=visit.tool_version, visit=visit.id).text(language),
    )


def _outcome(visit: VisitRecord, t: Words) -> Cell:
    state = state_of(visit)
    return t.outcome(visit.outcome) if visit.outcome and state is VisitState.FINISHED else t.visit_state(state)


def _notices(visit: VisitRecord, t: Words) -> Iterator[Notice]:
    if simulated(visit):
        yield Notice(
            t(N_("Simulated")),
            Tone.WARN,
            (t(N_("Facts in this report come from a simulated terminal; they prove nothing about real hardware.")),),
        )
    state = state_of(visit)
    if state is VisitState.UNFINISHED:
        line = t(N_("This visit is not finished; it can be resumed. What is below is what was recorded so far."))
        yield Notice(t(N_("Not finished")), Tone.WARN, (line,))
    elif state is VisitState.ABANDONED:
        line = t(N_("This visit was given up before its end. What is below is what was recorded until then."))
        yield Notice(t(N_("Abandoned")), Tone.BAD, (line,))
    yield from salvage_notices(visit, t)
    broken = [lane for lane in visit.lanes if (lane.unfinished_step or lane.gap) and lane.outcome is None]
    if broken:
        line = t(N_("A step has no recorded end; the terminal must be read again before it is used."))
        yield Notice(t(N_("State unknown")), Tone.BAD, (line, *(lane_name(lane) for lane in broken)))


def _head(visit: VisitRecord, digest: str, t: Words) -> Facts:
    return Facts(
        t(N_("Visit")),
        (
            t.fact(N_("Report no."), Cell(visit.id, mono=True)),
            t.fact(N_("Visit type"), visit_type(visit, t)),
            t.fact(N_("Work order"), t.recorded(visit.work_order)),
            t.fact(N_("State of the record"), _record_state(visit, t)),
            t.fact(N_("Tool version"), f"techtool {visit.tool_version}"),
            t.fact(N_("Stick"), visit.stick),
            t.fact(N_("Head of the journal"), Cell(visit.head or "–", mono=True)),
            t.fact(N_("SHA-256 of the JSON report"), Cell(digest, mono=True)),
        ),
    )


def _record_state(visit: VisitRecord, t: Words) -> str:
    state = t(VISIT_STATE_LABEL[state_of(visit)])
    seal = t(N_("sealed")) if visit.sealed else t(N_("not sealed"))
    salvaged = (t(N_("salvaged")),) if visit.salvaged else ()
    return ", ".join([state, seal, *salvaged])


def _trust(visit: VisitRecord, t: Words) -> tuple[Facts, ...]:
    found: dict[TrustFacts, list[str]] = {}
    for lane in visit.lanes:
        if lane.trust:
            found.setdefault(lane.trust, []).append(lane.lane)
    title = t(N_("Trust"))
    if not found:
        return (Facts(title, (t.fact(N_("Stick"), t(N_("No verified release was used."))), *_clock_note(visit, t))),)
    parts = []
    for trust, lanes in found.items():
        which = phrase("for terminal {lanes}", lanes=", ".join(lanes)).text(t.language) if len(found) > 1 else ""
        parts.append(Facts(f"{title} ({which})" if which else title, (*_trust_facts(trust, t), *_clock_note(visit, t))))
    return tuple(parts)


def _trust_facts(trust: TrustFacts, t: Words) -> tuple[Fact, ...]:
    facts = [
        t.fact(N_("Publisher"), trust.publisher),
        t.fact(N_("Trusted root"), Cell(grouped(trust.root_sha256), _version(trust, t), mono=True)),
        t.fact(N_("Metadata issued"), t.moment(trust.metadata_issued)),
        t.fact(N_("Use by"), _use_by(trust, t)),
        t.fact(N_("Signed by keys"), Cell("\n".join(trust.keys) or "–", mono=True)),
    ]
    if trust.reference_time != trust.system_time:
        facts += [
            t.fact(N_("Laptop's clock"), t.moment(trust.system_time)),
            t.fact(
                N_("Time used to judge expiry"),
                Cell(t.moment(trust.reference_time), t(N_("newest time known for certain")), Tone.WARN),
            ),
        ]
    return tuple(facts)


def _version(trust: TrustFacts, t: Words) -> str:
    return phrase("version {n}", n=trust.root_version).text(t.language)


def _use_by(trust: TrustFacts, t: Words) -> Cell:
    until = t.moment(trust.use_by)
    return Cell(until, t(N_("past")), Tone.BAD) if trust.reference_time > trust.use_by else Cell(until)


def _clock_note(visit: VisitRecord, t: Words) -> tuple[Fact, ...]:
    """Clocks that differed: the record's own words, e.g. ``laptop`` and ``reference``."""
    if not visit.clock_note:
        return ()
    lines = "\n".join(f"{key}: {value}" for key, value in sorted(visit.clock_note.items()))
    return (t.fact(N_("Clocks differ"), Cell(lines, tone=Tone.WARN)),)


def _summary(visit: VisitRecord, t: Words) -> Table:
    columns = (t(N_("No.")), t(N_("Terminal")), t(N_("Outcome")), t(N_("Installed")))
    rows = tuple(
        (
            Cell(lane.lane),
            Cell(lane_name(lane), lane.address if lane.address != lane_name(lane) else ""),
            lane_outcome(lane, t),
            Cell("\n".join(f"{f.package.id} {f.package.version}" for f in lane.installed) or "–"),
        )
        for lane in visit.lanes
    )
    return Table(t(N_("Terminals")), columns, rows, t(N_("No terminal was reached.")), kind="summary")


def _totals(sums: Totals, t: Words) -> Facts:
    checks = ", ".join(f"{t(CHECK_LABEL[CheckResult(word)])} {n}" for word, n in sums.checks.items())
    read_back = phrase("{read_back} of {n}", read_back=sums.read_back, n=sums.installed).text(t.language)
    return Facts(
        t(N_("Totals")),
        (
            t.fact(N_("Terminals"), str(sums.terminals)),
            t.fact(N_("Steps recorded"), str(sums.steps)),
            t.fact(N_("Confirmed by terminals"), t.size(sums.bytes_confirmed)),
            t.fact(N_("Installed files read back identical"), read_back),
            t.fact(N_("Backups verified"), str(sums.backups)),
            t.fact(N_("Tests"), checks),
        ),
    )


def _notes(visit: VisitRecord, t: Words) -> Iterator[str]:
    yield phrase(
        "This page is drawn from {file}, the record that is signed. Its SHA-256 stands above; "
        "where the signature file lies beside it, this command checks it: {command}",
        file=f"{visit.id}.json",
        command=f"ssh-keygen -Y verify -f allowed_signers -I NAME -n techtool-report -s {visit.id}.json.sig "
        f"< {visit.id}.json",
    ).text(t.language)
    yield t(
        N_(
            "How a fact is known is said beside it: documented by the maker, recorded from an owner's hardware, "
            "read from the terminal's screen by the technician, or simulated. Where nothing is said, the terminal "
            "itself told it in the standard way."
        )
    )
    yield t(
        N_("Card numbers are removed from every text; merchant and terminal numbers show their last four characters.")
    )
    yield phrase("All times are {zone}, by this laptop's clock.", zone=t.zone(visit.started_at)).text(t.language)
    yield t(N_("catm codes are the action and result words of ISO 20022 terminal management."))
    if simulated(visit):
        yield t(N_("What is marked simulated was made up by a program for training and tests."))
