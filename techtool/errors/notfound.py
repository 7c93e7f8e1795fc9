"""TT-11x: what was asked for is not there."""

from __future__ import annotations

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


class NotFoundError(TechtoolError):
    """Something named is not there."""

    code = "TT-110"
    exit_code = Exit.NOT_FOUND
    what = N_("{what} was not found.")
    next_actions = (N_("Check the name, or list what there is."),)


class NoStick(NotFoundError):
    """The path holds no bundle."""

    code = "TT-111"
    what = N_("There is no techtool bundle at {path}.")
    next_actions = (N_("Put in the stick that the office prepared, or name its folder (the one that holds TECHTOOL)."),)


class NoSuchVisit(NotFoundError):
    """No visit has that id, or none is unfinished."""

    code = "TT-112"
    what = N_("There is no such visit: {visit}")
    next_actions = (N_("“techtool visit list” shows the visits on this laptop."),)


class NothingToResume(NoSuchVisit):
    """Every visit is closed."""

    code = "TT-113"
    what = N_("No visit on this laptop is unfinished: there is nothing to resume.")


class VisitClosed(NoSuchVisit):
    """What an unfinished visit is needed for was asked of a closed one."""

    code = "TT-115"
    what = N_("Visit {visit} is closed already: nothing more is done in it.")
    next_actions = (N_("“techtool visit show {visit}” shows it; further work is a new visit."),)


class SignedOff(VisitClosed):
    """Evidence was to be added to what the merchant has confirmed already (PCI DSS 9.5.1: documented results stand)."""

    code = "TT-119"
    what = N_("Visit {visit} is signed off: nothing is added to what the merchant confirmed.")
    next_actions = (
        N_("“techtool visit resume {visit}” closes it. What belongs to it all the same is taken into a new visit."),
    )


class NoSuchBackup(NoSuchVisit):
    """No backup, and no visit with a backup, has that name."""

    code = "TT-114"
    what = N_("No backup on this laptop is called {name}.")
    next_actions = (N_("“techtool backup list” shows the backups on this laptop."),)
