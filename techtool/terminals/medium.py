"""A terminal that nothing here is connected to: what is known of it was read by a person from its label and its screen.

Whatever would need a connection says so, and a person is asked or the step is left out; nothing is made up.
"""

# ruff: noqa: ARG002 - the arguments are the protocol's; nothing can be done with them here

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping

from techtool.catalogue.allow import AllowList
from techtool.domain.backup import NotRead, SnapshotPart
from techtool.domain.functional import Capability
from techtool.domain.guide import Guide
from techtool.domain.terminal import Evidence, Identity, InstalledPackage, TerminalState
from techtool.i18n import phrase
from techtool.terminals.without_packages import WithoutPackages

FACTS = ("serial", "model", "versions")
"""What a person reads and types; in the state's ``evidence`` as ``asked``."""


def typed_state(
    guide: Guide,
    address: str,
    serial: str,
    *,
    firmware: str = "",
    bootloader: str = "",
    packages: Mapping[str, str] | None = None,
) -> TerminalState:
    """The state of a terminal from what was typed; an empty version is one that nobody could read.

    ``packages``: release id → version, of what is neither firmware nor boot loader.
    """
    identity = Identity(
        address=address,
        vendor=guide.vendor,
        vendor_name=guide.vendor_name,
        model=guide.model,
        model_name=guide.model_name,
        family="medium",
        hw_revision=None,
        serial=serial,
        serial_source="label",
        serial_trusted=True,
        os_version=firmware,
        firmware=firmware,
        abis=(),
        sdk=None,
        evidence=guide.evidence,
        source=guide.source,
    )
    found = [InstalledPackage(name, version, _code(version)) for name, version in (packages or {}).items() if version]
    return TerminalState(
        identity,
        tuple(sorted(found, key=lambda package: package.id)),
        bootloader=bootloader or None,
        evidence=dict.fromkeys(FACTS, Evidence.ASKED),
    )


def _code(version: str) -> int:
    """As the planner numbers what has no versionCode of its own."""
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0


class TypedTerminal(WithoutPackages):
    """The driver of such a terminal: it knows what was typed last, and can do nothing by itself."""

    reason = phrase("this terminal is worked on by hand, at its own menu")

    def __init__(self, state: TerminalState) -> None:
        self.state = state

    @property
    def identity(self) -> Identity:
        """As a person read it."""
        return self.state.identity

    async def read_state(self, *, signers_of: Collection[str] = ()) -> TerminalState:
        """What was typed last; typing it again is the visit's, which can ask."""
        return self.state

    async def backup_items(self, allow: AllowList) -> AsyncIterator[SnapshotPart]:
        """Nothing can be read."""
        yield NotRead("configuration", "no connection")

    async def unfinished_sessions(self, sizes_bytes: Collection[int]) -> tuple[str, ...] | None:
        """It does not tell."""
        return None

    async def installed_file(self, package_id: str) -> tuple[InstalledPackage, str] | None:
        """As typed; no digest can be read."""
        package = self.state.package(package_id)
        return (package, "") if package is not None else None

    async def capabilities(self) -> Mapping[Capability, bool]:
        """Not known."""
        return {}

    async def wait_ready(self, *, timeout_s: float = 300.0, poll_s: float = 1.0) -> None:
        """Whoever stands at it sees it."""
