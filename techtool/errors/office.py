"""TT-7xx: the exchange with the office."""

from __future__ import annotations

from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class OfficeError(TechtoolError):
    """The office's server."""

    code = "TT-700"
    exit_code = Exit.OFFICE_UNREACHABLE
    what = N_("The office cannot be reached: {problem}")
    state_now = N_("Nothing is lost: what did not get home waits on this laptop.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Try again when there is a network: “techtool sync” goes on where it was."),
        N_("Or take the visits home on a stick: “techtool sync --to FOLDER”."),
    )


class OfficeCertificate(OfficeError):
    """The server's certificate is not one that this laptop was told to believe."""

    code = "TT-701"
    what = N_("{host} does not prove that it is the office: {problem}")
    state_now = N_("Nothing was sent to it.")
    next_actions = (
        N_("On a guest network? Sign in to it first, or use another network."),
        N_("Check this laptop's date and time."),
        N_("Else tell the office: its certificate may have changed."),
    )


class OfficeDenied(OfficeError):
    """The server answers, and does not take what is sent."""

    code = "TT-702"
    what = N_("The office's server does not let this laptop in: {problem}")
    next_actions = (
        N_("Check the address, and enter the name and password that the office gave you: “techtool office login”."),
        N_("If all of that is right, tell the office."),
    )


class OfficeRefused(OfficeError):
    """The server does not take one of the visits."""

    code = "TT-704"
    what = N_("The office's server does not take {visit}: {problem}")
    state_now = N_("It stays on this laptop, whole; the others went on.")
    next_actions = (N_("Tell the office; take this visit home on a stick meanwhile: “techtool sync --to FOLDER”."),)


class RecordUnproven(OfficeError):
    """The record of a visit reached the office, and nobody whom it knows stands for it."""

    code = "TT-705"
    exit_code = Exit.UNTRUSTED
    what = N_("The record of visit {visit} is not taken: {problem}")
    state_now = N_("It was left where it is; the others went on.")
    next_actions = (
        N_("Ask the technician for the line of the report key (“techtool enrol --key-line”) and add it to the list."),
        N_("A record that was sealed without a key can be taken with --unsigned."),
    )


class OfficeConflict(OfficeError):
    """Under the same name the office holds something else than this laptop: a fault or a forgery, never silent."""

    code = "TT-703"
    exit_code = Exit.OFFICE_CONFLICT
    what = N_("The office holds something else under the same name: {visits}")
    state_now = N_("Both are kept; nothing was written over. The other visits are home.")
    next_actions = (N_("Tell the office which visits these are; it compares both with their seals."),)
