"""TT-12x: an answer of the person is missing, wrong, or no."""

from __future__ import annotations

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class PersonError(TechtoolError):
    """A person did not, or would not, answer."""

    code = "TT-120"
    exit_code = Exit.REFUSED_BY_PERSON


class AnswerMissing(PersonError):
    """A question was asked where nobody can be asked."""

    code = "TT-121"
    exit_code = Exit.ANSWER_MISSING
    what = N_("The question “{question}” has no answer: {text}")
    state_now = N_("The step that asks has not begun; the visit can be resumed.")
    next_actions = (N_("Put “{question}” into the answers file and resume the visit."),)


class OptionMissing(AnswerMissing):
    """A command would ask, and nobody is there to be asked."""

    code = "TT-126"
    what = N_("Nobody can be asked here: {text}")
    state_now = N_("Nothing was done.")
    next_actions = (N_("Run it in a terminal, or give {option}."),)


class PassphraseMissing(AnswerMissing):
    """Nothing is begun before the report key is open."""

    code = "TT-127"
    what = N_("The passphrase of the report key was not given.")
    state_now = N_("Nothing was begun.")
    next_actions = (N_("Give --passphrase-file FILE: its first line is the passphrase."),)


class AnswerUnusable(AnswerMissing):
    """An answers file gives something that is no possible answer."""

    code = "TT-124"
    what = N_("The answer “{answer}” to “{question}” cannot be used; possible: {allowed}")


class ConfirmationMissing(AnswerMissing):
    """No ``--confirm`` fits the terminal."""

    code = "TT-125"
    what = N_("The terminal with serial number {serial} was not confirmed.")
    next_actions = (N_("Read the label, then resume with --confirm and the last four of that serial number."),)


class StoppedHere(AnswerMissing):
    """The technician stopped the visit where they were asked."""

    code = "TT-128"
    exit_code = Exit.REFUSED_BY_PERSON
    what = N_("You stopped here, where this was asked: {text}")
    next_actions = (N_("Resume the visit when you want to go on; until then nothing more is done."),)


class RefusedByPerson(PersonError):
    """A person said no."""

    code = "TT-122"
    what = N_("Stopped by the technician or the merchant: {question}")
    state_now = N_("No further step was begun on this terminal.")
    next_actions = (N_("Resume the visit when the person agrees, or close it as stopped."),)


class WrongPassphrase(PersonError):
    """The passphrase does not open the key file."""

    code = "TT-123"
    what = N_("The passphrase does not open the key {path}.")
    next_actions = (N_("Type the passphrase again; the key file was not changed."),)
