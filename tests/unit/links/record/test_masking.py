"""Nothing that names one terminal, shop or card, and no secret, is in a recording: looked for in the file's bytes."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.sensitive import Scanner
from techtool.domain.terminal import Address
from techtool.errors import CommandRefused
from techtool.i18n import raw
from techtool.links.base import Capability, CommandResult, Confirmed, FileStat, FolderEntry
from techtool.links.record.masking import Masker
from tests.unit.links.record.making import KEY, recorder
from tests.unit.terminals.fake_link import FakeLink

TOKEN = "not-PAX's-own-token"
PIN_BLOCK = "04125DEDCBA9876F"


def masker(**more: object) -> Masker:
    return Masker(KEY, secrets=[TOKEN], kept=["0123456789ABCDEF"], **more)  # type: ignore[arg-type]


def cleaned(text: str) -> str:
    made = masker()
    made.learn(text)
    return made.clean(text)


def luhn(digits: str) -> str:
    total = sum(sum(divmod(int(d) * 2, 10)) if place % 2 == 0 else int(d) for place, d in enumerate(digits[::-1]))
    return digits + str(-total % 10)


CARDS = st.builds(lambda prefix, rest: luhn(prefix + rest), st.sampled_from(["4", "51", "62"]), st.just("")).flatmap(
    lambda card: st.integers(0, 10**13).map(lambda n: luhn((card[:-1] + f"{n:013d}0")[:15]))
)
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="0123456789"), max_size=60)
GROUPED = st.sampled_from(["", " ", "-"])
PLACES = ("stdout", "stderr", "command", "pulled", "name", "fact", "refusal")


class Teller(FakeLink):
    """Says the planted text wherever a terminal can say something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    async def run(self, command: str, *, timeout_s: float = 30.0, limit_bytes: int = 8 << 20) -> CommandResult:
        if command == "refuse":
            raise CommandRefused(command=command, answer=raw(self.text))
        return CommandResult(0, self.text.encode(), self.text.encode())

    async def pull(self, path: str) -> AsyncIterator[bytes]:
        data = self.text.encode()
        for start in range(0, len(data), 5):
            yield data[start : start + 5]

    async def stat(self, path: str) -> FileStat | None:
        return FileStat(1, 0o644, 0)

    async def push(
        self, source: BinaryIO, size_bytes: int, path: str, *, mode: int = 0o644, confirmed: Confirmed | None = None
    ) -> None:
        assert len(source.read()) == size_bytes

    async def own_facts(self) -> dict[str, str]:
        return {"note": self.text}

    async def list_folder(self, path: str) -> tuple[FolderEntry, ...]:
        return (FolderEntry(self.text, FileStat(1, 0o644, 0)),)


async def everything_said(text: str) -> bytes:
    made = recorder([TOKEN])
    link = made.wrap(Teller(text))
    await link.open()
    await link.run("ask")
    await link.run(text)
    with pytest.raises(CommandRefused):
        await link.run("refuse")
    assert b"".join([chunk async for chunk in link.pull("/f")]) == text.encode()
    await link.stat(text)
    await link.push(io.BytesIO(b"x"), 1, text)
    await link.own_facts()  # type: ignore[attr-defined]
    await link.list_folder("/")  # type: ignore[attr-defined]
    return made.pack()


@given(card=CARDS, grouping=GROUPED, before=AROUND, after=AROUND)
async def test_a_planted_card_number(card: str, grouping: str, before: str, after: str) -> None:
    number = grouping.join(card[at : at + 4] for at in range(0, 16, 4))
    data = await everything_said(f"{before} {number} {after}")
    assert number.encode() not in data
    assert card.encode() not in data
    scanner = Scanner()
    assert not [*scanner.feed(data), *scanner.finish()]


@given(before=AROUND, after=AROUND)
async def test_planted_token_and_pin_block(before: str, after: str) -> None:
    text = f"{before}\nhandshake {TOKEN}{after}\npinblock={PIN_BLOCK}\n[ro.tmk]: [{PIN_BLOCK}]"
    data = await everything_said(text)
    assert TOKEN.encode() not in data
    assert PIN_BLOCK.encode() not in data


@pytest.mark.parametrize(
    "text",
    [
        "[ro.serialno]: [0820612345]",
        "[ro.vendor.pax.fac.sn]: [0820612345]",
        '{"serialNumber": "0820612345"}',
        "Serial Number: 0820612345",
        "<info><sn>0820612345</sn></info>",
        "SN=0820612345, ok",
        "[gsm.imei]: [0820612345]",
        "TID: 0820612345",
        "merchant_id=0820612345",
        "Device IMEI = 0820612345",
        "序列号：0820612345",
        "终端号: 0820612345，版本 3",
        '{"商户编号": "0820612345"}',
        "[ro.boot.cpuid]: [0820612345]",
    ],
)
def test_numbers_of_one_terminal_get_another_of_the_same_shape(text: str) -> None:
    found = cleaned(f"{text}\nalso in /data/x/0820612345/y")
    assert "0820612345" not in found
    other = found.rsplit("/x/")[1].removesuffix("/y")
    assert other.isdigit()
    assert len(other) == 10
    assert found.startswith(text.replace("0820612345", other)), "the same one everywhere, nothing else changed"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[wifi.psk1]: [a]b c]\n[x]: [y]", "[wifi.psk1]: [****]\n[x]: [y]"),
        ("[sys.password]: [two\nlines]\n[x]: [y]", "[sys.password]: [****]\n[x]: [y]"),
        ('{"operator_password": "a, b}", "x": 1}', '{"operator_password": "****", "x": 1}'),
        ("admin pin: 12 34, really", "admin pin: ****"),
        ("<password>abc</password>", "<password>****</password>"),
        ("state: pin=1234", "state: pin=****"),
        ("[dhcp.wlan0.gateway]: [192.168.1.1]", "[dhcp.wlan0.gateway]: [****]"),
        ("[dhcp.wlan0.ipaddress]: [192.168.1.7]", "[dhcp.wlan0.ipaddress]: [****]"),
    ],
)
def test_secret_fields_keep_their_names_only(text: str, left: str) -> None:
    made = masker(secret_names=lambda name: name.endswith(".psk1"))
    made.learn(text)
    assert made.clean(text) == left


def test_a_hardware_address_is_another_one_everywhere() -> None:
    found = cleaned("eth0 link 58:41:20:AB:cd:01\nagain 58:41:20:AB:cd:01")
    assert "58:41:20" not in found
    first, second = (line.split()[-1] for line in found.splitlines())
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        "[ro.serialno]: [0123456789ABCDEF]",
        "package:/data/app/com.acme.token-1.apk=com.acme.token versionCode:100000",
        "    versionCode=100000 minSdk=22\n    versionName=1.2.3\n    tid=4711",
        "[ro.build.version.release]: [11]",
        "level: 86\n  scale: 100",
    ],
)
def test_what_rules_read_stays(text: str) -> None:
    """A default serial number, packages called after secrets, short numbers in fields named like a TID."""
    assert cleaned(text) == text


def test_another_recording_has_other_numbers() -> None:
    texts = set()
    for key in (b"a" * 32, b"b" * 32):
        made = Masker(key)
        made.know(["0820612345"])
        texts.add(made.clean("0820612345"))
    assert len(texts) == 2
    assert "0820612345" not in texts


def test_one_number_in_either_case_is_one_number() -> None:
    made = masker()
    made.know(["pb05SIM9X1"])
    assert made.clean("PB05SIM9X1") == made.clean("pb05SIM9X1").upper() != "PB05SIM9X1"


def test_no_replacement_looks_like_a_card() -> None:
    made = masker()
    made.know(f"62{number:014d}" for number in range(300))
    scanner = Scanner()
    said = "\n".join(made.clean(f"62{number:014d}") for number in range(300)).encode()
    assert not [*scanner.feed(said), *scanner.finish()]


async def test_the_capabilities_are_recorded_and_the_address_is_not() -> None:
    link = FakeLink()
    link.can = frozenset({Capability.SHELL})
    made = recorder()
    wrapped = made.wrap(link)
    await wrapped.open()
    assert wrapped.address == Address("adb", "10.0.0.7:5555")
    data = made.pack()
    assert b"10.0.0.7" not in data
    assert b'"capabilities":["shell"]' in data


@pytest.mark.parametrize(
    "command", ["getprop ro.serialno", "settings get secure android_id", "getprop persist.gsm.imei"]
)
async def test_one_value_asked_for_by_its_name(command: str) -> None:
    """The name stands in the question and not in the answer."""
    link = FakeLink({command: "0820612345\n", "getprop persist.wifi.password": "hunter2\n", "echo x": "0820612345 x"})
    made = recorder()
    wrapped = made.wrap(link)
    await wrapped.open()
    for each in link.answers:
        await wrapped.run(each)
    data = made.pack()
    assert b"0820612345" not in data
    assert b"hunter2" not in data


async def test_facts_whose_names_nobody_knows() -> None:
    """Of a terminal without a published rule, every word that may be a number of its own is replaced."""

    class Prolin(FakeLink):
        async def own_facts(self) -> dict[str, str]:
            return {
                "devinfo.a": "D200",
                "devinfo.b": "53000042",
                "devinfo.c": "v1.2.3",
                "devinfo.n53000042": "at 53000042",
            }

    made = recorder()
    link = made.wrap(Prolin())
    await link.own_facts()  # type: ignore[attr-defined]
    data = made.pack()
    assert b"53000042" not in data
    assert b"D200" in data
    assert b"v1.2.3" in data


def test_a_number_is_not_looked_for_inside_a_longer_one() -> None:
    made = masker()
    made.know(["00000001"])
    assert made.clean("size 100000001 of 00000001x") == f"size 100000001 of {made.clean('00000001')}x"


@pytest.mark.parametrize(
    "text",
    [
        "登录密码: geheim99",
        "WiFi密码＝geheim99",
        "令牌：geheim99",
        "<password>\n  geheim99\n</password>",
        "uploads to https://shop:geheim99@10.1.1.1/in",
    ],
)
def test_secrets_as_a_terminals_own_log_names_them(text: str) -> None:
    assert "geheim99" not in cleaned(text)


def test_a_field_that_is_empty_hides_nothing_behind_it() -> None:
    assert cleaned("token >\nversion 3") == "token >****\nversion 3"


def test_a_terminal_that_names_very_many_numbers_holds_nobody_up() -> None:
    lines = [f"sn=AB{n:08d}" for n in range(20_000)]
    begin = time.process_time()
    found = cleaned("\n".join(lines))
    assert time.process_time() - begin < 10  # it was their count times the text: minutes
    assert not set(lines) & set(found.splitlines())
