"""The trade's words for what stands in a record beside the work itself: order, arrival, risk, issues, sign-off."""

from __future__ import annotations

from typing import Final

from techtool.domain.evidence import EvidenceKind
from techtool.domain.known_issues import IssueFinding, IssueResult
from techtool.domain.risk import Band, Side
from techtool.domain.sign_off import Conclusion, SignOffWay
from techtool.domain.work_order import BindingProblem, VisitType
from techtool.i18n import N_
from techtool.reports.parts import Tone

TYPE_LABEL: Final = {
    VisitType.INSTALL: N_("installation"),
    VisitType.UPDATE: N_("update"),
    VisitType.INSPECTION: N_("inspection"),
    VisitType.REPAIR: N_("repair"),
    VisitType.SWAP: N_("swap"),
    VisitType.RELOCATION: N_("relocation"),
    VisitType.REMOVAL: N_("removal"),
    VisitType.TRAINING: N_("training"),
}
BINDING_LABEL: Final = {
    BindingProblem.LABEL_DIFFERS: N_("the label's serial number is not the software's"),
    BindingProblem.NOT_IN_ORDER: N_("the order does not name this terminal"),
    BindingProblem.DUPLICATE_SERIAL: N_("another unit with this serial number was seen before"),
    BindingProblem.WRONG_MODEL: N_("the order names another model"),
    BindingProblem.TID_DIFFERS: N_("terminal number differs from the order"),
    BindingProblem.MID_DIFFERS: N_("merchant number differs from the order"),
    BindingProblem.DUPLICATE_TID: N_("another terminal had this terminal number"),
    BindingProblem.RELOCATED: N_("seen last at another site"),
}
BAND_TONE: Final = {
    Band.LOW: Tone.GOOD,
    Band.MODERATE: Tone.WARN,
    Band.HIGH: Tone.BAD,
    Band.CRITICAL: Tone.BAD,
}
SIDE_LABEL: Final = {Side.LIKELIHOOD: N_("likelihood"), Side.IMPACT: N_("impact")}
FINDING_LABEL: Final = {
    IssueFinding.PRESENT: N_("present"),
    IssueFinding.ABSENT: N_("absent"),
    IssueFinding.NOT_REPRODUCIBLE: N_("not reproducible"),
    IssueFinding.NOT_CHECKED: N_("not checked"),
}
RESULT_LABEL: Final = {
    IssueResult.VERIFIED: N_("verified: gone"),
    IssueResult.STILL_PRESENT: N_("still present"),
    IssueResult.NOT_REPRODUCIBLE: N_("cannot be verified on site"),
    IssueResult.NOT_CHECKED: N_("not checked"),
}
RESULT_TONE: Final = {IssueResult.VERIFIED: Tone.GOOD, IssueResult.STILL_PRESENT: Tone.BAD}
EVIDENCE_KIND_LABEL: Final = {
    EvidenceKind.STOREFRONT: N_("storefront"),
    EvidenceKind.COUNTER: N_("counter"),
    EvidenceKind.DEVICE: N_("device"),
    EvidenceKind.LABEL: N_("serial number label"),
    EvidenceKind.CABLES: N_("cables"),
    EvidenceKind.SEAL: N_("seal"),
    EvidenceKind.SLIP: N_("test slip"),
    EvidenceKind.SETTLEMENT_SLIP: N_("settlement slip"),
    EvidenceKind.SIGNATURE: N_("report signed on paper"),
    EvidenceKind.ANOMALY: N_("anomaly"),
    EvidenceKind.LOG: N_("log file"),
    EvidenceKind.OTHER: N_("other"),
}
WAY_LABEL: Final = {
    SignOffWay.TYPED: N_("typed on the laptop"),
    SignOffWay.PAPER: N_("signed on paper"),
    SignOffWay.REFUSED: N_("not signed"),
}
CONCLUSION_TONE: Final = {
    Conclusion.COMPLETE: Tone.GOOD,
    Conclusion.PARTIAL: Tone.WARN,
    Conclusion.NOT_DONE: Tone.BAD,
    Conclusion.REVISIT: Tone.BAD,
}
MODE_LABEL: Final = {
    "A": N_("by the terminal"),
    "S": N_("started by techtool, seen by a person"),
    "H": N_("by a person"),
}
METHOD_LABEL: Final = {
    "card-and-order": N_("identity card and order were shown"),
    "called-company": N_("the service company was called"),
    "known-person": N_("known from earlier visits"),
    "yes": N_("yes"),
    "no": N_("no"),
}
"""Fixed words of the arrival; anything else stands as it was typed."""
