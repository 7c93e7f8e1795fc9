import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.links.adb.packets import (
    STAT_V1,
    STAT_V2,
    SYNC_HEADER,
    VERSION_MIN,
    VERSION_NO_CHECKSUM,
    AuthType,
    Command,
    checksum,
)
from techtool.simulator.auth import AuthPolicy, public_numbers
from techtool.simulator.faults import Direction, Drop, Faults, FaultScript, FullStorage, Hang, InstallRefusal
from techtool.simulator.model import OLD_DAEMON, find_model
from techtool.simulator.run import Simulation, TerminalSpec
from tests.unit.simulator.bench import Host

GONE = (asyncio.IncompleteReadError, ConnectionError)


@asynccontextmanager
async def terminal(
    faults: Faults | None = None, *, old: bool = False, auth: AuthPolicy = AuthPolicy.NONE
) -> AsyncIterator[Simulation]:
    model = find_model("sunmi-p2")
    if old:
        model = replace(model, daemon=OLD_DAEMON)
    script = FaultScript(terminal=(faults,)) if faults else None
    async with Simulation([TerminalSpec(model, 1)], faults=script, boot_s=0.05, auth=auth) as simulation:
        yield simulation


def port(simulation: Simulation) -> int:
    return simulation.terminals[0].port


def sync(word: bytes, path: str) -> bytes:
    return SYNC_HEADER.pack(word, len(path.encode())) + path.encode()


def send_file(path: str, data: bytes, mode: int = 0o100644) -> bytes:
    """A whole SEND conversation, with QUIT."""
    request = sync(b"SEND", f"{path},{mode}")
    for at in range(0, len(data), 65536):
        piece = data[at : at + 65536]
        request += SYNC_HEADER.pack(b"DATA", len(piece)) + piece
    return request + SYNC_HEADER.pack(b"DONE", 1_700_000_000) + SYNC_HEADER.pack(b"QUIT", 0)


async def test_greeting_names_the_terminal_and_what_it_can() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        assert (host.version, host.max_payload) == (VERSION_NO_CHECKSUM, 1 << 20)
        assert host.banner.startswith("device::ro.product.name=p2;ro.product.model=P2;")
        assert host.banner.endswith("features=shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir;")
        await host.close()


async def test_shell_v2_keeps_streams_and_exit_code_apart() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        assert await host.shell("echo a; cat /nope; exit 3") == (3, b"a\n", b"cat: /nope: No such file or directory\n")
        stdin = struct.pack("<BI", 0, 3) + b"abc" + struct.pack("<BI", 4, 0)
        answer = await host.call("shell,v2,raw:cat", stdin=stdin)
        assert answer == struct.pack("<BI", 1, 3) + b"abc" + struct.pack("<BI", 3, 1) + b"\0"
        await host.close()


async def test_plain_shell_and_exec() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        assert await host.call("shell:(exit 3); echo M:$?") == b"M:3\n"
        assert await host.call("exec:cat /nope") == b"cat: /nope: No such file or directory\n"
        assert b"no interactive shell" in await host.call("shell:")
        assert b"cannot root in production" in await host.call("root:")
        await host.close()


async def test_an_old_daemon_has_small_payloads_checksums_and_no_shell_v2() -> None:
    async with terminal(old=True) as simulation:
        host = await Host.connect(port(simulation))
        assert (host.version, host.max_payload) == (VERSION_MIN, 4096)
        assert "features" not in host.banner
        assert await host.open("shell,v2,raw:true") == 0
        assert await host.open("exec:true") == 0
        remote = await host.open("shell:getprop")
        text = b""
        while True:
            header, data = await host.receive()
            if header.command != Command.WRTE:
                break
            assert len(data) <= 4096
            assert header.checksum == checksum(data) != 0
            text += data
            await host.send(Command.OKAY, 7, remote)
        assert text.count(b"\r\n") == text.count(b"\n") > 20
        await host.close()


async def test_unknown_services_are_closed_not_ignored() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        for service in ("abb_exec:package", "nonsense:", "tcp:80", "reboot:bootloader", "local:/x"):
            assert await host.open(service) == 0
        await host.close()


async def test_streams_run_side_by_side() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        waiting = await host.open("exec:cat", local=1)
        other = await host.open("exec:cat", local=2)
        await host.send(Command.WRTE, 2, other, b"second")
        await host.send(Command.WRTE, 1, waiting, b"first")
        seen: dict[int, bytes] = {}
        while len(seen) < 2:
            header, data = await host.receive()
            if header.command == Command.WRTE:
                seen[header.arg1] = data
        assert seen == {1: b"first", 2: b"second"}
        await host.close()


async def test_okay_comes_only_for_what_was_taken() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        remote = await host.open("exec:sleep 30")
        for _ in range(4):
            await host.send(Command.WRTE, 7, remote, b"x")
        other = await host.open("exec:true", local=8)
        header, _ = await host.receive()
        assert (header.command, header.arg1) == (Command.CLSE, 8)
        assert other
        await host.send(Command.WRTE, 7, remote, b"one too many")
        with pytest.raises(GONE):
            await host.receive()
        await host.close()


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 24,
        struct.pack("<6I", Command.CNXN, VERSION_NO_CHECKSUM, 4096, 1 << 30, 0, Command.CNXN ^ 0xFFFFFFFF),
        struct.pack("<6I", Command.OPEN, 1, 0, 0, 0, Command.OPEN ^ 0xFFFFFFFF),
    ],
)
async def test_what_is_no_adb_is_hung_up_on(first: bytes) -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation), greet=False)
        host.writer.write(first)
        with pytest.raises(GONE):
            await host.receive()
        await host.close()
        again = await Host.connect(port(simulation))
        assert again.banner
        await again.close()
        assert simulation.failure is None


# --- files -----------------------------------------------------------------------------------------------------------


async def test_push_stat_and_pull() -> None:
    data = bytes(range(256)) * 1000
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        assert await host.call("sync:", stdin=send_file("/data/local/tmp/d/x.bin", data)) == SYNC_HEADER.pack(
            b"OKAY", 0
        )
        stat = await host.call("sync:", stdin=sync(b"STAT", "/data/local/tmp/d/x.bin") + SYNC_HEADER.pack(b"QUIT", 0))
        assert STAT_V1.unpack(stat) == (b"STAT", 0o100644, len(data), 1_700_000_000)
        stat = await host.call("sync:", stdin=sync(b"STA2", "/data/local/tmp/d/x.bin") + SYNC_HEADER.pack(b"QUIT", 0))
        fields = STAT_V2.unpack(stat)
        assert (fields[1], fields[4], fields[8], fields[10]) == (0, 0o100644, len(data), 1_700_000_000)
        pulled, at = b"", 0
        answer = await host.call("sync:", stdin=sync(b"RECV", "/data/local/tmp/d/x.bin") + SYNC_HEADER.pack(b"QUIT", 0))
        while answer[at : at + 4] == b"DATA":
            size = SYNC_HEADER.unpack_from(answer, at)[1]
            pulled += answer[at + 8 : at + 8 + size]
            at += 8 + size
        assert pulled == data
        assert answer[at:] == SYNC_HEADER.pack(b"DONE", 0)
        await host.close()


async def test_what_is_not_there() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        quit_ = SYNC_HEADER.pack(b"QUIT", 0)
        assert await host.call("sync:", stdin=sync(b"STAT", "/nope") + quit_) == STAT_V1.pack(b"STAT", 0, 0, 0)
        assert STAT_V2.unpack(await host.call("sync:", stdin=sync(b"LST2", "/nope") + quit_))[:2] == (b"LST2", 2)
        assert (await host.call("sync:", stdin=sync(b"RECV", "/nope") + quit_))[8:] == (
            b"open failed: No such file or directory"
        )
        assert (await host.call("sync:", stdin=sync(b"LIST", "/nope") + quit_))[:4] == b"DONE"
        assert (await host.call("sync:", stdin=sync(b"SND2", "/nope")))[:4] == b"FAIL"
        assert (await host.call("sync:", stdin=SYNC_HEADER.pack(b"STAT", 5000)))[8:] == b"path too long"
        await host.close()


@pytest.mark.parametrize(
    ("path", "mode", "reason"),
    [
        ("/system/x", 0o100644, "couldn't create file: Read-only file system"),
        ("/data/data/x", 0o100644, "couldn't create file: Permission denied"),
        ("/sdcard/../../../../../../etc/x", 0o100644, "couldn't create file: Permission denied"),
        ("/sdcard", 0o100644, "couldn't create file: Is a directory"),
        ("/sdcard/link", 0o120777, "couldn't create symlink: Permission denied"),
    ],
)
async def test_a_refused_push_is_read_to_its_end_and_told_why(path: str, mode: int, reason: str) -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        answer = await host.call("sync:", stdin=send_file(path, b"x" * 100_000, mode))
        assert answer == SYNC_HEADER.pack(b"FAIL", len(reason)) + reason.encode()
        assert await host.shell("echo still there") == (0, b"still there\n", b"")
        await host.close()


async def test_push_onto_a_full_storage_leaves_nothing() -> None:
    async with terminal(Faults(storage=FullStorage(1000))) as simulation:
        host = await Host.connect(port(simulation))
        answer = await host.call("sync:", stdin=send_file("/sdcard/x", b"x" * 2000))
        assert answer[8:] == b"write failed: No space left on device"
        assert (await host.shell("ls /sdcard"))[1] == b""
        await host.close()


async def test_a_push_cut_short_leaves_the_old_file() -> None:
    async with terminal() as simulation:
        host = await Host.connect(port(simulation))
        await host.call("sync:", stdin=send_file("/sdcard/x", b"old"))
        remote = await host.open("sync:")
        await host.send(Command.WRTE, 7, remote, send_file("/sdcard/x", b"new" * 30_000)[:50_000])
        await host.receive()
        await host.close()
        host = await Host.connect(port(simulation))
        assert (await host.shell("cat /sdcard/x"))[1] == b"old"
        assert list(simulation.terminals[0].device.store.incoming.iterdir()) == []
        await host.close()


# --- faults ----------------------------------------------------------------------------------------------------------


async def test_drop_at_a_byte_of_what_the_terminal_receives_once() -> None:
    async with terminal(Faults(drop=Drop(5000))) as simulation:
        host = await Host.connect(port(simulation))
        remote = await host.open("exec:cat")
        for _ in range(4):
            await host.send(Command.WRTE, 7, remote, b"x" * 1000)
            while (await host.receive())[0].command != Command.WRTE:
                pass
            await host.send(Command.OKAY, 7, remote)
        await host.send(Command.WRTE, 7, remote, b"x" * 1000)
        await host.until_gone()
        await host.close()
        again = await Host.connect(port(simulation))
        assert await again.call("exec:echo " + "y" * 8000) == b"y" * 8000 + b"\n"
        await again.close()


async def test_drop_at_a_byte_of_what_the_terminal_sends_every_time() -> None:
    async with terminal(Faults(drop=Drop(400, Direction.OUT, times=0))) as simulation:
        for _ in range(2):
            host = await Host.connect(port(simulation))
            with pytest.raises(GONE):
                await host.shell("getprop")
            await host.close()


async def test_the_work_is_done_although_its_answer_is_lost(tmp_path: Path) -> None:
    from tests.unit.simulator.apk_maker import make_apk

    apk = make_apk()
    async with terminal(Faults(drop=Drop(230, Direction.OUT))) as simulation:
        host = await Host.connect(port(simulation))
        with pytest.raises(GONE):
            await host.call(f"exec:cmd package install -S {len(apk)}", stdin=apk)
        await host.close()
        host = await Host.connect(port(simulation))
        assert (await host.shell("pm path org.example.pay"))[0] == 0
        await host.close()


async def test_hang_in_the_middle_of_a_reply() -> None:
    async with terminal(Faults(hang=Hang("getprop ro.product.model", 1))) as simulation:
        host = await Host.connect(port(simulation))
        remote = await host.open("exec:getprop ro.product.model")
        header, data = await host.receive()
        assert (header.command, data) == (Command.WRTE, b"P")
        await host.send(Command.OKAY, 7, remote)
        await host.send(Command.OPEN, 8, 0, b"exec:true\0")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.reader.readexactly(1), 0.2)
        await host.close()
        again = await Host.connect(port(simulation))
        assert await again.call("exec:getprop ro.product.model") == b"P2\n"
        await again.close()


async def test_hang_at_a_byte_of_the_greeting() -> None:
    async with terminal(Faults(hang=Hang(after_bytes=10))) as simulation:
        host = await Host.connect(port(simulation), greet=False)
        await host.send(Command.CNXN, VERSION_NO_CHECKSUM, 1 << 20, b"host::")
        assert len(await asyncio.wait_for(host.reader.readexactly(10), 5)) == 10
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.reader.readexactly(1), 0.2)
        await host.close()


async def test_slow() -> None:
    async with terminal(Faults(slow_bytes_per_s=200_000)) as simulation:
        host = await Host.connect(port(simulation))
        begin = asyncio.get_running_loop().time()
        await host.call("sync:", stdin=send_file("/sdcard/x", b"x" * 60_000))
        assert 0.3 <= asyncio.get_running_loop().time() - begin < 3
        await host.close()


async def test_refused_connections() -> None:
    async with terminal(Faults(refuse_connections=2)) as simulation:
        for _ in range(2):
            with pytest.raises(GONE):
                await Host.connect(port(simulation))
        host = await Host.connect(port(simulation))
        assert host.banner
        await host.close()


async def test_scripted_install_refusal_over_the_wire() -> None:
    from tests.unit.simulator.apk_maker import make_apk

    apk = make_apk()
    refusal = InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "Install canceled by user")
    async with terminal(Faults(install=refusal)) as simulation:
        host = await Host.connect(port(simulation))
        answer = await host.call(f"exec:cmd package 'install' '-S' '{len(apk)}'", stdin=apk)
        assert answer == b"Failure [INSTALL_FAILED_USER_RESTRICTED: Install canceled by user]\n"
        await host.close()


# --- authorisation ---------------------------------------------------------------------------------------------------


def adb_key() -> tuple[object, bytes]:
    """A key pair, the public half as adb writes it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    n = private.public_key().public_numbers().n
    n0inv = (-pow(n, -1, 1 << 32)) % (1 << 32)
    rr = pow(1 << 2048, 2, n)
    raw = struct.pack("<II", 64, n0inv) + n.to_bytes(256, "little") + rr.to_bytes(256, "little")
    return private, base64.b64encode(raw + struct.pack("<I", 65537)) + b" me@laptop\0"


def sign(private: object, token: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA1

    assert isinstance(private, rsa.RSAPrivateKey)
    return private.sign(token, padding.PKCS1v15(), utils.Prehashed(SHA1()))


async def start_auth(simulation: Simulation) -> tuple[Host, bytes]:
    host = await Host.connect(port(simulation), greet=False)
    await host.send(Command.CNXN, VERSION_NO_CHECKSUM, 1 << 20, b"host::")
    header, token = await host.receive()
    assert (header.command, header.arg0, len(token)) == (Command.AUTH, AuthType.TOKEN, 20)
    return host, token


async def test_an_accepted_key_is_remembered() -> None:
    private, public = adb_key()
    async with terminal(auth=AuthPolicy.ACCEPT) as simulation:
        host, token = await start_auth(simulation)
        await host.send(Command.AUTH, AuthType.SIGNATURE, 0, sign(private, token))
        header, second = await host.receive()
        assert (header.command, second != token) == (Command.AUTH, True)
        await host.send(Command.AUTH, AuthType.RSAPUBLICKEY, 0, public)
        assert (await host.receive())[0].command == Command.CNXN
        await host.close()
        host, token = await start_auth(simulation)
        await host.send(Command.AUTH, AuthType.SIGNATURE, 0, sign(private, token))
        assert (await host.receive())[0].command == Command.CNXN
        await host.close()
        host, token = await start_auth(simulation)
        await host.send(Command.AUTH, AuthType.SIGNATURE, 0, sign(private, bytes(20)))
        assert (await host.receive())[0].command == Command.AUTH
        await host.close()


async def test_where_nobody_looks_at_the_screen_the_host_waits() -> None:
    _, public = adb_key()
    async with terminal(auth=AuthPolicy.IGNORE) as simulation:
        host, _ = await start_auth(simulation)
        await host.send(Command.AUTH, AuthType.RSAPUBLICKEY, 0, public)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.reader.readexactly(1), 0.2)
        await host.close()


@pytest.mark.parametrize("key", ["", "!!", "AAAA", base64.b64encode(bytes(524)).decode()])
def test_what_is_no_key(key: str) -> None:
    assert public_numbers(key) is None
