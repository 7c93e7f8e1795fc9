"""A terminal made of a recording, and recordings that are none."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from techtool.domain.terminal import Address
from techtool.errors import BadFile, CommandRefused, LinkTimeout, NotCapable, Unreachable
from techtool.i18n import raw
from techtool.links.adb.link import AdbLink
from techtool.links.base import Capability, CommandResult, Confirmed
from techtool.links.open import link_for
from techtool.links.permission import Permission, tell_permission
from techtool.links.record.recorder import Recorder
from techtool.links.record.recording_link import FILE_BYTES, OUTPUT_BYTES
from techtool.links.record.transcript import LIMIT_BYTES, read_recording
from techtool.paths import Paths
from techtool.settings import LinkSettings
from tests.unit.links.record.making import recorder, replay
from tests.unit.terminals.fake_link import FakeLink


async def recorded(link: FakeLink, *commands: str) -> Recorder:
    made = recorder()
    wrapped = made.wrap(link)
    await wrapped.open()
    for command in commands:
        await wrapped.run(command)
    return made


async def test_the_same_answers_in_the_same_order_then_the_last(tmp_path: Path) -> None:
    answers = iter(["one", "two"])
    made = await recorded(
        FakeLink({"count": lambda: next(answers), "id": CommandResult(3, b"out", b"err")}), *["count"] * 2, "id"
    )
    link = replay(made, tmp_path)
    await link.open()
    assert [(await link.run("count")).text for _ in range(3)] == ["one", "two", "two"]
    assert await link.run("id") == CommandResult(3, b"out", b"err")
    await link.open()
    assert (await link.run("count")).text == "one", "opened anew, from the beginning"


async def test_what_was_not_asked_is_refused_in_words(tmp_path: Path) -> None:
    link = replay(await recorded(FakeLink({"a": "b"}), "a"), tmp_path)
    await link.open()
    for attempt in (link.run("b"), link.stat("/x"), anext(link.pull("/x")), link.own_facts()):
        with pytest.raises(CommandRefused, match="recording"):
            await attempt


async def test_it_takes_nothing(tmp_path: Path) -> None:
    link = replay(await recorded(FakeLink()), tmp_path)
    await link.open()
    assert not {Capability.WRITE_FILES, Capability.STREAM_INSTALL, Capability.REBOOT} & link.capabilities
    assert Capability.SHELL in link.capabilities
    for attempt in (link.push(io.BytesIO(b""), 0, "/x"), link.feed("x", io.BytesIO(b""), 0), link.reboot()):
        with pytest.raises(NotCapable):
            await attempt


async def test_errors_come_again(tmp_path: Path) -> None:
    link = FakeLink(
        {"slow": LinkTimeout(address="a", seconds=1), "no": CommandRefused(command="no", answer=raw("nope"))}
    )
    made = recorder()
    wrapped = made.wrap(link)
    await wrapped.open()
    for command in ("slow", "no"):
        with pytest.raises((LinkTimeout, CommandRefused)):
            await wrapped.run(command)
    again = replay(made, tmp_path)
    await again.open()
    with pytest.raises(LinkTimeout):
        await again.run("slow")
    with pytest.raises(CommandRefused, match="nope"):
        await again.run("no")


async def test_a_terminal_that_could_not_be_reached(tmp_path: Path) -> None:
    link = FakeLink()
    link.open_errors = [Unreachable(address="a", detail="d")]
    made = recorder()
    with pytest.raises(Unreachable):
        await made.wrap(link).open()
    with pytest.raises(Unreachable):
        await replay(made, tmp_path).open()


async def test_short_texts_are_kept_and_other_files_are_not(tmp_path: Path) -> None:
    link = Taker()
    link.files = {"/t": b"plain text\n", "/b": b"\0\1\2", "/l": b"x" * (FILE_BYTES + 1), "/e": b""}
    made = recorder()
    wrapped = made.wrap(link)
    for path in link.files:
        assert b"".join([chunk async for chunk in wrapped.pull(path)]) == link.files[path]
    await wrapped.push(io.BytesIO(b"payload"), 7, "/p")
    again = replay(made, tmp_path)
    await again.open()
    assert b"".join([chunk async for chunk in again.pull("/t")]) == b"plain text\n"
    assert b"".join([chunk async for chunk in again.pull("/e")]) == b""
    for path in ("/b", "/l"):
        with pytest.raises(CommandRefused, match="size"):
            await anext(again.pull(path))
    entries = {entry.what: entry for entry in read_recording(tmp_path / "recording.jsonl").entries}
    assert entries["/l"].sha256 == hashlib.sha256(b"x" * (FILE_BYTES + 1)).hexdigest()
    assert entries["/p"].sha256 == hashlib.sha256(b"payload").hexdigest()
    assert entries["/b"].sha256 == "", "what three bytes were could be tried through"


async def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("techtool.links.record.recorder.TOTAL_BYTES", 2 * OUTPUT_BYTES)
    line = b"word " * 20 + b"\n"
    link = FakeLink({"big": CommandResult(0, line * (OUTPUT_BYTES // len(line) + 2))})
    made = await recorded(link, *["big"] * 3)
    data = made.pack()
    assert len(data) < LIMIT_BYTES
    path = tmp_path / "r"
    path.write_bytes(data)
    read = read_recording(path)
    assert not read.complete
    assert all(entry.cut and entry.stdout.endswith("word \n") for entry in read.entries)


class Taker(FakeLink):
    """Takes every file."""

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        assert len(source.read()) == size_bytes


def changed(data: bytes) -> bytes:
    return data.replace(b"hello", b"hullo")


def newer(data: bytes) -> bytes:
    return data.replace(b'"schema":1', b'"schema":2')


def with_unknown_field(data: bytes) -> bytes:
    lines = data.splitlines()
    entry = json.loads(lines[1]) | {"extra": 1}
    body = b"\n".join([lines[0], json.dumps(entry).encode()]) + b"\n"
    end = {"entries": 1, "complete": True, "sha256": hashlib.sha256(body).hexdigest()}
    return body + json.dumps(end).encode() + b"\n"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: b"", "no recording"),
        (lambda data: b"\x89PNG\r\n\x1a\n" + bytes(100), "no recording"),
        (lambda data: b"[" * 100_000, "no recording"),
        (lambda data: b'{"kind":"else"}\n', "no recording"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data[: data.index(b"\n") + 20], "cut short"),
        (lambda data: data[: data.rindex(b"{")], "cut short"),
        (lambda data: data + b"{}\n", "cut short"),
        (changed, "changed"),
        (newer, "schema is 2"),
        (with_unknown_field, "line 2"),
        (lambda data: data + b" " * LIMIT_BYTES, "at most"),
    ],
)
async def test_a_recording_that_is_none(spoil: Callable[[bytes], bytes], words: str, tmp_path: Path) -> None:
    made = await recorded(FakeLink({"a": "hello"}), "a")
    path = tmp_path / "r.jsonl"
    path.write_bytes(spoil(made.pack()))
    with pytest.raises(BadFile) as caught:
        read_recording(path)
    assert words in caught.value.what_phrase.text("en")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BadFile):
            read_recording(path)


def test_a_recorded_link_tells_that_the_terminal_asks_a_person(tmp_path: Path) -> None:
    inner = link_for(Address.parse("adb://127.0.0.1:1"), LinkSettings(), Paths(tmp_path))
    heard: list[Permission] = []
    tell_permission(recorder().wrap(inner), heard.append)
    asked = Permission("AA:BB", 0, 120)
    assert isinstance(inner, AdbLink)
    inner.tell_permission(asked)
    assert heard == [asked]
