"""One simulated terminal behind its debug daemon: properties, battery, storage, clock, files, packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from techtool.clock import Clock
from techtool.domain.terminal import BatchState
from techtool.errors import BadFile
from techtool.paths import DISK, Disk
from techtool.simulator.apk import InstallRefused
from techtool.simulator.faults import HEALTHY, AfterInstall, ArmedFaults, Faults
from techtool.simulator.files import FileTree
from techtool.simulator.model import APKS, Model
from techtool.simulator.packages import PackageManager
from techtool.simulator.state import StateStore


@dataclass(frozen=True, slots=True)
class Charge:
    """What ``dumpsys battery`` tells."""

    percent: int
    external_power: bool


class Device:
    """Everything of a terminal but its wire; survives any number of boots and is rebuilt from its folder."""

    def __init__(self, model: Model, store: StateStore, faults: ArmedFaults, clock: Clock) -> None:
        self.model = model
        self.store = store
        self.faults = faults
        self.clock = clock
        self.packages = PackageManager(model, store, faults, clock)
        self.files = FileTree(
            store.files,
            store.disk,
            apks=self.packages.apk_paths,
            texts=self._texts,
            sealed=self.packages.sealed_paths,
        )
        self.request_reboot: Callable[[], None] = lambda: None
        """Set by the daemon: restart after the present answer."""
        self._booted_s = clock.monotonic_s()
        self._looks = 0
        self._restarted = False

    @classmethod
    async def open(
        cls,
        folder: Path,
        model: Model,
        position: int,
        clock: Clock,
        *,
        faults: Faults = HEALTHY,
        apks: Path = APKS,
        disk: Disk = DISK,
    ) -> Device:
        """The terminal kept in ``folder``, or a new one with the model's preinstalled packages."""
        new = not (folder / "terminal.json").exists()
        store = StateStore.open(folder, model, model.serial.serial(position), faults, disk)
        store.clean()
        if new:
            at_the_factory = cls(model, store, ArmedFaults(HEALTHY), clock)
            for place, content in model.files_of(store.state.serial).items():
                disk.write_file(at_the_factory.files.place(place), content)
            for name in model.preinstalled:
                path = apks / name
                if path.is_file():
                    try:
                        await at_the_factory.packages.preinstall(path)
                    except InstallRefused as error:
                        raise BadFile(path=str(path), problem=str(error)) from error
        return cls(model, store, ArmedFaults(faults), clock)

    def boot(self) -> None:
        """Count a start; what a power cut left half-done is thrown away."""
        self.store.clean()
        self.store.commit(replace(self.store.state, boot_count=self.store.state.boot_count + 1))
        self._booted_s = self.clock.monotonic_s()

    def take_serial(self, serial: str) -> None:
        """Answer with another serial number from now on."""
        self.store.commit(replace(self.store.state, serial=serial))

    @property
    def serial(self) -> str:
        """What it says its serial number is."""
        return self.store.state.serial

    @property
    def boot_id(self) -> str:
        """Another one after every start, as Linux gives it."""
        return str(uuid5(NAMESPACE_OID, f"{self.serial} {self.store.state.boot_count}"))

    def _texts(self) -> dict[str, bytes]:
        """The files that Linux makes up."""
        return {
            "/proc/uptime": f"{self.uptime_s:.2f} {self.uptime_s:.2f}\n".encode(),
            "/proc/sys/kernel/random/boot_id": f"{self.boot_id}\n".encode(),
        }

    @property
    def uptime_s(self) -> float:
        """Seconds since the last start."""
        return max(0.0, self.clock.monotonic_s() - self._booted_s)

    def properties(self) -> dict[str, str]:
        """What ``getprop`` tells."""
        state = self.store.state
        told = self.model.properties_of(state.serial)
        told["sys.boot_completed"] = "1"
        told["ro.boot.bootcount"] = str(state.boot_count)
        if "techtool.sim.batch" in told:
            told["techtool.sim.batch"] = state.batch.value
            told["techtool.sim.tamper"] = state.tamper.value
            told["techtool.sim.offline_sales"] = str(state.offline_sales)
            told["techtool.sim.reversals"] = str(state.reversals)
        lost = self._after_install.loses_key if self._after_install is not None else ""
        if lost and "techtool.sim.keys" in told:
            words = told["techtool.sim.keys"].split()
            told["techtool.sim.keys"] = " ".join(f"{lost}=" if w.startswith(f"{lost}=") else w for w in words)
        return {**told, **self.faults.faults.properties}

    @property
    def _after_install(self) -> AfterInstall | None:
        """What the fault script says of the time after an installation, once there was one."""
        fault = self.faults.faults.after_install
        return fault if fault is not None and self.packages.installed_now else None

    def crash_log(self) -> str:
        """The crash buffer of the log: what the fault script lets crash is there once more at every look."""
        fault = self._after_install
        if fault is None:
            return ""
        if fault.restarts:
            self._restart_by_itself()
        if not fault.crashes:
            return ""
        self._looks += 1
        one = (
            "11-22 09:15:01.123  4242  4242 E AndroidRuntime: FATAL EXCEPTION: main\n"
            f"11-22 09:15:01.123  4242  4242 E AndroidRuntime: Process: {fault.crashes}, PID: 4242\n"
            "11-22 09:15:01.123  4242  4242 E AndroidRuntime: java.lang.IllegalStateException: simulated\n"
        )
        return one * self._looks

    def _restart_by_itself(self) -> None:
        """Once: as a watchdog does, without the link noticing."""
        if not self._restarted:
            self._restarted = True
            self.boot()

    def settle(self, batch: BatchState) -> None:
        """Settle the takings, or ring some up."""
        self.store.commit(replace(self.store.state, batch=batch))

    def wait_for_host(self, fact: str, count: int) -> None:
        """So many ``offline_sales`` or ``reversals`` wait to be sent to the host."""
        state = self.store.state
        if fact == "reversals":
            self.store.commit(replace(state, reversals=count))
        else:
            self.store.commit(replace(state, offline_sales=count))

    def read_battery(self) -> Charge | None:
        """The charge; reading it may cost some, if the fault script says so. None: no battery."""
        if self.model.battery is None:
            return None
        fault = self.faults.faults.battery
        charge = Charge(self.store.state.battery_percent, self.model.battery.external_power)
        if fault is None:
            return charge
        if fault.external_power is not None:
            charge = replace(charge, external_power=fault.external_power)
        if fault.fall_percent:
            left = max(0, charge.percent - fault.fall_percent)
            self.store.commit(replace(self.store.state, battery_percent=left))
        return charge

    def free_bytes(self) -> int:
        """What is free on ``/data``."""
        fault = self.faults.faults.storage
        if fault is not None:
            return fault.free_bytes
        return max(0, self.model.storage.free_bytes - self.packages.used_bytes() - self.files.used_bytes())
