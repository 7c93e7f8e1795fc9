"""An Android terminal over any link that has a shell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final, cast

from techtool.catalogue.allow import AllowList
from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock
from techtool.domain.backup import SnapshotPart
from techtool.domain.config_file import ConfigBack, ConfigRule, FormerConfig
from techtool.domain.functional import Capability
from techtool.domain.probe import Finding, Pulse
from techtool.domain.release import ApkFacts
from techtool.domain.terminal import Identity, InstalledPackage, TerminalState
from techtool.errors import AnotherTerminal, InstallFailed, UnknownModel
from techtool.i18n import phrase
from techtool.links.base import Capability as LinkCapability
from techtool.links.base import Confirmed, Link, SystoolLink
from techtool.terminals.android_text import (
    boot_is_complete,
    parse_battery,
    parse_free_bytes,
    parse_number,
    parse_properties,
)
from techtool.terminals.base import FormerFile, PackageFile, SessionSink, SetSink
from techtool.terminals.config_files import compare_config, config_digest, forget_config, write_config
from techtool.terminals.install import abandon_session, find_sessions, install_package, install_together
from techtool.terminals.inventory import read_installed, read_packages
from techtool.terminals.probes import Probed, capabilities_of, probe, pulse, show_settings
from techtool.terminals.put_back import install_former, uninstall_package
from techtool.terminals.shell import ask
from techtool.terminals.snapshot import snapshot_items
from techtool.terminals.staging import unstage
from techtool.terminals.systool import read_sysprops
from techtool.terminals.waiting import until_up

_BOOT_ID: Final = "cat /proc/sys/kernel/random/boot_id"


async def read_properties(link: Link) -> dict[str, str]:
    """Everything ``getprop`` tells; empty where there is no such command."""
    if {LinkCapability.SHELL, LinkCapability.SYSTOOL} & link.capabilities == {LinkCapability.SYSTOOL}:
        return await read_sysprops(cast(SystoolLink, link))
    return parse_properties(await ask(link, "getprop") or "")


class AndroidTerminal:
    """See :class:`techtool.terminals.base.Terminal`."""

    def __init__(self, link: Link, identity: Identity, catalogue: Catalogue, clock: Clock) -> None:
        self._link = link
        self._identity = identity
        self._catalogue = catalogue
        self._clock = clock

    @property
    def identity(self) -> Identity:
        """Who it is, as read when it was identified."""
        return self._identity

    async def read_state(self, *, signers_of: Collection[str] = ()) -> TerminalState:
        """Everything there is to know, read now; raises ``AnotherTerminal``."""
        properties, identity = await self._read_same()
        battery, free, uptime, offset, packages = await asyncio.gather(
            ask(self._link, "dumpsys battery"),
            ask(self._link, "df -k /data"),
            ask(self._link, "cat /proc/uptime"),
            self._clock_offset_s(),
            read_packages(self._link, signers_of),
        )
        facts = self._catalogue.state(identity.family, properties)
        return TerminalState(
            identity=identity,
            packages=packages,
            battery=parse_battery(battery or ""),
            free_storage_bytes=parse_free_bytes(free or ""),
            tid=facts.tid,
            mid=facts.mid,
            batch=facts.batch,
            offline_sales=facts.offline_sales,
            reversals=facts.reversals,
            tamper=facts.tamper,
            bootloader=facts.bootloader,
            region=facts.region,
            card_standard=facts.card_standard,
            clock_offset_s=offset,
            uptime_s=parse_number(uptime or ""),
            takes_older=_said(properties, "ro.debuggable", "1"),
            goes_back_itself=_said(properties, "ro.build.ab_update", "true"),
            evidence=facts.evidence,
        )

    async def backup_items(self, allow: AllowList) -> AsyncIterator[SnapshotPart]:
        """What a configuration snapshot holds."""
        properties, identity = await self._read_same()
        async with aclosing(snapshot_items(self._link, properties, identity.vendor, allow)) as items:
            async for item in items:
                yield item

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
        """Stream one package into an install session and commit it."""
        self._refuse_protected(package.id)
        await install_package(
            self._link, package, payload, size_bytes, session=session, confirmed=confirmed, resumed=resumed
        )

    async def install_together(
        self,
        files: Sequence[PackageFile],
        *,
        session: SetSink,
        confirmed: Confirmed | None = None,
        resumed: Confirmed | None = None,
    ) -> bool:
        """Stream several packages into a multi-package session (Android 10 and later) and commit it."""
        self._refuse_protected(*(file.apk.id for file in files))
        return await install_together(
            self._link, self._identity.sdk, files, session=session, confirmed=confirmed, resumed=resumed
        )

    async def put_back(
        self, package_id: str, files: Sequence[FormerFile], *, older: bool, session: SessionSink
    ) -> None:
        """Install a package from the files that a backup holds of it."""
        self._refuse_protected(package_id)
        await install_former(self._link, package_id, files, older=older, session=session)

    async def uninstall(self, package_id: str) -> None:
        """Remove a package with its data."""
        self._refuse_protected(package_id)
        await uninstall_package(self._link, package_id)

    async def compare_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """What writing a configuration file back would change."""
        return await compare_config(self._link, rule, former)

    async def write_config(self, rule: ConfigRule, former: FormerConfig) -> ConfigBack:
        """Write the kept keys of a configuration file back."""
        return await write_config(self._link, rule, former)

    async def config_digest(self, rule: ConfigRule) -> str:
        """Of what a backup would keep of a configuration file now."""
        return await config_digest(self._link, rule)

    async def forget_config(self, rule: ConfigRule) -> None:
        """Remove what a broken-off writing laid down beside a configuration file."""
        await forget_config(self._link, rule)

    async def abandon(self, session: str) -> bool:
        """Drop the session that an interrupted installation left."""
        return await abandon_session(self._link, session)

    async def drop_staged(self) -> None:
        """Remove what was laid down for an installation."""
        await unstage(self._link)

    async def unfinished_sessions(self, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
        """Sessions whose number never reached us, by the sizes they were asked for."""
        return await find_sessions(self._link, sizes_bytes)

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """The package and the SHA-256 of its base APK, read from the terminal now."""
        return await read_installed(self._link, package_id)

    async def probe(self, test_id: str, before: str = "") -> Finding | None:
        """One functional test as far as Android answers it."""
        return await probe(self._probed(before), test_id)

    async def capabilities(self) -> Mapping[Capability, bool]:
        """What it is known to have and not to have."""
        return await capabilities_of(self._probed())

    async def pulse(self) -> Pulse | None:
        """One look for the stability watch."""
        return await pulse(self._link)

    async def show(self, screen: str) -> bool:
        """Open a screen of the settings."""
        return await show_settings(self._link, screen)

    def _probed(self, before: str = "") -> Probed:
        return Probed(self._link, self._catalogue, self._identity, self._clock, before)

    async def reboot(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Restart it and wait until the same terminal is up again."""
        before = await ask(self._link, _BOOT_ID)
        await self._link.reboot()
        await self._wait(timeout_s, poll_s, before)

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Wait until it can be worked with."""
        await self._wait(timeout_s, poll_s, None)

    async def _wait(self, timeout_s: float, poll_s: float, boot_before: str | None) -> None:
        async def is_up() -> bool:
            """The daemon may still be the one from before the restart."""
            boot = await ask(self._link, _BOOT_ID)
            restarted = boot_before is None or boot is None or boot != boot_before
            return restarted and boot_is_complete(await read_properties(self._link))

        await until_up(self._link, timeout_s, poll_s, is_up)
        await self._read_same()

    async def _read_same(self) -> tuple[dict[str, str], Identity]:
        """Properties and identity as they are now; raises when another terminal answers at the address."""
        properties = await read_properties(self._link)
        match = self._catalogue.match(properties)
        address = str(self._link.address)
        if match is None:
            raise UnknownModel(address=address, description="", facts=self._catalogue.facts(properties))
        identity = match.identity(address)
        if (identity.vendor, identity.model, identity.serial) != (
            self._identity.vendor,
            self._identity.model,
            self._identity.serial,
        ):
            raise AnotherTerminal(address=address, found=identity.serial, expected=self._identity.serial)
        return properties, identity

    def _refuse_protected(self, *package_ids: str) -> None:
        """The planner has said no before; this is for whatever comes here by another way."""
        for package_id in package_ids:
            if self._catalogue.kinds.policy.protects(self._identity.vendor, package_id):
                reason = phrase(
                    "{name} belongs to the terminal's own payment security; techtool never touches it.", name=package_id
                )
                remedy = phrase("Only the maker's own way brings it.")
                raise InstallFailed(package=package_id, reason=reason, remedy=remedy)

    async def _clock_offset_s(self) -> float | None:
        """Terminal clock minus laptop clock, to half a second; None where the terminal does not tell the time."""
        asked = self._clock.now()
        told = parse_number(await ask(self._link, "date +%s") or "")
        between = asked + (self._clock.now() - asked) / 2
        return None if told is None else round(told + 0.5 - between.timestamp(), 1)


def _said(properties: Mapping[str, str], name: str, yes: str) -> bool | None:
    """A property that says yes or no; None where there is none.

    ``ro.debuggable``: only such builds take a downgrade of any package (AOSP ``PackageManagerServiceUtils``,
    ``isDowngradePermitted``). ``ro.build.ab_update``: two slots, with the boot loader falling back (AOSP, “A/B system
    updates”).
    """
    value = properties.get(name, "").strip()
    return value == yes if value else None
