"""The backups on this laptop as the screens show them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from techtool.domain.restore import Swap
from techtool.domain.typed import narrow
from techtool.domain.verdicts import size_text
from techtool.errors import UsageError
from techtool.i18n import _, translate
from techtool.reports.redaction import visible
from techtool.tui.views.lines import Line, Mark, day_and_time

if TYPE_CHECKING:
    from techtool.visit.backup_log import LogEntry
    from techtool.visit.kept_backups import KeptBackup, Verified
    from techtool.visit.retention import Pruned

HERE: Final = "here"
DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class BackupRow:
    """One backup in the list."""

    id: str
    mark: Mark
    label: str
    note: str


def backup_rows(backups: Sequence[KeptBackup]) -> tuple[BackupRow, ...]:
    """Newest first."""
    return tuple(_row(backup) for backup in reversed(backups))


def _row(backup: KeptBackup) -> BackupRow:
    label = f"{day_and_time(backup.made_at)}  {visible(backup.serial) or '?'}"
    return BackupRow(backup.id, mark_of(backup), label, "  ".join((verified_word(backup), key_words(backup))))


def mark_of(backup: KeptBackup) -> Mark:
    """Whether it can be used here and now."""
    if backup.presence.value != HERE:
        return Mark.NOTE if backup.presence.value == DELETED else Mark.STOPPED
    if not backup.verified:
        return Mark.WARNING
    return Mark.OK if backup.key.value == HERE else Mark.NOTE


def verified_word(backup: KeptBackup) -> str:
    """Whether it was read back when it was made."""
    return _("verified") if backup.verified else _("not verified")


def key_words(backup: KeptBackup) -> str:
    """Who can open it."""
    if backup.presence.value != HERE:
        return _("wiped") if backup.presence.value == DELETED else _("file missing")
    if backup.key.value == HERE:
        return _("key here until {day}").format(day=f"{backup.key_until:%Y-%m-%d}")
    return _("only the office can open it")


def can_restore(backup: KeptBackup) -> bool:
    """Whether there is anything to put back from: with the office's identity file where the key here is gone."""
    return backup.presence.value == HERE and backup.verified


def backup_facts(backup: KeptBackup) -> tuple[tuple[str, str], ...]:
    """What is known of one backup."""
    return (
        (_("Terminal"), visible(backup.serial) or _("its record is damaged")),
        (_("Made"), day_and_time(backup.made_at)),
        (_("Visit"), backup.visit),
        (_("Holds"), _("{count} items, {size}").format(count=backup.items, size=size_text(backup.size_bytes))),
        (_("When it was made"), verified_word(backup)),
        (_("Who can open it"), key_words(backup)),
        (_("File"), backup.file),
    )


def verified_lines(results: Sequence[Verified], backup: str) -> tuple[Line, ...]:
    """How it read back; the other backups of the same visit stand below it."""
    first = [result for result in results if result.backup == backup]
    rest = [result for result in results if result.backup != backup]
    return tuple(_verified(result) for result in [*first, *rest])


def _verified(result: Verified) -> Line:
    if result.error is None:
        return Line(Mark.OK, _("{backup}: decrypted, every digest agrees").format(backup=result.backup))
    advice = tuple(_("Do: {what}").format(what=action.text()) for action in result.error.action_phrases)
    return Line(Mark.STOPPED, f"{result.backup}: {result.error.code}  {result.error.what_phrase.text()}", advice)


def upkeep_lines(pruned: Pruned, days: int, *, done: bool) -> tuple[Line, ...]:
    """What goes, or went, and what is left alone; before it is done nothing is said as if it were."""
    from techtool.visit.retention import told

    if done:
        return tuple(Line(Mark.NOTE, text.text()) for text in told(pruned))
    lines = [Line(Mark.WARNING, _("Key to the backups of visit {visit}").format(visit=v)) for v in pruned.keys]
    lines += [Line(Mark.WARNING, _("Backup file {backup}").format(backup=backup)) for backup in pruned.wiped]
    lines += [Line(Mark.WARNING, _("Half-written file {file}").format(file=name)) for name in pruned.leftovers]
    if not lines:
        lines.append(Line(Mark.OK, _("Nothing is older than {days} days.").format(days=days)))
    alone = replace(pruned, keys=(), wiped=(), leftovers=())
    return (*lines, *(Line(Mark.NOTE, text.text()) for text in told(alone)))


def log_lines(log: Sequence[LogEntry]) -> tuple[Line, ...]:
    """Newest first: when, who, what, of which backup, how it ended, why."""
    from techtool.visit.backup_log import ACTION_LABEL, RESULT_LABEL

    lines = []
    for entry in reversed(log):
        result = translate(RESULT_LABEL[entry.result]) if entry.result in RESULT_LABEL else entry.result
        action = translate(ACTION_LABEL[entry.action])
        first = "  ".join(part for part in (day_and_time(entry.at), action, result, entry.who) if part)
        second = "  ".join(part for part in (entry.backup or entry.visit, entry.why) if part)
        lines.append(Line(Mark.NOTE, visible(first), (visible(second),) if second else ()))
    return tuple(lines) or (Line(Mark.NOTE, _("No backup was opened or deleted on this laptop.")),)


def swap_order(from_serial: str, to_serial: str, model: str, number: str) -> Swap:
    """The swap order as it was typed; raises :class:`UsageError` naming what is missing."""
    target, model, number = narrow(to_serial), narrow(model), narrow(number)
    if not target or not model or not number:
        raise UsageError(
            problem=_("A swap order names the other terminal's serial number, its model and its own number.")
        )
    if target == from_serial:
        raise UsageError(problem=_("That is the terminal the backup was made of: no swap order is needed."))
    return Swap(from_serial, target, model, number)
