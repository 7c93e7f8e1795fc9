"""Back up: the allow-listed configuration, encrypted, read back; nothing on the terminal changes."""

from __future__ import annotations

from techtool.backups.container import write_backup
from techtool.backups.keys import new_identity, read_recipients
from techtool.backups.taking_out import secret_in
from techtool.domain.plan import StepKind
from techtool.domain.visit import CatmAction, CatmResult
from techtool.errors import NotCapable
from techtool.i18n import phrase
from techtool.visit.lane import Lane


async def backup(lane: Lane) -> None:
    """Make a snapshot, unless this visit has a verified one of this terminal."""
    if lane.known.typed:
        await _nothing_to_read(lane)
        return
    earlier = lane.record.backup
    paths = lane.services.paths
    if earlier is not None and earlier.verified and (paths.backups / earlier.file).is_file():
        lane.notice(phrase("The backup made earlier in this visit stands."), step=StepKind.BACKUP)
        return
    if earlier is not None and lane.changing:
        text = phrase("The backup made earlier in this visit is gone; the new one shows the terminal as it is now.")
        lane.notice(text, step=StepKind.BACKUP, warning=True)
    async with lane.step(StepKind.BACKUP, title=phrase("Back up the configuration"), action=CatmAction.UPLOAD) as step:
        identity = lane.known.identity
        lane.services.home.ensure_folder(paths.backups)
        stored = await write_backup(
            lane.driver.backup_items(lane.services.catalogue.allow_list(identity.family)),
            backup_id=f"{lane.log.visit_id}-{lane.id}",
            identity=identity,
            recipients=read_recipients(paths.recipients),
            identity_key=visit_key(lane),
            folder=paths.backups,
            clock=lane.services.clock,
            disk=lane.services.disk,
        )
        lane.log.backed_up(lane.id, stored)
        for item in dict.fromkeys(noted.item for noted in stored.manifest.noted):
            text = phrase(
                "{item} holds what looks like card data. It is a program and was kept; tell the office.", item=item
            )
            lane.notice(text, step=StepKind.BACKUP, warning=True)
        step.catm = CatmResult.SUCCESS
        step.bytes_confirmed = stored.size_bytes
        step.result = phrase(
            "{items} items saved and read back, {missing} could not be read",
            items=len(stored.manifest.items),
            missing=len(stored.manifest.not_read),
        )


async def _nothing_to_read(lane: Lane) -> None:
    """Recorded as what it is; a visit that was made for the backup alone fails with ``NotCapable``."""
    async with lane.step(StepKind.BACKUP, title=phrase("Back up the configuration"), action=CatmAction.UPLOAD) as step:
        step.catm = CatmResult.NOT_SUPPORTED
        if lane.opened is None:
            raise NotCapable(address=str(lane.address), capability=phrase("reading the terminal's configuration"))
        step.result = phrase("Nothing can be read from this terminal: there is no backup of it")
    lane.notice(
        phrase("There is no backup of this terminal: note its settings, or print them, before its menu erases any."),
        step=StepKind.BACKUP,
        warning=True,
    )


def visit_key(lane: Lane) -> str:
    """The age identity that opens this visit's backups on this laptop; made on first need."""
    services = lane.services
    path = services.paths.visit_keys / f"{lane.log.visit_id}.agekey"
    if path.is_file():
        return secret_in(path)
    secret, _public = new_identity()
    services.home.ensure_folder(path.parent)
    services.disk.write_file(path, secret.encode("ascii"))
    return secret
