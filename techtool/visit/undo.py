"""Undo: after a failure, what ran before this visit comes back from this visit's own backup. Never a success."""

from __future__ import annotations

from techtool.backups.taking_out import secret_in
from techtool.domain.plan import PlanRecord, StepKind
from techtool.domain.release import Release
from techtool.domain.restore import PutBack, Way, files_of, way_back
from techtool.domain.visit import StepState
from techtool.errors import BadFile, RestoreRefused
from techtool.i18n import phrase
from techtool.visit.kept_backups import backup_log, key_path
from techtool.visit.lane import CHANGES, Lane
from techtool.visit.log import manifest_of
from techtool.visit.restore_source import Source
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.put_back import ask_for_losses, put_back, verify_back


def can_undo(lane: Lane) -> bool:
    """Whether the class of the plan allows it and the backup of this visit is there."""
    plan = _plan(lane)
    if plan is None or lane.restoring is not None or lane.undoing or not plan.rollback.by_techtool:
        return False
    return _source(lane) is not None


async def prepare_undo(lane: Lane) -> bool:
    """Read the terminal, open the gates, have the words typed; False: it runs what it ran before.

    Raises ``GateClosed``, ``RefusedByPerson``; until here nothing was undone.
    """
    source = _needed(lane)
    lane.state = await read_state(lane)
    items = await _items(lane, source, differing=True)
    await ask_for_losses(lane, items)
    return bool(items)


async def undo(lane: Lane) -> None:
    """Put back, in the other order than it was installed, and read again. A resumed lane goes on where it was."""
    source = _needed(lane)
    lane.changing = True
    if not lane.undoing:
        lane.log.undo_begun(lane.id)
        lane.undoing = True
    lane.state = await read_state(lane)
    items = await _items(lane, source, differing=True)
    await ask_for_losses(lane, items)
    await put_back(lane, source, backup_log(lane.services), items)
    await verify_back(lane, source, await _items(lane, source, differing=False))


def _plan(lane: Lane) -> PlanRecord | None:
    """The plan that was carried out: of this run, or the one that a resumed lane was confirmed for."""
    if lane.plan is not None:
        return PlanRecord.of(lane.plan)
    return lane.record.plan if lane.record.confirmed_digest else None


def _source(lane: Lane) -> Source | None:
    paths = lane.services.paths
    backup = f"{lane.log.visit_id}-{lane.id}"
    manifest = manifest_of(lane.log.db, backup)
    path, key = paths.backups / f"{backup}.age", key_path(lane.services, lane.log.visit_id)
    if manifest is None or not path.is_file() or not key.is_file() or not _made_before(lane):
        return None
    try:
        return Source(lane.log.visit_id, path, manifest, secret_in(key))
    except BadFile:
        return None


def _made_before(lane: Lane) -> bool:
    """Whether the backup is of the terminal as it was: one that was lost and made again later shows what runs now."""
    steps = lane.log.steps_of(lane.id)
    made = [s.seq for s in steps if s.step is StepKind.BACKUP and s.state is StepState.DONE]
    changed = [s.seq for s in steps if s.action in CHANGES]
    return not made or not changed or made[-1] < changed[0]


def _needed(lane: Lane) -> Source:
    source = _source(lane)
    if source is None:
        raise RestoreRefused(reason=phrase("the backup of this visit is not on this laptop"))
    return source


async def _items(lane: Lane, source: Source, *, differing: bool) -> tuple[PutBack, ...]:
    """Each package of the plan, the last installed first; ``differing``: only what is not as before."""
    plan, before = _plan(lane), lane.before
    if plan is None or before is None:
        raise RestoreRefused(reason=phrase("the record does not say what ran before"))
    saved = files_of(source.manifest)
    found: dict[str, PutBack] = {}
    for release in reversed(plan.releases):
        for apk in reversed(release.packages):
            if apk.id in found:
                continue
            former = before.package(apk.id)
            present = await lane.driver.installed_file(apk.id)
            now = present[0] if present else None
            if former is None:
                if now is not None or not differing:
                    found[apk.id] = PutBack(apk.id, Way.REMOVE, now, None, ())
                continue
            files = saved.get(apk.id)
            if files is None:
                raise RestoreRefused(reason=phrase("{package} is not in the backup", package=apk.id))
            if differing and present is not None and present[1] == files[0].sha256:
                continue
            way = way_back(former.version_code, now, lane.known)
            if way is Way.OVER and _wipes(release):
                way = Way.REINSTALL
            found[apk.id] = PutBack(apk.id, way, now, former.version_code, files)
    return tuple(found.values())


def _wipes(release: Release) -> bool:
    return release.erases_data or release.rollback.data == "wipe"
