"""Fault scripts: everything that goes wrong on a real counter, at will and repeatably.

A script is a TOML (or JSON) file. Each ``[[terminal]]`` names the positions it is for (from 1; none: all); a terminal
takes the first entry that names it. Every key may be left out, an unknown one is an error::

    schema = 1

    [[terminal]]
    positions = [1]
    batch = "open"                       # takings wait; “setprop techtool.sim.batch settled” settles them
    offline_sales = 2                    # wait for the host; “setprop techtool.sim.offline_sales 0” sends them
    reversals = 1
    tamper = "tampered"
    slow_bytes_per_s = 4_000_000         # of each connection, both directions together
    refuse_connections = 2               # hang up on the first n connections
    says_ok_and_lies = true              # installing answers Success; nothing is installed
    trailing_blank = true                # versionName is told with a blank at its end

    battery_health = 4                   # Android's number: 2 good, 3 too hot, 4 dead, 7 too cold
    clock_off_s = 400                    # its clock is so far off
    properties = { "ro.boot.verifiedbootstate" = "orange" }   # told instead of the model's

    [terminal.after_install]             # what an installation leaves behind
    crashes = "com.example.sunmi.pay"    # this package crashes at every look
    restarts = false                     # it restarts by itself once, a moment later
    loses_key = "TMK"                    # this slot is empty

    [terminal.drop]                      # the link is cut at byte n of a connection
    at_byte = 400_000
    direction = "in"                     # "in": what the terminal receives; "out": what it sends
    times = 1                            # how many connections suffer it; 0: every one

    [terminal.hang]                      # the daemon stops in mid-reply and never goes on; the connection stays
    command = "dumpsys battery"          # a part of the command; left out: any bytes of the connection count
    after_bytes = 40
    times = 1

    [terminal.storage]                   # full
    free_bytes = 0
    told_at = "commit"                   # "create", "write" or "commit": where Android notices

    [terminal.battery]                   # the charge falls with every reading, down to 0
    start_percent = 60
    fall_percent = 15
    external_power = false

    [terminal.install]                   # refuse with this word
    word = "INSTALL_FAILED_USER_RESTRICTED"
    detail = "Install canceled by user"
    package = ""                         # only this package; empty: any
    nth = 0                              # only the n-th package of a set that is installed together; 0: any
    times = 0                            # how often; 0: always

    [terminal.wrong_version]             # after an install another version stands there
    version = "0.9"
    version_code = 9
    package = ""

    [terminal.reboot_loop]               # after a restart it restarts again
    times = 3                            # how often; 0: for ever
    up_s = 0.5

    [terminal.task]                      # of a Redfish service: what becomes of an update's task
    seconds = 3.0                        # how long it takes
    never_ends = false                   # stays at 40 %
    fails = "VerificationFailed"         # ends so, with this key of DMTF's Update registry
    restarts = false                     # the device restarts in the middle of it, and forgets the task

    [terminal.after_reboot]
    never_returns = false
    serial = "OTHER-0001"                # answers with another serial number

``batch``, ``offline_sales``, ``reversals``, ``tamper`` and ``start_percent`` are put into the terminal's state at every
start, and stay there when it is started again without the script. Counters (``times``, ``refuse_connections``) live as
long as the process: a simulator started anew begins again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from techtool.domain.terminal import BatchState, TamperState
from techtool.errors import BadFile
from techtool.simulator.documents import read_document


class Direction(StrEnum):
    """As the terminal sees it."""

    IN = "in"
    OUT = "out"


class ToldAt(StrEnum):
    """Which call of the package manager notices that the storage is full."""

    CREATE = "create"
    WRITE = "write"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the link at byte ``at_byte`` of a connection, ``times`` times (0: every time)."""

    at_byte: int
    direction: Direction = Direction.IN
    times: int = 1


@dataclass(frozen=True, slots=True)
class Hang:
    """Stop in mid-reply after ``after_bytes`` bytes of the command's output (of the connection, without a command)."""

    command: str = ""
    after_bytes: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class FullStorage:
    """So much is free, whatever the model has."""

    free_bytes: int = 0
    told_at: ToldAt = ToldAt.COMMIT


@dataclass(frozen=True, slots=True)
class FallingBattery:
    """Another charge to begin with, and how much every reading costs."""

    start_percent: int | None = None
    fall_percent: int = 0
    external_power: bool | None = None


@dataclass(frozen=True, slots=True)
class InstallRefusal:
    """Refuse packages with Android's ``word``."""

    word: str
    detail: str = ""
    package: str = ""
    nth: int = 0
    """Only the n-th package (from 1) of a set that is installed together; 0: any package, alone or not."""
    times: int = 0


@dataclass(frozen=True, slots=True)
class WrongVersion:
    """What stands there after an install instead of what was installed."""

    version: str
    version_code: int
    package: str = ""


@dataclass(frozen=True, slots=True)
class RebootLoop:
    """How often it restarts by itself after a restart (0: for ever), and how long it is up in between."""

    times: int = 0
    up_s: float = 0.5


@dataclass(frozen=True, slots=True)
class TaskFault:
    """What becomes of an update's task on a Redfish service."""

    seconds: float = 0.0
    never_ends: bool = False
    fails: str = ""
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class AfterReboot:
    """What comes back after a restart."""

    never_returns: bool = False
    serial: str = ""


@dataclass(frozen=True, slots=True)
class AfterInstall:
    """What goes wrong once something was installed in this run of the simulator."""

    crashes: str = ""
    restarts: bool = False
    loses_key: str = ""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with one terminal; the default is a healthy one."""

    positions: tuple[int, ...] = ()
    drop: Drop | None = None
    hang: Hang | None = None
    slow_bytes_per_s: int = 0
    refuse_connections: int = 0
    storage: FullStorage | None = None
    battery: FallingBattery | None = None
    install: InstallRefusal | None = None
    says_ok_and_lies: bool = False
    wrong_version: WrongVersion | None = None
    trailing_blank: bool = False
    reboot_loop: RebootLoop | None = None
    after_reboot: AfterReboot | None = None
    batch: BatchState | None = None
    tamper: TamperState | None = None
    offline_sales: int | None = None
    """So many wait to be sent to the host."""
    reversals: int | None = None
    battery_health: int | None = None
    """``android.os.BatteryManager``: 2 good."""
    clock_off_s: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    """Told instead of the model's."""
    after_install: AfterInstall | None = None
    task: TaskFault | None = None


HEALTHY = Faults()


@dataclass(frozen=True, slots=True)
class FaultScript:
    """A whole file."""

    schema: int = 1
    terminal: tuple[Faults, ...] = ()

    def for_position(self, position: int) -> Faults:
        """What is wrong with the terminal at ``position`` (from 1)."""
        for faults in self.terminal:
            if not faults.positions or position in faults.positions:
                return faults
        return HEALTHY


def load_faults(path: Path) -> FaultScript:
    """Read a fault script; raises :class:`BadFile` naming the place."""
    script = read_document(path, FaultScript)
    if script.schema != 1:
        raise BadFile(path=str(path), problem=f"$.schema: {script.schema}; this simulator knows 1")
    return script


@dataclass(slots=True)
class ArmedFaults:
    """The faults of one terminal and how often each has struck so far."""

    faults: Faults = HEALTHY
    _struck: dict[str, int] = field(default_factory=dict)

    def _strike(self, name: str, times: int) -> bool:
        """Whether the fault ``name`` strikes once more; counts it."""
        if times and self._struck.get(name, 0) >= times:
            return False
        self._struck[name] = self._struck.get(name, 0) + 1
        return True

    def refuse_connection(self) -> bool:
        """Whether to hang up on this connection."""
        count = self.faults.refuse_connections
        return count > 0 and self._strike("refuse", count)

    def drop_now(self, drop: Drop) -> bool:
        """Whether a connection that reached its byte is cut."""
        return self._strike("drop", drop.times)

    def hang_now(self, hang: Hang) -> bool:
        """Whether a reply that reached its byte stops there."""
        return self._strike("hang", hang.times)

    def refuse_install(self, package_id: str, place: int = 0) -> InstallRefusal | None:
        """The refusal that this package meets, if any; ``place``: which one of a set it is (from 1), 0 when alone."""
        refusal = self.faults.install
        if refusal is None or (refusal.package and refusal.package != package_id):
            return None
        if refusal.nth and refusal.nth != place:
            return None
        return refusal if self._strike("install", refusal.times) else None

    def wrong_version(self, package_id: str) -> WrongVersion | None:
        """What stands there after this package was installed, if the script says so."""
        wrong = self.faults.wrong_version
        return wrong if wrong is not None and wrong.package in ("", package_id) else None

    def reboot_again(self) -> RebootLoop | None:
        """The loop, when the terminal restarts by itself once more."""
        loop = self.faults.reboot_loop
        return loop if loop is not None and self._strike("reboot_loop", loop.times) else None
