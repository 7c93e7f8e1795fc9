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
    re-read agrees with the plan.
    """

    SUCCESS = "success"
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
        return self in (Outcome.SUCCESS, Outcome.NOTHING_TO_DO)


OUTCOME_LABEL: dict[Outcome, str] = {
    Outcome.SUCCESS: N_("done and verified"),
    Outcome.SUCCESS_NOT_RESTORED: N_("installed and verified, something must be put right"),
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


TRIED: Final = frozenset(
    {
        Outcome.SUCCESS,
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
    return Outcome.SUCCESS if Outcome.SUCCESS in outcomes or not outcomes else Outcome.NOTHING_TO_DO


OUTCOME_EXIT: dict[Outcome, Exit] = {
    Outcome.SUCCESS: Exit.DONE,
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
