"""The first run, step by step: each step is kept as soon as it is right, and nothing of it when it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from techtool.errors import UsageError
from techtool.i18n import _, language
from techtool.paths import DISK, Disk, Paths
from techtool.settings import read_settings, write_settings

if TYPE_CHECKING:
    from techtool.bundles.roots import RootFacts


class SetupStep(StrEnum):
    """In the order they are asked."""

    LANGUAGE = "language"
    NAME = "name"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a step
    ROOT = "root"
    RECIPIENTS = "recipients"


@dataclass(frozen=True, slots=True)
class Progress:
    """Which steps are behind, and which is due; ``due`` None: ready."""

    done: tuple[SetupStep, ...]
    due: SetupStep | None


def looks_ready(paths: Paths) -> bool:
    """Whether the first run seems to be behind this laptop; looks at names only, so that starting stays quick."""
    return (
        bool(read_settings(paths.settings).technician)
        and paths.report_key.is_file()
        and paths.recipients.is_file()
        and any(paths.trust.glob("roots/*.root.json"))
    )


def save_language(paths: Paths, chosen: str, disk: Disk = DISK) -> None:
    """Keep the language of the screens."""
    write_settings(paths.settings, replace(read_settings(paths.settings), language=chosen), disk)


def save_look(paths: Paths, chosen: str, *, ascii_only: bool, disk: Disk = DISK) -> None:
    """Keep language and marks of the screens."""
    settings = replace(read_settings(paths.settings), language=chosen, ascii=ascii_only)
    write_settings(paths.settings, settings, disk)


def progress(paths: Paths) -> Progress:
    """What is there and what is asked next; raises what reading the home folder raises."""
    from techtool.visit.setup import missing

    lacks = missing(paths)
    lacking = {
        SetupStep.LANGUAGE: not read_settings(paths.settings).language,
        SetupStep.NAME: lacks.technician,
        SetupStep.PASSPHRASE: lacks.report_key,
        SetupStep.ROOT: lacks.root,
        SetupStep.RECIPIENTS: lacks.recipients,
    }
    done = tuple(step for step, lacks_it in lacking.items() if not lacks_it)
    return Progress(done, next((step for step, lacks_it in lacking.items() if lacks_it), None))


def keep_name(paths: Paths, name: str) -> None:
    """The technician's name."""
    from techtool.visit.setup import save_person

    save_person(paths, read_settings(paths.settings).language or language(), name)


def keep_passphrase(paths: Paths, first: str, second: str) -> str:
    """Make the report key; returns the public line that the office needs."""
    from techtool.visit.setup import make_key

    if first != second:
        raise UsageError(problem=_("The two passphrases differ."))
    return make_key(paths, read_settings(paths.settings).technician, first)


def public_line(paths: Paths) -> str:
    """The public half of the report key, which the office needs; empty while there is none."""
    from techtool.reports.keys import public_path

    path = public_path(paths.report_key)
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def root_at(text: str) -> RootFacts:
    """The root in a ``root.json``, or of a stick; raises :class:`BadFile`, :class:`NoStick`."""
    from techtool.bundles.reading import root_of_stick
    from techtool.bundles.roots import read_root

    place = Path(text.strip().strip('"')).expanduser()
    if not text.strip():
        raise UsageError(problem=_("Name the file root.json, or the folder of a stick from the office."))
    return root_of_stick(place) if place.is_dir() else read_root(place)


def accept_root(paths: Paths, facts: RootFacts, typed: str) -> None:
    """Trust the root when what the office told is its fingerprint, or ends it."""
    from techtool.bundles.roots import pin_root
    from techtool.domain.typed import TOLD_DIGITS, narrow, told_fits

    if sum(sign.isalnum() for sign in narrow(typed)) < TOLD_DIGITS:
        raise UsageError(problem=_("Type the last {count} digits that the office told you.").format(count=TOLD_DIGITS))
    if not told_fits(typed, facts.fingerprint):
        raise UsageError(problem=_("This is not the root the office told you of. Nothing is trusted; ask the office."))
    pin_root(paths, facts.data)


def keep_recipients(paths: Paths, text: str) -> int:
    """Keep the office's backup recipients; returns how many."""
    from techtool.visit.setup import save_recipients

    if not text.strip():
        raise UsageError(problem=_("Name the file with the office's backup recipients."))
    return len(save_recipients(paths, Path(text.strip().strip('"')).expanduser()))
