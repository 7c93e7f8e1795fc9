"""What the office does with a stick's outbox: the visits whose seals it believes go into its database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from techtool.errors import DiskError, OfficeRefused
from techtool.office.bring import Brought, bring
from techtool.office.couch import Database
from techtool.office.http import OfficeHttp
from techtool.office.outbox import InOutbox
from techtool.office.sync import Step, Synced, Trouble
from techtool.reports.signers import Signer


async def import_visits(
    http: OfficeHttp,
    found: Sequence[InOutbox],
    signers: Sequence[Signer],
    now: datetime,
    tell: Callable[[Step], None],
    *,
    unsigned: bool = False,
) -> Synced:
    """Bring them into the database under the ids that the laptop itself would use: nothing is there twice.

    ``http`` is entered already; ``unsigned``: also what was sealed without a key. Raises :class:`OfficeError` when the
    database cannot be reached.
    """
    database = Database(http)
    await database.check()
    brought: list[Brought] = []
    troubles: list[Trouble] = []
    for number, file in enumerate(found, 1):
        tell(Step(file.visit, number, len(found)))
        one = file.judge(signers, now, unsigned=unsigned)
        if isinstance(one, Trouble):
            troubles.append(one)
            continue
        try:
            brought.append(await bring(database, one.laptop, one.sealed, one.evidence))
        except (OfficeRefused, DiskError) as error:
            troubles.append(Trouble(file.visit, error))
    return Synced(http.address.url, tuple(brought), tuple(troubles))
