"""What click itself says, in our catalogue: an error about the command line is an error like any other."""

from __future__ import annotations

import gettext
import os
from typing import Final

from techtool.i18n import CATALOGUE_OF, DOMAIN, LOCALE_DIR, N_

TEXTS: Final = (
    N_("Usage:"),
    N_("Options"),
    N_("Commands"),
    N_("Show the version and exit."),
    N_("Show this message and exit."),
    N_("Missing argument"),
    N_("Missing command."),
    N_("Missing option"),
    N_("Missing parameter"),
    N_("No such command {name!r}."),
    N_("No such option {name!r}."),
    N_("Invalid value for {param_hint}: {message}"),
    N_("Invalid value: {message}"),
    N_("Option {name!r} does not take a value."),
    N_("default: {default}"),
    N_("{value!r} is not a valid {number_type}."),
    N_("{value} is not in the range {range}."),
)
"""Marked here so that they are extracted; looked up by click."""


def speak(language: str) -> None:
    """Have click look its texts up in techtool's catalogue; it asks the process's default text domain."""
    os.environ["LANGUAGE"] = CATALOGUE_OF[language]
    gettext.bindtextdomain(DOMAIN, LOCALE_DIR)
    gettext.textdomain(DOMAIN)
