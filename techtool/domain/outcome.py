"""Outcome words: one per terminal and step, after UnifiedPOS and fwupd."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from techtool.errors import Exit, gravest
from techtool.i18n import N_


class Outcome(StrEnum):
    """In what state a terminal was left; the values are the words of journals, reports and ``--json``.

    ``INCONSISTENT`` is the default after any crash until the terminal was read again; ``SUCCESS`` comes only after the
    re-read agrees with the plan. Where only a person can read the terminal, ``SELF_REPORTED`` stands in its place.
    """

    SUCCESS = "success"
    SELF_REPORTED = "self-reported"
    """Done as a person read it from the terminal's own screen: nothing here could read it, so nothing is verified."""
    SUCCESS_NOT_RESTORED = "success-not-restored"
    NEEDS_REBOOT = "needs-reboot"
    FAILED_TRANSIENT = "failed-transient"
    """Nothing changed; fix the cause and try again."""
    FAILED_DEVICE_OK = "failed-device-ok"
    """Failed; the terminal works as before."""
    ROLLED_BACK = "rolled-back"
    FAILED_NEEDS_FIRMWARE = "failed-needs-firmware"
    FAILED_UNRECOVERABLE = "failed-unrecoverable"
    INCONSISTENT = "inconsistent"
    NOTHING_TO_DO = "nothing-to-do"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """A gate, a rule or trust said no before anything was changed."""

    @property
    def is_good(self) -> bool:
        """Whether the merchant has a terminal in the planned state."""
        return self in (Outcome.SUCCESS, Outcome.SELF_REPORTED, Outcome.NOTHING_TO_DO)


OUTCOME_LABEL: dict[Outcome, str] = {
    Outcome.SUCCESS: N_("done and verified"),
    Outcome.SELF_REPORTED: N_("done as the technician reports it, not verified"),
    Outcome.SUCCESS_NOT_RESTORED: N_("installed, something must be put right"),
    Outcome.NEEDS_REBOOT: N_("waits for a restart"),
    Outcome.FAILED_TRANSIENT: N_("not done, nothing changed, try again"),
    Outcome.FAILED_DEVICE_OK: N_("failed, terminal works as before"),
    Outcome.ROLLED_BACK: N_("rolled back"),
    Outcome.FAILED_NEEDS_FIRMWARE: N_("failed, terminal needs a recovery release"),
    Outcome.FAILED_UNRECOVERABLE: N_("failed, swap the terminal"),
    Outcome.INCONSISTENT: N_("not as planned or not read again: look at it before it is used"),
    Outcome.NOTHING_TO_DO: N_("nothing to do"),
    Outcome.CANCELLED: N_("cancelled"),
    Outcome.REFUSED: N_("refused, nothing changed"),
}


DONE: Final = (Outcome.SUCCESS, Outcome.SELF_REPORTED)
"""Everything that was planned is on the terminal, as it was read again or as a person read it."""
TRIED: Final = frozenset(
    {
        *DONE,
        Outcome.SUCCESS_NOT_RESTORED,
        Outcome.NEEDS_REBOOT,
        Outcome.FAILED_DEVICE_OK,
        Outcome.ROLLED_BACK,
        Outcome.FAILED_NEEDS_FIRMWARE,
        Outcome.FAILED_UNRECOVERABLE,
        Outcome.INCONSISTENT,
    }
)
"""Outcomes after something was tried; refused, cancelled and never begun say nothing of how it goes."""


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """One word for several terminals: the gravest by the order of exit codes."""
    bad = [outcome for outcome in outcomes if not outcome.is_good]
    if bad:
        grave = gravest([OUTCOME_EXIT[outcome] for outcome in bad])
        return next(outcome for outcome in bad if OUTCOME_EXIT[outcome] is grave)
    done = next((one for one in (Outcome.SELF_REPORTED, Outcome.SUCCESS) if one in outcomes), None)
    return done or (Outcome.NOTHING_TO_DO if outcomes else Outcome.SUCCESS)


OUTCOME_EXIT: dict[Outcome, Exit] = {
    Outcome.SUCCESS: Exit.DONE,
    Outcome.SELF_REPORTED: Exit.DONE,
    Outcome.SUCCESS_NOT_RESTORED: Exit.NOT_RESTORED,
    Outcome.NEEDS_REBOOT: Exit.FAILED,
    Outcome.FAILED_TRANSIENT: Exit.FAILED,
    Outcome.FAILED_DEVICE_OK: Exit.FAILED,
    Outcome.ROLLED_BACK: Exit.ROLLED_BACK,
    Outcome.FAILED_NEEDS_FIRMWARE: Exit.NEEDS_FIRMWARE,
    Outcome.FAILED_UNRECOVERABLE: Exit.UNRECOVERABLE,
    Outcome.INCONSISTENT: Exit.INCONSISTENT,
    Outcome.NOTHING_TO_DO: Exit.NOTHING_TO_DO,
    Outcome.CANCELLED: Exit.REFUSED_BY_PERSON,
    Outcome.REFUSED: Exit.GATE_CLOSED,
}
"""The exit code of an outcome when no error gives a more exact one."""
