"""The resources of a simulated gateway, as DMTF DSP0268 shapes them; made anew for every question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final

from techtool.clock import stamp
from techtool.simulator.device import Device
from techtool.simulator.model import RedfishRule
from techtool.simulator.redfish.update import TASKS, Task
from techtool.simulator.state import Package

ROOT: Final = "/redfish/v1"
SESSIONS: Final = f"{ROOT}/SessionService/Sessions"
PUSH: Final = f"{ROOT}/UpdateService/update-multipart"
SIMPLE_UPDATE: Final = f"{ROOT}/UpdateService/Actions/UpdateService.SimpleUpdate"
RESET: Final = f"{ROOT}/Systems/1/Actions/ComputerSystem.Reset"
INVENTORY: Final = f"{ROOT}/UpdateService/FirmwareInventory"
_LOGS: Final = f"{ROOT}/Managers/1/LogServices"
RESETS: Final = ("GracefulRestart", "ForceRestart")

Body = dict[str, object]


def resource(path: str, kind: str, name: str, **content: object) -> Body:
    """The head that every resource has."""
    return {"@odata.id": path, "@odata.type": kind, "Id": path.rsplit("/", 1)[-1], "Name": name, **content}


def collection(path: str, kind: str, members: Iterable[str]) -> Body:
    """Links to other resources."""
    links = [{"@odata.id": member} for member in members]
    body = resource(path, f"#{kind}Collection.{kind}Collection", f"{kind} Collection", Members=links)
    body["Members@odata.count"] = len(links)
    body.pop("Id")
    return body


def link(path: str) -> Body:
    """One link."""
    return {"@odata.id": path}


class Resources:
    """Everything that can be asked for; the gateway's state is the device's."""

    def __init__(self, device: Device, rule: RedfishRule, tasks: Callable[[], Mapping[int, Task]]) -> None:
        self._device = device
        self._rule = rule
        self._tasks = tasks
        self.last_reset = ""
        """When it was started, as it tells it."""

    def find(self, path: str) -> Body | None:
        """The resource at a path; None: there is none."""
        makers: Mapping[str, Callable[[], Body]] = {
            "/redfish": lambda: {"v1": f"{ROOT}/"},
            ROOT: self.root,
            f"{ROOT}/Systems": lambda: collection(f"{ROOT}/Systems", "ComputerSystem", [f"{ROOT}/Systems/1"]),
            f"{ROOT}/Systems/1": self._system,
            f"{ROOT}/Chassis": lambda: collection(f"{ROOT}/Chassis", "Chassis", [f"{ROOT}/Chassis/1"]),
            f"{ROOT}/Chassis/1": self._chassis,
            f"{ROOT}/Managers": lambda: collection(f"{ROOT}/Managers", "Manager", [f"{ROOT}/Managers/1"]),
            f"{ROOT}/Managers/1": self._manager,
            _LOGS: lambda: collection(_LOGS, "LogService", [f"{_LOGS}/Log"]),
            f"{_LOGS}/Log": lambda: resource(
                f"{_LOGS}/Log", "#LogService.v1_6_0.LogService", "Log", Entries=link(f"{_LOGS}/Log/Entries")
            ),
            f"{_LOGS}/Log/Entries": self._log,
            f"{ROOT}/SessionService": self._session_service,
            f"{ROOT}/TaskService": self._task_service,
            TASKS: lambda: collection(TASKS, "Task", [task.path for task in self._tasks().values()]),
            f"{ROOT}/UpdateService": self._update_service,
            INVENTORY: lambda: collection(INVENTORY, "SoftwareInventory", [p.path for p in self._packages()]),
        }
        maker = makers.get(path)
        if maker is not None:
            return maker()
        for task in self._tasks().values():
            if task.path == path:
                return task_body(task)
        return next((self._software(p) for p in self._packages() if p.path == path), None)

    def root(self) -> Body:
        """Where everything begins; the only resource that needs no session."""
        return resource(
            f"{ROOT}/",
            "#ServiceRoot.v1_15_0.ServiceRoot",
            "Practice gateway",
            Id="RootService",
            RedfishVersion="1.18.0",
            Vendor="techtool",
            UUID=self._device.boot_id,
            Systems=link(f"{ROOT}/Systems"),
            Chassis=link(f"{ROOT}/Chassis"),
            Managers=link(f"{ROOT}/Managers"),
            SessionService=link(f"{ROOT}/SessionService"),
            Tasks=link(f"{ROOT}/TaskService"),
            UpdateService=link(f"{ROOT}/UpdateService"),
            Links={"Sessions": link(SESSIONS)},
        )

    def _told(self) -> Mapping[str, str]:
        serial = self._device.store.state.serial
        return {**self._device.model.properties_of(serial), **self._device.faults.faults.properties}

    def _packages(self) -> list[Package]:
        return sorted(self._device.store.state.packages.values(), key=lambda package: package.path)

    def _system(self) -> Body:
        told, state = self._told(), self._device.store.state
        return resource(
            f"{ROOT}/Systems/1",
            "#ComputerSystem.v1_20_0.ComputerSystem",
            "Gateway",
            SystemType="Physical",
            PowerState="On",
            **{n: told[n] for n in ("Manufacturer", "Model", "SubModel", "SerialNumber", "PartNumber", "BiosVersion")},
            LastResetTime=self.last_reset,
            BootCount=state.boot_count,
            Status={"State": "Enabled", "Health": "OK"},
            Actions={"#ComputerSystem.Reset": {"target": RESET, "ResetType@Redfish.AllowableValues": list(RESETS)}},
            Oem={
                "Techtool": {
                    "Batch": state.batch.value,
                    "Tamper": state.tamper.value,
                    "OfflineSales": state.offline_sales,
                    "Reversals": state.reversals,
                    **{name: told[name] for name in ("Tid", "Mid", "Region")},
                }
            },
        )

    def _chassis(self) -> Body:
        told = {n: self._told()[n] for n in ("Manufacturer", "Model", "SerialNumber", "PartNumber")}
        return resource(f"{ROOT}/Chassis/1", "#Chassis.v1_23_0.Chassis", "Case", ChassisType="StandAlone", **told)

    def _manager(self) -> Body:
        return resource(
            f"{ROOT}/Managers/1",
            "#Manager.v1_19_0.Manager",
            "Manager",
            ManagerType="Service",
            FirmwareVersion=self._device.store.state.packages[self._rule.firmware].version,
            DateTime=stamp(self._device.clock.now() + timedelta(seconds=self._device.faults.faults.clock_off_s)),
            LastResetTime=self.last_reset,
            LogServices=link(_LOGS),
        )

    def _log(self) -> Body:
        """One entry, in its list: when it was started."""
        started = {"Created": self.last_reset, "Severity": "OK", "Message": f"Started as {self._device.serial}."}
        body = collection(f"{_LOGS}/Log/Entries", "LogEntry", [])
        body["Members"] = [resource(f"{_LOGS}/Log/Entries/1", "#LogEntry.v1_16_0.LogEntry", "Entry", **started)]
        return body

    def _session_service(self) -> Body:
        kind = "#SessionService.v1_1_9.SessionService"
        return resource(f"{ROOT}/SessionService", kind, "Session Service", ServiceEnabled=True, Sessions=link(SESSIONS))

    def _task_service(self) -> Body:
        kind = "#TaskService.v1_2_1.TaskService"
        return resource(f"{ROOT}/TaskService", kind, "Task Service", ServiceEnabled=True, Tasks=link(TASKS))

    def _update_service(self) -> Body:
        body = resource(
            f"{ROOT}/UpdateService",
            "#UpdateService.v1_14_0.UpdateService",
            "Update Service",
            ServiceEnabled=True,
            FirmwareInventory=link(INVENTORY),
        )
        support = {
            "@odata.type": "#Settings.v1_3_5.OperationApplyTimeSupport",
            "SupportedValues": list(self._rule.apply_times),
        }
        if self._rule.multipart:
            body["MultipartHttpPushUri"] = PUSH
            body["MultipartHttpPushUri@Redfish.OperationApplyTimeSupport"] = support
        if self._rule.simple_update:
            action = {
                "target": SIMPLE_UPDATE,
                "TransferProtocol@Redfish.AllowableValues": ["HTTP"],
                "@Redfish.OperationApplyTimeSupport": support,
            }
            body["Actions"] = {"#UpdateService.SimpleUpdate": action}
        return body

    def _software(self, package: Package) -> Body:
        return resource(
            package.path,
            "#SoftwareInventory.v1_10_2.SoftwareInventory",
            package.path.rsplit("/", 1)[-1],
            SoftwareId=package.id,
            Version=package.version,
            Updateable=True,
            Status={"State": "Enabled", "Health": "OK"},
        )


def task_body(task: Task) -> Body:
    """A task as its resource."""
    messages = [{"MessageId": key, "Message": text} for key, text in task.messages]
    return resource(
        task.path,
        "#Task.v1_7_4.Task",
        f"Update {task.number}",
        TaskState=task.state,
        TaskStatus=task.status,
        PercentComplete=task.percent,
        TaskMonitor=f"{task.path}/Monitor",
        Messages=messages,
    )
