"""TT-6xx: backups."""

from __future__ import annotations

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class BackupError(TechtoolError):
    """Backups."""

    code = "TT-600"


class ForbiddenContent(BackupError):
    """Card data or a key was met where none may be."""

    code = "TT-601"
    exit_code = Exit.FORBIDDEN_CONTENT
    what = N_("{item} holds what may never be stored ({kind}, at byte {offset}).")
    state_now = N_("No backup was kept and nothing of it is on this laptop. The terminal was not changed.")
    next_actions = (N_("Report it to the office without copying the content; do not go on with this terminal."),)


class BackupNotVerified(BackupError):
    """What was written does not read back as it was read from the terminal."""

    code = "TT-602"
    exit_code = Exit.BACKUP_NOT_VERIFIED
    what = N_("The backup could not be verified: {problem}")
    state_now = N_("The terminal was not changed.")
    next_actions = (N_("Back up again; if it fails again, check this laptop's disk."),)


class RestoreRefused(BackupError):
    """A restore that could harm."""

    code = "TT-603"
    exit_code = Exit.RESTORE_REFUSED
    what = N_("The backup may not be restored here: {reason}")
    next_actions = (
        N_("Leave the terminal as it is: a second try gets the same answer."),
        N_("“techtool backup list” shows the other backups; where nothing may come back, ask for a newer release."),
    )
