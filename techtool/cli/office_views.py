"""How ``sync`` and ``office import`` tell what became of each visit."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from techtool.cli.output import error_json, say, shown
from techtool.errors import Exit, NotFoundError
from techtool.i18n import _
from techtool.office.fetching import Fetched
from techtool.office.outbox import conflict_of
from techtool.office.sync import Step, Synced


def progress(step: Step) -> None:
    """One line a visit for a person who watches; a log is not filled with them."""
    if sys.stderr.isatty():
        say(_("{number} of {of}: {visit}").format(number=step.number, of=step.of, visit=step.visit))


def tell_synced(result: Synced, *, stick: bool = False) -> None:
    """What went, what did not and why, what was learned."""
    for one in result.brought:
        for note in one.notes:
            say(f"! {one.visit}: {shown(note)}")
    for one in result.conflicts:
        say(_("✗ {visit}: {count} entries differ from what is there").format(visit=one.visit, count=len(one.conflicts)))
    for trouble in result.troubles:
        say(f"✗ {trouble.visit}: {shown(trouble.error.what_phrase)}")
    new = [one for one in result.home if one.new]
    if stick and result.brought:
        say(_("{count} visits are on the stick now: {place}").format(count=len(result.home), place=result.to))
    elif new:
        entries = sum(one.new for one in new)
        say(
            _("{count} visits went home ({entries} entries): {place}").format(
                count=len(new), entries=entries, place=result.to
            )
        )
    elif not (result.troubles or result.conflicts):
        say(_("Nothing waits: every closed visit has gone home.") if stick else _("Everything was home already."))
    for note in result.refreshed.notes:
        say(f"! {note.text()}")
    if result.refreshed.news:
        say(_("The office's newest metadata is kept; sticks are judged by it from now on."))


def finish_run(result: Synced) -> int:
    """Raise the gravest that happened; else whether anything was done."""
    if result.conflicts:
        raise conflict_of(result.conflicts)
    if result.troubles:
        raise result.troubles[0].error
    if result.refreshed.error is not None:
        raise result.refreshed.error
    done = any(one.new for one in result.home) or result.refreshed.news
    return int(Exit.DONE if done else Exit.NOTHING_TO_DO)


def brought_json(result: Synced) -> dict[str, object]:
    """For scripts."""
    refreshed = result.refreshed
    return {
        "to": result.to,
        "visits": [
            {
                "visit": one.visit,
                "entries": one.entries,
                "new": one.new,
                "conflicts": list(one.conflicts),
                "notes": [shown(note) for note in one.notes],
            }
            for one in result.brought
        ],
        "troubles": [{"visit": one.visit, "error": error_json(one.error)} for one in result.troubles],
        "refresh": {
            "found": refreshed.found,
            "news": refreshed.news,
            "error": error_json(refreshed.error) if refreshed.error is not None else None,
        },
    }


def tell_fetched(found: Sequence[Fetched]) -> None:
    """Each visit, and who stands for it."""
    for one in found:
        if one.error is not None:
            say(f"✗ {one.visit}: {shown(one.error.what_phrase)}")
        else:
            say(
                _("✓ {visit}: as it was sealed by {who}; {files} files").format(
                    visit=one.visit, who=one.principal, files=one.files
                )
            )


def finish_fetch(found: Sequence[Fetched], wanted: Sequence[str], place: str) -> int:
    """Raise the first thing that was wrong."""
    missing = [visit for visit in wanted if visit not in {one.visit for one in found}]
    if missing or not found:
        raise NotFoundError(what=", ".join(missing) or place)
    for one in found:
        if one.error is not None:
            raise one.error
    return int(Exit.DONE)


def fetched_json(found: Sequence[Fetched]) -> dict[str, object]:
    """For scripts."""
    return {
        "visits": [
            {
                "laptop": one.laptop,
                "visit": one.visit,
                "path": str(one.path) if one.path is not None else None,
                "signed_by": one.principal or None,
                "files": one.files,
                "error": error_json(one.error) if one.error is not None else None,
            }
            for one in found
        ]
    }
