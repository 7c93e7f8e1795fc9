"""Put back: packages out of a backup onto the terminal, one after the other; what loses data only after a word for it.

Everything is taken out of the backup and compared with its manifest before the first command that changes something: a
terminal is never left without a package because its backup turned out to be damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from techtool.domain.plan import StepKind
from techtool.domain.question import AnswerKind, Question, evidence_question
from techtool.domain.restore import PutBack, RestoredPackage, Way
from techtool.domain.terminal import BatchState, InstalledPackage
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import GateClosed, InstallFailed, RefusedByPerson, VerifyFailed
from techtool.i18n import N_, Phrase, phrase
from techtool.terminals.base import FormerFile
from techtool.terminals.install import catm_of
from techtool.terminals.put_back import DOWNGRADE
from techtool.visit.backup_log import BackupLog
from techtool.visit.lane import Lane
from techtool.visit.operator import YES
from techtool.visit.restore_source import Source, take_logged
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.install import abandon_leftovers

WORD: Final = "ERASE"
"""Typed by hand, in capitals: not a key that is struck by mistake."""
_REMOVED: Final = "remove:"
_SETTLE: Final = N_("Settle the batch on the terminal and wait until it says that it is done; then try again.")


def word_id(package: str) -> str:
    """The question whose answer lets a package's data be lost."""
    return f"restore.loses-data.{package}"


async def ask_for_losses(lane: Lane, items: Sequence[PutBack]) -> None:
    """The gate and the word before data is lost; nothing where none is. Raises ``GateClosed``, ``RefusedByPerson``."""
    losing = [item.package for item in items if item.way.loses_data]
    if losing:
        await _allow_losses(lane, losing)


async def _allow_losses(lane: Lane, packages: Sequence[str]) -> None:
    """The gate stands behind the words as well: a person may be long about them, and the shop is open meanwhile."""
    _refuse_if_told(lane)
    for package in packages:
        await _word_for(lane, package)
    lane.state = await read_state(lane)
    await nothing_waits(lane)


async def nothing_waits(lane: Lane) -> None:
    """Takings that wait would go with the application's data: no override.

    Batch, offline sales and reversals are asked of the terminal where it says them, else of the technician, who says
    what shows it.
    """
    _refuse_if_told(lane)
    known = lane.known
    if None not in (known.batch, known.offline_sales, known.reversals):
        return
    remedy = Phrase(_SETTLE)
    question = Question(
        "restore.nothing-waiting",
        AnswerKind.CONFIRM,
        phrase("Is the batch settled, and does no offline sale and no reversal wait in the terminal?"),
        remedy,
        serial=known.identity.serial,
    )
    if await lane.ask(StepKind.CONFIRM, question) != YES:
        raise GateClosed(reason=phrase("takings may wait in the terminal"), remedy=remedy)
    await lane.ask(StepKind.CONFIRM, evidence_question(question))


def _refuse_if_told(lane: Lane) -> None:
    """Raise ``GateClosed`` when the terminal itself said at its newest reading that takings wait."""
    known = lane.known
    if known.batch is BatchState.OPEN or known.offline_sales or known.reversals:
        raise GateClosed(reason=phrase("takings wait in the terminal"), remedy=Phrase(_SETTLE))


async def _word_for(lane: Lane, package: str) -> None:
    name = word_id(package)
    known = any(a.question_id == name and a.answer == WORD for a in lane.record.answers)
    if known or name in lane.words:
        return
    question = Question(
        name,
        AnswerKind.TEXT,
        phrase(
            "{package} must be uninstalled: everything it stored on this terminal is lost. Type {word} to allow it",
            package=package,
            word=WORD,
        ),
        phrase(
            "Parameters and passwords of the application must be entered again afterwards. "
            "Anything else you type: it is not uninstalled."
        ),
        serial=lane.known.identity.serial,
    )
    if (await lane.ask(StepKind.CONFIRM, question)).strip() != WORD:
        raise RefusedByPerson(question=question.text)
    lane.words.add(name)


async def put_back(lane: Lane, source: Source, log: BackupLog, items: Sequence[PutBack]) -> None:
    """Take out of the backup, then put back; a package that is removed comes after those that are put back."""
    if await abandon_leftovers(lane):
        await lane.driver.drop_staged()
    if not items:
        return
    files = await _take_out(lane, source, log, items)
    for item in items:
        if item.way is Way.REMOVE:
            await _remove(lane, item)
        else:
            await _one(lane, item, files[item.package])


async def _take_out(
    lane: Lane, source: Source, log: BackupLog, items: Sequence[PutBack]
) -> dict[str, tuple[FormerFile, ...]]:
    payloads = lane.services.paths.payloads
    paths = {file.name: payloads / f"{file.sha256}.apk" for item in items for file in item.files}
    title = phrase("Take {count} files out of the backup", count=len(paths))
    async with lane.step(StepKind.INSTALL, "take-out", title=title) as step:
        await take_logged(lane.services, log, source, why=lane.log.visit_id, files=paths)
        step.result = phrase("Decrypted, every digest agrees with the backup's manifest")
    return {
        item.package: tuple(FormerFile(Path(file.name).name, paths[file.name], file.size_bytes) for file in item.files)
        for item in items
    }


async def _one(lane: Lane, item: PutBack, files: Sequence[FormerFile]) -> None:
    if item.way is Way.REINSTALL:
        await _remove(lane, item)
        await _install(lane, item, files, older=False)
        return
    lower = item.now is not None and item.former_code is not None and item.former_code < item.now.version_code
    try:
        await _install(lane, item, files, older=lower and bool(lane.known.takes_older))
    except InstallFailed as error:
        if error.word != DOWNGRADE:
            raise
        lane.notice(phrase("The terminal does not take an older {package} over a newer one.", package=item.package))
        await _allow_losses(lane, [item.package])
        await _remove(lane, item)
        await _install(lane, item, files, older=False)


async def _remove(lane: Lane, item: PutBack) -> None:
    if item.way is not Way.REMOVE and item.now is None:
        return
    # Other packages were put back since the gate was looked at, and sales may have come in.
    lane.state = await read_state(lane)
    _refuse_if_told(lane)
    title = phrase("Uninstall {package} with its data", package=item.package)
    async with lane.step(StepKind.INSTALL, f"{_REMOVED}{item.package}", title=title, action=CatmAction.DELETE) as step:
        await lane.driver.uninstall(item.package)
        step.catm = CatmResult.SUCCESS
        step.result = title
    if item.way is not Way.REMOVE:
        lane.notice(
            phrase("Parameters and passwords of {package} must be entered again.", package=item.package),
            step=StepKind.INSTALL,
            warning=True,
        )


async def _install(lane: Lane, item: PutBack, files: Sequence[FormerFile], *, older: bool) -> None:
    title = phrase("Put {package} back from the backup", package=item.package)
    async with lane.step(StepKind.INSTALL, item.package, title=title, action=CatmAction.INSTALL) as step:
        lane.log.sessions_wanted(lane.id, {item.package: sum(file.size_bytes for file in files)})
        try:
            await lane.driver.put_back(
                item.package,
                files,
                older=older,
                session=lambda session: lane.log.session_opened(lane.id, item.package, session),
            )
        except InstallFailed as error:
            step.catm = catm_of(error.word)
            if error.word:
                lane.log.sessions_closed(lane.id)
            raise
        lane.log.sessions_closed(lane.id)
        step.catm = CatmResult.SUCCESS
        step.result = phrase("{package} was accepted by the terminal", package=item.package)


async def verify_back(lane: Lane, source: Source, items: Sequence[PutBack]) -> None:
    """Read again: each package byte for byte as it is in the backup, or gone; raises :class:`VerifyFailed`."""
    async with lane.step(StepKind.VERIFY, title=phrase("Read the terminal again")) as step:
        lane.state = await read_state(lane)
        lane.log.read_again(lane.id, lane.state)
        removed = {s.item.removeprefix(_REMOVED) for s in lane.log.steps_of(lane.id) if s.item.startswith(_REMOVED)}
        for item in items:
            found = await lane.driver.installed_file(item.package)
            expected = item.files[0].sha256 if item.files else ""
            lane.log.restored(
                lane.id,
                RestoredPackage(
                    backup=source.manifest.id,
                    backup_serial=source.manifest.serial,
                    package=(found[0] if found else item.now) or InstalledPackage(item.package, "", 0),
                    sha256_expected=expected,
                    sha256_found=found[1] if found else "",
                    data_lost=item.package in removed,
                ),
            )
            _check(lane, item, found, expected)
        step.result = phrase("{count} packages read back: as they are in the backup", count=len(items))


def _check(lane: Lane, item: PutBack, found: tuple[InstalledPackage, str] | None, expected: str) -> None:
    if not expected:
        if found is not None:
            raise VerifyFailed(package=item.package, reason=phrase("it is still there"))
        return
    if found is None:
        raise VerifyFailed(package=item.package, reason=phrase("it is not there"))
    if found[1] and found[1] != expected:
        raise VerifyFailed(package=item.package, reason=phrase("its digest differs from the backup's"))
    if not found[1]:
        if item.former_code is not None and found[0].version_code != item.former_code:
            raise VerifyFailed(package=item.package, reason=phrase("its version is not the one in the backup"))
        text = phrase("Digest or signer of {packages} cannot be read on this terminal.", packages=item.package)
        lane.notice(text, step=StepKind.VERIFY, warning=True)
