"""A simulated gateway: its HTTPS port on loopback, its sessions, and what it does when it is told to."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from techtool.domain.codec import CodecError, decode_json
from techtool.errors import TechtoolError
from techtool.simulator.daemon import Terminal
from techtool.simulator.device import Device
from techtool.simulator.model import RedfishRule
from techtool.simulator.redfish.certificate import tls_context
from techtool.simulator.redfish.http import Request, Response, parts_of, speak
from techtool.simulator.redfish.resources import (
    PUSH,
    RESET,
    RESETS,
    ROOT,
    SESSIONS,
    SIMPLE_UPDATE,
    Resources,
    collection,
    resource,
    task_body,
)
from techtool.simulator.redfish.update import Task, Updates
from techtool.simulator.wire import ByteLink

_OPEN_PATHS: Final = ("/redfish", ROOT)
_SESSIONS_MOST: Final = 16
_FETCH_S: Final = 30.0


class Gateway(Terminal):
    """See :class:`techtool.simulator.daemon.Terminal`; it speaks Redfish instead of ADB."""

    scheme = "redfish+https"

    def __init__(
        self,
        device: Device,
        *,
        port: int = 0,
        boot_s: float | None = None,
        on_failure: Callable[[TechtoolError], None],
    ) -> None:
        super().__init__(device, port=port, boot_s=boot_s, on_failure=on_failure)
        assert device.model.redfish is not None  # noqa: S101 - who makes one looked at it
        self._rule: RedfishRule = device.model.redfish
        self.updates = Updates(device, self.reboot)
        self._resources = Resources(device, self._rule, lambda: self.updates.tasks)
        self._sessions: dict[str, str] = {}
        """Token → path of the session."""
        self._numbers = count(1)
        self.logins = 0
        """Tried, well or not."""
        self.tokens_given: list[str] = []
        self.forgets_sessions_after = 0
        """Forget all sessions after every so many requests; 0: never."""
        self._requests = 0

    async def power_on(self) -> None:
        """Start; what waited for a restart is put in first."""
        if not self.is_on:
            self.updates.started()
            self._resources.last_reset = self.device.clock.now().isoformat()
        await super().power_on()

    def power_cut(self) -> None:
        """Off: sessions and tasks are forgotten."""
        super().power_cut()
        self.updates.power_cut()
        self._sessions.clear()

    @property
    def open_sessions(self) -> int:
        """How many were begun and not ended."""
        return len(self._sessions)

    def _tls(self) -> ssl.SSLContext:
        return tls_context(self.device.store.folder, self.device.serial, self.device.store.disk)

    async def _speak(self, link: ByteLink) -> None:
        await speak(link, self.device.store.incoming / f"body-{next(self._numbers)}", self._answer)

    async def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        self._requests += 1
        if self.forgets_sessions_after and self._requests % self.forgets_sessions_after == 0:
            self._sessions.clear()
        if (request.method, path) == ("POST", SESSIONS):
            return self._login(request)
        if path not in _OPEN_PATHS and request.headers.get("x-auth-token", "") not in self._sessions:
            return problem(401, "Base.1.18.NoValidSession", "There is no valid session.")
        if request.method == "GET":
            return self._get(path)
        if request.method == "DELETE":
            return self._logout(path)
        if request.method == "POST":
            return await self._post(path, request)
        return problem(405, "Base.1.18.OperationNotAllowed", "Not here.")

    def _get(self, path: str) -> Response:
        if path == SESSIONS:
            return Response(200, collection(SESSIONS, "Session", self._sessions.values()))
        if path in self._sessions.values():
            return Response(200, resource(path, "#Session.v1_7_1.Session", "Session"))
        task = next((t for t in self.updates.tasks.values() if f"{t.path}/Monitor" == path), None)
        if task is not None:
            return _monitored(task)
        body = self._resources.find(path)
        if body is None:
            return problem(404, "Base.1.18.ResourceMissingAtURI", f"There is nothing at {path}.")
        return Response(200, body)

    def _login(self, request: Request) -> Response:
        self.logins += 1
        said = request.json()
        right = (said.get("UserName"), said.get("Password")) == (self._rule.user, self._rule.password)
        if not right:
            return problem(401, "Base.1.18.ResourceAtUriUnauthorized", "Wrong user or password.")
        if len(self._sessions) >= _SESSIONS_MOST:
            return problem(503, "Base.1.18.SessionLimitExceeded", "Too many sessions.")
        token, path = secrets.token_hex(16), f"{SESSIONS}/{next(self._numbers)}"
        self._sessions[token] = path
        self.tokens_given.append(token)
        body = resource(path, "#Session.v1_7_1.Session", "Session", UserName=self._rule.user)
        return Response(201, body, {"X-Auth-Token": token, "Location": path})

    def _logout(self, path: str) -> Response:
        ended = [token for token, session in self._sessions.items() if session == path]
        for token in ended:
            del self._sessions[token]
        return Response(204) if ended else problem(404, "Base.1.18.ResourceMissingAtURI", "No such session.")

    async def _post(self, path: str, request: Request) -> Response:
        if path == RESET:
            if request.json().get("ResetType") not in RESETS:
                return problem(400, "Base.1.18.ActionParameterNotSupported", "No such reset.")
            asyncio.get_running_loop().call_later(0.05, self.reboot)
            return Response(204)
        if path == PUSH and self._rule.multipart:
            return await self._pushed(request)
        if path == SIMPLE_UPDATE and self._rule.simple_update:
            return await self._fetch(request.json())
        return problem(404, "Base.1.18.ResourceMissingAtURI", f"There is nothing at {path}.")

    async def _pushed(self, request: Request) -> Response:
        image = self._scratch()
        try:
            with request.body.open("rb") as body:
                parts = parts_of(body, request.headers.get("content-type", ""))
                said, file = parts["updateparameters"], parts["updatefile"]
                body.seek(said.start)
                parameters = decode_json(body.read(said.end - said.start), dict[str, object])
                body.seek(file.start)
                await asyncio.to_thread(_copy, body, image, file.end - file.start)
        except (KeyError, CodecError, ValueError):
            image.unlink(missing_ok=True)
            return problem(400, "Base.1.18.MalformedJSON", "It is no multipart update.")
        return self._begin(image, parameters)

    async def _fetch(self, parameters: Mapping[str, object]) -> Response:
        import httpx

        image, size = self._scratch(), 0
        try:
            client = httpx.AsyncClient(trust_env=False, timeout=_FETCH_S)
            async with client, client.stream("GET", str(parameters.get("ImageURI", ""))) as answer:
                answer.raise_for_status()
                with image.open("wb") as file:
                    async for chunk in answer.aiter_raw():
                        size += len(chunk)
                        file.write(chunk)
        except (httpx.HTTPError, httpx.InvalidURL):
            image.unlink(missing_ok=True)
            return problem(400, "Update.1.0.TransferFailed", "The image could not be fetched.")
        return self._begin(image, parameters)

    def _begin(self, image: Path, parameters: Mapping[str, object]) -> Response:
        apply_time = parameters.get("@Redfish.OperationApplyTime", self._rule.apply_times[0])
        targets = parameters.get("Targets", [])
        known = {package.path for package in self.device.store.state.packages.values()}
        if apply_time not in self._rule.apply_times or not isinstance(targets, list) or set(targets) - known:
            image.unlink(missing_ok=True)
            return problem(400, "Base.1.18.ActionParameterValueError", "The parameters do not fit.")
        if image.stat().st_size > self.device.free_bytes():
            image.unlink(missing_ok=True)
            return problem(507, "Base.1.18.InsufficientStorage", "There is no room for it.")
        task = self.updates.begin(image, str(apply_time))
        return Response(202, task_body(task), {"Location": f"{task.path}/Monitor", "Retry-After": "0"})

    def _scratch(self) -> Path:
        return self.device.store.incoming / f"image-{next(self._numbers)}"


def _copy(source: BinaryIO, target: Path, size_bytes: int) -> None:
    with target.open("wb") as file:
        left = size_bytes
        while left and (data := source.read(min(left, 1 << 20))):
            file.write(data)
            left -= len(data)


def _monitored(task: Task) -> Response:
    """DSP0266 §12.5: 202 while it runs, afterwards the answer of the operation."""
    if not task.ended:
        return Response(202, task_body(task), {"Location": f"{task.path}/Monitor", "Retry-After": "0"})
    if task.state == "Completed":
        return Response(200, task_body(task))
    key, text = task.messages[-1] if task.messages else ("Base.1.18.GeneralError", "It failed.")
    return problem(400, key, text)


def problem(status: int, key: str, text: str) -> Response:
    """An error answer (DSP0266 §8.6)."""
    info = [{"MessageId": key, "Message": text}]
    return Response(status, {"error": {"code": key, "message": text, "@Message.ExtendedInfo": info}})
