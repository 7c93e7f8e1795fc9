"""How the command line speaks: people's text to stderr, JSON and nothing else to stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from techtool.clock import stamp
from techtool.errors import TechtoolError
from techtool.i18n import Phrase, _

SCHEMA = 1
"""Version of every ``--json`` shape; a change that breaks a script raises it."""


def say(text: str = "") -> None:
    """A line for people."""
    click.echo(text, err=True)


def emit_json(value: Mapping[str, object]) -> None:
    """One JSON document on one line without card data, flushed, so that a reading script keeps up."""
    from techtool.domain.redacting import Cleaner

    click.echo(json.dumps({"schema": SCHEMA, **Cleaner().clean(value)}, ensure_ascii=False))
    sys.stdout.flush()


def show_error(error: TechtoolError, *, as_json: bool) -> None:
    """Code, what, state now, next actions: to a person, or to a script under ``error``."""
    if as_json:
        emit_json({"event": "error", "step": None, "at": stamp(datetime.now(UTC)), "error": error_json(error)})
    say(f"✗ {error.code}  {shown(error.what_phrase)}")
    say("  " + _("State now: {state}").format(state=shown(error.state_phrase)))
    for number, action in enumerate(error.action_phrases, 1):
        say(f"  {number}. {shown(action)}")


def shown(phrase: Phrase) -> str:
    """A sentence that may quote a terminal, a file or a person, in the chosen language and without card data."""
    from techtool.domain.redacting import Cleaner

    return printable(Cleaner().phrase(phrase).text())


def printable(text: str) -> str:
    """Without what would move the cursor or turn the text around: a device's words are a stranger's."""
    return "".join(c if c.isprintable() or c == "\n" else "·" for c in text)


def error_json(error: TechtoolError) -> dict[str, object]:
    """The error with its texts in the chosen language; the code is what a script acts on."""
    return {
        "code": error.code,
        "exit": int(error.exit_code),
        "what": shown(error.what_phrase),
        "state_now": shown(error.state_phrase),
        "next_actions": [shown(action) for action in error.action_phrases],
        "detail": error.detail,
    }
