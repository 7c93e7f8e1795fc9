"""The half of a driver that a terminal without Android's packages has not: each operation says so."""

# ruff: noqa: ARG002, B027 - the arguments are the Protocol's, and to do nothing is the answer

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar, NoReturn

from techtool.domain.config_file import ConfigBack, ConfigRule, FormerConfig
from techtool.domain.probe import Finding, Pulse
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Identity
from techtool.errors import NotCapable
from techtool.i18n import Phrase, phrase
from techtool.links.base import Confirmed
from techtool.terminals.base import FormerFile, PackageFile, SessionSink, SetSink


class WithoutPackages(ABC):
    """See :class:`techtool.terminals.base.Terminal`; raises ``NotCapable``, or tells that there is nothing.

    A driver adds what its terminal can do.
    """

    reason: ClassVar[Phrase | None] = None
    """Why it can do none of this, for a terminal where all have the same; None: an error names what was asked for."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """Who it is."""

    def _no(self, capability: Phrase) -> NoReturn:
        raise NotCapable(address=self.identity.address, capability=self.reason or capability)

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
        """It takes no packages."""
        self._no(phrase("installing Android packages"))

    async def install_together(
        self,
        files: Sequence[PackageFile],
        *,
        session: SetSink,
        confirmed: Confirmed | None = None,
        resumed: Confirmed | None = None,
    ) -> bool:
        """It takes no packages, one after the other neither."""
        self._no(phrase("installing Android packages"))

    async def put_back(
        self, package_id: str, files: Sequence[FormerFile], *, older: bool, session: SessionSink
    ) -> None:
        """What is installed cannot be read, so that none of it is in a backup."""
        self._no(phrase("putting back what a backup holds"))

    async def uninstall(self, package_id: str) -> None:
        """There is nothing like it."""
        self._no(phrase("putting back what a backup holds"))

    async def compare_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """No file can be written back."""
        self._no(phrase("putting back what a backup holds"))

    async def write_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """No file can be written back."""
        self._no(phrase("putting back what a backup holds"))

    async def config_digest(self, rule: ConfigRule) -> str:
        """Nothing is written back, so nothing is compared."""
        return ""

    async def forget_config(self, rule: ConfigRule) -> None:
        """Nothing was laid down."""

    async def abandon(self, session: str) -> bool:
        """It has no sessions."""
        return True

    async def drop_staged(self) -> None:
        """Nothing was laid down."""

    async def unfinished_sessions(self, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
        """It has no sessions."""
        return ()

    async def probe(self, test_id: str, before: str = "") -> Finding | None:
        """It answers no test by itself: a person does each."""
        return None

    async def pulse(self) -> Pulse | None:
        """It does not tell."""
        return None

    async def show(self, screen: str) -> bool:
        """The person is guided."""
        return False

    async def reboot(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Only a person can."""
        self._no(phrase("restarting the terminal"))
