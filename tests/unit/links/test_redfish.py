"""The Redfish link against devices that mean harm: bounded, refused, told; and no secret where it does not belong."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import ssl
import subprocess
import traceback
from pathlib import Path

import pytest

from techtool.clock import SystemClock
from techtool.domain.terminal import Address
from techtool.errors import (
    BadAddress,
    BadFile,
    CertificateUnknown,
    CommandRefused,
    DiskError,
    InstallFailed,
    LinkError,
    LinkLost,
    LinkTimeout,
    LoginNeeded,
    LoginRefused,
    NotCapable,
    Unreachable,
    WrongProtocol,
)
from techtool.links.redfish import http
from techtool.links.redfish import link as redfish_link
from techtool.links.redfish.link import MEMBERS_LIMIT, RedfishLink, said_by
from techtool.links.redfish.logins import Login, read_login, without
from techtool.links.redfish.offer import offered
from techtool.links.redfish.payload import HELD_BACK, UpdateFile
from techtool.links.redfish.pins import Pins, certificate_at, context_for, shown, typed_fits
from techtool.links.redfish.values import path_of
from techtool.paths import Paths
from techtool.settings import RedfishSettings
from techtool.terminals import redfish_tasks
from techtool.terminals.redfish_read import read_components, read_machine, read_update_service
from techtool.terminals.redfish_tasks import wait_for
from tests.peers.tools import need
from tests.unit.links.hostile import ROOT, Page, answer, device

TASK = "/redfish/v1/TaskService/Tasks/7"
SECRET = "Pl4nted-Secret-9"
SESSIONS = {**ROOT, "Links": {"Sessions": {"@odata.id": "/redfish/v1/S"}}}


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
        await writer.drain()


async def gigabyte(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(16_384):
        writer.write(b" " * 65_536)
        await writer.drain()


async def slow_loris(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def says_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


GZIP = answer(b"\x1f\x8b" + b"\0" * 60, head="Content-Encoding: gzip\r\n")
HARM: dict[str, tuple[Page, type[LinkError]]] = {
    "endless-headers": (endless_headers, WrongProtocol),
    "gigabyte": (gigabyte, WrongProtocol),
    "slow-loris": (slow_loris, LinkTimeout),
    "says-nothing": (says_nothing, LinkTimeout),
    "hangs-up": (hangs_up, LinkLost),
    "redirect-elsewhere": (answer({}, "302 Found", "Location: https://192.0.2.1/redfish/v1/\r\n"), WrongProtocol),
    "redirect-within": (answer({}, "308 Moved", "Location: /redfish/v1/x\r\n"), WrongProtocol),
    "not-http": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", WrongProtocol),
    "two-lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", WrongProtocol),
    "packed": (GZIP, WrongProtocol),
    "no-json": (answer(b"<html>"), WrongProtocol),
    "a-list": ([1], WrongProtocol),
    "a-number": (answer(b"7"), WrongProtocol),
    "deep": (answer(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), WrongProtocol),
    "nan": (answer(b'{"RedfishVersion": NaN}'), WrongProtocol),
    "no-redfish": ({"hello": "world"}, WrongProtocol),
    "wrong-type": ({"RedfishVersion": 7}, WrongProtocol),
}


@pytest.mark.parametrize("name", HARM)
async def test_a_hostile_root(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page, error = HARM[name]
    monkeypatch.setattr(http.Http.request, "__kwdefaults__", {"json": None, "timeout_s": 1.0})
    async with device(tmp_path, {"/redfish/v1/": page}) as (link, asked), asyncio.timeout(20):
        with pytest.raises(error) as caught:
            await link.open()
        assert type(caught.value) is error
        assert len(caught.value.detail) < 400
        assert asked == ["GET /redfish/v1/"]
        assert link.capabilities == frozenset()


def odd(link: object) -> dict[str, Page]:
    systems = {**ROOT, "Systems": {"@odata.id": "/redfish/v1/Systems"}}
    return {"/redfish/v1/": systems, "/redfish/v1/Systems": {"Members": [{"@odata.id": link}]}}


@pytest.mark.parametrize(
    "link",
    [
        "https://192.0.2.1/redfish/v1/Systems/1",
        "//192.0.2.1/redfish/v1",
        "/redfish/v1/../../etc/passwd",
        "/redfish/v1/%2e%2e/%2E%2e/x",
        "/redfish/v1/%252e%252e/x",
        "/redfish/v1/..%2fx",
        "/redfish/v1/a\\..\\b",
        "/redfish/v1/x\r\nX-Evil: 1",
        "/redfish/v1/a b",
        "/redfish/v1/\u202e",
        "/redfish/v1/" + "a" * 2000,
        "/other",
        "",
        7,
        None,
        ["/redfish/v1/"],
    ],
    ids=str,
)
async def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path, link: object) -> None:
    assert path_of(link) == ""
    async with device(tmp_path, odd(link)) as (redfish, asked):
        await redfish.open()
        with pytest.raises(WrongProtocol):
            await read_machine(redfish)
        assert asked == ["GET /redfish/v1/", "GET /redfish/v1/Systems"]


def pages_of(members: object, **more: object) -> dict[str, Page]:
    root = {**ROOT, "Systems": {"@odata.id": "/redfish/v1/Systems"}}
    return {"/redfish/v1/": root, "/redfish/v1/Systems": {"Members": members, **more}}


@pytest.mark.parametrize(
    "pages",
    [
        pages_of([], **{"Members@odata.nextLink": "/redfish/v1/Systems"}),
        pages_of([{"@odata.id": f"/redfish/v1/Systems/{n}"} for n in range(MEMBERS_LIMIT + 1)]),
        pages_of([], **{"Members@odata.nextLink": "https://192.0.2.1/"}),
        pages_of(["/redfish/v1/Systems/1"]),
        pages_of([None]),
    ],
    ids=["circle", "thousands", "next-elsewhere", "no-object", "null"],
)
async def test_lists_without_an_end(tmp_path: Path, pages: dict[str, Page]) -> None:
    async with device(tmp_path, pages) as (link, asked), asyncio.timeout(60):
        await link.open()
        with pytest.raises(WrongProtocol):
            await read_machine(link)
        assert len(asked) <= MEMBERS_LIMIT + 2


async def test_a_member_that_is_the_list_itself(tmp_path: Path) -> None:
    """Asked once, taken for what it says: nothing."""
    async with device(tmp_path, pages_of([{"@odata.id": "/redfish/v1/Systems"}] * 5)) as (link, asked):
        await link.open()
        machine = await read_machine(link)
        assert machine.properties == {"redfish.root.RedfishVersion": "1.18.0"}
        assert asked.count("GET /redfish/v1/Systems") == 2


async def test_several_machines_are_not_guessed_among(tmp_path: Path) -> None:
    pages = pages_of([{"@odata.id": f"/redfish/v1/Systems/{n}"} for n in (1, 2)])
    pages |= {f"/redfish/v1/Systems/{n}": {"Model": f"M{n}"} for n in (1, 2)}
    async with device(tmp_path, pages) as (link, _asked):
        await link.open()
        with pytest.raises(NotCapable):
            await read_machine(link)


async def test_wrong_types_say_nothing(tmp_path: Path) -> None:
    """Whatever stands where a text or a link should, nothing is made of it, and nothing breaks."""
    wrong: list[object] = [None, 7, True, [], {}, "x" * 100_000, [[[]]], {"@odata.id": {}}]
    for number, value in enumerate(wrong):
        service = dict.fromkeys(
            ("FirmwareInventory", "MultipartHttpPushUri", "HttpPushUri", "Actions", "MaxImageSizeBytes"), value
        )
        system = dict.fromkeys(("Manufacturer", "Model", "SerialNumber", "Oem", "Actions"), value)
        pages = pages_of([{"@odata.id": "/redfish/v1/Systems/1"}])
        pages |= {"/redfish/v1/Systems/1": system, "/redfish/v1/UpdateService": service}
        folder = tmp_path / str(number)
        folder.mkdir()
        async with device(folder, pages) as (link, _asked):
            await link.open()
            machine = await read_machine(link)
            assert all(len(text) <= 200 for text in machine.properties.values())
            assert await read_components(link, machine) == ()
            found = await read_update_service(link)
            assert (found.multipart, found.simple) == ("", "")


async def test_a_device_that_takes_no_login(tmp_path: Path) -> None:
    for status, error in (
        ("401 Unauthorized", LoginRefused),
        ("403 Forbidden", LoginRefused),
        ("500 No", WrongProtocol),
    ):
        pages: dict[str, Page] = {"/redfish/v1/": SESSIONS, "/redfish/v1/S": answer({"x": SECRET}, status)}
        async with device(tmp_path, pages) as (link, _asked):
            with pytest.raises(LoginNeeded):
                await link.open()
            link.sign_in(Login("somebody", SECRET))
            with pytest.raises(error) as caught:
                await link.open()
            assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["", "a" * 5000, "\u00e9"])
async def test_a_token_that_is_none(tmp_path: Path, token: str) -> None:
    head = f"X-Auth-Token: {token}\r\n"
    pages: dict[str, Page] = {"/redfish/v1/": SESSIONS, "/redfish/v1/S": answer({}, "201 Created", head)}
    async with device(tmp_path, pages) as (link, _asked):
        link.sign_in(Login("somebody", SECRET))
        with pytest.raises(WrongProtocol):
            await link.open()


async def test_a_password_that_is_said_back_is_taken_out(tmp_path: Path) -> None:
    created = answer({}, "201 Created", f"X-Auth-Token: tok-{SECRET}\r\nLocation: /redfish/v1/S/1\r\n")
    error = {"error": {"message": f"you said {SECRET}", "@Message.ExtendedInfo": [{"Message": f"tok-{SECRET} !"}]}}
    pages: dict[str, Page] = {"/redfish/v1/": SESSIONS, "/redfish/v1/S": created, "/x": answer(error, "400 No")}
    async with device(tmp_path, pages) as (link, asked):
        link.sign_in(Login("somebody", SECRET))
        await link.open()
        with pytest.raises(CommandRefused) as caught:
            await link.get("/x")
        assert "***" in str(caught.value)
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        await link.close()
        assert asked[-1] == "DELETE /redfish/v1/S/1", "the session is ended"
    assert SECRET not in repr(Login("somebody", SECRET))


async def test_another_certificate_a_moment_later(tmp_path: Path) -> None:
    """Between the greeting and the first request somebody else takes the address: TLS itself refuses."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with device(tmp_path / "one", {"/redfish/v1/": ROOT}) as (one, _):
        async with device(tmp_path / "two", {"/redfish/v1/": ROOT}) as (two, asked):
            pin = Pins(Paths(tmp_path / "one" / "home")).find(one.address)
            assert pin is not None
            client = http.Http(two.address, context_for(pin))
            with pytest.raises(WrongProtocol) as caught:
                await client.request("POST", "/redfish/v1/S", json={"Password": SECRET})
            await client.close()
            assert asked == []
            assert "another certificate" in caught.value.what_phrase.text()


async def test_nobody_there(tmp_path: Path) -> None:
    async with device(tmp_path, {}) as (link, _):
        gone = link
    with pytest.raises(Unreachable):
        await gone.open()


async def test_something_else_listens_there(tmp_path: Path) -> None:
    def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0\r\n")
        writer.close()

    plain = await asyncio.start_server(greet, "127.0.0.1", 0)
    address = Address.parse(f"redfish+https://127.0.0.1:{plain.sockets[0].getsockname()[1]}")
    with pytest.raises((WrongProtocol, LinkLost)):
        await RedfishLink(address, RedfishSettings(), Paths(tmp_path)).open()
    plain.close()


# -- pins, logins, addresses


async def test_pins(tmp_path: Path) -> None:
    async with device(tmp_path, {"/redfish/v1/": ROOT}) as (link, asked):
        pins = Pins(Paths(tmp_path / "home"))
        pin = pins.find(link.address)
        assert pin is not None
        assert pins.forget(link.address)
        with pytest.raises(CertificateUnknown) as caught:
            await link.open()
        assert caught.value.params["found"] == shown(pin.fingerprint)
        assert asked == []
        assert not link.compare(pin.fingerprint[-15:])
        assert not link.compare("0" * 16)
        assert link.compare(pin.fingerprint[-16:])
        await link.open()
    (file,) = (tmp_path / "home" / "trust" / "devices").iterdir()
    file.write_text(file.read_text().replace(pin.fingerprint, "0" * 64))
    with pytest.raises(BadFile):
        pins.find(link.address)


def test_what_people_type_from_a_label() -> None:
    mark = hashlib.sha256(b"x").hexdigest()
    assert typed_fits(mark, mark)
    assert typed_fits(":".join(mark.upper()[at : at + 2] for at in range(0, 64, 2)), mark)
    assert typed_fits(shown(mark), mark)
    for before in ("SHA256:", "SHA-256: ", "sha256 Fingerprint="):
        assert typed_fits(f"{before}{mark[-16:].upper()}", mark)
    assert not typed_fits("", mark)
    assert not typed_fits(mark[:16], mark)
    assert not typed_fits(f"00{mark}", mark)


@pytest.mark.parametrize(
    "text", ["redfish+https://", "redfish+https://u:p@h", "redfish+https://h/x", "redfish+https://h:0x1"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(BadAddress):
        Address.parse(text)


def test_addresses() -> None:
    assert str(Address.parse("redfish+https://h")) == "redfish+https://h:443"
    assert Address.parse("redfish+https://[fe80::1]:8443").host == "fe80::1"


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_login_files(tmp_path: Path) -> None:
    path, address = tmp_path / "login.toml", Address.parse("redfish+https://h")
    path.write_text(f'user = "all"\npassword = "{SECRET}"\n[at."h:443"]\nuser = "one"\npassword = "p"\n')
    path.chmod(0o644)
    with pytest.raises(BadFile):
        read_login(path, address)
    path.chmod(0o600)
    assert read_login(path, address) == Login("one", "p")
    assert read_login(path, Address.parse("redfish+https://other")) == Login("all", SECRET)
    path.write_text(f'user = "all"\npassword = {SECRET}')
    with pytest.raises(BadFile) as caught:
        read_login(path, address)
    assert SECRET not in str(caught.value)


def test_short_secrets_are_hidden_only_as_a_whole() -> None:
    tree = {"a": "admin", "b": ["Administrator"], "@odata.id": "/redfish/v1/admin"}
    assert without(tree, ("admin",)) == {"a": "***", "b": ["Administrator"], "@odata.id": "/redfish/v1/admin"}


def test_what_a_device_says_is_bounded() -> None:
    body = {"error": {"@Message.ExtendedInfo": [{"Message": "x\x1b[31m" * 1000}] * 1000, "message": 7}}
    assert len(said_by(body)) <= 300
    assert "\x1b" not in said_by(body)
    assert "4111111111111111" not in said_by({"error": {"message": "card 4111111111111111"}})


# -- payloads


def payload(tmp_path: Path, content: bytes, sha256: str = "", told: list[int] | None = None) -> UpdateFile:
    path = tmp_path / "payload"
    path.write_bytes(content)
    digest = sha256 or hashlib.sha256(content).hexdigest()
    return UpdateFile(path, len(content), digest, "p.bin", told.append if told is not None else None)


def test_what_is_confirmed_lags_behind_what_was_read(tmp_path: Path) -> None:
    told: list[int] = []
    content = os.urandom(2 * HELD_BACK)
    file = payload(tmp_path, content, told=told)
    assert file.read() == content
    assert told[-1] <= len(content) - HELD_BACK
    assert told == sorted(told)
    file.answered()
    assert told[-1] == len(content)
    file.seek(0)
    assert file.read(10) == content[:10]
    file.close()


def test_a_copy_that_changed_is_not_sent(tmp_path: Path) -> None:
    file = payload(tmp_path, b"other", hashlib.sha256(b"verified").hexdigest())
    with pytest.raises(DiskError):
        file.read()
    short = payload(tmp_path, b"content")
    (tmp_path / "payload").write_bytes(b"con")
    with pytest.raises(DiskError):
        short.read()
    for one in (file, short):
        one.close()


async def fetched(url: str, method: bytes = b"GET", path: str | None = None) -> bytes:
    host, _, rest = url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    target = path if path is not None else f"/{rest}"
    writer.write(method + f" {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    return data


async def test_one_file_is_offered_to_one_device_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"image" * 1000)
    (tmp_path / "other").write_text("secret")
    async with offered(path, 5000, host="127.0.0.1", peer="127.0.0.1") as offer:
        assert (await fetched(offer.url)).endswith(b"\r\n\r\n" + b"image" * 1000)
        assert (await fetched(offer.url, b"HEAD")).endswith(b"\r\n\r\n")
        for odd_path in ("/", "/image.bin", "/../other", f"{offer.secret_path}/../other", f"{offer.secret_path}x"):
            assert b" 404 " in (await fetched(offer.url, path=odd_path)).splitlines()[0]
        assert b" 404 " in (await fetched(offer.url, b"PUT")).splitlines()[0]
        url = offer.url
    with pytest.raises(ConnectionRefusedError):
        await fetched(url)
    async with offered(path, 5000, host="127.0.0.1", peer="192.0.2.1") as offer:
        assert await raw(offer.url, b"GET / HTTP/1.1\r\n\r\n") in (b"", None)


async def test_a_fetch_that_breaks_off_or_talks_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"i" * 5_000_000)
    async with offered(path, 5_000_000, host="127.0.0.1", peer="127.0.0.1") as offer:
        for request in (b"\x16\x03\x01 nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000):
            assert await asyncio.wait_for(raw(offer.url, request), 5) in (b"", None)
        assert len(await fetched(offer.url)) > 5_000_000


async def raw(url: str, request: bytes) -> bytes | None:
    host = url.removeprefix("http://").partition("/")[0]
    reader, writer = await asyncio.open_connection(*host.split(":"))
    data = None
    with contextlib.suppress(OSError):
        writer.write(request)
        data = await reader.read()
    writer.close()
    return data


# -- what is believed of an update


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_task_that_may_not_be_looked_at_has_not_failed(tmp_path: Path, status: str) -> None:
    """The update goes on without us; that we may not ask is no answer to it."""
    refused = {"error": {"@Message.ExtendedInfo": [{"Message": "no"}]}}
    async with device(tmp_path, {"/redfish/v1/": ROOT, TASK: answer(refused, status)}) as (link, _asked):
        await link.open()
        with pytest.raises(InstallFailed) as caught:
            await wait_for(link, TASK, "app", SystemClock())
        assert caught.value.word == ""


async def test_a_task_that_is_busy_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One per cent, two, one, two: it moves, and gets nowhere."""
    monkeypatch.setattr(redfish_tasks, "LONGEST_S", 0.5)
    percents = itertools.cycle((1, 2))

    async def task(writer: asyncio.StreamWriter) -> None:
        writer.write(answer({"TaskState": "Running", "PercentComplete": next(percents)}, head="Retry-After: 0\r\n"))

    async with device(tmp_path, {"/redfish/v1/": ROOT, TASK: task}) as (link, _asked), asyncio.timeout(20):
        await link.open()
        with pytest.raises(LinkTimeout):
            await wait_for(link, TASK, "app", SystemClock())


async def test_a_list_whose_every_answer_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redfish_link, "LIST_S", 0.5)

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer({"Model": "M"}))

    members = [{"@odata.id": f"/redfish/v1/Systems/{n}"} for n in range(100)]
    pages = {**pages_of(members), **{member["@odata.id"]: slowly for member in members}}
    async with device(tmp_path, pages) as (link, asked), asyncio.timeout(20):
        await link.open()
        with pytest.raises(LinkTimeout):
            await read_machine(link)
        assert len(asked) < 20


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (["-newkey", "rsa:1024"], "key too weak"),
        (["-newkey", "rsa:2048", "-addext", "extendedKeyUsage=clientAuth"], "unsuitable certificate purpose"),
    ],
    ids=["short key", "other purpose"],
)
async def test_a_certificate_that_tls_does_not_take(tmp_path: Path, made: list[str], said: str) -> None:
    """It is the very one that was compared, so nobody says that it is another one; what is wrong with it is said."""
    openssl = need("openssl")
    names = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert"), "-subj", "/CN=gateway", "-days", "1"]
    subprocess.run([openssl, "req", "-x509", "-nodes", *names, *made], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
    address = Address.parse(f"redfish+https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    Pins(Paths(tmp_path)).keep(address, (await certificate_at(address)).der)
    with pytest.raises(WrongProtocol) as caught:
        await RedfishLink(address, RedfishSettings(), Paths(tmp_path)).open()
    server.close()
    assert said in caught.value.what_phrase.text()
    assert "another" not in caught.value.what_phrase.text()


async def test_a_session_without_a_place_is_begun_anew_too(tmp_path: Path) -> None:
    tokens = iter(("one", "two"))
    given: list[str] = []

    async def login(writer: asyncio.StreamWriter) -> None:
        given.append(next(tokens))
        writer.write(answer({}, "201 Created", f"X-Auth-Token: token-{given[-1]}\r\n"))

    async def task(writer: asyncio.StreamWriter) -> None:
        writer.write(answer({}, "401 No") if len(given) < 2 else answer({"TaskState": "Completed"}))

    pages: dict[str, Page] = {"/redfish/v1/": SESSIONS, "/redfish/v1/S": login, TASK: task}
    async with device(tmp_path, pages) as (link, _asked):
        link.sign_in(Login("somebody", SECRET))
        await link.open()
        assert not await wait_for(link, TASK, "app", SystemClock())


async def test_a_spare_copy_is_not_what_runs(tmp_path: Path) -> None:
    """In whatever order a device lists its banks: the one that stands by is told by its state."""
    inventory = "/redfish/v1/UpdateService/FirmwareInventory"
    pages: dict[str, Page] = {
        "/redfish/v1/": ROOT,
        "/redfish/v1/UpdateService": {"FirmwareInventory": {"@odata.id": inventory}},
        inventory: {"Members": [{"@odata.id": f"{inventory}/{name}"} for name in ("A", "B")]},
    }
    for name, version, state in (("A", "2.0", "StandbyOffline"), ("B", "1.0", "Enabled")):
        body = {"@odata.id": f"{inventory}/{name}", "Id": name, "SoftwareId": "app", "Version": version}
        pages[f"{inventory}/{name}"] = {**body, "Status": {"State": state}}
    async with device(tmp_path, pages) as (link, _asked):
        await link.open()
        found = await read_components(link, await read_machine(link))
        assert {one.id: one.version for one in found} == {"app": "1.0", "A": "2.0"}


async def test_an_answer_to_a_push_that_never_comes_is_waited_for_so_long_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each drop of it may come in time, and the whole never."""
    monkeypatch.setattr(http, "ANSWER_WAIT_S", 0.5)
    monkeypatch.setattr(http, "PUSH_WAIT_S", 0.5)

    async def soon(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with device(tmp_path, {"/redfish/v1/": ROOT, "/redfish/v1/push": soon}) as (link, _asked):
        await link.open()
        file = payload(tmp_path, b"image")
        async with asyncio.timeout(20):
            with pytest.raises(LinkTimeout):
                await link.push_update("/redfish/v1/push", {}, file)
        file.close()
