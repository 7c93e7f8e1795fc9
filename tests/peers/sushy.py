"""OpenStack's ``sushy-tools`` emulator as a gateway on the counter: started, stopped and started again.

It plays a machine behind a Redfish service: systems, versions, update action, task, power. Its SimpleUpdate fetches no
image, it only raises the version, and it knows neither sessions nor (alone) TLS. :class:`Front` stands before it and
brings those three: TLS, a login, and somebody who fetches the image and looks at it before the emulator hears of the
update. Everything else, each word about versions, systems, tasks and power, goes through as the emulator says it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from techtool.domain.terminal import Address
from techtool.errors import LinkError
from techtool.links.redfish.pins import certificate_at
from techtool.paths import DISK
from techtool.simulator.redfish.certificate import tls_context
from tests.peers import redfish_tools

SYSTEM = "85775665-c110-4b85-8989-e6162170b3ec"
"""As its service root says, whatever is configured."""
USER, PASSWORD = "service", "not-the-emulators-own"
RULE = """
schema = 1
[[vendor]]
id = "sushy"
name = "Sushy"
family = "redfish"
match = { "redfish.system.Manufacturer" = "Sushy Emulator" }
model_from = ["redfish.manager.Model"]
serial_from = ["redfish.root.UUID"]
source = "sushy-tools 2.2.0"
evidence = "recorded"
[[vendor.model]]
id = "emulator"
name = "emulator"
match = "Joo Janta 200"
"""
"""What an owner would write for the catalogue: nothing of it is built in."""
SIMPLE_UPDATE = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"
_ROOTS = ("/redfish", "/redfish/v1")
_SESSIONS = "/redfish/v1/SessionService/Sessions"
_CONFIG = """
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = [{{'uuid': {uuid!r}, 'name': 'gateway', 'power_state': 'On', 'nics': []}}]
SUSHY_EMULATOR_STATE_DIR = {state!r}
"""
_PROGRAM = """
import random, sys
from sushy_tools.emulator.main import main
from sushy_tools.emulator.resources.systems.fakedriver import FakeDriver
random.randint = lambda least, most: 3  # its machine takes 1 to 11 seconds to come up
FakeDriver.get_versions = lambda self, identity: dict(self._get(identity).get("versions", {"BiosVersion": "1.0.0"}))
if sys.argv.pop(1) == "keeps":
    FakeDriver.set_versions = lambda self, identity, versions: self._update(identity, versions=versions)
else:
    FakeDriver.set_versions = lambda self, identity, versions: None
main()
"""
"""Its driver for machines that do not exist keeps no versions (the one for libvirt does): a place to keep them is
added in its own store of a machine's state, or one that forgets. What is said over HTTP is all its own."""


@dataclass
class Emulator:
    """``sushy-emulator`` on one port of loopback; what it knows of its machine outlives it."""

    tools: Path
    folder: Path
    tls: bool = False
    forgets: bool = False
    """It says that it did, and runs what it ran."""
    port: int = 0
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until it answers."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        state, config = self.folder / "state", self.folder / "sushy.conf"
        state.mkdir(exist_ok=True)
        config.write_text(_CONFIG.format(uuid=SYSTEM, state=str(state)))
        options = ["--config", str(config), "--interface", "127.0.0.1", "--port", str(self.port)]
        if self.tls:
            tls_context(self.folder, "sushy", DISK)
            options += ["--ssl-certificate", str(self.folder / "tls.pem"), "--ssl-key", str(self.folder / "tls.pem")]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM, "forgets" if self.forgets else "keeps", *options),
            env=redfish_tools.environment(self.tools),
            cwd=self.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            while not await self._answers():
                assert self._process.returncode is None, "the emulator did not start"
                await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        try:
            if self.tls:
                await certificate_at(Address.parse(f"redfish+https://127.0.0.1:{self.port}"))
            else:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
        except (LinkError, OSError):
            return False
        return True

    async def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    async def ask(self, path: str) -> Mapping[str, object]:
        """What it says itself, past every front."""
        scheme = "https" if self.tls else "http"
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            body = (await client.get(f"{scheme}://127.0.0.1:{self.port}{path}")).json()
        assert isinstance(body, dict)
        return body

    async def bios(self) -> str:
        """The version that its machine runs."""
        return str((await self.ask(f"/redfish/v1/Systems/{SYSTEM}"))["BiosVersion"])


@contextlib.asynccontextmanager
async def emulator(tools: Path, folder: Path, *, tls: bool = False, forgets: bool = False) -> AsyncIterator[Emulator]:
    """One that runs until the block ends."""
    one = Emulator(tools, folder, tls, forgets)
    try:
        await one.start()
        yield one
    finally:
        await one.kill()


async def nothing() -> None:
    """Nothing happens."""


@dataclass
class Front:
    """TLS, a login, and the fetching of the image, before an emulator."""

    upstream: Emulator
    payload: bytes
    """What an image must be, byte for byte, before the emulator hears of it."""
    fetched: int = 0
    """How often the whole payload was fetched."""
    forwarded: int = 0
    """How often the emulator was told to update."""
    before_update: Callable[[], Awaitable[None]] = nothing
    """When the image was fetched, and the emulator was not told yet."""
    after_update: Callable[[], Awaitable[None]] = nothing
    """When the emulator has answered, and its answer was not passed on yet."""
    address: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    resets: list[str] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """The emulator's own answer, but for what it does not know."""
        path = request.url.path.rstrip("/")
        if path == _SESSIONS and request.method == "POST":
            return self._login(json.loads(request.content))
        if path in self.tokens.values() and request.method == "DELETE":
            self.tokens = {token: session for token, session in self.tokens.items() if session != path}
            return httpx.Response(204)
        if path not in _ROOTS and request.headers.get("X-Auth-Token") not in self.tokens:
            return httpx.Response(401, json={"error": {"message": "There is no valid session."}})
        if path == SIMPLE_UPDATE:
            return await self._update(request)
        if path.endswith(".Reset"):
            self.resets.append(json.loads(request.content)["ResetType"])
        answer = await self._pass_on(request)
        if path == "/redfish/v1":
            return httpx.Response(200, json={**answer.json(), "Links": {"Sessions": {"@odata.id": _SESSIONS}}})
        return answer

    def _login(self, said: Mapping[str, str]) -> httpx.Response:
        if (said["UserName"], said["Password"]) != (USER, PASSWORD):
            return httpx.Response(401, json={})
        token = secrets.token_hex(16)
        self.tokens[token] = f"{_SESSIONS}/{len(self.tokens) + 1}"
        return httpx.Response(201, headers={"X-Auth-Token": token, "Location": self.tokens[token]}, json={})

    async def _update(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            image = await client.get(json.loads(request.content)["ImageURI"])
        if hashlib.sha256(image.content).digest() != hashlib.sha256(self.payload).digest():
            return httpx.Response(400, json={"error": {"message": "That is not the image."}})
        self.fetched += 1
        await self.before_update()
        answer = await self._pass_on(request)
        self.forwarded += 1
        await self.after_update()
        return answer

    async def _pass_on(self, request: httpx.Request) -> httpx.Response:
        kept = {k: v for k, v in request.headers.items() if k in ("accept", "content-type", "odata-version")}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            there = f"http://127.0.0.1:{self.upstream.port}{request.url.raw_path.decode()}"
            return await client.request(request.method, there, content=request.content, headers=kept)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection after the other's words; where the emulator is gone, so is the line."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, httpx.TransportError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
                method, target, _version = head[0].split()
                headers = httpx.Headers(
                    [(line.partition(": ")[0], line.partition(": ")[2]) for line in head[1:] if line]
                )
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = httpx.Request(method, f"https://front{target}", headers=headers, content=body)
                answer = await self.answer(request)
                own = {k: v for k, v in answer.headers.items() if k in ("content-type", "location", "x-auth-token")}
                lines = [f"HTTP/1.1 {answer.status_code} -", *(f"{k}: {v}" for k, v in own.items())]
                if answer.status_code != 204:
                    lines.append(f"content-length: {len(answer.content)}")
                writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.content)
                await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def fronted(upstream: Emulator, payload: bytes) -> AsyncIterator[Front]:
    """An emulator with its front, at ``front.address``."""
    front = Front(upstream, payload)
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        await front.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls_context(upstream.folder, "front", DISK))
    front.address = f"redfish+https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield front
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
