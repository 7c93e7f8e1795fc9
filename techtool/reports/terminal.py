"""The part of a report that tells one terminal: who it is, what was decided and why, what was done, how it is now."""

from __future__ import annotations

from datetime import datetime

from techtool.domain.config_file import RestoredConfig
from techtool.domain.outcome import Outcome
from techtool.domain.plan import ReleaseFinding, ReleaseVerdict
from techtool.domain.restore import RestoredPackage
from techtool.domain.rollback import rollback_lines
from techtool.domain.rules import Force, Verdict
from techtool.domain.terminal import UNVERIFIED, TerminalState
from techtool.domain.visit import ErrorRecord, InstalledFile, LaneRecord, StepRecord, StepState
from techtool.i18n import N_, phrase
from techtool.reports.changes import changes, condition, evidence_cell, package_version
from techtool.reports.facts import VisitState, downtime_s, outcome_word, recovery_s
from techtool.reports.parts import Cell, Fact, Facts, Problem, ReleaseFindings, Table, TerminalReport, Tone
from techtool.reports.terminal_evidence import binding, factors, incidents, inspection, issues, risk, tests, times
from techtool.reports.visit_parts import evidence
from techtool.reports.words import STEP_LABEL, Words


def terminal_report(lane: LaneRecord, started_at: datetime, t: Words) -> TerminalReport:
    """One terminal's part; ``started_at`` of the visit decides which times need a date."""
    plan = lane.plan
    return TerminalReport(
        lane=lane.lane,
        title=_title(lane, t),
        outcome=lane_outcome(lane, t),
        problem=_problem(lane.error, t) if lane.error else None,
        identity=_identity(lane, t),
        changes=changes(lane, t),
        condition=condition(lane, t),
        binding=binding(lane, t),
        risk=risk(lane, t),
        factors=factors(lane, t),
        times=times(lane, t),
        inspection=inspection(lane, started_at, t),
        issues=issues(lane, t),
        incidents=incidents(lane, t),
        evidence=evidence(t(N_("Photos and files")), lane.evidence, t),
        plan=_plan(lane, t),
        findings_title=t(N_("Releases on the stick and every rule")),
        findings=tuple(_finding(f, t) for f in plan.findings) if plan else (),
        findings_empty=t(N_("No release was judged for this terminal.")),
        planned=_planned(lane, t),
        steps=_steps(lane, started_at, t),
        backup=_backup(lane, t),
        installed=_installed(lane, t),
        checks=tests(lane, started_at, t),
        answers=_answers(lane, started_at, t),
    )


def lane_outcome(lane: LaneRecord, t: Words) -> Cell:
    """The terminal's outcome, or that there is none yet."""
    word = outcome_word(lane)
    return t.visit_state(VisitState.UNFINISHED) if word == VisitState.UNFINISHED else t.outcome(Outcome(word))


def lane_name(lane: LaneRecord) -> str:
    """Maker, model and serial number, as far as they are known."""
    state = lane.before or lane.after
    model = state.identity.title if state else lane.address
    return f"{model} · {lane.serial}" if lane.serial else model


def _title(lane: LaneRecord, t: Words) -> str:
    return phrase("Terminal {lane}: {name}", lane=lane.lane, name=lane_name(lane)).text(t.language)


def _problem(error: ErrorRecord, t: Words) -> Problem:
    return Problem(
        title=t(N_("What went wrong")),
        code=error.code,
        what=t.say(error.what),
        state_label=t(N_("State now")),
        state_now=t.say(error.state_now),
        actions_label=t(N_("What to do next")),
        next_actions=tuple(t.say(a) for a in error.next_actions),
        detail_label=t(N_("For the support desk")),
        detail=t.clip(error.detail),
    )


def _identity(lane: LaneRecord, t: Words) -> Facts:
    title = t(N_("Identity"))
    state = lane.before or lane.after
    address = t.fact(N_("Address"), Cell(lane.address, mono=True))
    if state is None:
        return Facts(title, (address, t.fact(N_("Serial number"), lane.serial or t(N_("not identified")))))
    who = state.identity
    source = t.say(phrase("read from {source}", source=who.serial_source))
    if state.typed:
        source = t(N_("typed by the technician, read from the label"))
    serial = Cell(who.serial, source, mono=True)
    if not who.serial_trusted:
        note = t(N_("a default number that many units share; it proves nothing"))
        serial = Cell(who.serial, f"{source}; {note}", Tone.WARN, mono=True)
    return Facts(
        title,
        (
            t.fact(N_("Maker"), who.vendor_name, _unless_same(who.vendor, who.vendor_name)),
            t.fact(N_("Model"), who.model_name, _unless_same(who.model, who.model_name)),
            t.fact(N_("Serial number"), serial),
            t.fact(N_("Hardware revision"), who.hw_revision or t(N_("not told by the terminal"))),
            t.fact(N_("System"), who.os_version, f"SDK {who.sdk}" if who.sdk is not None else ""),
            t.fact(N_("Processor interfaces"), ", ".join(who.abis)),
            address,
            t.fact(N_("Model known by"), evidence_cell(who.evidence, t, who.source)),
            *_self_reported(state, t),
            *([t.fact(N_("Tried on hardware"), Cell(t(UNVERIFIED), "", Tone.WARN))] if who.unverified else []),
        ),
    )


def _self_reported(state: TerminalState, t: Words) -> tuple[Fact, ...]:
    """Said where it is so, and left out where techtool read the terminal itself."""
    if not state.typed:
        return ()
    note = t(N_("The technician read serial number and versions from label and screen; techtool read nothing."))
    return (t.fact(N_("Level of proof"), Cell(t(N_("self-reported, not verified")), note, Tone.WARN)),)


def _unless_same(catalogue_id: str, name: str) -> str:
    return "" if catalogue_id.casefold() == name.casefold() else catalogue_id


# -- plan -------------------------------------------------------------------------------------------------------------


def _plan(lane: LaneRecord, t: Words) -> Facts:
    title = t(N_("Plan"))
    plan = lane.plan
    if plan is None:
        return Facts(title, (), t(N_("None was made.")))
    confirmed = t.moment(lane.confirmed_at) if lane.confirmed_at else t(N_("not confirmed by a person"))
    order = "  →  ".join(f"{r.id} {r.version}" for r in plan.releases) or t(N_("nothing to install"))
    return Facts(
        title,
        (
            t.fact(N_("Order of installation"), order),
            t.fact(N_("Confirmed"), confirmed),
            t.fact(N_("Time planned"), t.estimate(plan.total)),
            t.fact(N_("Terminal out of use, planned"), t.estimate(plan.downtime)),
            t.fact(N_("Terminal out of use, measured"), _measured(lane, t)),
            *_recovery(lane, t),
            t.fact(
                N_("What can be undone"), "\n".join(t.say(line) for line in (plan.undo, *rollback_lines(plan.rollback)))
            ),
            t.fact(N_("Digest of the plan"), Cell(plan.digest, mono=True)),
        ),
    )


def _measured(lane: LaneRecord, t: Words) -> str:
    seconds = downtime_s(lane)
    return t.duration(seconds) if seconds is not None else ""


def _recovery(lane: LaneRecord, t: Words) -> tuple[Fact, ...]:
    """How long it took until what ran before ran again; left out where nothing was put back."""
    seconds = recovery_s(lane)
    if seconds is not None:
        shown = phrase("{s} s, until it was read again", s=f"{seconds:.1f}")
        return (t.fact(N_("Putting back took, measured"), t.say(shown)),)
    if lane.undo_at is None:
        return ()
    return (t.fact(N_("Putting back took, measured"), Cell(t(N_("it did not come to a good end")), tone=Tone.BAD)),)


def _finding(finding: ReleaseFinding, t: Words) -> ReleaseFindings:
    columns = (t(N_("Result")), t(N_("Rule")), t(N_("Reason")))
    judged = finding.verdict in (ReleaseVerdict.INSTALL, ReleaseVerdict.BLOCKED)
    rows = tuple(_rule(rule, judged, t) for rule in finding.rules)
    rules = Table("", columns, rows, t(N_("No rule applied.")), kind="rules")
    return ReleaseFindings(
        Cell(f"{finding.release_id} {finding.version}", mono=True), t.verdict(finding.verdict), rules
    )


def _rule(rule: Verdict, judged: bool, t: Words) -> tuple[Cell, ...]:
    """One rule; where the release is not ``judged`` for this terminal, a rule not met is no cause for concern."""
    if rule.ok:
        mark = Cell(t(N_("met")), tone=Tone.GOOD)
    elif rule.force is Force.GATE:
        mark = Cell(t(N_("not met")), t(N_("gate: no override")), Tone.BAD if judged else Tone.PLAIN)
    else:
        mark = Cell(t(N_("not met")), t(N_("warning")), Tone.WARN if judged else Tone.PLAIN)
    return mark, Cell(rule.what, mono=True), Cell(t.say(rule.reason), t.say(rule.remedy))


def _planned(lane: LaneRecord, t: Words) -> Table:
    columns = (t(N_("Step")), t(N_("What it does")), t(N_("Time")), t(N_("Person needed")))
    rows = tuple(
        (Cell(t.say(s.title)), Cell(t.say(s.effect)), Cell(t.duration(s.estimate.p50_s)), Cell(t.yes_no(s.attended)))
        for s in (lane.plan.steps if lane.plan else ())
    )
    return Table(t(N_("Steps planned")), columns, rows, t(N_("None.")), kind="planned")


# -- what was done ----------------------------------------------------------------------------------------------------


def _steps(lane: LaneRecord, started_at: datetime, t: Words) -> Table:
    columns = (
        t(N_("No.")),
        t(N_("Step")),
        t(N_("Start")),
        t(N_("Took")),
        t(N_("State")),
        t(N_("Result")),
        t(N_("catm code")),
    )
    rows = tuple(_step(step, started_at, t) for step in lane.steps)
    return Table(t(N_("Steps done")), columns, rows, t(N_("No step was begun.")), kind="steps")


def _step(step: StepRecord, started_at: datetime, t: Words) -> tuple[Cell, ...]:
    took = t.duration((step.ended_at - step.started_at).total_seconds()) if step.ended_at else "–"
    if step.error:
        result = Cell(t.say(step.error.what), step.error.code)
    elif step.state is StepState.STARTED:
        result = Cell(t(N_("The state is unknown until the terminal is read again.")))
    else:
        sent = phrase("{size} confirmed", size=t.size(step.bytes_confirmed)).text(t.language)
        result = Cell(t.say(step.result), sent if step.bytes_confirmed else "")
    catm = " ".join(code.value for code in (step.action, step.action_result) if code)
    return (
        Cell(str(step.seq)),
        Cell(t(STEP_LABEL[step.step]), t.clip(step.item)),
        Cell(t.time(step.started_at, started_at)),
        Cell(took),
        t.step_state(step.state),
        result,
        Cell(catm, mono=True),
    )


def _backup(lane: LaneRecord, t: Words) -> Facts:
    title = t(N_("Backup"))
    backup = lane.backup
    if backup is None:
        return Facts(title, (), t(N_("None was made.")))
    verified = Cell(t(N_("yes, decrypted and hashed again from disk")), tone=Tone.GOOD)
    return Facts(
        title,
        (
            t.fact(N_("File"), Cell(backup.file, mono=True)),
            t.fact(N_("SHA-256 of the file"), Cell(backup.sha256, mono=True)),
            t.fact(N_("Size"), t.size(backup.size_bytes)),
            t.fact(N_("Items"), str(backup.items)),
            t.fact(N_("Verified"), verified if backup.verified else Cell(t(N_("no")), tone=Tone.BAD)),
            t.fact(N_("Made"), t.moment(backup.at)),
            t.fact(N_("Could not be read"), "\n".join(backup.not_read) or t(N_("nothing"))),
            t.fact(N_("Encrypted for"), Cell("\n".join(backup.recipients) or "–", mono=True)),
        ),
    )


def _installed(lane: LaneRecord, t: Words) -> Table:
    columns = (t(N_("Package")), t(N_("SHA-256 expected and found")), t(N_("Read back")))
    typed = lane.before is not None and lane.before.typed
    rows = (
        *(_file(file, t, typed=typed) for file in lane.installed),
        *(_config(config, t) for config in lane.restored_configs),
        *(_restored(package, t) for package in lane.restored),
    )
    return Table(t(N_("Installed files")), columns, rows, t(N_("Nothing was installed.")), kind="files")


def _file(file: InstalledFile, t: Words, *, typed: bool) -> tuple[Cell, ...]:
    if typed:
        found, mark = t(N_("typed from the terminal's screen")), Cell(t(N_("self-reported")), tone=Tone.WARN)
    elif not file.sha256_found:
        found, mark = t(N_("not readable on this terminal")), Cell(t(N_("not readable")), tone=Tone.WARN)
    elif file.sha256_found == file.sha256_expected:
        found, mark = file.sha256_found, Cell(t(N_("identical")), tone=Tone.GOOD)
    else:
        found, mark = file.sha256_found, Cell(t(N_("different")), tone=Tone.BAD)
    package = Cell(file.package.id, f"{package_version(file.package)} · {file.release_key}", mono=True)
    return (
        package,
        Cell(f"{file.sha256_expected}\n{found}", t(N_("above: expected; below: found on the terminal")), mono=True),
        mark,
    )


def _config(config: RestoredConfig, t: Words) -> tuple[Cell, ...]:
    """What was written into a configuration file, by the names of its keys; the numbers are the merchant's."""
    origin = phrase("from backup {backup} of {serial}", backup=config.backup, serial=config.backup_serial)
    keys = t.say(phrase("keys written: {keys}", keys=", ".join(config.changed) or "–"))
    note = ""
    if config.reenter:
        note = t.say(phrase("to be entered again by hand: {keys}", keys=", ".join(config.reenter)))
    return Cell(config.path, t.say(origin), mono=True), Cell(keys, note), Cell(t(N_("read back")), tone=Tone.GOOD)


def _restored(restored: RestoredPackage, t: Words) -> tuple[Cell, ...]:
    """What was put back: it stands on a backup of a terminal, not on a signed release."""
    package = restored.package
    origin = phrase("from backup {backup} of {serial}", backup=restored.backup, serial=restored.backup_serial)
    name = f"{package_version(package)} · {t.say(origin)}"
    if not restored.sha256_expected:
        gone = not restored.sha256_found
        mark = Cell(t(N_("removed")), tone=Tone.GOOD) if gone else Cell(t(N_("still there")), tone=Tone.BAD)
        return Cell(package.id, package_version(package), mono=True), Cell("–"), mark
    found = restored.sha256_found or t(N_("not readable on this terminal"))
    same = restored.sha256_found == restored.sha256_expected
    word = t(N_("identical")) if same else t(N_("not readable")) if not restored.sha256_found else t(N_("different"))
    tone = Tone.GOOD if same else Tone.BAD if restored.sha256_found else Tone.WARN
    data = t(N_("put back after an uninstallation: its data was lost")) if restored.data_lost else t(N_("data kept"))
    digests = Cell(
        f"{restored.sha256_expected}\n{found}", t(N_("above: in the backup; below: found on the terminal")), mono=True
    )
    return Cell(package.id, name, mono=True), digests, Cell(word, data, tone)


def _answers(lane: LaneRecord, started_at: datetime, t: Words) -> Table:
    columns = (t(N_("Question")), t(N_("Answer")), t(N_("Time")))
    rows = tuple(
        (Cell(t.say(a.text), a.question_id), Cell(t.answer(a.answer)), Cell(t.time(a.at, started_at)))
        for a in lane.answers
    )
    return Table(t(N_("Questions and answers")), columns, rows, t(N_("Nobody was asked.")), kind="answers")
