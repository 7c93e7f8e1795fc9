"""Name and password: for one server, in one file, and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.errors import BadFile, Exit, OfficeDenied, UsageError
from techtool.office.address import parse_address
from techtool.office.couch import Database
from techtool.office.http import OfficeHttp
from techtool.office.login import VARIABLE, Login, forget_login, keep_login, login_for, parse_login
from techtool.paths import Paths
from tests.office.laptops import IMPATIENT, laptop
from tests.office.servers import DATABASE, serving

SECRET = "hunter2-hunter2"
OURS = parse_address("https://office.example/records")
BAD_URLS = [
    "ftp://office.example/records",
    "https://office.example",
    "https://office.example/",
    "https://office.example/Records",
    "https://office.example/a/../records",
    "https://office.example/records?x=1",
    "https://office.example/records#x",
    "https:///records",
    "https://office.example:99999/records",
    "https://office.example:x/records",
    "https://[::1/records",
    "https://office .example/records",
    "https://office.example/rec\nords",
    "https://办公室.example/records",
    "http://office.example/records",
    "http://127.0.0.1.example/records",
    "http://10.0.0.1/records",
    "https://" + "a" * 600 + "/records",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://Office.Example/records/", "https://office.example:443/records"),
        ("https://office.example:6984/couch/records", "https://office.example:6984/couch/records"),
        ("http://127.0.0.1:5984/records", "http://127.0.0.1:5984/records"),
        ("http://localhost:5984/records", "http://localhost:5984/records"),
        ("http://[::1]:5984/records", "http://[::1]:5984/records"),
    ],
)
def test_the_same_database_has_one_name(url: str, same: str) -> None:
    assert parse_address(url).url == same


def test_an_unprotected_server_needs_the_office_s_word() -> None:
    assert parse_address("http://10.0.0.1:5984/records", plain_http=True).url == "http://10.0.0.1:5984/records"


@pytest.mark.parametrize("command", [["sync"], ["office", "import", "."], ["office", "login"]])
def test_a_password_in_the_address_is_refused_and_not_repeated(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outbox").mkdir()
    (tmp_path / "signers").write_text("")
    signers = ["--allowed-signers", str(tmp_path / "signers")] if "import" in command else []
    assert run([*command, *signers, "--to", f"https://li:{SECRET}@office.example/records"]) == Exit.USAGE
    said = capsys.readouterr()
    assert "techtool office login" in said.err
    assert SECRET not in said.out + said.err


def test_it_is_kept_for_one_server_and_readable_by_nobody_else(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    keep_login(paths, OURS, Login("li", SECRET))
    if sys.platform != "win32":
        assert paths.office_login.stat().st_mode & 0o777 == 0o600
    assert login_for(OURS, paths, {}) == Login("li", SECRET)
    for other in ("https://office.example:8443/records", "https://other.example/records"):
        assert login_for(parse_address(other), paths, {}) is None
    forget_login(paths)
    assert login_for(OURS, paths, {}) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    keep_login(paths, OURS, Login("li", SECRET))
    paths.office_login.chmod(0o640)
    with pytest.raises(BadFile, match="others on this laptop may read it") as caught:
        login_for(OURS, paths, {})
    assert SECRET not in str(caught.value.to_json())


@pytest.mark.parametrize("text", ["", "li", ":x", "li:", "li:a\x00b", "a:" + "b" * 5000])
def test_half_a_login_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_login(text, "the file")


def test_neither_of_them_is_in_what_the_program_says_of_itself(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    keep_login(paths, OURS, Login("li", SECRET))
    paths.office_login.write_text(f'{{"origin": {SECRET}}}')
    paths.office_login.chmod(0o600)
    with pytest.raises(BadFile) as caught:
        login_for(OURS, paths, {})
    assert caught.value.__cause__ is None
    assert SECRET not in f"{caught.value.to_json()} {Login('li', SECRET)!r}"
    assert login_for(OURS, paths, {VARIABLE: f"wang:{SECRET}"}) == Login("wang", SECRET)


async def test_the_server_it_is_for_hears_it_and_a_denial_is_told(tmp_path: Path) -> None:
    heads: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        denied = b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}"
        writer.write(DATABASE if b"authorization" in heads[-1].lower() else denied)
        await writer.drain()

    async with serving(meet) as port:
        address = parse_address(f"http://127.0.0.1:{port}/office")
        async with OfficeHttp(address, Login("li", SECRET), patience=IMPATIENT) as http:
            await Database(http).check()
        async with OfficeHttp(address, patience=IMPATIENT) as http:
            with pytest.raises(OfficeDenied, match="name and password are missing"):
                await Database(http).check()
    assert base64.b64encode(f"li:{SECRET}".encode()) in heads[0]


def test_a_failed_sync_leaves_it_in_no_file_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = laptop(tmp_path / "laptop")
    monkeypatch.setenv("TECHTOOL_HOME", str(paths.home))
    monkeypatch.setenv(VARIABLE, f"li:{SECRET}")
    monkeypatch.setattr("techtool.cli.sync.PATIENCE", IMPATIENT)
    assert run(["sync", "--to", "http://127.0.0.1:9/office", "--json"]) == Exit.OFFICE_UNREACHABLE
    said = capsys.readouterr()
    kept = b"".join(path.read_bytes() for path in paths.home.rglob("*") if path.is_file())
    for word in (SECRET, base64.b64encode(f"li:{SECRET}".encode()).decode()):
        assert word not in said.out + said.err
        assert word.encode() not in kept
