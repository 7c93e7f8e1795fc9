"""The log that a Redfish service keeps: read as far as it is one, bounded whatever it is."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from techtool.errors import LinkError, LinkTimeout
from tests.unit.links.hostile import ROOT, Page, device

MANAGERS = "/redfish/v1/Managers"
LOGS = f"{MANAGERS}/1/LogServices"
ENTRIES = f"{LOGS}/SEL/Entries"


def pages(entries: Page) -> dict[str, Page]:
    return {
        "/redfish/v1/": {**ROOT, "Managers": {"@odata.id": MANAGERS}},
        MANAGERS: {"Members": [{"@odata.id": f"{MANAGERS}/1"}]},
        f"{MANAGERS}/1": {"LogServices": {"@odata.id": LOGS}},
        LOGS: {"Members": [{"@odata.id": f"{LOGS}/SEL"}]},
        f"{LOGS}/SEL": {"Entries": {"@odata.id": ENTRIES}},
        ENTRIES: entries,
        f"{ENTRIES}/1": {"Created": "2026-01-01T00:00:00Z", "Severity": "Warning", "Message": "on\ndoor"},
    }


async def test_entries_in_the_list_and_behind_links_the_newest_last(tmp_path: Path) -> None:
    inline = {"@odata.id": f"{ENTRIES}/2", "Created": "2025-01-01T00:00:00Z", "Severity": "OK", "Message": "off"}
    async with device(tmp_path, pages({"Members": [{"@odata.id": f"{ENTRIES}/1"}, inline]})) as (link, _asked):
        await link.open()
        log = await link.system_log()
        assert log == b"2025-01-01T00:00:00Z OK off\n2026-01-01T00:00:00Z Warning on door\n"
        assert await link.system_log(limit_bytes=50) == b"2026-01-01T00:00:00Z Warning on door\n"


@pytest.mark.parametrize(
    "entries",
    [
        {},
        [],
        {"Members": "none"},
        {"Members": [None, 7, [], {"Message": {}}, {"@odata.id": "https://192.0.2.1/"}]},
        {"Members": [{"@odata.id": f"{ENTRIES}/{n}"} for n in range(10_000)]},
        {"Members": [{"Message": "x" * 500}] * 3_000, "Members@odata.nextLink": ENTRIES},
    ],
    ids=["nothing", "no object", "no list", "odd members", "ten thousand links", "in circles"],
)
async def test_logs_that_are_none(tmp_path: Path, entries: object) -> None:
    async with device(tmp_path, pages(entries)) as (link, asked), asyncio.timeout(30):
        await link.open()
        with contextlib.suppress(LinkError):
            assert len(await link.system_log(limit_bytes=10_000)) <= 10_000
        assert len(asked) < 150


async def test_a_log_that_never_comes(tmp_path: Path) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with device(tmp_path, pages(silent)) as (link, _asked), asyncio.timeout(20):
        await link.open()
        with pytest.raises(LinkTimeout):
            await link.system_log(timeout_s=0.3)
