"""Restore: which backup goes onto this terminal, what of it differs, and the plan that a person confirms."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from techtool.domain.codec import CodecError, decode_json
from techtool.domain.config_file import ConfigBack
from techtool.domain.estimate import together
from techtool.domain.plan import Plan, StepKind
from techtool.domain.plan_steps import Pace, downtime, restore_steps
from techtool.domain.restore import PutBack, digest_of, files_of, refusal_for, way_back
from techtool.domain.rollback import RollbackClass, RollbackPlan
from techtool.domain.terminal import TamperState
from techtool.errors import BackupNotVerified, GateClosed, InternalError, RestoreRefused, TechtoolError
from techtool.events import LanePlanned
from techtool.i18n import phrase
from techtool.visit.lane import Lane
from techtool.visit.restore_source import Restoring, Source, source_for, take_logged
from techtool.visit.steps.configs import (
    agreed_configs,
    confirmed_plan,
    find_configs,
    verify_configs,
    wanted_configs,
    write_configs,
)
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.link_check import check_link
from techtool.visit.steps.put_back import ask_for_losses, put_back, verify_back
from techtool.visit.visits import list_visits, open_record

_LIST = "packages.json"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One line of the package list in a backup."""

    id: str
    version_code: int | None = None


async def check_restore(lane: Lane) -> None:
    """Choose and open the backup, compare it with the terminal, make the plan; raises :class:`RestoreRefused`."""
    restoring = _restoring(lane)
    async with lane.step(StepKind.CHECK, title=phrase("Compare the backup with the terminal")) as step:
        await check_link(lane)
        lane.state = await read_state(lane)
        serial = lane.known.identity.serial
        if lane.known.tamper is TamperState.TAMPERED:
            raise GateClosed(
                reason=phrase("the terminal reports that it was tampered with"),
                remedy=phrase("Take the terminal out of use, do not open it, secure it and tell the acquirer."),
            )
        source = source_for(lane.services, restoring, serial)
        reason = refusal_for(source.manifest, lane.known, restoring.wish.swap)
        if reason is not None:
            raise RestoreRefused(reason=reason)
        taken = await _taken(lane, restoring, source)
        items = await _differences(lane, source, _codes(taken))
        _publishers_agree(lane, items)
        restoring.source = source
        configs = await find_configs(lane, restoring, taken)
        if restoring.refused and not (items or configs or lane.record.confirmed_digest):
            raise RestoreRefused(reason=restoring.refused[0])
        lane.plan = _plan(lane, restoring, source, items, configs)
        # What an earlier run put back is part of what was confirmed: it is verified and recorded at the end.
        whole = replace(lane.plan, put_back=_agreed_items(lane), configs=agreed_configs(lane))
        lane.log.planned(lane.id, whole, None)
        lane.emit(LanePlanned(lane.id, lane.services.clock.now(), lane.plan))
        step.result = phrase("{count} packages differ from the backup", count=len(items))
        if configs:
            step.result = phrase(
                "{count} packages and {files} configuration files differ from the backup",
                count=len(items),
                files=len(configs),
            )
    build = lane.known.identity.os_version
    if build != source.manifest.os_version:
        text = phrase(
            "The system was {then} when the backup was made and is {now}.", then=source.manifest.os_version, now=build
        )
        lane.notice(text, step=StepKind.CHECK, warning=True)


async def carry_out(lane: Lane) -> None:
    """Ask for what is lost, put back what differs now.

    Configuration files first: an uninstallation may take a counter with it, and then nobody knows how high it stood.
    """
    restoring, source = _opened(lane)
    lane.state = await read_state(lane)
    codes = {item.package: item.former_code for item in _agreed_items(lane)}
    items = await _differences(lane, source, codes, only=tuple(codes))
    await ask_for_losses(lane, items)
    await write_configs(lane, restoring)
    await put_back(lane, source, restoring.log, items)


async def verify_restore(lane: Lane) -> None:
    """Every package that was to be put back is, byte for byte, and every configuration file says what it should."""
    restoring, source = _opened(lane)
    await verify_back(lane, source, _agreed_items(lane))
    await verify_configs(lane, restoring, source)
    lane.changing = False


def _agreed_items(lane: Lane) -> tuple[PutBack, ...]:
    """What was confirmed: of a resumed lane what its first plan named, a part of which may be done."""
    before = confirmed_plan(lane)
    recorded = before.put_back if before else ()
    known = {item.package for item in recorded}
    return (*recorded, *(item for item in lane.agreed.put_back if item.package not in known))


def _restoring(lane: Lane) -> Restoring:
    if lane.restoring is None:
        raise InternalError(kind="no restore")
    return lane.restoring


def _opened(lane: Lane) -> tuple[Restoring, Source]:
    restoring = _restoring(lane)
    if restoring.source is None:
        raise InternalError(kind="no backup")
    return restoring, restoring.source


async def _taken(lane: Lane, restoring: Restoring, source: Source) -> dict[str, bytes]:
    """The backup's package list and configuration files; the whole backup is read back for it."""
    texts = (_LIST, *wanted_configs(lane))
    return await take_logged(lane.services, restoring.log, source, why=lane.log.visit_id, texts=texts)


def _codes(taken: Mapping[str, bytes]) -> dict[str, int | None]:
    """Version codes as the backup's own package list tells them."""
    try:
        listed = decode_json(taken.get(_LIST, b"[]"), list[_Listed])
    except CodecError as error:
        raise BackupNotVerified(problem=phrase("its content cannot be read"), detail=str(error)) from error
    return {one.id: one.version_code for one in listed}


async def _differences(
    lane: Lane, source: Source, codes: dict[str, int | None], only: Sequence[str] | None = None
) -> tuple[PutBack, ...]:
    """Packages of the backup that do not run byte for byte; what the backup does not hold is left alone."""
    found: list[PutBack] = []
    for package, files in files_of(source.manifest).items():
        if only is not None and package not in only:
            continue
        present = await lane.driver.installed_file(package)
        now = present[0] if present else None
        former = codes.get(package)
        if present is not None and present[1] == files[0].sha256:
            continue
        if present is not None and not present[1] and former == present[0].version_code:
            continue
        found.append(PutBack(package, way_back(former, now, lane.known), now, former, files))
    return tuple(found)


def _publishers_agree(lane: Lane, items: Sequence[PutBack]) -> None:
    """What an earlier visit installed may forbid that it is undone; raises :class:`RestoreRefused`.

    Only this laptop's visits to this terminal are known: of what others installed nobody here knows what was allowed.
    """
    final = _final_here(lane)
    for item in items:
        key = final.get((item.package, item.now.version_code)) if item.now else None
        lower = item.former_code is None or item.now is None or item.former_code < item.now.version_code
        if key is not None and lower:
            raise RestoreRefused(
                reason=phrase("{release} cannot be undone; the way on is a newer release", release=key)
            )


def _final_here(lane: Lane) -> dict[tuple[str, int], str]:
    """Package and version code → the release that brought it and lets nothing come back."""
    serial = lane.known.identity.serial
    plans = []
    for summary in list_visits(lane.services):
        if serial in summary.serials and summary.id != lane.log.visit_id:
            with contextlib.suppress(TechtoolError):
                record = open_record(lane.services, summary.id)
                plans += [past.plan for past in record.lanes if past.plan is not None and past.serial == serial]
    return {
        (package.id, package.version_code): release.key
        for plan in plans
        for release in plan.releases
        for package in release.packages
        if any(
            one.release_key == release.key and one.kind is RollbackClass.NOT_POSSIBLE for one in plan.rollback.releases
        )
    }


def _plan(
    lane: Lane,
    restoring: Restoring,
    source: Source,
    items: tuple[PutBack, ...],
    configs: tuple[ConfigBack, ...],
) -> Plan:
    serial = lane.known.identity.serial
    steps = restore_steps(lane.known, items, Pace(link=lane.address.scheme), configs)
    return Plan(
        serial=serial,
        findings=(),
        releases=(),
        steps=steps,
        total=together([step.estimate for step in steps]),
        downtime=downtime(steps),
        undo=phrase("What runs now is backed up first; it can be put back in the same way."),
        digest=digest_of(serial, source.manifest, tuple(files_of(source.manifest)), tuple(restoring.configs)),
        rollback=RollbackPlan(),
        put_back=items,
        configs=configs,
    )
