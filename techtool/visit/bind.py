"""What this laptop remembers of a terminal that stands before it."""

from __future__ import annotations

import contextlib

from techtool.domain.history import TerminalEntry
from techtool.domain.terminal import TerminalState
from techtool.errors import DiskError, StoreDamaged, StoreTooNew
from techtool.visit.services import Services


def remembered(services: Services, state: TerminalState, visit: str) -> list[TerminalEntry]:
    """Entries of other visits: of this serial number, of this terminal number, and of whoever had that one last.

    A memory that cannot be read remembers nothing: ``doctor`` tells of it.
    """
    with contextlib.suppress(StoreDamaged, StoreTooNew, DiskError):
        index = services.index
        serials = {state.identity.serial.casefold(): state.identity.serial}
        if state.tid:
            serials |= {entry.serial.casefold(): entry.serial for entry in index.terminals(tid=state.tid)}
        found = [entry for serial in serials.values() for entry in index.terminals(serial=serial)]
        return sorted((entry for entry in found if entry.visit != visit), key=lambda entry: entry.at)
    return []
