"""A gateway or Linux terminal that speaks DMTF Redfish: identified, read, updated with whole images.

No payment terminal is known to expose this interface; tried against our simulator and published Redfish tools, not
verified on hardware.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Final

from techtool.catalogue.allow import AllowList
from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock
from techtool.domain.backup import Announced, BackupItem, ItemKind, SnapshotPart
from techtool.domain.codec import encode_json
from techtool.domain.functional import Capability
from techtool.domain.probe import PROPERTY, Finding, Pulse
from techtool.domain.question import CheckResult
from techtool.domain.release import Release
from techtool.domain.terminal import Identity, InstalledPackage, TerminalState
from techtool.errors import AnotherTerminal, InstallFailed, LinkError, LinkTimeout, UnknownModel
from techtool.i18n import phrase
from techtool.links.base import Confirmed
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.values import Body, part_of, path_of, text_of, words_of
from techtool.terminals.base import ImageFile, SessionSink
from techtool.terminals.redfish_read import (
    Machine,
    clock_offset_s,
    read_components,
    read_machine,
    read_update_service,
)
from techtool.terminals.redfish_tasks import AT_RESTART, NOT_FETCHED, OFFERED, wait_for
from techtool.terminals.redfish_update import UpdateWay, bring, choose_way
from techtool.terminals.without_packages import WithoutPackages

FAMILY: Final = "redfish"
_RESETS: Final = ("GracefulRestart", "PowerCycle", "ForceRestart")
"""The gentlest that the device knows."""
_ON: Final = "On"
_GONE_S: Final = 30.0
"""A device that answers all the while, and tells no time of its last start, counts as restarted after so long."""


async def identify_redfish(link: RedfishLink, catalogue: Catalogue, clock: Clock) -> RedfishTerminal:
    """The driver, where a rule of the catalogue fits; raises ``UnknownModel`` with the raw facts."""
    machine = await read_machine(link)
    return RedfishTerminal(link, _identity(link, catalogue, machine), catalogue, clock)


def _identity(link: RedfishLink, catalogue: Catalogue, machine: Machine) -> Identity:
    match = catalogue.match(machine.properties)
    address = str(link.address)
    if match is None or match.rule.family != FAMILY:
        facts = catalogue.facts(machine.properties, FAMILY)
        said = [facts.get(f"redfish.system.{name}", "") for name in ("Manufacturer", "Model")]
        raise UnknownModel(address=address, description=" ".join(word for word in said if word) or "–", facts=facts)
    return match.identity(address)


class RedfishTerminal(WithoutPackages):
    """See :class:`techtool.terminals.base.Terminal` and :class:`techtool.terminals.base.TakesImages`."""

    def __init__(self, link: RedfishLink, identity: Identity, catalogue: Catalogue, clock: Clock) -> None:
        self._link = link
        self._identity = identity
        self._catalogue = catalogue
        self._clock = clock

    @property
    def identity(self) -> Identity:
        """Who it is, as read when it was identified."""
        return self._identity

    async def read_state(self, *, signers_of: Collection[str] = ()) -> TerminalState:  # noqa: ARG002 - tells none
        """Everything there is to know, read now; raises ``AnotherTerminal``."""
        machine, identity = await self._read_same()
        facts = self._catalogue.state(FAMILY, machine.properties)
        return TerminalState(
            identity=identity,
            packages=tuple(component.package for component in await read_components(self._link, machine)),
            tid=facts.tid,
            mid=facts.mid,
            batch=facts.batch,
            offline_sales=facts.offline_sales,
            reversals=facts.reversals,
            tamper=facts.tamper,
            bootloader=facts.bootloader,
            region=facts.region,
            clock_offset_s=clock_offset_s(machine.properties, self._clock.now()),
            evidence=facts.evidence,
        )

    # -- images

    async def install_image(
        self, image: ImageFile, *, session: SessionSink, confirmed: Confirmed | None = None
    ) -> bool:
        """Push it, or let the device fetch it, and wait for its task."""
        way = await self.way_for(image.release)
        return await bring(self._link, way, image, self._clock, session=session, confirmed=confirmed)

    async def way_for(self, release: Release) -> UpdateWay:
        """How the release would be brought, as the device says now."""
        machine = await read_machine(self._link)
        service = await read_update_service(self._link)
        return choose_way(str(self._link.address), service, await read_components(self._link, machine), release)

    async def check_image(self, release: Release) -> None:
        """Whether there is a way at all."""
        await self.way_for(release)

    async def follow(self, session: str, package: str, *, alive: Callable[[], None]) -> bool:
        """Wait for a task that an earlier run began; without its name for every task that still runs.

        How an update ends whose file was not fetched says nothing: it is brought again.
        """
        if session.startswith(NOT_FETCHED):
            return False
        task = session.removeprefix(OFFERED)
        tasks = [task] if path_of(task.removeprefix(AT_RESTART)) else await self._running_tasks()
        try:
            kept = [await wait_for(self._link, one, package, self._clock, alive=alive) for one in tasks]
        except InstallFailed as error:
            if error.word and self.never_arrived(session):
                return False
            raise
        return any(kept) and not self.never_arrived(session)

    def never_arrived(self, session: str) -> bool:
        """By what was journalled while it was offered, and when its task ended."""
        return session.startswith((NOT_FETCHED, OFFERED))

    async def abandon(self, session: str) -> bool:  # noqa: ARG002 - none is broken off
        """A running update is not broken off: it is waited for, see :meth:`follow`."""
        return False

    async def _running_tasks(self) -> list[str]:
        collection = (await read_update_service(self._link)).tasks
        bodies = await self._link.members(collection) if collection else ()
        running = [b for b in bodies if text_of(b, "TaskState") in ("New", "Starting", "Running", "Pending")]
        return [path for body in running if (path := path_of(body.get("@odata.id")))]

    # -- what is read

    async def backup_items(self, allow: AllowList) -> AsyncIterator[SnapshotPart]:
        """Facts and versions, which is all that can be read: an image cannot be fetched back."""
        machine, _identity_now = await self._read_same()
        allowed = {name: value for name, value in sorted(machine.properties.items()) if allow.allows(name)}
        serials = frozenset(name for name in allowed if allow.holds_serial(name))
        listed = [
            {"id": c.id, "version": c.version, "updateable": c.updateable}
            for c in await read_components(self._link, machine)
        ]
        documents = (
            ("properties.json", ItemKind.PROPERTIES, encode_json(allowed, indent=1), serials),
            ("packages.json", ItemKind.PACKAGES, encode_json(listed, indent=1), frozenset[str]()),
        )
        yield Announced(sum(len(data) for _name, _kind, data, _serials in documents))
        for name, kind, data, fields in documents:
            yield BackupItem(name, kind, _once(data), len(data), allow.scan_of(kind), fields)

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """One component's version; its bytes cannot be read."""
        machine = await read_machine(self._link)
        components = await read_components(self._link, machine)
        return next(((c.package, "") for c in components if c.id == package_id), None)

    async def probe(self, test_id: str, before: str = "") -> Finding | None:  # noqa: ARG002 - nothing is compared
        """Properties only; every test is a person's."""
        if not test_id.startswith(PROPERTY):
            return None
        machine = await read_machine(self._link)
        value = machine.properties.get(test_id.removeprefix(PROPERTY))
        return Finding(CheckResult.PASS, value) if value is not None else None

    async def capabilities(self) -> Mapping[Capability, bool]:
        """What the catalogue, or the device itself, says it has and has not."""
        machine = await read_machine(self._link)
        known = self._catalogue.capabilities(self._identity.vendor, self._identity.model)
        return {**known, **self._catalogue.state(FAMILY, machine.properties).capabilities}

    async def pulse(self) -> Pulse | None:
        """Its last start, where it tells it."""
        started = _started(await read_machine(self._link))
        return Pulse(started, None, None) if started else None

    # -- restarting

    async def reboot(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Restart it by the gentlest reset it knows, and wait until the same one is up again."""
        machine = await read_machine(self._link)
        target, kind = _reset_of(machine)
        if not target:
            self._no(phrase("restarting the terminal"))
        answer = await self._link.ask("POST", target, {"ResetType": kind})
        if not answer.ok:
            raise self._link.refused("Reset", answer)
        await self.wait_restarted(timeout_s, poll_s, _started(machine), was_on=_power_of(machine) == _ON)

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Wait until it can be worked with."""
        await self.wait_restarted(timeout_s, poll_s, None)

    async def wait_restarted(
        self, timeout_s: float, poll_s: float, started_before: str | None, *, was_on: bool = False
    ) -> None:
        """Wait until the same one answers; ``started_before``: what it told of its last start, None: any will do.

        ``was_on``: it said that its machine is switched on, and may say nothing else in the end. The service of many
        machines is there all the while; then it is the machine that is seen to go off and on (DSP0268, ``PowerState``).
        """
        last: LinkError | None = None
        asked_s = self._clock.monotonic_s()
        was_gone = started_before is None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        await self._link.close()
                        await self._link.open()
                        machine = await read_machine(self._link)
                        started, is_off = _started(machine), was_on and _power_of(machine) not in ("", _ON)
                        was_gone |= is_off
                        waited_s = self._clock.monotonic_s() - asked_s
                        if not is_off and (was_gone or (started and started != started_before) or waited_s > _GONE_S):
                            break
                    except LinkError as error:
                        last, was_gone = error, True
                    await asyncio.sleep(poll_s)
        except TimeoutError as error:
            detail = str(last) if last else ""
            raise LinkTimeout(address=str(self._link.address), seconds=round(timeout_s), detail=detail) from error
        await self._read_same()

    async def _read_same(self) -> tuple[Machine, Identity]:
        machine = await read_machine(self._link)
        identity, known = _identity(self._link, self._catalogue, machine), self._identity
        if (identity.vendor, identity.model, identity.serial) != (known.vendor, known.model, known.serial):
            raise AnotherTerminal(address=str(self._link.address), found=identity.serial, expected=known.serial)
        return machine, identity


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _started(machine: Machine) -> str:
    told = (machine.properties.get(f"redfish.{kind}.LastResetTime", "") for kind in ("system", "manager"))
    return " ".join(text for text in told if text)


def _power_of(machine: Machine) -> str:
    """Empty where it does not tell."""
    return machine.properties.get("redfish.system.PowerState", "")


def _reset_of(machine: Machine) -> tuple[str, str]:
    """Target and type of the gentlest reset, of the system before the manager; two empty texts where there is none."""
    for body, action in ((machine.system, "#ComputerSystem.Reset"), (machine.manager, "#Manager.Reset")):
        reset: Body = part_of(body, "Actions", action)
        known = words_of(reset, "ResetType@Redfish.AllowableValues")
        kind = next((name for name in _RESETS if name in known), "" if known else _RESETS[0])
        if path_of(reset.get("target")) and kind:
            return path_of(reset.get("target")), kind
    return "", ""
