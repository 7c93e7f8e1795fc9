"""What a support bundle says of techtool itself: versions, data files, settings, errors in both languages, a guide."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Final

import techtool
from techtool.catalogue.reader import DATA
from techtool.domain.visit import ErrorRecord
from techtool.errors import TechtoolError
from techtool.i18n import LANGUAGES, Phrase, phrase
from techtool.paths import Paths
from techtool.settings import Settings, read_settings

_LINE: Final = re.compile(r"[A-Za-z0-9._-]+")


def settings_of(paths: Paths) -> tuple[Settings | None, TechtoolError | None]:
    """The settings, or why they cannot be read."""
    try:
        return read_settings(paths.settings), None
    except TechtoolError as error:
        return None, error


def environment() -> Mapping[str, object]:
    """What techtool runs on, and with which versions of what it needs."""
    packages = {}
    for line in metadata.requires("techtool") or ():
        name = _LINE.match(line)
        if name is not None and "extra ==" not in line:
            try:
                packages[name.group()] = metadata.version(name.group())
            except metadata.PackageNotFoundError:
                packages[name.group()] = ""
    return {
        "techtool": techtool.__version__,
        "python": sys.version,
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": packages,
    }


def catalogue() -> Mapping[str, object]:
    """Which data files this techtool decides by."""
    found = {}
    for path in sorted(DATA.glob("*.toml")):
        data = path.read_bytes()
        date = re.search(rb"^(?:date|as_of) = (\d{4}-\d\d-\d\d)", data, re.MULTILINE)
        found[path.name] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "date": date.group(1).decode() if date is not None else None,
        }
    return found


def both(text: Phrase) -> dict[str, str]:
    """A sentence in every language."""
    return {language: text.text(language) for language in LANGUAGES}


def recorded(error: ErrorRecord) -> Mapping[str, object]:
    """An error as the visit recorded it."""
    return {
        "code": error.code,
        "what": both(error.what),
        "state_now": both(error.state_now),
        "next_actions": [both(action) for action in error.next_actions],
        "detail": error.detail,
    }


def error_json(error: TechtoolError) -> Mapping[str, object]:
    """An error of this very moment."""
    return {"code": error.code, "what": both(error.what_phrase), "detail": error.detail}


def readme(visit_id: str) -> str:
    """What is in the bundle and what is not, in both languages."""
    lines = (
        phrase(
            "Support bundle of visit {visit}, made by techtool {version}.", visit=visit_id, version=techtool.__version__
        ),
        phrase("journal.jsonl: every line of the visit's record, redacted, with the chain value of the original line."),
        phrase("journal-facts.json: digest and length of the original file, its head, whether it is sealed."),
        phrase("report/: the report as it was signed; “ssh-keygen -Y verify” proves it."),
        phrase("errors.json: every error of the visit with its code. findings.json: what “techtool doctor” says."),
        phrase("environment.json, settings.json, catalogue.json, trust.json, evidence.json, logs/: what it ran with."),
        phrase("left-out.json, where there is one: what was too large for it, with the digest of the whole."),
        phrase("SHA256SUMS: digests of all files; “techtool support --check FILE” compares them."),
        phrase(
            "Not in it: keys, passphrases, backups, photos, card numbers, whole terminal or merchant numbers. The case "
            "code stands in the name of the file and changes with every byte of it."
        ),
    )
    return "\n\n".join("\n".join(line.text(language) for line in lines) for language in LANGUAGES) + "\n"
