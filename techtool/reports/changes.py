"""How a terminal was before the work and is after it, and what it says of its takings and its protection."""

from __future__ import annotations

from collections.abc import Iterator

from techtool.domain.functional import STANDARD_QUESTION
from techtool.domain.terminal import BatchState, Evidence, InstalledPackage, TamperState, TerminalState
from techtool.domain.visit import LaneRecord
from techtool.i18n import N_, phrase
from techtool.reports.parts import Cell, Fact, Facts, Table, Tone
from techtool.reports.words import BATCH_LABEL, EVIDENCE_LABEL, TAMPER_LABEL, Words

_MISSING = Cell("–")


def evidence_cell(evidence: Evidence, t: Words, note: str = "") -> Cell:
    """How something is known; what is simulated stands out."""
    tone = Tone.WARN if evidence is Evidence.SIMULATED else Tone.PLAIN
    return Cell(t(EVIDENCE_LABEL[evidence]), note, tone)


def package_version(package: InstalledPackage) -> str:
    """The version for people and the one that counts."""
    return package.shown


def changes(lane: LaneRecord, t: Words) -> Table:
    """Pairs: firmware, packages that releases name, any other package that changed, battery, storage."""
    columns = (t(N_("What")), t(N_("Before")), t(N_("After")), t(N_("Change")))
    rows = tuple(_change_rows(lane, t)) if lane.before or lane.after else ()
    empty = t(N_("Nothing was read from the terminal."))
    return Table(t(N_("Before and after")), columns, rows, empty, kind="changes")


def _change_rows(lane: LaneRecord, t: Words) -> Iterator[tuple[Cell, ...]]:
    before, after = lane.before, lane.after
    pairs = (
        (t(N_("Firmware")), _firmware(before), _firmware(after)),
        (t(N_("System")), _system(before), _system(after)),
        (t(N_("Boot loader")), _bootloader(before), _bootloader(after)),
    )
    for label, old, new in pairs:
        if old or new:
            yield _change(Cell(label), old, new, lane, t)
    planned = _named_by_releases(lane)
    for package_id in [*planned, *_others_changed(lane, planned)]:
        note = t(N_("package, named by a release")) if package_id in planned else t(N_("package, not part of the plan"))
        old, new = _version(before, package_id), _version(after, package_id)
        yield _change(Cell(package_id, note, mono=True), old, new, lane, t)
    yield Cell(t(N_("Battery"))), Cell(_battery(before, t)), Cell(_battery(after, t)), _MISSING
    yield Cell(t(N_("Free storage"))), Cell(_storage(before, t)), Cell(_storage(after, t)), _MISSING


def _change(label: Cell, old: str, new: str, lane: LaneRecord, t: Words) -> tuple[Cell, ...]:
    if lane.after is None or lane.before is None:
        mark = Cell(t(N_("not read")), tone=Tone.WARN)
    elif old == new:
        mark = Cell(t(N_("unchanged")))
    elif not old:
        mark = Cell(t(N_("new")), tone=Tone.GOOD)
    elif not new:
        mark = Cell(t(N_("gone")), tone=Tone.BAD)
    else:
        mark = Cell(t(N_("changed")), tone=Tone.GOOD)
    return label, Cell(old or "–"), Cell(new or "–"), mark


def _firmware(state: TerminalState | None) -> str:
    return state.identity.firmware if state else ""


def _system(state: TerminalState | None) -> str:
    return state.identity.os_version if state else ""


def _bootloader(state: TerminalState | None) -> str:
    return (state.bootloader or "") if state else ""


def _version(state: TerminalState | None, package_id: str) -> str:
    package = state.package(package_id) if state else None
    return package_version(package) if package else ""


def _named_by_releases(lane: LaneRecord) -> list[str]:
    planned = [p.id for r in lane.plan.releases for p in r.packages] if lane.plan else []
    return list(dict.fromkeys([*planned, *(f.package.id for f in lane.installed)]))


def _others_changed(lane: LaneRecord, planned: list[str]) -> list[str]:
    if lane.before is None or lane.after is None:
        return []
    old = {p.id: p for p in lane.before.packages}
    new = {p.id: p for p in lane.after.packages}
    return sorted(
        i for i in old.keys() | new.keys() if i not in planned and _version(lane.before, i) != _version(lane.after, i)
    )


def _battery(state: TerminalState | None, t: Words) -> str:
    if state is None or state.battery is None:
        return "–"
    power = t(N_("on external power")) if state.battery.external_power else t(N_("on battery"))
    return f"{state.battery.percent} %, {power}"


def _storage(state: TerminalState | None, t: Words) -> str:
    return t.size(state.free_storage_bytes) if state and state.free_storage_bytes is not None else "–"


def condition(lane: LaneRecord, t: Words) -> Facts:
    """Batch, tamper protection, TID and MID, region, clock: each with how it is known."""
    title = t(N_("Settlement and protection"))
    states = [s for s in (lane.before, lane.after) if s is not None]
    if not states:
        return Facts(title, ())
    batch = _known(states, "batch", [t(BATCH_LABEL[s.batch]) if s.batch else "" for s in states], t)
    if any(s.batch is BatchState.OPEN for s in states):
        batch = Cell(batch.text, batch.note, Tone.BAD)
    tamper = _known(states, "tamper", [t(TAMPER_LABEL[s.tamper]) if s.tamper else "" for s in states], t)
    if any(s.tamper is TamperState.TAMPERED for s in states):
        tamper = Cell(tamper.text, tamper.note, Tone.BAD)
    items = [
        t.fact(N_("Batch"), batch),
        *_waiting(states, t),
        *_settled_by(lane, t),
        t.fact(N_("Tamper protection"), tamper),
        t.fact(N_("Terminal no. (TID)"), _known(states, "tid", [s.tid or "" for s in states], t)),
        t.fact(N_("Merchant no. (MID)"), _known(states, "mid", [s.mid or "" for s in states], t)),
        t.fact(N_("Region"), _known(states, "region", [s.region or "" for s in states], t)),
        t.fact(N_("Card standard"), _standard(lane, states, t)),
    ]
    return Facts(title, (*items, *_clock(states[-1], t)))


def _standard(lane: LaneRecord, states: list[TerminalState], t: Words) -> Cell:
    """As the terminal says it, before and after; else as a person read it from the terminal."""
    asked = [answer for answer in lane.answers if answer.question_id == STANDARD_QUESTION and answer.answer]
    if asked and not any(state.card_standard for state in states):
        return Cell(t.clip(asked[-1].answer), t(EVIDENCE_LABEL[Evidence.ASKED]))
    return _known(states, "card_standard", [s.card_standard or "" for s in states], t)


def _waiting(states: list[TerminalState], t: Words) -> Iterator[Fact]:
    """Sales and cancellations that the host has not heard of; left out where the terminal does not count them."""
    for label, counts in (
        (N_("Offline sales waiting"), [s.offline_sales for s in states]),
        (N_("Reversals waiting"), [s.reversals for s in states]),
    ):
        known = [str(count) for count in counts if count is not None]
        if known:
            yield t.fact(label, " → ".join(dict.fromkeys(known)))


def _settled_by(lane: LaneRecord, t: Words) -> Iterator[Fact]:
    """By what a settlement that a person saw can be proven later."""
    for answer in lane.answers:
        if answer.question_id == "check.batch.evidence" and answer.answer:
            yield t.fact(N_("Settlement shown by"), answer.answer, t.moment(answer.at))
    slip = lane.settlement
    if slip is None:
        return
    figures = Cell(t.recorded(slip.text))
    if slip.count is not None:
        said = phrase("{count} sales, {total} in all", count=slip.count, total=slip.total)
        figures = Cell(t.say(said), t.clip(slip.text))
    yield t.fact(N_("Settlement slip, count and sum"), figures)
    if slip.batch_no:
        yield t.fact(N_("Settlement slip, batch no."), slip.batch_no)


def _clock(state: TerminalState, t: Words) -> tuple[Fact, ...]:
    if state.clock_offset_s is None:
        return ()
    ahead = phrase("{s} s against this laptop", s=f"{state.clock_offset_s:+.0f}").text(t.language)
    return (t.fact(N_("Terminal's clock"), ahead),)


def _known(states: list[TerminalState], name: str, values: list[str], t: Words) -> Cell:
    shown = list(dict.fromkeys(v for v in values if v))
    kinds = dict.fromkeys(s.evidence[name] for s in states if name in s.evidence)
    note = ", ".join(t(EVIDENCE_LABEL[kind]) for kind in kinds)
    return Cell(" → ".join(shown) or t(N_("not told by the terminal")), note)
