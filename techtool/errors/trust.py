"""TT-2xx: the stick is not to be installed from."""

from __future__ import annotations

from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class TrustError(TechtoolError):
    """The stick, or something on it, is not to be believed or not to be used."""

    code = "TT-200"
    exit_code = Exit.UNTRUSTED
    state_now = N_("Nothing was installed. Identify, back up and report still work.")
    next_actions: ClassVar[tuple[str, ...]] = (N_("Use another stick from the office."),)


class Untrusted(TrustError):
    """Signature, role, root chain or layout is not what the trusted root allows."""

    code = "TT-210"
    exit_code = Exit.UNTRUSTED
    what = N_("The stick is not trusted: {problem}")
    next_actions = (
        N_("Do not use this stick; give it to the office."),
        N_("If the office has changed its keys, ask for a stick with the whole chain of roots."),
    )


class UnknownOffice(Untrusted):
    """The stick descends from none of the roots that are pinned here."""

    code = "TT-215"
    what = N_("This laptop does not know who made the stick; the fingerprint of its root: {fingerprint}")
    next_actions = (
        N_("Your office's? Compare the fingerprint with it by telephone, then “techtool trust add PATH”."),
        N_("Else do not use it; give it to the office."),
    )


class OtherFingerprint(Untrusted):
    """A root is not the one whose fingerprint a person was told."""

    code = "TT-216"
    what = N_("The fingerprint of that file is {found}, not the one given.")
    state_now = N_("Nothing was trusted.")
    next_actions = (
        N_("Do not trust it. Read the fingerprint to the office by telephone."),
        N_("If yours was mistyped, give it again as the office says it."),
    )


class RefreshUntrusted(Untrusted):
    """A refresh file is not what the trusted root allows."""

    code = "TT-217"
    what = N_("The refresh file is not trusted: {problem}")
    state_now = N_("Nothing was learned from it; what this laptop knew stands.")
    next_actions = (
        N_("Do not use it; ask the office to send it again."),
        N_("If the office has changed its keys, ask for a stick with the whole chain of roots."),
    )


class EnrolmentUntrusted(Untrusted):
    """An enrolment file is not what this laptop's office signed."""

    code = "TT-218"
    what = N_("The enrolment file is not trusted: {problem}")
    state_now = N_("Nothing was changed; what this laptop trusted and was set to stands.")
    next_actions = (
        N_("Do not use it; ask the office by telephone whether it sent this file."),
        N_("If the office has changed its key, ask for a file that the old key vouches for."),
    )


class FactsUntrusted(Untrusted):
    """A file of facts about makers is not what this laptop's office signed."""

    code = "TT-219"
    what = N_("The facts in {path} are not believed: {problem}")
    state_now = N_("Nothing of it is used, and nothing was changed.")
    next_actions = (
        N_(
            "Bring the file with the office's signature (.sig) beside it; the office makes it: “techtool office facts”."
        ),
        N_("Not enrolled yet, or the office has changed its key: take its enrolment first (“techtool enrol FILE”)."),
    )


class Expired(TrustError):
    """Signed metadata is past its use-by date."""

    code = "TT-211"
    exit_code = Exit.EXPIRED
    what = N_("The stick is past its use-by date: {role} was valid until {until}.")
    next_actions = (
        N_("Use a newer stick."),
        N_("Or learn the newest metadata from a refresh file of the office (“techtool trust refresh FILE”)."),
        N_("Or correct this laptop's clock if it is wrong."),
    )


class Recalled(TrustError):
    """The office recalled the release."""

    code = "TT-212"
    exit_code = Exit.RECALLED
    what = N_("The release {release} was recalled: {reason}")
    next_actions = (N_("Do not install it; ask the office which release replaces it."),)


class Damaged(TrustError):
    """A payload's length or digest differs, or the stick cannot be read."""

    code = "TT-213"
    exit_code = Exit.DAMAGED_BUNDLE
    what = N_("A file on the stick is damaged: {path} ({problem})")
    next_actions = (
        N_("Put the stick in again and retry."),
        N_("If it stays damaged, use another stick."),
    )


class Withdrawn(TrustError):
    """A genuine older stick carries a release that newer metadata no longer lists."""

    code = "TT-214"
    exit_code = Exit.WITHDRAWN
    what = N_("The release {release} was withdrawn by its publisher after this stick was made.")
    next_actions = (N_("Choose another release, or ask for a newer stick."),)
