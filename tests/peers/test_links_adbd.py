"""Our two ADB links do their work against Debian's real adbd; the second through Google's real adb, 36 and 29."""

from __future__ import annotations

import asyncio
import io
import itertools
import re
import stat as modes
import time

import pytest

from techtool.errors import WrongProtocol
from techtool.links.base import Capability, Link
from tests.peers import apk_variants
from tests.peers.reach import CONTENT, SIZE, TMP, read_all
from tests.peers.terminal import AdbdTerminal

WAYS = ["adb", "adb+server", "adb+server by adb 29"]
pytestmark = [pytest.mark.peers, pytest.mark.timeout(60), pytest.mark.parametrize("reach", WAYS, indirect=True)]


async def test_capabilities(link: Link) -> None:
    whole = frozenset(Capability) - {Capability.SYSTOOL, Capability.OWN_FACTS, Capability.LIST_FILES}
    assert link.capabilities == whole, "what PAX's dialects add is theirs"
    await link.close()
    assert link.capabilities == frozenset()
    await link.open()
    assert link.capabilities == whole


async def test_exit_code_and_stderr(link: Link) -> None:
    done = await link.run("echo out; echo err >&2; exit 3")
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert (await link.run("getprop ro.sunmi.hardware")).text == "P2\n"
    assert (await link.run("no-such-program")).exit_code == 127
    assert (await link.run("cat")).stdout == b"", "a command's standard input is at its end"
    assert (await link.run("kill -9 $$")).exit_code not in (0, None)


async def test_big_output(link: Link) -> None:
    done = await link.run("head -c 5000000 /dev/zero | tr '\\0' x; echo end >&2", timeout_s=60)
    assert done.stdout == b"x" * 5_000_000
    assert done.stderr == b"end\n"
    with pytest.raises(WrongProtocol):
        await link.run("yes", limit_bytes=100_000)
    assert (await link.run("echo still here")).text == "still here\n"


async def test_several_streams_at_once(link: Link, fresh_adbd: AdbdTerminal) -> None:
    (fresh_adbd.state_dir / "local/tmp/there").write_bytes(CONTENT)

    async def echo(number: int) -> bool:
        return (await link.run(f"sleep 0.1; echo {number}")).text == f"{number}\n"

    begin = time.monotonic()
    echoes, pulled, _, printed = await asyncio.gather(
        asyncio.gather(*map(echo, range(12))),
        read_all(link, f"{TMP}/there"),
        link.push(io.BytesIO(CONTENT), SIZE, f"{TMP}/sent"),
        link.run("head -c 3000000 /dev/zero", timeout_s=60),
    )
    assert all(echoes)
    assert pulled == CONTENT
    assert (fresh_adbd.state_dir / "local/tmp/sent").read_bytes() == CONTENT
    assert printed.stdout == bytes(3_000_000)
    assert time.monotonic() - begin < 20


async def test_push_and_pull(link: Link, fresh_adbd: AdbdTerminal) -> None:
    confirmed: list[int] = []
    await link.push(io.BytesIO(CONTENT), SIZE, f"{TMP}/文件 with 'quotes'", mode=0o640, confirmed=confirmed.append)
    there = fresh_adbd.state_dir / "local/tmp/文件 with 'quotes'"
    assert there.read_bytes() == CONTENT
    assert confirmed[-1] == SIZE
    assert len(confirmed) > 3
    assert all(a < b for a, b in itertools.pairwise(confirmed))
    assert await read_all(link, f"{TMP}/文件 with 'quotes'") == CONTENT
    told = await link.stat(f"{TMP}/文件 with 'quotes'")
    assert told is not None
    assert (told.size_bytes, told.modified_s) == (SIZE, int(there.stat().st_mtime))


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, (1 << 20) + 1])
async def test_sizes_at_the_edges(link: Link, size: int) -> None:
    confirmed: list[int] = []
    await link.push(io.BytesIO(CONTENT[:size]), size, f"{TMP}/edge", confirmed=confirmed.append)
    assert await read_all(link, f"{TMP}/edge") == CONTENT[:size]
    assert confirmed[-1:] == [size] or (not size and not confirmed)
    # exec: has no way to tell a command that its input is at its end: it has to know the size.
    command = await link.feed(f"head -c {size} > {TMP}/fed; echo done", io.BytesIO(CONTENT[:size]), size, timeout_s=20)
    assert command.stdout == b"done\n"
    assert await read_all(link, f"{TMP}/fed") == CONTENT[:size]


async def test_sizes_over_4_gib(link: Link, fresh_adbd: AdbdTerminal) -> None:
    with (fresh_adbd.state_dir / "local/tmp/sparse").open("wb") as file:
        file.truncate(5 << 30)
    told = await link.stat(f"{TMP}/sparse")
    assert told is not None
    assert told.size_bytes == 5 << 30
    folder = await link.stat(TMP)
    assert folder is not None
    assert modes.S_ISDIR(folder.mode)
    assert await link.stat(f"{TMP}/nothing") is None
    assert await link.stat(f"{TMP}/sparse/below-a-file") is None


async def test_session_install(link: Link, fresh_adbd: AdbdTerminal) -> None:
    apk = apk_variants.demo("com.example.sunmi.pay-1.5.0")
    size = apk.stat().st_size
    made = await link.run(f"cmd package install-create -r -S {size}")
    number = re.search(r"\[(\d+)\]", made.text)
    assert number is not None, made
    confirmed: list[int] = []
    with apk.open("rb") as source:
        wrote = await link.feed(
            f"cmd package install-write -S {size} {number[1]} base.apk -", source, size, confirmed=confirmed.append
        )
    assert wrote.text == f"Success: streamed {size} bytes\n"
    assert confirmed[-1] == size
    done = await link.run(f"cmd package install-commit {number[1]}", timeout_s=60)
    assert (done.exit_code, done.text) == (0, "Success\n")
    there = fresh_adbd.installed("com.example.sunmi.pay")
    assert there is not None
    assert there.read_bytes() == apk.read_bytes()


async def test_feed_is_told_of_a_refusal(link: Link) -> None:
    """The command answers and ends while we still send."""
    done = await link.feed("cmd package install-write -S 20971520 4711 base.apk -", io.BytesIO(CONTENT), SIZE)
    assert done.exit_code is None
    assert "Caller has no access to session 4711" in done.text
    assert (await link.run("echo still here")).text == "still here\n"
