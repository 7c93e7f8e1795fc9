"""What the engine asks of a terminal, whatever family it is of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from techtool.catalogue.allow import AllowList
from techtool.domain.backup import SnapshotPart
from techtool.domain.config_file import ConfigBack, ConfigRule, FormerConfig
from techtool.domain.functional import Capability
from techtool.domain.probe import Finding, Pulse
from techtool.domain.release import ApkFacts, Release
from techtool.domain.terminal import Identity, InstalledPackage, TerminalState
from techtool.links.base import Confirmed

SessionSink = Callable[[str], None]
"""Told the install session's id after the terminal opened it and before any byte is written, to be journalled."""
SetSink = Callable[[str, str], None]
"""The same for packages that go in together: package id (empty: of the session that holds the others), session id."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One package and this laptop's verified copy of it."""

    apk: ApkFacts
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FormerFile:
    """One APK out of a backup, its bytes compared with the backup's manifest."""

    name: str
    """As the terminal called it: ``base.apk``, ``split_config.en.apk``."""
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ImageFile:
    """The one file of a release that is no package, and this laptop's verified copy of it."""

    release: Release
    path: Path
    size_bytes: int
    sha256: str


@runtime_checkable
class TakesImages(Protocol):
    """A driver that brings whole images to a terminal, which puts them in by itself and by its own time."""

    async def check_image(self, release: Release) -> None:
        """Nothing, where it can be brought; raises ``NotCapable``, ``NotCompatible``, ``InstallFailed`` (too large)."""
        ...

    async def install_image(
        self, image: ImageFile, *, session: SessionSink, confirmed: Confirmed | None = None
    ) -> bool:
        """Bring the image and wait until the terminal says that it is done; raises ``InstallFailed``.

        ``session`` is told by what name the terminal goes on with it, to be journalled: see :meth:`follow`. Returning
        means that the terminal said yes, nothing more. True: it keeps the image for its next restart.
        """
        ...

    async def follow(self, session: str, package: str, *, alive: Callable[[], None]) -> bool:
        """Wait for what an earlier run began; one that is not there any more is over. Raises ``InstallFailed``.

        True: the terminal keeps it for its next restart.
        """
        ...

    def never_arrived(self, session: str) -> bool:
        """Whether the terminal cannot have got the whole image, whatever it says or shows: it is brought again then."""
        ...


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

    def backup_items(self, allow: AllowList) -> AsyncIterator[SnapshotPart]:
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
        resumed: Confirmed | None = None,
    ) -> None:
        """Bring one package into an install session and commit it.

        ``resumed`` is told how many bytes an earlier attempt had brought and need not be sent again.
        Raises ``InstallFailed`` with the terminal's own ``word`` (see ``outcome_of``) when it says no, ``Damaged`` when
        the laptop's copy is not as long as it should be. Returning means that the terminal said yes, nothing more.
        """
        ...

    async def install_together(
        self,
        files: Sequence[PackageFile],
        *,
        session: SetSink,
        confirmed: Confirmed | None = None,
        resumed: Confirmed | None = None,
    ) -> bool:
        """Stream several packages and have them installed all or none.

        False: this terminal does not know how, nothing was installed; they can only go in one after the other.
        ``confirmed`` counts over all of them. Raises as :meth:`install` does; after ``InstallFailed`` with a ``word``
        none of them was installed.
        """
        ...

    async def put_back(
        self, package_id: str, files: Sequence[FormerFile], *, older: bool, session: SessionSink
    ) -> None:
        """Install a package from the files that a backup holds of it; ``older``: ask to take it over a newer one.

        Raises as :meth:`install` does. Where ``older`` is refused, the word is ``INSTALL_FAILED_VERSION_DOWNGRADE``.
        """
        ...

    async def uninstall(self, package_id: str) -> None:
        """Remove a package **with its data**; one that is not there is fine. Raises ``InstallFailed``."""
        ...

    async def compare_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """What writing a configuration file back would change; nothing is changed.

        Raises ``ConfigRefused`` where it may not be written: it, or a counter in it, cannot be read.
        """
        ...

    async def write_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """Write the kept keys into the file and read it back; an interruption leaves the old file or the new one.

        No counter goes down, passwords stay. Raises ``ConfigRefused`` where the old file is as it was, ``VerifyFailed``
        where what stands there now is not what was sent.
        """
        ...

    async def config_digest(self, rule: ConfigRule) -> str:
        """Lower-case hex SHA-256 of what a backup would keep of the file now; empty: it may not be read."""
        ...

    async def forget_config(self, rule: ConfigRule) -> None:
        """Remove what a broken-off :meth:`write_config` laid down beside the file; never mind that there is nothing."""
        ...

    async def abandon(self, session: str) -> bool:
        """Drop the session that an interrupted installation left; False: the terminal will not let go of it.

        One that is not there is fine. A session that holds others comes before those.
        """
        ...

    async def drop_staged(self) -> None:
        """Remove what an interrupted installation laid down and nothing needs any more."""
        ...

    async def unfinished_sessions(self, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
        """Sessions of ours whose number never reached us, by the sizes they were asked for; None: it does not tell."""
        ...

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """The package and the SHA-256 of its base APK, read from the terminal now; empty where it may not be read.

        None: it is not installed.
        """
        ...

    async def probe(self, test_id: str, before: str = "") -> Finding | None:
        """One functional test as far as the terminal answers it itself, read-only; None: a person has to do it.

        ``before``: what the same probe read before the work. ``property:NAME`` reads a property. Key material is never
        read.
        """
        ...

    async def capabilities(self) -> Mapping[Capability, bool]:
        """What it is known to have (True) and not to have (False); what is left out is not known."""
        ...

    async def pulse(self) -> Pulse | None:
        """One look for the stability watch; None: it does not tell."""
        ...

    async def show(self, screen: str) -> bool:
        """Open a screen of the settings that helps with a test; False: it cannot, the person is guided."""
        ...

    async def reboot(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Restart it and wait until the same terminal is up again; ``LinkTimeout`` when it is not."""
        ...

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Wait until it can be worked with; ``LinkTimeout``, ``AnotherTerminal``."""
        ...
