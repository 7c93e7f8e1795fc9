"""Configuration files of a restore: what differs, written back key by key, read again, and what a person enters again.

Values never reach a record: keys are named, and what they hold stays in the encrypted backup and on the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from techtool.domain.codec import CodecError
from techtool.domain.config_file import ConfigBack, ConfigRefused, ConfigRule, FormerConfig, RestoredConfig, read_former
from techtool.domain.plan import PlanRecord, StepKind
from techtool.domain.question import AnswerKind, Question
from techtool.domain.visit import CatmAction, CatmResult, StepState
from techtool.errors import BackupNotVerified, RestoreRefused, VerifyFailed
from techtool.i18n import Phrase, phrase
from techtool.visit.lane import Lane
from techtool.visit.operator import YES
from techtool.visit.restore_source import Restoring, Source
from techtool.visit.steps.put_back import nothing_waits

_STEP: Final = "config:"
CONFIGS: Final = "config"
"""Item of the step that verifies them."""


def wanted_configs(lane: Lane) -> tuple[str, ...]:
    """Names in a backup of the files that may be written back on this terminal."""
    return tuple(rule.item for rule in _rules(lane))


async def find_configs(lane: Lane, restoring: Restoring, taken: Mapping[str, bytes]) -> tuple[ConfigBack, ...]:
    """What of the backup's files differs on the terminal; one that may not be written is told and left alone."""
    restoring.configs.clear()
    restoring.refused.clear()
    found: list[ConfigBack] = []
    for rule in _rules(lane):
        if rule.item not in taken:
            continue
        await lane.driver.forget_config(rule)
        try:
            former = read_former(taken[rule.item])
        except CodecError as error:
            raise BackupNotVerified(problem=phrase("its content cannot be read"), detail=str(error)) from error
        restoring.configs[rule.item] = (rule, former)
        try:
            back = await lane.driver.compare_config(rule, former)
        except ConfigRefused as refused:
            text = phrase("{path} is not written back: {reason}", path=rule.path, reason=refused.reason)
            lane.notice(text, step=StepKind.CHECK, warning=True)
            restoring.refused.append(refused.reason)
            continue
        if back.changed:
            found.append(back)
    return tuple(found)


async def write_configs(lane: Lane, restoring: Restoring) -> None:
    """Write what was confirmed and still differs; raises ``GateClosed``, ``RestoreRefused``, ``VerifyFailed``."""
    differing: list[ConfigBack] = []
    for agreed in agreed_configs(lane):
        rule, former = _of(restoring, agreed)
        try:
            back = await lane.driver.compare_config(rule, former)
        except ConfigRefused as refused:
            raise RestoreRefused(reason=refused.reason) from refused
        if back.changed:
            differing.append(back)
    if differing:
        # Terminal and merchant numbers under takings that wait would send them to the wrong account.
        await nothing_waits(lane)
    for back in differing:
        rule, former = _of(restoring, back)
        title = phrase("Write {path} back from the backup", path=rule.path)
        item = f"{_STEP}{rule.path}"
        async with lane.step(StepKind.INSTALL, item, title=title, action=CatmAction.UPDATE) as step:
            try:
                written = await lane.driver.write_config(rule, former)
            except ConfigRefused as refused:
                raise RestoreRefused(reason=refused.reason) from refused
            step.catm = CatmResult.SUCCESS
            step.result = _written(written)


def _written(back: ConfigBack) -> Phrase:
    keys = ", ".join(back.changed) or "–"
    if not back.kept_higher:
        return phrase("keys written: {keys}", keys=keys)
    higher = ", ".join(back.kept_higher)
    return phrase("keys written: {keys}; left as they are, higher on the terminal: {higher}", keys=keys, higher=higher)


async def verify_configs(lane: Lane, restoring: Restoring, source: Source) -> None:
    """Read every file again: it says what the backup says, and no counter is lower; raises :class:`VerifyFailed`."""
    agreed = agreed_configs(lane)
    if not agreed:
        return
    async with lane.step(StepKind.VERIFY, CONFIGS, title=phrase("Read the configuration files again")) as step:
        for back in agreed:
            rule, former = _of(restoring, back)
            try:
                now = await lane.driver.compare_config(rule, former)
            except ConfigRefused as refused:
                raise VerifyFailed(package=rule.path, reason=refused.reason) from refused
            if now.changed:
                keys = ", ".join(now.changed)
                raise VerifyFailed(
                    package=rule.path, reason=phrase("these keys differ from the backup: {keys}", keys=keys)
                )
            manifest = source.manifest
            restored = RestoredConfig(manifest.id, manifest.serial, rule.path, back.changed, now.reenter)
            lane.log.config_restored(lane.id, restored)
        step.result = phrase("{count} configuration files read back", count=len(agreed))


async def ask_to_reenter(lane: Lane) -> None:
    """Passwords were in no backup: a person enters them again, or says that it was not done."""
    answered = {answer.question_id for answer in lane.record.answers}
    for back in agreed_configs(lane):
        name = f"restore.reenter.{back.path}"
        if not back.reenter or name in answered:
            continue
        keys = ", ".join(back.reenter)
        question = Question(
            name,
            AnswerKind.CONFIRM,
            phrase("Have you entered these again on the terminal: {keys}?", keys=keys),
            phrase("Passwords are in no backup. What the terminal had was left as it is."),
            serial=lane.known.identity.serial,
        )
        if await lane.ask(StepKind.TEST, question) != YES:
            text = phrase("Not entered again: {keys} of {path}.", keys=keys, path=back.path)
            lane.notice(text, step=StepKind.TEST, warning=True)


def written_configs(lane: Lane) -> tuple[str, ...]:
    """Files that this visit wrote, or may have written: begun, and not refused before anything was changed."""
    steps = [step for step in lane.log.steps_of(lane.id) if step.item.startswith(_STEP)]
    refused = RestoreRefused.code
    begun = [s for s in steps if not (s.state is StepState.FAILED and s.error is not None and s.error.code == refused)]
    return tuple(dict.fromkeys(step.item.removeprefix(_STEP) for step in begun))


def config_of(item: str) -> str:
    """The path of the file that an installation step of this item writes; empty: it writes none."""
    return item.removeprefix(_STEP) if item.startswith(_STEP) else ""


async def forget_unplaced(lane: Lane) -> None:
    """Remove what this visit laid down and did not put in its place; it holds passwords. Raises ``LinkError``."""
    begun = {config_of(step.item) for step in lane.log.steps_of(lane.id)}
    for rule in _rules(lane):
        if rule.path in begun:
            await lane.driver.forget_config(rule)


def _rules(lane: Lane) -> tuple[ConfigRule, ...]:
    identity = lane.known.identity
    return lane.services.catalogue.allow_list(identity.family).configs_for(identity.vendor)


def confirmed_plan(lane: Lane) -> PlanRecord | None:
    """The plan of an earlier run that is gone on with; None: there was none, or it was another one."""
    return lane.record.plan if lane.record.confirmed_digest == lane.agreed.digest else None


def agreed_configs(lane: Lane) -> tuple[ConfigBack, ...]:
    """What was confirmed: of a resumed lane what its first plan named, a part of which may be done."""
    before = confirmed_plan(lane)
    recorded = before.configs if before else ()
    known = {back.item for back in recorded}
    return (*recorded, *(back for back in lane.agreed.configs if back.item not in known))


def _of(restoring: Restoring, back: ConfigBack) -> tuple[ConfigRule, FormerConfig]:
    try:
        return restoring.configs[back.item]
    except KeyError as error:
        raise RestoreRefused(reason=phrase("{path} is not in the backup", path=back.path)) from error
