"""Words, times and sizes of a report in one language."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

from techtool.domain.outcome import OUTCOME_LABEL, Outcome
from techtool.domain.plan import Estimate, ReleaseVerdict, StepKind
from techtool.domain.question import CheckResult
from techtool.domain.terminal import BatchState, Evidence, TamperState
from techtool.domain.visit import StepState, VisitKind
from techtool.i18n import N_, Phrase, phrase, translate
from techtool.reports.facts import VisitState
from techtool.reports.parts import Cell, Fact, Tone

KIND_LABEL: Final = {
    VisitKind.UPDATE: N_("update"),
    VisitKind.BACKUP: N_("backup only"),
    VisitKind.RESTORE: N_("restore"),
    VisitKind.INSPECTION: N_("inspection"),
    VisitKind.INSPECTION: N_("inspection"),
}
STEP_LABEL: Final = {
    StepKind.IDENTIFY: N_("identify"),
    StepKind.INSPECT: N_("inspect"),
    StepKind.CHECK: N_("check"),
    StepKind.CONFIRM: N_("confirm"),
    StepKind.BACKUP: N_("back up"),
    StepKind.INSTALL: N_("install"),
    StepKind.VERIFY: N_("verify"),
    StepKind.TEST: N_("test"),
    StepKind.SIGN_OFF: N_("sign off"),
    StepKind.REPORT: N_("report"),
}
VERDICT_LABEL: Final = {
    ReleaseVerdict.INSTALL: N_("to be installed"),
    ReleaseVerdict.NOT_FOR_THIS_MODEL: N_("not for this model"),
    ReleaseVerdict.INSTALLED: N_("already installed"),
    ReleaseVerdict.OLDER: N_("older than what is installed"),
    ReleaseVerdict.SUPERSEDED: N_("superseded by a newer release"),
    ReleaseVerdict.BLOCKED: N_("blocked"),
    ReleaseVerdict.NOT_CHOSEN: N_("not asked for"),
    ReleaseVerdict.WITHDRAWN: N_("withdrawn"),
    ReleaseVerdict.RECALLED: N_("recalled"),
}
EVIDENCE_LABEL: Final = {
    Evidence.DOCUMENTED: N_("documented by the maker"),
    Evidence.RECORDED: N_("recorded from an owner's hardware"),
    Evidence.SIMULATED: N_("simulated"),
    Evidence.ASKED: N_("read from its screen by the technician"),
}
BATCH_LABEL: Final = {BatchState.SETTLED: N_("settled"), BatchState.OPEN: N_("open: takings not settled")}
TAMPER_LABEL: Final = {TamperState.NORMAL: N_("normal"), TamperState.TAMPERED: N_("tampered")}
STEP_STATE_LABEL: Final = {
    StepState.STARTED: N_("no end recorded"),
    StepState.DONE: N_("done"),
    StepState.FAILED: N_("failed"),
}
CHECK_LABEL: Final = {
    CheckResult.PASS: N_("pass"),
    CheckResult.FAIL: N_("fail"),
    CheckResult.NOT_APPLICABLE: N_("not applicable"),
    CheckResult.NOT_DONE: N_("not done"),
}
VISIT_STATE_LABEL: Final = {
    VisitState.FINISHED: N_("finished"),
    VisitState.UNFINISHED: N_("not finished"),
    VisitState.ABANDONED: N_("abandoned"),
}
_ANSWER_LABEL: Final = {"yes": N_("yes"), "no": N_("no"), **{r.value: label for r, label in CHECK_LABEL.items()}}

_VERDICT_TONE: Final = {
    ReleaseVerdict.INSTALL: Tone.GOOD,
    ReleaseVerdict.BLOCKED: Tone.BAD,
    ReleaseVerdict.WITHDRAWN: Tone.BAD,
    ReleaseVerdict.RECALLED: Tone.BAD,
}
_CHECK_TONE: Final = {
    CheckResult.PASS: Tone.GOOD,
    CheckResult.FAIL: Tone.BAD,
    CheckResult.NOT_DONE: Tone.WARN,
}
_STEP_TONE: Final = {StepState.STARTED: Tone.WARN, StepState.DONE: Tone.GOOD, StepState.FAILED: Tone.BAD}
_SOFT_OUTCOMES: Final = (Outcome.SUCCESS_NOT_RESTORED, Outcome.NEEDS_REBOOT, Outcome.CANCELLED, Outcome.REFUSED)
_LONGEST: Final = 2_000
"""Characters of one text in a report; a device may send any length."""
_UNITS: Final = ("kB", "MB", "GB", "TB")


def grouped(digest: str) -> str:
    """A fingerprint in groups of four, as it is read aloud."""
    return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))


class Words:
    """Speaks one language, in one time zone."""

    def __init__(self, language: str, zone: tzinfo = UTC, longest: int = _LONGEST) -> None:
        """``longest``: characters of one text; the rest is counted and left to the record."""
        self.language = language
        self._longest = longest
        self._zone = zone

    def __call__(self, msgid: str) -> str:
        """``msgid``, marked where it stands, in this language."""
        return translate(msgid, self.language)

    def say(self, sentence: Phrase | None) -> str:
        """A recorded sentence; device text in it is never trusted for length."""
        return self.clip(sentence.text(self.language)) if sentence else ""

    def clip(self, text: str) -> str:
        """``text``, cut where it is too long to be read."""
        if len(text) <= self._longest:
            return text
        left_out = phrase("{n} more characters are in the record", n=len(text) - self._longest)
        return f"{text[: self._longest]} … ({left_out.text(self.language)})"

    def recorded(self, text: str) -> str:
        """``text``, or that it was not recorded: where a reader would look for it and must not be left to guess."""
        return self.clip(text) if text else self(N_("not recorded"))

    def fact(self, label: str, value: Cell | str, note: str = "") -> Fact:
        """A label (marked where it stands) and its value; a dash where there is none."""
        cell = value if isinstance(value, Cell) else Cell(self.clip(value) or "–", note)
        return Fact(self(label), cell)

    # -- numbers and times ------------------------------------------------------------------------------------------

    def moment(self, at: datetime | None) -> str:
        """Date and time of day."""
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S") if at else "–"

    def time(self, at: datetime, base: datetime) -> str:
        """Time of day; with the date where it is another day than ``base``."""
        same_day = at.astimezone(self._zone).date() == base.astimezone(self._zone).date()
        return at.astimezone(self._zone).strftime("%H:%M:%S") if same_day else self.moment(at)

    def zone(self, at: datetime) -> str:
        """The zone of all times, as its distance from UTC."""
        offset = at.astimezone(self._zone).strftime("%z")
        return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"

    def duration(self, seconds: float) -> str:
        """How long, in words."""
        if seconds < 60:
            return phrase("{s} s", s=f"{seconds:.1f}" if seconds < 10 else round(seconds)).text(self.language)
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return phrase("{min} min {s} s", min=minutes, s=rest).text(self.language)
        hours, minutes = divmod(minutes, 60)
        return phrase("{h} h {min} min", h=hours, min=minutes).text(self.language)

    def estimate(self, estimate: Estimate) -> str:
        """Both figures of an estimate."""
        return phrase(
            "{p50} (nine times of ten under {p90})",
            p50=self.duration(estimate.p50_s),
            p90=self.duration(estimate.p90_s),
        ).text(self.language)

    def size(self, size_bytes: int) -> str:
        """A size a person can read, in powers of 1000."""
        if abs(size_bytes) < 1000:
            return f"{size_bytes} B"
        value = float(size_bytes)
        for unit in _UNITS:
            value /= 1000
            if abs(value) < 999.95 or unit == _UNITS[-1]:
                break
        return f"{value:.1f} {unit}"

    # -- coloured words ---------------------------------------------------------------------------------------------

    def outcome(self, outcome: Outcome) -> Cell:
        """An outcome in words, its code word below."""
        soft = Tone.WARN if outcome in _SOFT_OUTCOMES else Tone.BAD
        tone = Tone.GOOD if outcome.is_good else soft
        return Cell(self(OUTCOME_LABEL[outcome]), outcome.value, tone)

    def visit_state(self, state: VisitState) -> Cell:
        """How far a visit came, where there is no outcome."""
        return Cell(self(VISIT_STATE_LABEL[state]), state.value, Tone.WARN)

    def verdict(self, verdict: ReleaseVerdict) -> Cell:
        """What was decided about a release."""
        return Cell(self(VERDICT_LABEL[verdict]), tone=_VERDICT_TONE.get(verdict, Tone.PLAIN))

    def check(self, result: str) -> Cell:
        """A test's result; a word that is none of the four is shown as it is."""
        try:
            known = CheckResult(result)
        except ValueError:
            return Cell(result, tone=Tone.WARN)
        return Cell(self(CHECK_LABEL[known]), tone=_CHECK_TONE.get(known, Tone.PLAIN))

    def step_state(self, state: StepState) -> Cell:
        """How a step ended."""
        return Cell(self(STEP_STATE_LABEL[state]), tone=_STEP_TONE[state])

    def answer(self, answer: str) -> str:
        """A person's answer; the fixed words in this language, anything else as it was given."""
        return self(_ANSWER_LABEL[answer]) if answer in _ANSWER_LABEL else self.clip(answer) or "–"

    def yes_no(self, value: bool) -> str:
        """A plain truth."""
        return self(N_("yes")) if value else self(N_("no"))
