"""How the command line speaks: people's text to stderr, JSON and nothing else to stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from techtool.clock import stamp
from techtool.errors import TechtoolError
from techtool.i18n import _

SCHEMA = 1
"""Version of every ``--json`` shape; a change that breaks a script raises it."""


def say(text: str = "") -> None:
    """A line for people."""
    click.echo(text, err=True)


def emit_json(value: Mapping[str, object]) -> None:
    """One JSON document on one line, flushed, so that a reading script keeps up."""
    click.echo(json.dumps({"schema": SCHEMA, **value}, ensure_ascii=False))
    sys.stdout.flush()


def show_error(error: TechtoolError, *, as_json: bool) -> None:
    """Code, what, state now, next actions: to a person, or to a script under ``error``."""
    if as_json:
        emit_json({"event": "error", "step": None, "at": stamp(datetime.now(UTC)), "error": error_json(error)})
    say(f"✗ {error.code}  {error.what_phrase.text()}")
    say("  " + _("State now: {state}").format(state=error.state_phrase.text()))
    for number, action in enumerate(error.action_phrases, 1):
        say(f"  {number}. {action.text()}")


def error_json(error: TechtoolError) -> dict[str, object]:
    """The error with its texts in the chosen language; the code is what a script acts on."""
    return {
        "code": error.code,
        "exit": int(error.exit_code),
        "what": error.what_phrase.text(),
        "state_now": error.state_phrase.text(),
        "next_actions": [a.text() for a in error.action_phrases],
        "detail": error.detail,
    }
