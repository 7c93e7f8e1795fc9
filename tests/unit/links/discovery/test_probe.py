"""A probe asks only this laptop's own small network, slowly, and is written down before it begins."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from techtool.clock import FixedClock
from techtool.errors import Unreachable, UsageError
from techtool.links.adb.packets import HEADER, Command, Header, encode
from techtool.links.discovery import probe, serial_ports, subnet
from techtool.links.discovery.hello import HELLO, is_answer
from techtool.links.discovery.probe import ask_serial, ask_subnet
from techtool.links.discovery.probe_log import ProbeEntry, append, entries, found_by
from techtool.links.discovery.subnet import hosts_of, network_of, probe_hosts
from techtool.paths import Paths

OWN = [IPv4Interface("192.168.7.20/24"), IPv4Interface("10.1.0.5/16")]
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "network"),
    [("192.168.7.0/24", "192.168.7.0/24"), ("192.168.7.99/28", "192.168.7.96/28"), ("10.1.9.0/24", "10.1.9.0/24")],
)
def test_own_small_networks_may_be_asked(text: str, network: str) -> None:
    assert str(network_of(text, OWN)) == network


@pytest.mark.parametrize(
    "text",
    [
        "192.168.8.0/24",
        "192.168.6.0/23",
        "10.1.0.0/16",
        "0.0.0.0/0",
        "8.8.8.8",
        "fe80::/120",
        "nonsense",
        "",
        "127.0.0.1",
    ],
)
def test_others_are_not(text: str) -> None:
    with pytest.raises(UsageError):
        network_of(text, OWN)


def test_the_laptop_does_not_ask_itself() -> None:
    hosts = hosts_of(network_of("192.168.7.0/24", OWN), OWN)
    assert len(hosts) == 253
    assert "192.168.7.20" not in hosts


def test_what_is_sent_is_one_packet_that_asks_nothing() -> None:
    header = Header.parse(HELLO[: HEADER.size])
    assert (header.command, header.length) == (Command.CNXN, len(HELLO) - HEADER.size)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (encode(Command.CNXN, 1, 4096, b"device::"), True),
        (encode(Command.AUTH, 1, 0, bytes(20)), True),
        (encode(Command.OKAY, 1, 1), False),
        (b"HTTP/1.1 400 Bad Request\r\n", False),
        (b"", False),
        (b"\xff" * 24, False),
    ],
)
def test_what_counts_as_an_answer(heard: bytes, expected: bool) -> None:
    assert is_answer(heard) is expected


async def test_a_silent_port_a_web_server_and_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subnet, "ANSWER_S", 0.3)
    monkeypatch.setattr(subnet, "PER_SECOND", 1000)
    got: dict[str, bytes] = {}

    def server(name: str, answer: bytes) -> object:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got[name] = await reader.readexactly(len(HELLO))
            writer.write(answer)
            got[name] += await reader.read()
            writer.close()

        return serve

    answers = {
        "127.0.0.2": b"",
        "127.0.0.3": b"HTTP/1.1 400 Bad\r\n" * 9,
        "127.0.0.4": encode(Command.AUTH, 1, 0, bytes(20)),
    }
    first = await asyncio.start_server(server("127.0.0.2", b""), "127.0.0.2", 0)  # type: ignore[arg-type]
    port = first.sockets[0].getsockname()[1]
    servers = [first]
    for host in ("127.0.0.3", "127.0.0.4"):
        servers.append(await asyncio.start_server(server(host, answers[host]), host, port))  # type: ignore[arg-type]
    found: list[str] = []
    await probe_hosts(["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"], found.append, port)
    for one in servers:
        one.close()
    assert found == [f"127.0.0.4:{port}"]
    assert set(got.values()) == {HELLO}, "one packet, and nothing else"


async def test_the_log_of_a_probe_that_was_stopped_counts_only_who_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, first = Paths(tmp_path / "home"), asyncio.Event()

    async def silent(host: str, port: int) -> bool:
        first.set()
        return False

    monkeypatch.setattr(probe, "own_networks", lambda: OWN)
    monkeypatch.setattr(subnet, "_speaks_adb", silent)
    monkeypatch.setattr(subnet, "PER_SECOND", 0.01)
    task = asyncio.create_task(ask_subnet("192.168.7.0/24", "Li Wei", paths, FixedClock(START), lambda count: None))
    await asyncio.wait_for(first.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(one.asked, one.found) for one in entries(paths)] == [(253, None), (1, ())]


async def test_the_log_says_what_was_asked_even_when_it_failed(tmp_path: Path) -> None:
    paths, clock = Paths(tmp_path / "home"), FixedClock(START)
    with pytest.raises(Unreachable):
        await ask_serial(str(tmp_path / "no-port"), "Li Wei", paths, clock)
    (entry,) = entries(paths)
    assert (entry.at, entry.who, entry.kind, entry.found) == (START, "Li Wei", "serial", None)


def test_the_log_survives_a_power_cut_and_rubbish(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert entries(paths) == []
    entry = ProbeEntry(START, "Li Wei", "subnet", "192.168.7.0/24", 253, ("192.168.7.9:5555",))
    append(paths, entry)
    with paths.probes.open("ab") as file:
        file.write(b'{"at": "2026-11-22T09:0')
    assert entries(paths) == [entry]
    append(paths, entry)
    assert entries(paths) == [entry, entry]
    assert json.loads(paths.probes.read_bytes().splitlines()[0])["target"] == "192.168.7.0/24"


def test_a_visit_is_told_which_probe_found_its_terminal(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    entry = ProbeEntry(START, "Li Wei", "subnet", "192.168.7.0/24", 253, ("192.168.7.9:5555",))
    append(paths, entry)
    append(paths, replace(entry, found=None))
    assert found_by(paths, "192.168.7.9:5555", START + timedelta(hours=2)) == entry
    assert found_by(paths, "192.168.7.8:5555", START) is None
    assert found_by(paths, "192.168.7.9:5555", START + timedelta(days=2)) is None


def test_serial_ports_are_listed_without_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    one = ListPortInfo("/dev/ttyACM7", skip_link_detection=True)
    one.vid, one.pid, one.product = 0x2FB8, 0x2116, "PAX\x1b[2J " + "x" * 500
    other = ListPortInfo("COM3", skip_link_detection=True)
    monkeypatch.setattr(list_ports, "comports", lambda: [one, other] * 100)
    found = serial_ports.serial_ports()
    assert len(found) == serial_ports.MOST
    assert found[0] == serial_ports.SerialPort("/dev/ttyACM7", 0x2FB8, 0x2116, ("PAX[2J " + "x" * 64)[:64])
