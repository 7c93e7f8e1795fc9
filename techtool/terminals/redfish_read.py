"""What a Redfish service says of its machine: the facts the catalogue's rules look at, and what it runs.

Sources: DMTF DSP0268 (ComputerSystem, Chassis, Manager, SoftwareInventory, UpdateService). Facts are named
``redfish.RESOURCE.Property``; of ``Oem`` only plain values are taken, two levels down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from techtool.domain.terminal import InstalledPackage
from techtool.errors import NotCapable
from techtool.i18n import phrase
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.values import Body, link_of, part_of, path_of, text_of, words_of

_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "root": ("RedfishVersion", "Vendor", "Product", "UUID"),
    "system": (
        "Manufacturer", "Model", "SubModel", "SerialNumber", "PartNumber", "SKU", "BiosVersion", "SystemType",
        "PowerState", "LastResetTime",
    ),
    "chassis": ("Manufacturer", "Model", "SerialNumber", "PartNumber", "ChassisType"),
    "manager": ("Manufacturer", "Model", "SerialNumber", "FirmwareVersion", "ManagerType", "DateTime", "LastResetTime"),
}  # fmt: skip
_STANDING_BY: Final = ("StandbyOffline", "StandbySpare", "Disabled", "Absent", "UnavailableOffline")
"""States (DSP0268, Resource) of a copy that is not the running one."""
_OEM_LIMIT: Final = 64
_ID_LIMIT: Final = 120


@dataclass(frozen=True, slots=True)
class Machine:
    """The one machine behind a service."""

    properties: Mapping[str, str]
    system: Body
    manager: Body


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that has a version and may be updated."""

    id: str
    """``SoftwareId`` where the device gives one: it names the software, whatever place it sits in."""
    version: str
    path: str
    """Of the resource that stands for it."""
    updateable: bool = True

    @property
    def package(self) -> InstalledPackage:
        """As the rest of the house knows what is installed."""
        return InstalledPackage(self.id, self.version, 0, in_system_image=True)


@dataclass(frozen=True, slots=True)
class UpdateService:
    """What its update service can do, as it says; empty texts: it cannot."""

    multipart: str = ""
    """``MultipartHttpPushUri``"""
    simple: str = ""
    """Target of the action ``SimpleUpdate``."""
    simple_protocols: tuple[str, ...] = ()
    http_push: str = ""
    """``HttpPushUri``, the older way; not used here."""
    apply_times: tuple[str, ...] = ()
    """``@Redfish.OperationApplyTimeSupport``; none: it does not say, and is not asked for one."""
    largest_bytes: int = 0
    """0: not said."""
    tasks: str = ""
    """Collection of the task service."""


async def read_machine(link: RedfishLink) -> Machine:
    """Facts of the service's one machine; raises ``NotCapable`` where it stands for several."""
    systems = await _members(link, "Systems")
    if len(systems) > 1:
        raise NotCapable(
            address=str(link.address), capability=phrase("telling apart {count} machines", count=len(systems))
        )
    found = {
        "root": link.root,
        "system": systems[0] if systems else {},
        "chassis": next(iter(await _members(link, "Chassis")), {}),
        "manager": next(iter(await _members(link, "Managers")), {}),
    }
    properties = {
        f"redfish.{kind}.{name}": text
        for kind, names in _PROPERTIES.items()
        for name in names
        if (text := _shown(text_of(found[kind], name)))
    }
    properties.update(list(_oem(found["system"]))[:_OEM_LIMIT])
    return Machine(properties, found["system"], found["manager"])


async def read_components(link: RedfishLink, machine: Machine) -> tuple[Component, ...]:
    """What it runs: its firmware inventory, else the versions that its system and its manager tell."""
    service = await _service(link)
    inventory = link_of(service, "FirmwareInventory")
    members = await link.members(inventory) if inventory else ()
    found: dict[str, Component] = {}
    for body in sorted(members, key=_stands_by):
        path, own = path_of(body.get("@odata.id")), _shown(text_of(body, "Id"))
        name = _shown(text_of(body, "SoftwareId"))[:_ID_LIMIT] or own
        # A second bank of the same software goes by its own id.
        name = own if name in found else name
        if name and path and name not in found:
            version = _shown(text_of(body, "Version"))
            found[name] = Component(name, version, path, body.get("Updateable") is not False)
    if not found:
        for body, name, field in ((machine.system, "BIOS", "BiosVersion"), (machine.manager, "BMC", "FirmwareVersion")):
            path, version = path_of(body.get("@odata.id")), _shown(text_of(body, field))
            if path and version:
                found[name] = Component(name, version, path)
    return tuple(sorted(found.values(), key=lambda component: component.id))


async def read_update_service(link: RedfishLink) -> UpdateService:
    """What can be done; nothing is assumed that is not said."""
    service = await _service(link)
    if not service or service.get("ServiceEnabled") is False:
        return UpdateService()
    simple = part_of(service, "Actions", "#UpdateService.SimpleUpdate")
    support = [
        *words_of(part_of(service, "@Redfish.OperationApplyTimeSupport"), "SupportedValues"),
        *words_of(part_of(service, "MultipartHttpPushUri@Redfish.OperationApplyTimeSupport"), "SupportedValues"),
        *words_of(part_of(simple, "@Redfish.OperationApplyTimeSupport"), "SupportedValues"),
    ]
    largest = service.get("MaxImageSizeBytes")
    tasks = await link.find(link_of(link.root, "Tasks")) if link_of(link.root, "Tasks") else {}
    return UpdateService(
        multipart=path_of(service.get("MultipartHttpPushUri")),
        simple=path_of(simple.get("target")),
        simple_protocols=words_of(simple, "TransferProtocol@Redfish.AllowableValues"),
        http_push=path_of(service.get("HttpPushUri")),
        apply_times=tuple(dict.fromkeys(support)),
        largest_bytes=largest if isinstance(largest, int) and largest > 0 else 0,
        tasks=link_of(tasks, "Tasks"),
    )


def clock_offset_s(properties: Mapping[str, str], now: datetime) -> float | None:
    """The manager's clock minus this laptop's; None where it does not tell the time."""
    try:
        told = datetime.fromisoformat(properties.get("redfish.manager.DateTime", ""))
    except ValueError:
        return None
    return round((told - now).total_seconds(), 1) if told.tzinfo is not None else None


async def _service(link: RedfishLink) -> Body:
    path = link_of(link.root, "UpdateService")
    return await link.find(path) if path else {}


async def _members(link: RedfishLink, name: str) -> Sequence[Body]:
    path = link_of(link.root, name)
    return await link.members(path) if path else ()


def _oem(system: Body) -> Iterator[tuple[str, str]]:
    """``Oem.VENDOR.Property`` of a system: only texts and numbers."""
    for vendor in part_of(system, "Oem"):
        for name, value in part_of(system, "Oem", vendor).items():
            if isinstance(value, str | int) and not isinstance(value, bool) and not name.startswith("@"):
                yield f"redfish.system.Oem.{_shown(vendor)}.{_shown(name)}", _shown(str(value))


def _stands_by(body: Body) -> bool:
    """Whether a device says that this copy does not run; one that says nothing lists first what runs."""
    return text_of(body, "Status", "State") in _STANDING_BY


def _shown(text: str) -> str:
    """A device's text: printable and bounded."""
    return "".join(c if c.isprintable() else "�" for c in text)[:200].strip() if text else ""
