"""The half of a driver that a terminal without Android's packages and files has not: each operation says so."""

# ruff: noqa: ARG002, B027 - the arguments are the Protocol's, and to do nothing is the answer

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

from techtool.domain.config_file import ConfigBack, ConfigRule, FormerConfig
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Identity
from techtool.errors import NotCapable
from techtool.i18n import Phrase, phrase
from techtool.links.base import Confirmed
from techtool.terminals.base import FormerFile, PackageFile, SessionSink, SetSink


class WithoutPackages(ABC):
    """See :class:`techtool.terminals.base.Terminal`; raises ``NotCapable``, or tells that there is nothing."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """Who it is."""

    def _no(self, capability: Phrase) -> NoReturn:
        raise NotCapable(address=self.identity.address, capability=capability)

    async def install(
        self,
        package: ApkFacts,
        payload: Path,
        size_bytes: int,
        *,
        session: SessionSink,
        confirmed: Confirmed | None = None,
        resumed: Confirmed | None = None,
    ) -> None:
        """It takes images, no packages."""
        self._no(phrase("installing Android packages"))

    async def install_together(
        self,
        files: Sequence[PackageFile],
        *,
        session: SetSink,
        confirmed: Confirmed | None = None,
        resumed: Confirmed | None = None,
    ) -> bool:
        """It takes images, no packages."""
        return False

    async def put_back(
        self, package_id: str, files: Sequence[FormerFile], *, older: bool, session: SessionSink
    ) -> None:
        """An image cannot be read, so that none is in a backup."""
        self._no(phrase("putting back what a backup holds"))

    async def uninstall(self, package_id: str) -> None:
        """There is nothing like it."""
        self._no(phrase("putting back what a backup holds"))

    async def compare_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """There are no files."""
        self._no(phrase("putting back what a backup holds"))

    async def write_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """There are no files."""
        self._no(phrase("putting back what a backup holds"))

    async def config_digest(self, rule: ConfigRule) -> str:
        """There are no files."""
        return ""

    async def forget_config(self, rule: ConfigRule) -> None:
        """There are no files."""

    async def abandon(self, session: str) -> bool:
        """A running update is not broken off: it is waited for, see :meth:`follow`."""
        return False

    async def drop_staged(self) -> None:
        """Nothing is laid down."""

    async def unfinished_sessions(self, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
        """See :meth:`follow`."""
        return ()
