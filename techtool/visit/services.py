"""What the engine works with: everything that differs between a shop, a demo and a test comes in here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import techtool
from techtool.catalogue.facts import OfficeFacts
from techtool.catalogue.reader import Catalogue, load_catalogue
from techtool.clock import Clock, SystemClock
from techtool.domain.pace import Pace
from techtool.domain.restore import RestoreWish
from techtool.domain.terminal import Address
from techtool.domain.work_order import WorkOrder
from techtool.errors import UsageError
from techtool.i18n import phrase
from techtool.links.base import Link
from techtool.links.open import link_for
from techtool.paths import DISK, Disk, Paths
from techtool.reports.formats import FORMATS
from techtool.settings import Settings, read_settings
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.visit.awake import KeepAwake, keep_awake, not_kept
from techtool.visit.known_facts import known_facts


def new_visit_id(now: datetime) -> str:
    """``V20261122-081500-3fa9``: sorts by time, unique enough for two laptops in one minute."""
    return f"V{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@dataclass(frozen=True, slots=True)
class Services:
    """The house's doors, as the engine uses them."""

    paths: Paths
    settings: Settings
    catalogue: Catalogue
    clock: Clock
    disk: Disk
    home: Home
    index: Index
    """One object: only it knows whether it has the index open for writing."""
    connect: Callable[[Address], Link]
    keep_awake: KeepAwake = not_kept
    facts: OfficeFacts = field(default_factory=OfficeFacts)
    """What the office knows of makers beside the built-in catalogue."""
    report_formats: tuple[str, ...] = FORMATS
    """What is written when a visit is closed."""
    new_id: Callable[[datetime], str] = new_visit_id
    tool_version: str = techtool.__version__
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How the stability watch waits (seconds)."""

    @classmethod
    def real(cls, paths: Paths, disk: Disk = DISK) -> Services:
        """This laptop: its settings, its clock, its links."""
        settings = read_settings(paths.settings)
        home, facts = Home(paths, disk), known_facts(paths)
        catalogue = load_catalogue()
        return cls(
            paths=paths,
            settings=settings,
            catalogue=replace(catalogue, approvals=facts.approvals(catalogue.approvals)),
            clock=SystemClock(),
            disk=disk,
            home=home,
            index=Index(home),
            connect=lambda address: link_for(address, settings.links, paths),
            keep_awake=keep_awake,
            facts=facts,
        )


@dataclass(frozen=True, slots=True)
class VisitRequest:
    """What a person wants done."""

    addresses: tuple[Address, ...]
    bundle: Path | None
    """None: a visit that only backs up."""
    releases: tuple[str, ...] = ()
    """Release ids wanted; empty: everything on the stick that fits."""
    merchant: str = ""
    work_order: str = ""
    order: WorkOrder | None = None
    """Merchant, number and releases come from it where they are not given."""
    restore: RestoreWish | None = None
    """Not None: nothing is installed from a stick, packages are put back from a backup."""
    identity: Path | None = None
    """An age identity file of the office's, where this laptop's own key to the backup is gone."""
    inspection: bool = False
    """Nothing is installed: the terminals are read, looked at and tested."""
    pace: Pace = field(default_factory=Pace)
    """In what order, and how many at once."""

    def __post_init__(self) -> None:
        """A visit is proof of what was done to a terminal; raises :class:`UsageError` for a recording of one."""
        if any(address.scheme == "replay" for address in self.addresses):
            problem = phrase("A recording is no terminal: “identify” and “plan” take it, a visit does not.")
            raise UsageError(problem=problem)


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """What a person wants gone on with."""

    visit: str = ""
    """Empty: the one unfinished visit."""
    bundle: Path | None = None
    """Where the stick is now; None: where it was."""
    addresses: Mapping[str, Address] = field(default_factory=dict)
    """Serial → where that terminal is reached now."""
    identity: Path | None = None
    """An age identity file of the office's, for a restore."""
