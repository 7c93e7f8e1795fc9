"""TT-8xx and TT-9xx: techtool itself was stopped, or is at fault."""

from __future__ import annotations

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class Interrupted(TechtoolError):
    """^C, SIGTERM, a closed window."""

    code = "TT-800"
    exit_code = Exit.INTERRUPTED
    what = N_("Stopped before the end.")
    state_now = N_("Every step so far is recorded; an unfinished step is read again on resume.")
    next_actions = (N_("“techtool visit resume” goes on from here."),)


class InternalError(TechtoolError):
    """A defect of techtool: the net under everything, so that no traceback reaches a technician."""

    code = "TT-900"
    what = N_("techtool itself failed ({kind}).")
    state_now = N_(
        "What was recorded so far is safe; an unfinished step counts as inconsistent until it is read again."
    )
    next_actions = (N_("Resume the visit; send a support bundle to the office."),)
