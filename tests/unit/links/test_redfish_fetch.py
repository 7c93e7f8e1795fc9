"""A device that is told to fetch its update, and what counts when it says that it is done."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import httpx
import pytest

from techtool.clock import SystemClock
from techtool.domain.release import Release, ReleaseFile, ReleaseKind
from techtool.errors import InstallFailed, LinkTimeout
from techtool.links.redfish.link import RedfishLink
from techtool.terminals import redfish_tasks, redfish_update
from techtool.terminals.base import ImageFile
from techtool.terminals.redfish_tasks import NOT_FETCHED, OFFERED
from techtool.terminals.redfish_update import UpdateWay, bring
from tests.unit.links.hostile import ROOT, Page, answer, device

UPDATE = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"
TASK = "/redfish/v1/TaskService/Tasks/7"
CONTENT = b"image" * 40_000
DONE = answer({"TaskState": "Completed", "TaskStatus": "OK"})
YES = b"HTTP/1.1 204 No Content\r\n\r\n"
YES_BY_TASK = b"HTTP/1.1 204 No Content\r\nLocation: " + TASK.encode() + b"\r\n\r\n"


async def bring_image(link: RedfishLink, folder: Path, told: list[str]) -> None:
    """By SimpleUpdate; ``told`` gets what was to be journalled of it."""
    path = folder / "image.bin"
    path.write_bytes(CONTENT)
    file = ReleaseFile("image", "targets/x/image.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    release = Release("app", "2.0", "dotted", ReleaseKind.RESOURCES, (file,), ())
    image = ImageFile(release, path, len(CONTENT), file.sha256)
    await link.open()
    await bring(link, UpdateWay("", UPDATE, {}), image, SystemClock(), session=told.append, confirmed=None)


async def uri(asked: asyncio.Queue[bytes]) -> str:
    """Where the image is, as the device was told."""
    return str(json.loads(await asked.get())["ImageURI"])


def pages(said: Page) -> dict[str, Page]:
    return {"/redfish/v1/": ROOT, UPDATE: said, TASK: DONE}


@pytest.mark.parametrize("named", [YES, YES_BY_TASK], ids=["no task", "a task"])
async def test_done_and_nobody_came_for_the_file(tmp_path: Path, named: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_hurry(monkeypatch)
    told: list[str] = []
    async with device(tmp_path, pages(named)) as (link, _asked), asyncio.timeout(20):
        with pytest.raises(InstallFailed) as caught:
            await bring_image(link, tmp_path, told)
    assert caught.value.word == "NotFetched"
    assert told[-1].startswith(NOT_FETCHED)
    assert "whatever version" in str(caught.value.state_phrase)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_part_of_the_file_is_not_the_file(tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at the file, or hangs up after its first bytes, and calls it done."""
    in_a_hurry(monkeypatch)
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    first: list[bytes] = []

    async def task(writer: asyncio.StreamWriter) -> None:
        host, _, path = (await uri(asked)).removeprefix("http://").partition("/")
        reader, fetching = await asyncio.open_connection(*host.split(":"), limit=1024)
        fetching.write(f"{method} /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        first.append(await reader.read(20))
        fetching.transport.abort()
        writer.write(DONE)

    async with device(tmp_path, {**pages(YES_BY_TASK), TASK: task}, asked) as (link, _), asyncio.timeout(20):
        with pytest.raises(InstallFailed) as caught:
            await bring_image(link, tmp_path, [])
    assert caught.value.word == "NotFetched"
    assert first[0].startswith(b"HTTP/1.1 200")


async def test_a_device_that_says_yes_first_and_comes_for_the_file_later(tmp_path: Path) -> None:
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    fetched: list[bytes] = []

    async def later() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            fetched.append((await client.get(await uri(asked))).content)

    async with device(tmp_path, pages(YES), asked) as (link, _), asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(later())
        await bring_image(link, tmp_path, [])
    assert fetched == [CONTENT]


async def test_a_device_that_never_hangs_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read all of it and keeps the line: that is its way, and no lie."""
    in_a_hurry(monkeypatch)
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    lines: list[asyncio.StreamWriter] = []

    async def task(writer: asyncio.StreamWriter) -> None:
        host, _, path = (await uri(asked)).removeprefix("http://").partition("/")
        reader, fetching = await asyncio.open_connection(*host.split(":"))
        lines.append(fetching)
        fetching.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert (await reader.read()).endswith(CONTENT)
        writer.write(DONE)

    async with device(tmp_path, {**pages(YES_BY_TASK), TASK: task}, asked) as (link, _), asyncio.timeout(20):
        told: list[str] = []
        await bring_image(link, tmp_path, told)
        assert told == [OFFERED, f"{OFFERED}{TASK}", TASK]
    lines[0].close()


async def test_what_is_journalled_at_each_moment(tmp_path: Path) -> None:
    """A process that dies here or there leaves word on whether the device can have the file."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    told: list[str] = []
    seen: list[list[str]] = []

    async def yes(writer: asyncio.StreamWriter) -> None:
        seen.append(list(told))
        writer.write(YES_BY_TASK)

    async def task(writer: asyncio.StreamWriter) -> None:
        seen.append(list(told))
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(await uri(asked))).content == CONTENT
        while told[-1] != TASK:
            await asyncio.sleep(0.01)
        writer.write(DONE)

    places: dict[str, Page] = {"/redfish/v1/": ROOT, UPDATE: yes, TASK: task}
    async with device(tmp_path, places, asked) as (link, _), asyncio.timeout(20):
        await bring_image(link, tmp_path, told)
    assert seen == [[OFFERED], [OFFERED, f"{OFFERED}{TASK}"]]


async def test_the_link_is_lost_before_the_file_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redfish_tasks, "LONGEST_S", -1.0)
    told: list[str] = []
    async with device(tmp_path, pages(YES_BY_TASK)) as (link, _asked), asyncio.timeout(20):
        with pytest.raises(LinkTimeout):
            await bring_image(link, tmp_path, told)
    assert told[-1] == f"{OFFERED}{TASK}"


def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redfish_update, "FETCH_WAIT_S", 0.2)
    monkeypatch.setattr(redfish_update, "_SETTLE_S", 0.2)
