"""Said once by a command that read records of which some words could not be opened."""

from __future__ import annotations

from techtool.cli.output import say
from techtool.i18n import _
from techtool.store.home import Home


def tell_masked(home: Home) -> None:
    """Nothing where everything could be opened."""
    if home.keys.masked:
        tell_locked()
        if home.keys.problem is not None:
            say("  " + home.keys.problem.text())


def tell_locked() -> None:
    """Of one record."""
    say(_("Confidential words are shown as “****”: the key that opens them is not here."))
    say("  " + _("The office opens them with --identity FILE; on this laptop “techtool doctor” says what to do."))
