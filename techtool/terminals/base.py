"""What the engine asks of a terminal, whatever family it is of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Protocol

from techtool.catalogue.allow import AllowList
from techtool.domain.backup import BackupItem, NotRead
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Identity, InstalledPackage, TerminalState
from techtool.links.base import Confirmed

SessionSink = Callable[[str], None]
"""Told the install session's id after the terminal opened it and before any byte is written, to be journalled."""


class Terminal(Protocol):
    """The driver of one family over one open link.

    Besides what each operation names, all raise :class:`techtool.errors.LinkError` and its children.
    """

    @property
    def identity(self) -> Identity:
        """Who it is, as read when it was identified."""
        ...

    async def read_state(self, *, signers_of: Collection[str] = ()) -> TerminalState:
        """Everything there is to know, read now.

        The signer's certificate is read for the packages in ``signers_of`` only: each must be copied here for it.
        Raises ``AnotherTerminal`` when the serial number is no longer the identity's.
        """
        ...

    def backup_items(self, allow: AllowList) -> AsyncIterator[BackupItem | NotRead]:
        """What a configuration snapshot holds, as far as it may and can be read; each item's bytes before the next."""
        ...

    async def install(
        self,
        package: ApkFacts,
        payload: Path,
        size_bytes: int,
        *,
        session: SessionSink,
        confirmed: Confirmed | None = None,
    ) -> None:
        """Stream one package into an install session and commit it.

        Raises ``InstallFailed`` with the terminal's own ``word`` (see ``outcome_of``) when it says no, ``Damaged`` when
        the laptop's copy is not as long as it should be. Returning means that the terminal said yes, nothing more.
        """
        ...

    async def abandon(self, session: str) -> None:
        """Drop the session that an interrupted installation left; one that is not there is fine."""
        ...

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """The package and the SHA-256 of its base APK, read from the terminal now; empty where it may not be read.

        None: it is not installed.
        """
        ...

    async def reboot(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Restart it and wait until the same terminal is up again; ``LinkTimeout`` when it is not."""
        ...

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Wait until it can be worked with; ``LinkTimeout``, ``AnotherTerminal``."""
        ...
