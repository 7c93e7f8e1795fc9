"""A PAX Prolin terminal over XCB: files can be read and written, nothing can be run.

How an application is installed over this connection is not published, so nothing is: whatever would need it says so,
and the planner shows the closed gate beforehand. Not verified on hardware.
"""

# ruff: noqa: ARG002 - the arguments are the protocol's; this connection can do nothing with them

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from typing import cast

from techtool.catalogue.allow import AllowList
from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock
from techtool.domain.backup import SnapshotPart
from techtool.domain.config_file import ConfigBack, ConfigRefused, ConfigRule, FormerConfig
from techtool.domain.functional import Capability
from techtool.domain.terminal import Evidence, Identity, InstalledPackage, TerminalState
from techtool.errors import AnotherTerminal
from techtool.i18n import phrase
from techtool.links.base import Link, TellingLink
from techtool.terminals.snapshot import file_snapshot
from techtool.terminals.waiting import until_up
from techtool.terminals.without_packages import WithoutPackages


class ProlinTerminal(WithoutPackages):
    """See :class:`techtool.terminals.base.Terminal`."""

    reason = phrase("installing: how it is done on PAX Prolin terminals over XCB is not published")

    def __init__(self, link: Link, identity: Identity, catalogue: Catalogue, clock: Clock) -> None:
        self._link = link
        self._identity = identity
        self._catalogue = catalogue

    @property
    def identity(self) -> Identity:
        """As it was read, or as a person typed it where no rule reads it."""
        return self._identity

    async def read_state(self, *, signers_of: Collection[str] = ()) -> TerminalState:
        """Who it is and what its facts say; versions of applications are not told over this connection."""
        facts = await self._same()
        state = self._catalogue.state(self._identity.family, facts)
        return TerminalState(
            identity=self._identity,
            packages=(),
            tid=state.tid,
            mid=state.mid,
            batch=state.batch,
            offline_sales=state.offline_sales,
            reversals=state.reversals,
            tamper=state.tamper,
            bootloader=state.bootloader,
            region=state.region,
            evidence=state.evidence,
        )

    async def backup_items(self, allow: AllowList) -> AsyncIterator[SnapshotPart]:
        """Its facts and the files that the list names, as far as they can be read."""
        facts = await self._same()
        async with aclosing(file_snapshot(self._link, facts, self._identity.vendor, allow)) as items:
            async for item in items:
                yield item

    async def compare_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """No file of these terminals is known to be one that may be written back."""
        raise ConfigRefused(phrase("this connection writes no configuration"))

    async def write_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """See :meth:`compare_config`."""
        raise ConfigRefused(phrase("this connection writes no configuration"))

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """What is installed is not told."""
        return None

    async def capabilities(self) -> Mapping[Capability, bool]:
        """What the model's entry says."""
        return self._catalogue.capabilities(self._identity.vendor, self._identity.model)

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Wait until it answers again."""
        await until_up(self._link, timeout_s, poll_s)
        await self._same()

    async def _same(self) -> dict[str, str]:
        """Its facts now; raises ``AnotherTerminal`` where they say another serial number.

        Of a terminal whose facts no rule reads, nothing can be compared: its label was.
        """
        facts = await cast(TellingLink, self._link).own_facts()
        if self._identity.evidence is Evidence.ASKED:
            return facts
        match = self._catalogue.match(facts)
        found = match.identity(self._identity.address).serial if match else ""
        if found != self._identity.serial:
            address = str(self._link.address)
            raise AnotherTerminal(address=address, found=found, expected=self._identity.serial)
        return facts
