"""``--record FILE``: what a command asks a terminal, written down without anything that may not leave the shop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from techtool.cli.output import say
from techtool.domain.terminal import Address
from techtool.errors import UsageError
from techtool.i18n import N_, _
from techtool.visit.services import Services

if TYPE_CHECKING:
    from techtool.links.base import Link
    from techtool.links.record.recorder import Recorder

_RECORDED: Final = frozenset({"adb", "adb+server", "xcb", "redfish+https", "replay"})
"""Schemes whose links a recording can stand for; the others have no connection, or none that could be replayed."""

record_option = click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=N_("write down what the terminal answers, without serial, card or merchant numbers, to send it in"),
)


@contextlib.contextmanager
def recorded(
    services: Services, path: Path | None, addresses: Sequence[str]
) -> Iterator[tuple[Services, Recorder | None]]:
    """The same services with links that are written down; the file is written at the end, however it ends.

    Raises :class:`UsageError` for a file that is there already and for an address that cannot be recorded, before
    anything is asked.
    """
    if path is None:
        yield services, None
        return
    for address in addresses:
        if Address.parse(address).scheme not in _RECORDED:
            raise UsageError(
                problem=_("Nothing can be recorded of {address}: leave --record out.").format(address=address)
            )
    from techtool.links.record.for_house import recorder_for

    if path.exists():
        raise UsageError(problem=_("{path} is there already; a recording never replaces a file.").format(path=path))
    if not path.absolute().parent.is_dir():
        raise UsageError(problem=_("There is no folder {path}.").format(path=path.absolute().parent))
    recorder = recorder_for(services.catalogue, services.settings, services.clock)

    def watched(address: Address) -> Link:
        return recorder.wrap(services.connect(address))

    try:
        yield replace(services, connect=watched), recorder
    finally:
        if recorder.begun:
            recorder.write(path, services.disk)
            say(_("Recorded in {path}. Look through it before you send it: it is plain text.").format(path=path))
        else:
            say(_("Nothing was recorded: no connection was opened."))
