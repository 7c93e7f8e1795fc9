"""TT-1xx: the command or its input is wrong."""

from __future__ import annotations

from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class UsageError(TechtoolError):
    """The command line or its input cannot be acted on."""

    code = "TT-100"
    exit_code = Exit.USAGE
    what = N_("{problem}")
    state_now = N_("Nothing was started.")
    next_actions: ClassVar[tuple[str, ...]] = (N_("Correct the command; --help shows what it takes."),)


class BadAddress(UsageError):
    """An address that has none of the known forms."""

    code = "TT-101"
    what = N_("“{address}” is not a terminal address.")
    next_actions = (
        N_("Write adb://HOST:PORT for a network terminal, or adb+server:SERIAL for a USB cable."),
        N_("Write medium:FOLDER for a stick that is carried to the terminal's own menu."),
        N_("A gateway that speaks Redfish is redfish+https://HOST or redfish+https://HOST:PORT."),
    )


class BadFile(UsageError):
    """A file given by the person cannot be read as what it should be."""

    code = "TT-102"
    what = N_("The file {path} cannot be used: {problem}")
    next_actions = (N_("Correct the file at the place named, or give another one."),)


class BadSettings(UsageError):
    """``settings.toml`` does not have the shape techtool knows."""

    code = "TT-103"
    what = N_("The settings in {path} cannot be read: {problem}")
    next_actions = (
        N_("Correct the line named; the settings were not overwritten."),
        N_("Or give the file another name and start techtool: it asks for name and language again."),
    )


class NotSetUp(UsageError):
    """The home folder lacks something the first run makes."""

    code = "TT-104"
    what = N_("techtool is not set up on this laptop yet: {missing} is missing.")
    next_actions = (
        N_("Start techtool once without arguments and answer the first-run questions."),
        N_("Or “techtool setup --help”: the same without screens."),
    )


class AmbiguousChoice(UsageError):
    """Two or more things fit what was asked; techtool does not choose at random."""

    code = "TT-105"
    what = N_("{what} fits more than one: {choices}")
    next_actions = (N_("Name exactly one of them."),)


class BadEvidence(UsageError):
    """A file that is to prove something cannot be taken into the visit."""

    code = "TT-130"
    what = N_("The file {path} is not taken into the visit: {problem}")
    state_now = N_("Nothing of it was kept.")
    next_actions = (N_("Give another file, or go on without one."),)


class BadOrder(BadFile):
    """A work order does not say what an order says."""

    code = "TT-131"
    what = N_("The work order {path} cannot be used: {problem}")
    next_actions = (N_("Correct the place named, or ask the office for the order again."),)


class SupportRefused(UsageError):
    """What was to go to the support desk holds something that may not leave this laptop."""

    code = "TT-160"
    exit_code = Exit.FORBIDDEN_CONTENT
    what = N_("The support bundle was not made: {item} would hold {kind}.")
    state_now = N_("Nothing was written.")
    next_actions = (N_("Tell the office by telephone which visit and which part it is; send nothing else instead."),)


class SupportDamaged(UsageError):
    """A support bundle was changed, or cut short."""

    code = "TT-161"
    exit_code = Exit.DAMAGED_BUNDLE
    what = N_("The support bundle {path} is not as it was made: {problem}")
    state_now = N_("Nothing was changed.")
    next_actions = (N_("Copy or send it again; else make it again: “techtool support VISIT --to DIR”."),)


class BadCaseCode(UsageError):
    """What was typed can be no case code: its check character does not fit."""

    code = "TT-162"
    what = N_("“{code}” is no case code.")
    next_actions = (
        N_("Read it out once more: ten letters and digits in groups of 4, 4 and 2, without 0, O, 1 and I."),
    )


class PublisherError(UsageError):
    """The publisher's side of a bundle cannot do what was asked."""

    code = "TT-106"
    what = N_("The bundle cannot be made: {problem}")
    state_now = N_("The bundle folder is as it was before this command.")
    next_actions = (N_("Correct what is named and run the same command again."),)
