"""Probes: Android's own texts as its services lay them out, and what a person has to judge instead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from techtool.catalogue.approvals import Approval, Approvals
from techtool.catalogue.reader import load_catalogue
from techtool.clock import FixedClock
from techtool.domain.functional import Capability
from techtool.domain.probe import Crash, Pulse, unsteady
from techtool.domain.question import CheckResult
from techtool.domain.terminal import Evidence
from techtool.terminals.probe_text import (
    parse_cellular,
    parse_charging,
    parse_crashes,
    parse_networks,
    parse_zone_s,
)
from techtool.terminals.probes import Probed, capabilities_of, probe, pulse, show_settings
from tests.factories import identity
from tests.unit.terminals.fake_link import FakeLink

NOW = datetime(2026, 11, 22, 9, 0, 0, tzinfo=UTC)
PASS, FAIL, NONE = CheckResult.PASS, CheckResult.FAIL, CheckResult.NOT_APPLICABLE
ASK = "a person judges"
NOTHING = "nothing was read"


def battery(**values: object) -> str:
    told = {"AC powered": "true", "status": 2, "health": 2, "present": "true", "level": 82, "scale": 100, **values}
    return "Current Battery Service state:\n" + "".join(f"  {name}: {value}\n" for name, value in told.items())


def properties(**told: str) -> str:
    return "".join(f"[{name.replace('__', '.')}]: [{value}]\n" for name, value in told.items())


def sim(**told: str) -> str:
    return properties(techtool__sim="1", **{f"techtool__sim__{name}": value for name, value in told.items()})


WIFI = (
    "Current Networks:\n  NetworkAgentInfo{network{101}  handle{437196983309}  ni{WIFI CONNECTED extra: } created=1 "
    "Score{60}  nc{[ Transports: WIFI Capabilities: NOT_METERED&INTERNET&NOT_RESTRICTED&TRUSTED&NOT_VPN "
    "LinkUpBandwidth>=86400Kbps LinkDnBandwidth>=86400Kbps SignalStrength: %d]}}\n"
)
WIRED = "Current Networks:\n  NetworkAgentInfo{network{100} nc{[ Transports: ETHERNET Capabilities: INTERNET]}}\n"
RADIO = (
    "last known state:\n  Phone Id=0\n    mServiceState={mVoiceRegState=%d(%s), mDataRegState=%d(%s)}\n"
    "    mSignalStrength=SignalStrength:{mLte=CellSignalStrengthLte: rsrp=-98 level=%d,primary=CellSignalStrengthLte}\n"
)
IN_SERVICE = (0, "IN_SERVICE", 0, "IN_SERVICE")
LOST = (1, "OUT_OF_SERVICE", 1, "OUT_OF_SERVICE")
DF = "Filesystem 1K-blocks    Used Available Use%% Mounted on\n/dev/block/dm-5 8000000 1000000 %d  13%% /data\n"


async def found(test: str, answers: dict[str, str], before: str = "") -> tuple[object, str]:
    link = FakeLink(dict(answers))
    who = replace(identity(), evidence=Evidence.SIMULATED)
    finding = await probe(Probed(link, load_catalogue(), who, FixedClock(NOW), before), test)
    assert not [c for c in link.commands if c.split()[0] not in ("getprop", "dumpsys", "date", "df", "cat", "logcat")]
    if finding is None:
        return NOTHING, ""
    if finding.result is not PASS:
        assert finding.said is not None, "what is not passed says why"
    return finding.result or ASK, finding.value


@pytest.mark.parametrize(
    ("values", "result"),
    [
        ({}, PASS),
        ({"status": 5, "level": 100}, PASS),
        ({"status": 4, "level": 97}, PASS),
        ({"health": 4}, FAIL),
        ({"health": 3}, FAIL),
        ({"health": 7}, FAIL),
        ({"health": 1}, ASK),
        ({"AC powered": "false", "status": 3}, ASK),
        ({"status": 3}, ASK),
        ({"present": "false"}, NONE),
    ],
)
async def test_battery(values: dict[str, object], result: object) -> None:
    assert (await found("HW-02", {"dumpsys battery": battery(**values)}))[0] == result


@pytest.mark.parametrize(
    ("off_s", "result"), [(0, PASS), (119, PASS), (-118, PASS), (121, FAIL), (-121, FAIL), (86_400, FAIL)]
)
async def test_clock(off_s: int, result: object, monkeypatch: pytest.MonkeyPatch) -> None:
    here = NOW.astimezone().strftime("%z")
    told = {"date +%s": str(int(NOW.timestamp()) + off_s), "date +%z": here}
    assert (await found("HW-07", told))[0] == result


async def test_another_zone_than_the_laptops_is_a_persons_to_judge() -> None:
    offset = NOW.astimezone().utcoffset()
    assert offset is not None
    hours = int(offset.total_seconds() // 3600) + 1
    told = {"date +%s": str(int(NOW.timestamp())), "date +%z": f"{'-' if hours < 0 else '+'}{abs(hours):02d}00"}
    assert (await found("HW-07", told))[0] == ASK
    assert (await found("HW-07", {"date +%s": str(int(NOW.timestamp()))}))[0] == ASK


@pytest.mark.parametrize(("free", "result"), [(500_000, PASS), (400_000, PASS), (399_000, FAIL), (0, FAIL)])
async def test_storage(free: int, result: object) -> None:
    """5 % of 8 GB are less than Android's 500 MiB."""
    assert (await found("HW-08", {"df -k /data": DF % free}))[0] == result


@pytest.mark.parametrize(
    ("test", "told", "before", "result"),
    [
        ("SE-01", {"tamper": "normal"}, "", PASS),
        ("SE-01", {"tamper": "tampered"}, "", FAIL),
        ("SE-01", {}, "", NOTHING),
        ("SE-05", {"keys": "TMK=8A3F1C TPK=51D0E2"}, "", PASS),
        ("SE-05", {"keys": "TMK=8A3F1C TPK=51D0E2"}, "TMK=8A3F1C TPK=51D0E2", PASS),
        ("SE-05", {"keys": "TMK=8A3F1C TPK=51D0E2"}, "TMK=8A3F1C TPK=000000", FAIL),
        ("SE-05", {"keys": "TMK= TPK=51D0E2"}, "", FAIL),
        ("SE-05", {"keys": "TPK=51D0E2"}, "TMK=8A3F1C TPK=51D0E2", FAIL),
        ("SE-05", {}, "TMK=8A3F1C", NOTHING),
        ("APP-04", {"aids": "A1 A2", "capks": "R:1=20311231"}, "AID=2 CAPK=1", PASS),
        ("APP-04", {"aids": "A1", "capks": "R:1=20311231"}, "AID=2 CAPK=1", FAIL),
        ("APP-04", {"aids": "A1", "capks": "R:1=20261121"}, "", FAIL),
        ("APP-04", {"aids": "A1"}, "", NOTHING),
    ],
)
async def test_what_only_the_simulator_tells(test: str, told: dict[str, str], before: str, result: object) -> None:
    assert (await found(test, {"getprop": sim(**told)}, before))[0] == result


async def test_a_real_terminal_is_never_said_to_have_keys_or_to_be_untampered() -> None:
    told = {"getprop": properties(ro__serialno="P2A1", ro__product__manufacturer="SUNMI")}
    for test in ("SE-01", "SE-05", "APP-04"):
        assert await found(test, told) == (NOTHING, "")


@pytest.mark.parametrize(
    ("state", "tags", "debuggable", "result"),
    [
        ("green", "release-keys", "0", PASS),
        ("orange", "release-keys", "0", FAIL),
        ("yellow", "release-keys", "0", FAIL),
        ("red", "release-keys", "0", FAIL),
        ("green", "test-keys", "0", FAIL),
        ("green", "release-keys", "1", FAIL),
        ("", "release-keys", "0", ASK),
        ("", "", "", NOTHING),
    ],
)
async def test_verified_boot(state: str, tags: str, debuggable: str, result: object) -> None:
    told = {"ro.boot.verifiedbootstate": state, "ro.build.tags": tags, "ro.debuggable": debuggable}
    text = "".join(f"[{name}]: [{value}]\n" for name, value in told.items() if value)
    assert (await found("SE-06", {"getprop": text}))[0] == result


async def test_networks() -> None:
    assert await found("NET-02", {"dumpsys connectivity": WIFI % -75}) == (PASS, "-75 dBm")
    assert await found("NET-02", {"dumpsys connectivity": WIFI % -76}) == (FAIL, "-76 dBm")
    assert (await found("NET-02", {"dumpsys connectivity": WIRED}))[0] == NOTHING
    assert (await found("NET-01", {"dumpsys connectivity": WIRED}))[0] == PASS
    assert (await found("NET-01", {"dumpsys connectivity": WIFI % -50}))[0] == NOTHING
    assert parse_networks("Can't find service: connectivity") is None


@pytest.mark.parametrize(
    ("sim_state", "radio", "result"),
    [
        ("LOADED", RADIO % (*IN_SERVICE, 3), PASS),
        ("LOADED,ABSENT", RADIO % (*IN_SERVICE, 2), PASS),
        ("LOADED", RADIO % (*IN_SERVICE, 1), FAIL),
        ("LOADED", RADIO % (*LOST, 3), NOTHING),
        ("ABSENT", RADIO % (*LOST, 0), FAIL),
        ("ABSENT,ABSENT", "", FAIL),
        ("NOT_READY", "", NOTHING),
    ],
)
async def test_cellular(sim_state: str, radio: str, result: object) -> None:
    told = {"getprop": f"[gsm.sim.state]: [{sim_state}]\n", "dumpsys telephony.registry": radio}
    assert (await found("NET-03", told))[0] == result


async def test_old_service_states_are_read_too() -> None:
    assert parse_cellular("  mServiceState=0 0 voice home data home\n  mSignalStrength=SignalStrength: 99\n") == (
        True,
        None,
    )


@pytest.mark.parametrize(
    "test", ["HW-02", "HW-07", "HW-08", "SE-01", "SE-05", "SE-06", "NET-01", "NET-02", "NET-03", "APP-04", "TX-02"]
)
async def test_a_terminal_that_knows_nothing_is_not_guessed_at(test: str) -> None:
    assert await found(test, {}) == (NOTHING, "")


async def test_a_property_is_read_for_an_issue() -> None:
    told = {"getprop": "[persist.sys.timezone]: [Asia/Shanghai]\n"}
    finding = await probe(
        Probed(FakeLink(dict(told)), load_catalogue(), identity(), FixedClock(NOW), ""), "property:persist.sys.timezone"
    )
    assert finding is not None
    assert (finding.result, finding.value) == (None, "Asia/Shanghai")


async def test_capabilities_come_from_the_model_and_from_android() -> None:
    link = FakeLink(
        {
            "pm list features": "feature:android.hardware.wifi\nfeature:android.hardware.camera.any\n",
            "dumpsys battery": battery(),
        }
    )
    who = replace(identity(), vendor="pax", model="A920")
    has = await capabilities_of(Probed(link, load_catalogue(), who, FixedClock(NOW), ""))
    assert all(has[one] for one in (Capability.PRINTER, Capability.WIFI, Capability.SCANNER, Capability.BATTERY))
    assert has[Capability.CELLULAR] is False
    assert Capability.ETHERNET not in has, "a base may bring it"
    assert await capabilities_of(Probed(FakeLink(), load_catalogue(), identity(), FixedClock(NOW), "")) == {}


CRASH = (
    "--------- beginning of crash\n"
    "11-22 09:15:01.123  4242  4242 E AndroidRuntime: FATAL EXCEPTION: main\n"
    "11-22 09:15:01.123  4242  4242 E AndroidRuntime: Process: com.acme.pay:remote, PID: 4242\n"
    "11-22 09:15:02.000  1001  1001 F DEBUG   : pid: 77, tid: 77, name: lockd  >>> /system/bin/clockd <<<\n"
)


async def test_pulse() -> None:
    crashes = (Crash("com.acme.pay", "11-22 09:15:01.123"), Crash("/system/bin/clockd", "11-22 09:15:02.000"))
    assert parse_crashes(CRASH) == crashes
    link = FakeLink(
        {"cat /proc/sys/kernel/random/boot_id": "b1\n", "cat /proc/uptime": "12.5 3\n", "logcat -d -b crash": CRASH}
    )
    assert await pulse(link) == Pulse("b1", 12.5, crashes)
    assert await pulse(FakeLink()) is None


PAY, LATER, OTHER = Crash("com.acme.pay", "1"), Crash("com.acme.pay", "2"), Crash("com.other", "3")


@pytest.mark.parametrize(
    ("last", "packages", "happened"),
    [
        (Pulse("b1", 110.0, (PAY,)), {"com.acme.pay"}, False),
        (Pulse("b1", 110.0, (PAY, OTHER)), {"com.acme.pay"}, False),
        (Pulse("b1", 110.0, (PAY, OTHER)), (), True),
        (Pulse("b1", 110.0, (PAY, LATER)), {"com.acme.pay"}, True),
        (Pulse("b1", 110.0, (LATER,)), {"com.acme.pay"}, True),
        (Pulse("b1", 110.0, ()), {"com.acme.pay"}, False),
        (Pulse("b2", 3.0, ()), (), True),
        (Pulse("b1", 5.0, None), (), True),
    ],
    ids=["same", "other", "any", "again", "the log lost its oldest", "emptied", "restarted", "uptime"],
)
def test_what_is_unsteady(last: Pulse, packages: Collection[str], happened: bool) -> None:
    assert (unsteady(Pulse("b1", 100.0, (PAY,)), last, packages) is not None) is happened


def test_old_crashes_that_were_not_read_at_first_are_not_new() -> None:
    assert unsteady(Pulse("b1", 100.0, None), Pulse("b1", 110.0, (PAY,)), ()) is None


async def test_only_screens_of_the_settings_are_opened() -> None:
    link = FakeLink(
        {"am start -a android.settings.WIFI_SETTINGS": "Starting: Intent { act=android.settings.WIFI_SETTINGS }\n"}
    )
    assert await show_settings(link, "android.settings.WIFI_SETTINGS")
    assert not await show_settings(link, "android.settings.SOUND_SETTINGS")
    assert not await show_settings(link, "android.intent.action.FACTORY_RESET")
    assert link.commands == [
        "am start -a android.settings.WIFI_SETTINGS",
        "am start -a android.settings.SOUND_SETTINGS",
    ]


def test_zone_texts() -> None:
    assert [parse_zone_s(text) for text in ("+0800\n", "-03:30", "+0000", "CST", "")] == [28800, -12600, 0, None, None]


def test_a_battery_that_tells_no_health_is_not_judged() -> None:
    assert parse_charging("level: 80\n") is None


# --- approvals -------------------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 22)
LISTED = Approval("sunmi", "P2", "4-1", date(2027, 4, 30), "test", "5.x", "V3.*", "P2_3.*")


@pytest.mark.parametrize(
    ("approval", "age_days", "installing", "result"),
    [
        (LISTED, 0, True, PASS),
        (LISTED, 180, True, PASS),
        (LISTED, 181, True, None),
        (replace(LISTED, model="P1"), 0, True, None),
        (replace(LISTED, firmware="P2_4.*"), 0, False, FAIL),
        (replace(LISTED, hardware="V4"), 0, False, FAIL),
        (replace(LISTED, expires=TODAY), 0, True, PASS),
        (replace(LISTED, expires=TODAY - timedelta(1)), 0, True, FAIL),
        (replace(LISTED, expires=TODAY - timedelta(1)), 0, False, PASS),
    ],
)
def test_approvals(approval: Approval, age_days: int, installing: bool, result: CheckResult | None) -> None:
    approvals = Approvals(1, TODAY - timedelta(age_days), "test", (approval,))
    found = approvals.judge(identity(), TODAY, 180, installing=installing)
    assert (found.result if found is not None else None) is result


def test_no_real_vendor_has_an_invented_approval() -> None:
    assert {one.vendor for one in load_catalogue().approvals.approval} == {"simulated"}
