"""The key: its file, its signature checked from first principles, Android's encoding checked against Google's adb."""

from __future__ import annotations

import asyncio
import base64
import stat
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from techtool.domain.terminal import Address
from techtool.errors import BadFile, LinkLost, NotAuthorized, WrongProtocol
from techtool.links.adb.auth import AdbKey, key_maker, load_or_make_key, own_comment, read_key
from techtool.links.adb.handshake import HandshakeOptions
from techtool.links.adb.packets import AuthType, Command
from techtool.links.adb.wire import AdbConnection
from tests.peers.tools import google_adb
from tests.unit.links.scripted import QUICK, Peer, daemon

TOKEN = bytes(range(20))
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
"""DigestInfo of SHA-1, RFC 8017 section 9.2 note 1."""


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys" / "adb.key"
    load_or_make_key(path)
    return path


@pytest.fixture(scope="module")
def key(key_path: Path) -> AdbKey:
    return read_key(key_path, "techtool@test")


def modulus(blob: bytes) -> tuple[int, int]:
    """Modulus and exponent as a terminal reads them."""
    words, n0inv = struct.unpack_from("<II", blob)
    n = int.from_bytes(blob[8:264], "little")
    rr = int.from_bytes(blob[264:520], "little")
    (exponent,) = struct.unpack_from("<I", blob, 520)
    assert words == 64
    assert n * n0inv % (1 << 32) == (1 << 32) - 1
    assert rr == pow(1 << 2048, 2, n)
    return n, exponent


def assert_signed(blob: bytes, signature: bytes, token: bytes) -> None:
    """What adbd does with a signature: raise it to the exponent and compare the padded digest."""
    n, exponent = modulus(blob)
    opened = pow(int.from_bytes(signature, "big"), exponent, n).to_bytes(256, "big")
    padding = b"\xff" * (256 - 3 - len(SHA1_INFO) - len(token))
    assert opened == b"\x00\x01" + padding + b"\x00" + SHA1_INFO + token


def test_signature_opens_to_the_token(key: AdbKey) -> None:
    assert len(key.public_blob) == 524
    assert_signed(key.public_blob, key.sign(TOKEN), TOKEN)


def test_public_line(key: AdbKey) -> None:
    blob, comment = key.public_line.split(b" ")
    assert base64.b64decode(blob, validate=True) == key.public_blob
    assert comment == b"techtool@test"
    assert own_comment().startswith("techtool@")


def test_the_key_is_made_once_and_private(key_path: Path, key: AdbKey) -> None:
    again = load_or_make_key(key_path)
    assert again.public_blob == key.public_blob
    if sys.platform != "win32":
        assert stat.S_IMODE(key_path.stat().st_mode) == 0o600


def test_many_lanes_make_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "adb.key"
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: load_or_make_key(path), range(4)))
    assert len({k.public_blob for k in keys}) == 1


def pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("kind", ["garbage", "elliptic", "small", "folder"])
def test_a_file_that_is_no_such_key(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "adb.key"
    if kind == "folder":
        path.mkdir()
    else:
        contents = {
            "garbage": b"not a key",
            "elliptic": pem(ec.generate_private_key(ec.SECP256R1())),
            "small": pem(rsa.generate_private_key(65537, 1024)),
        }
        path.write_bytes(contents[kind])
    with pytest.raises(BadFile):
        load_or_make_key(path)


@pytest.mark.peers
def test_googles_keygen_agrees(tmp_path: Path) -> None:
    theirs = tmp_path / "adbkey"
    subprocess.run([google_adb(), "keygen", str(theirs)], check=True, capture_output=True, timeout=60)
    key = read_key(theirs, "x")
    expected = (tmp_path / "adbkey.pub").read_bytes().split()[0]
    assert base64.b64encode(key.public_blob) == expected


# --- the handshake --------------------------------------------------------------------------------------------------


async def connect(address: Address, path: Path, limits: HandshakeOptions = QUICK) -> AdbConnection:
    return await AdbConnection.connect(address, key_maker(path), options=limits)


async def test_a_known_key_is_accepted(key_path: Path, key: AdbKey) -> None:
    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        answer = await peer.expect(Command.AUTH)
        assert answer.arg0 == AuthType.SIGNATURE
        assert_signed(key.public_blob, answer.data, TOKEN)
        peer.send(Command.CNXN, 0x01000001, 4096, b"device::")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address, key_path)
        await connection.close()


async def test_a_new_key_is_shown_and_then_accepted(key_path: Path, key: AdbKey) -> None:
    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        await peer.expect(Command.AUTH)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN[::-1])
        shown = await peer.expect(Command.AUTH)
        assert shown.arg0 == AuthType.RSAPUBLICKEY
        assert shown.data.endswith(b"\0")
        assert base64.b64decode(shown.data.split(b" ")[0]) == key.public_blob
        peer.send(Command.CNXN, 0x01000001, 4096, b"device::")
        await peer.until_gone()

    async with daemon(script) as address:
        connection = await connect(address, key_path)
        await connection.close()


async def ask_twice(peer: Peer) -> None:
    await peer.expect(Command.CNXN)
    for token in (TOKEN, TOKEN[::-1]):
        peer.send(Command.AUTH, AuthType.TOKEN, 0, token)
        await peer.expect(Command.AUTH)


async def test_nobody_allows_the_key(key_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await ask_twice(peer)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(NotAuthorized, match="in time"):
            await connect(address, key_path)


async def test_the_person_refuses_the_key(key_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await ask_twice(peer)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(NotAuthorized, match="refused"):
            await connect(address, key_path, HandshakeOptions(person_s=60))


async def test_the_daemon_hangs_up_on_the_key(key_path: Path) -> None:
    async with daemon(ask_twice) as address:
        with pytest.raises(NotAuthorized):
            await connect(address, key_path, HandshakeOptions(person_s=60))


async def test_the_daemon_hangs_up_on_the_signature(key_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        await peer.expect(Command.AUTH)

    async with daemon(script) as address:
        with pytest.raises(LinkLost):
            await connect(address, key_path)


@pytest.mark.parametrize("size", [0, 19, 256])
async def test_nothing_but_a_token_is_signed(key_path: Path, size: int) -> None:
    """A daemon must not get 256 arbitrary bytes signed."""

    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, bytes(size))
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(WrongProtocol, match=f"{size} bytes"):
            await connect(address, key_path)


async def test_a_damaged_key_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "adb.key"
    path.write_bytes(b"half a k")

    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        await peer.until_gone()

    async with daemon(script) as address:
        with pytest.raises(BadFile):
            await connect(address, path)
    assert path.read_bytes() == b"half a k"


async def test_the_loop_goes_on_while_the_key_is_made(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.expect(Command.CNXN)
        peer.send(Command.AUTH, AuthType.TOKEN, 0, TOKEN)
        await peer.expect(Command.AUTH)
        peer.send(Command.CNXN, 0x01000001, 4096, b"device::")
        await peer.until_gone()

    async with daemon(script) as address:
        task = asyncio.create_task(connect(address, tmp_path / "new.key"))
        turns = 0
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
        await (await task).close()
    assert turns > 3
