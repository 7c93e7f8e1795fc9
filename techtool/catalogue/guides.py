"""The one reader of the guides for terminals with only a menu of their own: strict, complete in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.fat import FileSystem, path_problem
from techtool.domain.guide import CARRYING_NAME, Ask, Guide, GuideStep
from techtool.domain.terminal import Evidence
from techtool.errors import BadFile, NotFoundError
from techtool.i18n import LANGUAGES

_FILE: Final = Path(__file__).parent / "data" / "guides.toml"


@dataclass(frozen=True, slots=True)
class GuidesFile:
    """``guides.toml``"""

    schema: int
    guide: tuple[Guide, ...]


@cache
def load_guides(path: Path = _FILE) -> tuple[Guide, ...]:
    """Every guide, in the file's order; raises :class:`BadFile` naming file and place."""
    try:
        file = decode_toml(path.read_bytes(), GuidesFile, strict=True)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or type(error).__name__) from error
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error
    problem = problem_in(file)
    if problem:
        raise BadFile(path=str(path), problem=problem)
    return file.guide


def guide_for(guide_id: str) -> Guide:
    """The guide of ``vendor/model``; raises :class:`NotFoundError`."""
    for guide in load_guides():
        if guide.id == guide_id:
            return guide
    raise NotFoundError(what=guide_id)


def problem_in(file: GuidesFile) -> str:
    """Place and kind of the first thing that is wrong; empty when nothing is."""
    if len({guide.id for guide in file.guide}) != len(file.guide):
        return "$.guide: a model stands twice"
    for place, guide in enumerate(file.guide):
        problem = _problem_in_layout(guide) or _problem_in_steps(guide)
        problem = problem or _untranslated({"serial_at": guide.serial_at, "versions_at": guide.versions_at})
        if not guide.source or (guide.simulated != (guide.evidence is Evidence.SIMULATED)):
            problem = problem or "source: missing, or simulated and evidence differ"
        if problem:
            return f"$.guide[{place}].{problem}"
    return ""


def _problem_in_layout(guide: Guide) -> str:
    layout = guide.layout
    for name, pattern in (("pattern", layout.pattern), ("result_good", layout.result_good)):
        try:
            re.compile(pattern)
        except re.error as error:
            return f"layout.{name}: {error}"
    if bool(layout.result_file) != bool(layout.result_good):
        return "layout.result_good: goes with result_file"
    if layout.write_as.count(CARRYING_NAME) != 1:
        return f"layout.write_as: {CARRYING_NAME} must stand in it once"
    for name, path in (("folder", layout.folder), ("result_file", layout.result_file)):
        if path and path_problem(path, layout.names, layout.letters) is not None:
            return f"layout.{name}: not a path that this terminal reads"
    if not layout.file_systems or set(layout.file_systems) & {FileSystem.OTHER, FileSystem.FAT}:
        return "layout.file_systems: name what it reads"
    return ""


def _problem_in_steps(guide: Guide) -> str:
    ids = [step.id for step in guide.step]
    if not ids or len(set(ids)) != len(ids):
        return "step: none, or an id stands twice"
    changing = [step.changes for step in guide.step]
    if True not in changing or changing != sorted(changing):
        return "step.changes: from the first step that changes the terminal on, every one says so"
    for place, step in enumerate(guide.step):
        problem = _problem_in_step(step)
        if problem:
            return f"step[{place}].{problem}"
    return ""


def _problem_in_step(step: GuideStep) -> str:
    values = [choice.value for choice in step.choice]
    if (step.ask is Ask.CHOICE) != bool(values) or len(set(values)) != len(values):
        return "choice: missing, not asked for, or one stands twice"
    optional = {name: text for name, text in (("shows", step.shows), ("trap", step.trap)) if text}
    return _untranslated({"text": step.text, **optional, **{c.value: c.text for c in step.choice}})


def _untranslated(texts: Mapping[str, Mapping[str, str]]) -> str:
    missing = (f"{name}.{word}: missing" for name, text in texts.items() for word in LANGUAGES if not text.get(word))
    return next(missing, "")
