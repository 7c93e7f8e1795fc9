"""PAX's dialects of the ADB wire in front of Debian's adbd: what our links do with them, and what Google's adb does.

The dialects are as public notes describe them; no PAX terminal was at hand.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.domain.question import Question
from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, NotCapable, TokenMissing, TokenRefused, TokenWithheld
from techtool.links.adb.link import AdbLink
from techtool.links.adb.packets import Command, encode
from techtool.links.adb.xcb import XcbLink
from techtool.links.base import Capability
from techtool.links.open import link_for
from techtool.paths import Paths
from techtool.settings import LinkSettings
from techtool.terminals.identify import identify
from techtool.visit.open_link import open_link
from tests.peers.adb_server import AdbServer
from tests.peers.pax_proxy import Hdsk, LockedPayDroid, PayDroid, Prolin, proxied
from tests.peers.pax_terminal import SERIAL, as_pax
from tests.peers.reach import CONTENT, SIZE, TMP, read_all
from tests.peers.terminal import AdbdTerminal

pytestmark = pytest.mark.peers

TOKEN = b"not-PAX's-own-token"
DEVINFO = b"<info><name>D200</name><serial no='53000042'/></info>"
BOTH = pytest.mark.parametrize("when", list(Hdsk), ids=lambda when: when.value)


def paydroid(port: int, home: Path, token: bytes = TOKEN) -> AdbLink:
    settings = LinkSettings(pax={"handshake_token": token.decode()} if token else {})
    link = link_for(Address("adb", f"127.0.0.1:{port}"), settings, Paths(home))
    assert isinstance(link, AdbLink)
    return link


def prolin(port: int, home: Path) -> XcbLink:
    link = link_for(Address.parse(f"xcb://127.0.0.1:{port}"), LinkSettings(), Paths(home))
    assert isinstance(link, XcbLink)
    return link


@BOTH
async def test_paydroid(when: Hdsk, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    early: list[str] = []
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, when, early)) as port:
        link = paydroid(port, tmp_path)
        await link.open()
        assert (await link.run("echo out; exit 3")).exit_code == 3
        await link.push(io.BytesIO(CONTENT), SIZE, f"{TMP}/big")
        assert hashlib.sha256(await read_all(link, f"{TMP}/big")).digest() == hashlib.sha256(CONTENT).digest()
        assert await link.system_log() == b"", "Debian's daemon has no log service"
        await link.close()
    assert not early


@BOTH
async def test_paydroid_without_a_token(when: Hdsk, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, when)) as port:
        with pytest.raises(TokenMissing):
            await paydroid(port, tmp_path, b"").open()


@BOTH
async def test_paydroid_with_another_token(when: Hdsk, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, when)) as port:
        with pytest.raises(TokenRefused) as caught:
            await paydroid(port, tmp_path, b"hunter2").open()
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__!r}"


class Thief:
    """Anybody in the network: asks for the token, and keeps all that comes."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode(Command.HDSK, 1, 0, with_checksum=True))
        while data := await reader.read(4096):
            self.heard += data
        writer.close()


def announced(port: int, home: Path, *hosts: str) -> AdbLink:
    """The link to an address that was picked from what announces itself."""
    settings = LinkSettings(pax={"handshake_token": TOKEN.decode()}, hosts=hosts)
    link = link_for(Address("adb", f"127.0.0.1:{port}", announced=True), settings, Paths(home))
    assert isinstance(link, AdbLink)
    return link


async def test_who_only_announces_himself_gets_no_token(tmp_path: Path) -> None:
    thief = Thief()
    async with await asyncio.start_server(thief.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        link = announced(port, tmp_path, "rubbish", "adb://127.0.0.2:5555")
        with pytest.raises(TokenWithheld):
            await link.open()
        await link.close()
    assert thief.heard.startswith(b"CNXN")
    assert TOKEN not in thief.heard


@BOTH
async def test_a_person_says_who_gets_the_token(when: Hdsk, fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    asked: list[Question] = []
    answers = ["", "no", "yes"]

    async def person(question: Question) -> str:
        asked.append(question)
        return answers.pop(0)

    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, when)) as port:
        for _ in range(2):
            link = announced(port, tmp_path)
            with pytest.raises(TokenWithheld):
                await open_link(link, person, {})
        link = announced(port, tmp_path)
        await open_link(link, person, {})
        assert (await link.run("echo in")).stdout == b"in\n"
        await link.close()
        await link.open()  # after a restart of the terminal nobody is asked again
        await link.close()
    assert [question.id for question in asked] == ["identify.pax_token"] * 3
    assert f"adb://127.0.0.1:{port}" in asked[0].text.text()


async def test_a_host_of_the_settings_was_named_by_a_person(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, Hdsk.FIRST)) as port:
        link = announced(port, tmp_path, f" adb://127.0.0.1:{port}/")
        await link.open()
        await link.close()


async def test_googles_adb_gets_nowhere_on_paydroid(fresh_adbd: AdbdTerminal, google_server: AdbServer) -> None:
    """The reason for all this; a proxy that lets it through would prove nothing of ours."""
    async with proxied(fresh_adbd.port, lambda: PayDroid(TOKEN, Hdsk.FIRST)) as port:
        serial = f"127.0.0.1:{port}"
        said = await asyncio.to_thread(google_server.run, "connect", serial, timeout_s=30)
        assert f"failed to connect to {serial}" in said.stdout
        done = await asyncio.to_thread(google_server.run, "-s", serial, "shell", "echo", "reached")
        assert done.returncode
        assert "reached" not in done.stdout


async def test_prolin_lists_pulls_and_pushes(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    refused: list[str] = []
    async with proxied(fresh_adbd.port, lambda: Prolin(DEVINFO, refused)) as port:
        link = prolin(port, tmp_path)
        await link.open()
        assert link.capabilities == {
            Capability.OWN_FACTS, Capability.LIST_FILES, Capability.READ_FILES, Capability.WRITE_FILES,
        }  # fmt: skip
        await link.push(io.BytesIO(CONTENT), 1 << 20, f"{TMP}/app.aip")
        await link.push(io.BytesIO(b""), 0, f"{TMP}/leer")
        listed = {entry.name: entry.stat.size_bytes for entry in await link.list_folder(TMP)}
        assert listed == {"app.aip": 1 << 20, "leer": 0}
        assert await read_all(link, f"{TMP}/app.aip") == CONTENT[: 1 << 20]
        assert await link.list_folder("/no/such/folder") == ()
        assert await link.stat("/no/such/folder") is None
        with pytest.raises(CommandRefused):
            await read_all(link, "/no/such/file")
        await link.close()
    assert not refused
    assert (fresh_adbd.state_dir / "local/tmp/app.aip").read_bytes() == CONTENT[: 1 << 20]


async def test_prolin_tells_of_itself_and_takes_no_commands(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    refused: list[str] = []
    async with proxied(fresh_adbd.port, lambda: Prolin(DEVINFO, refused)) as port:
        link = prolin(port, tmp_path)
        await link.open()
        assert await link.own_facts() == {"devinfo.info.name": "D200", "devinfo.info.serial@no": "53000042"}
        for attempt in (link.run("id"), link.reboot(), link.feed("x", io.BytesIO(b""), 0)):
            with pytest.raises(NotCapable):
                await attempt
        await link.close()
    assert not refused, "nothing was even tried"


async def test_prolin_without_devinfo(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    async with proxied(fresh_adbd.port, lambda: Prolin(b"", [])) as port:
        link = prolin(port, tmp_path)
        await link.open()
        assert await link.own_facts() == {}
        await link.close()


async def test_an_android_terminal_is_no_prolin(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    """Nothing of Prolin is claimed for a daemon that has no such services."""
    link = prolin(fresh_adbd.port, tmp_path)
    await link.open()
    assert link.capabilities == {Capability.OWN_FACTS}
    await link.close()


async def test_paydroid_with_a_locked_shell_is_identified_by_systool(fresh_adbd: AdbdTerminal, tmp_path: Path) -> None:
    """Busy at first, asked again; nothing else is asked of a shell that says no."""
    properties = as_pax(fresh_adbd).android.properties()
    asked: list[str] = []

    def locked() -> LockedPayDroid:
        return LockedPayDroid(TOKEN, Hdsk.FIRST, properties=properties, asked=asked)

    async with proxied(fresh_adbd.port, locked) as port:
        link = paydroid(port, tmp_path)
        await link.open()
        assert Capability.SYSTOOL in link.capabilities
        assert Capability.SHELL not in link.capabilities
        identity = (await identify(link, load_catalogue())).identity
        await link.close()
    assert (identity.vendor, identity.model, identity.serial) == ("pax", "A920Pro", SERIAL)
    assert identity.unverified
