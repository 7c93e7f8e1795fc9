"""TT-5xx: what is kept on the laptop."""

from __future__ import annotations

from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_, Phrase


class StoreError(TechtoolError):
    """The records on this laptop."""

    code = "TT-500"
    exit_code = Exit.DAMAGED_STORE


class StoreLocked(StoreError):
    """Another techtool holds this home folder."""

    code = "TT-501"
    exit_code = Exit.LOCKED
    what = N_("Another techtool is working here: {holder}")
    next_actions = (N_("Finish or close the other one, then start again."),)


class StoreDamaged(StoreError):
    """A record was altered or has rotted."""

    code = "TT-502"
    what = N_("A record on this laptop is damaged: {path} ({problem})")
    state_now = N_("The damaged file was not changed and nothing was overwritten.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("“techtool doctor” shows what can be saved; send the file to the office."),
    )

    @property
    def problem(self) -> Phrase:
        """What is wrong with the file."""
        found = self.params["problem"]
        return found if isinstance(found, Phrase) else Phrase("{text}", {"text": found})


class VisitDamaged(StoreDamaged):
    """A visit's own journal is damaged, or is not the one that was closed."""

    code = "TT-506"
    what = N_("The record of visit {visit} is damaged: {path} ({problem})")
    next_actions = (
        N_("“techtool doctor --salvage {visit}” sets the damaged file aside and saves what can be read of it."),
        N_("Then an unfinished visit can be resumed or closed as stopped; send the damaged file to the office."),
    )


class StoreTooNew(StoreError):
    """A file of this laptop has a format that only a newer techtool knows."""

    code = "TT-505"
    what = N_("A newer techtool wrote {path}: format {found}, this one knows formats up to {known}.")
    state_now = N_("Nothing was changed and nothing was overwritten.")
    next_actions = (N_("Update techtool on this laptop, then do the same again."),)


class StoreKeyMissing(StoreError):
    """A visit holds words that cannot be opened here, and nothing is written into what cannot be read."""

    code = "TT-508"
    what = N_("Visit {visit} cannot be gone on with: the key that opens its confidential words is not here.")
    state_now = N_("Its record is whole and was not changed. What is not confidential can be read as before.")
    next_actions = (
        N_("“techtool doctor” says how a copy of the key is put back; then do the same again."),
        N_("Without a copy: begin a new visit. The office can open this one with its own key."),
    )


class StoreKeyUnusable(StoreError):
    """The file with the key is there, and is no key."""

    code = "TT-509"
    what = N_("The key that opens this laptop's records cannot be used: {path} ({problem})")
    state_now = N_("Nothing was recorded, and the file was left as it is.")
    next_actions = (
        N_("Put back a copy of the file if there is one."),
        N_("Else give it another name: a new key is made, and older records stay readable at the office."),
    )


class DiskFull(StoreError):
    """No room left on the laptop's disk or the stick."""

    code = "TT-503"
    exit_code = Exit.DISK_FULL
    what = N_("The disk is full: {path}")
    state_now = N_("Everything recorded before is safe; the last entry was not written.")
    next_actions = (N_("Free some space on that disk, then resume."),)


class NotEnoughRoom(DiskFull):
    """What is to be written would not fit; found out before anything is written."""

    code = "TT-507"
    what = N_("Not enough room in {path}: {needed} needed, {free} free.")
    state_now = N_("Nothing was begun, and nothing was changed.")


class DiskError(StoreError):
    """The disk refuses: read-only, no permission, gone."""

    code = "TT-504"
    what = N_("{path} cannot be used: {problem}")
    state_now = N_("Everything recorded before is safe; nothing more was written.")
    next_actions = (N_("Check that it exists and that you may read and write it, then start again."),)
