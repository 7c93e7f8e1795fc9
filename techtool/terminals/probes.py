"""Functional tests that an Android terminal answers itself, read-only; what it does not tell is never guessed.

Sources: ``android.os.BatteryManager`` (health and status), AOSP ``StorageManager`` (low storage), Android Verified Boot
(``ro.boot.verifiedbootstate``), AOSP ``ConnectivityService`` and ``TelephonyRegistry`` (their dumps), and for tamper,
keys, AIDs and public keys the providers of ``models.toml``: no maker documents a way, so only the simulator tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from techtool.catalogue.model import StateFacts
from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock
from techtool.domain.functional import Capability
from techtool.domain.probe import PROPERTY, Finding, Pulse
from techtool.domain.question import CheckResult
from techtool.domain.terminal import Identity, TamperState
from techtool.domain.verdicts import size_text
from techtool.i18n import N_, Phrase, phrase
from techtool.links.base import Link
from techtool.terminals.android_text import parse_number, parse_properties
from techtool.terminals.probe_text import (
    parse_cellular,
    parse_charging,
    parse_crashes,
    parse_features,
    parse_networks,
    parse_space,
    parse_zone_s,
)
from techtool.terminals.shell import ask

_HEALTH: Final = {
    3: N_("too hot"),
    4: N_("worn out, to be replaced"),
    5: N_("over voltage"),
    6: N_("it reports a failure"),
    7: N_("too cold"),
}
_GOOD: Final = 2
_CHARGES: Final = (2, 5)
_NEARLY_FULL: Final = 95
_BOOT: Final = {
    "yellow": N_("a key of somebody else"),
    "orange": N_("an unlocked boot loader"),
    "red": N_("a failed check"),
}
_FEATURES: Final = {
    "android.hardware.wifi": Capability.WIFI,
    "android.hardware.telephony": Capability.CELLULAR,
    "android.hardware.touchscreen": Capability.TOUCHSCREEN,
}
"""Features whose absence says that there is none (Android compatibility definition: declared where present)."""
_MAYBE: Final = {
    "android.hardware.ethernet": Capability.ETHERNET,
    "android.hardware.camera": Capability.SCANNER,
    "android.hardware.camera.any": Capability.SCANNER,
}
"""A base station brings Ethernet, and a scanning head is no camera: absence says nothing."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe looks at."""

    link: Link
    catalogue: Catalogue
    identity: Identity
    clock: Clock
    before: str
    """What the same probe read before the work; empty: it was not read."""

    async def properties(self) -> Mapping[str, str]:
        """Everything ``getprop`` tells."""
        return parse_properties(await ask(self.link, "getprop") or "")

    async def facts(self) -> StateFacts:
        """What the catalogue's providers say now."""
        return self.catalogue.state(self.identity.family, await self.properties())


async def probe(probed: Probed, test_id: str) -> Finding | None:
    """The finding of one test; None: this terminal cannot be asked, a person has to do it."""
    if test_id.startswith(PROPERTY):
        value = (await probed.properties()).get(test_id.removeprefix(PROPERTY), "")
        return Finding(None, value[:200]) if value else None
    job = _PROBES.get(test_id)
    return await job(probed) if job is not None else None


async def capabilities_of(probed: Probed) -> dict[Capability, bool]:
    """What it has and has not: its provider first, then the model's entry, then what Android itself lists."""
    found: dict[Capability, bool] = {}
    features = parse_features(await ask(probed.link, "pm list features") or "")
    if features is not None:
        found |= {capability: name in features for name, capability in _FEATURES.items()}
        found |= {capability: True for name, capability in _MAYBE.items() if name in features}
    battery = parse_charging(await ask(probed.link, "dumpsys battery") or "")
    if battery is not None:
        found[Capability.BATTERY] = battery.present
    found |= probed.catalogue.capabilities(probed.identity.vendor, probed.identity.model)
    return found | dict((await probed.facts()).capabilities)


async def pulse(link: Link) -> Pulse | None:
    """None where it does not even tell which start it is in."""
    boot = await ask(link, "cat /proc/sys/kernel/random/boot_id")
    if not boot or not boot.strip():
        return None
    crashes = await ask(link, "logcat -d -b crash")
    uptime = parse_number(await ask(link, "cat /proc/uptime") or "")
    return Pulse(boot.strip(), uptime, None if crashes is None else parse_crashes(crashes))


async def show_settings(link: Link, action: str) -> bool:
    """Open a settings screen; False where the terminal does not let it be opened."""
    if not action.startswith("android.settings."):
        return False
    said = await ask(link, f"am start -a {action}")
    return said is not None and "Error" not in said and "Exception" not in said


async def _battery(probed: Probed) -> Finding | None:
    told = parse_charging(await ask(probed.link, "dumpsys battery") or "")
    if told is None:
        return None
    if not told.present:
        return Finding(CheckResult.NOT_APPLICABLE, said=phrase("it has no battery"))
    value = f"{told.percent} %, health {told.health}, status {told.status}"
    if told.health in _HEALTH:
        return Finding(CheckResult.FAIL, value, phrase("the battery: {problem}", problem=Phrase(_HEALTH[told.health])))
    charges = told.status in _CHARGES or told.percent >= _NEARLY_FULL
    if told.health == _GOOD and told.powered and charges:
        return Finding(CheckResult.PASS, value)
    return Finding(None, value, phrase("It reads {value}. Connect the adapter and see that it charges.", value=value))


async def _clock(probed: Probed) -> Finding | None:
    asked = probed.clock.now()
    told = parse_number(await ask(probed.link, "date +%s") or "")
    if told is None:
        return None
    now = probed.clock.now()
    off_s = round(told + 0.5 - (asked + (now - asked) / 2).timestamp(), 1)
    zone_s = parse_zone_s(await ask(probed.link, "date +%z") or "")
    here = now.astimezone().utcoffset()
    value = f"{off_s:+.1f} s" + (f", UTC{zone_s / 3600:+g} h" if zone_s is not None else "")
    limit_s = probed.catalogue.limits.clock_off_s
    if abs(off_s) > limit_s:
        said = phrase("the clock is {off} s off, {limit} s are allowed", off=f"{off_s:+.0f}", limit=f"{limit_s:g}")
        return Finding(CheckResult.FAIL, value, said)
    if zone_s is None or here is None or zone_s != here.total_seconds():
        return Finding(
            None, value, phrase("It reads {value}; this laptop's zone differs or it does not say.", value=value)
        )
    return Finding(CheckResult.PASS, value)


async def _storage(probed: Probed) -> Finding | None:
    space = parse_space(await ask(probed.link, "df -k /data") or "")
    if space is None:
        return None
    total, free = space
    limits = probed.catalogue.limits
    low = min(round(total * limits.storage_low_percent / 100), limits.storage_low_max_bytes)
    if free >= low:
        return Finding(CheckResult.PASS, size_text(free))
    said = phrase("{free} are free, {low} is the least", free=size_text(free), low=size_text(low))
    return Finding(CheckResult.FAIL, size_text(free), said)


async def _tamper(probed: Probed) -> Finding | None:
    state = (await probed.facts()).tamper
    if state is None:
        return None
    if state is TamperState.NORMAL:
        return Finding(CheckResult.PASS, state.value)
    said = phrase("the terminal reports that it was tampered with: take it out of use and tell the acquirer")
    return Finding(CheckResult.FAIL, state.value, said)


async def _keys(probed: Probed) -> Finding | None:
    """Slots and check values only; a check value proves a key and does not tell it."""
    keys = (await probed.facts()).keys
    if keys is None:
        return None
    before = dict(word.split("=", 1) for word in probed.before.split() if "=" in word)
    value = " ".join(f"{slot}={check}" for slot, check in sorted(keys.items()))
    wrong = sorted(slot for slot, check in before.items() if keys.get(slot) != check)
    empty = sorted(slot for slot, check in keys.items() if not check)
    if wrong or empty:
        slots = ", ".join(dict.fromkeys([*wrong, *empty]))
        return Finding(
            CheckResult.FAIL, value, phrase("keys are missing or are others than before: {slots}", slots=slots)
        )
    return Finding(CheckResult.PASS, value)


async def _verified_boot(probed: Probed) -> Finding | None:
    told = await probed.properties()
    state, tags = told.get("ro.boot.verifiedbootstate", "").strip(), told.get("ro.build.tags", "").strip()
    debuggable = told.get("ro.debuggable", "").strip()
    value = " ".join(word for word in (state, tags, f"debuggable={debuggable}" if debuggable else "") if word)
    problems = []
    if state in _BOOT:
        problems.append(phrase("it started with {what}", what=Phrase(_BOOT[state])))
    if "test-keys" in tags or "dev-keys" in tags:
        problems.append(phrase("its system is signed with test keys"))
    if debuggable == "1":
        problems.append(phrase("its system is a debug build"))
    if problems:
        return Finding(CheckResult.FAIL, value, problems[0])
    if state == "green" and "release-keys" in tags and debuggable == "0":
        return Finding(CheckResult.PASS, value)
    if not value:
        return None
    return Finding(None, value, phrase("It tells only: {value}", value=value))


async def _ethernet(probed: Probed) -> Finding | None:
    networks = parse_networks(await ask(probed.link, "dumpsys connectivity") or "")
    if networks is not None and any(network.transport == "ETHERNET" for network in networks):
        return Finding(CheckResult.PASS, "ETHERNET")
    return None


async def _wifi(probed: Probed) -> Finding | None:
    networks = parse_networks(await ask(probed.link, "dumpsys connectivity") or "")
    found = next((network for network in networks or () if network.transport == "WIFI"), None)
    if found is None or found.signal_dbm is None:
        return None
    value, least = f"{found.signal_dbm} dBm", probed.catalogue.limits.wifi_min_dbm
    if found.signal_dbm >= least:
        return Finding(CheckResult.PASS, value)
    return Finding(CheckResult.FAIL, value, phrase("{found} is weaker than {least} dBm", found=value, least=least))


async def _cellular(probed: Probed) -> Finding | None:
    """SIM, registration and signal; the SIM's number is not read, a person compares it where it is on record."""
    sims = {word.strip() for word in (await probed.properties()).get("gsm.sim.state", "").split(",") if word.strip()}
    if sims and sims <= {"ABSENT", "NOT_READY", "UNKNOWN"}:
        return (
            Finding(CheckResult.FAIL, ", ".join(sorted(sims)), phrase("no SIM card is read"))
            if sims == {"ABSENT"}
            else None
        )
    registered, level = parse_cellular(await ask(probed.link, "dumpsys telephony.registry") or "")
    if not registered or level is None or not sims:
        return None
    value = f"{', '.join(sorted(sims))}, level {level}/4"
    least = probed.catalogue.limits.cellular_min_level
    if level >= least:
        return Finding(CheckResult.PASS, value)
    return Finding(CheckResult.FAIL, value, phrase("signal level {found} is below {least}", found=level, least=least))


async def _aids(probed: Probed) -> Finding | None:
    """Counts only: lists of scheme numbers look like card numbers and would be blacked out in every record."""
    facts = await probed.facts()
    if facts.aids is None or facts.capks is None:
        return None
    value = f"AID={len(facts.aids)} CAPK={len(facts.capks)}"
    before = dict(word.split("=", 1) for word in probed.before.split() if "=" in word)
    today = probed.clock.now().strftime("%Y%m%d")
    expired = sorted(name for name, last in facts.capks.items() if last and last < today)
    if not facts.aids or not facts.capks:
        return Finding(CheckResult.FAIL, value, phrase("AIDs or public keys are missing: load the parameters again"))
    fewer = [f"{name} {before[name]} → {now}" for name, now in (w.split("=") for w in value.split())
             if before.get(name, "").isdigit() and int(now) < int(before[name])]  # fmt: skip
    if fewer:
        return Finding(CheckResult.FAIL, value, phrase("fewer than before: {which}", which=", ".join(fewer)))
    if expired:
        return Finding(CheckResult.FAIL, value, phrase("public keys ran out: {which}", which=", ".join(expired)))
    return Finding(CheckResult.PASS, value)


_PROBES: Final[Mapping[str, Callable[[Probed], Awaitable[Finding | None]]]] = {
    "HW-02": _battery,
    "HW-07": _clock,
    "HW-08": _storage,
    "SE-01": _tamper,
    "SE-05": _keys,
    "SE-06": _verified_boot,
    "NET-01": _ethernet,
    "NET-02": _wifi,
    "NET-03": _cellular,
    "APP-04": _aids,
}
COMPARED: Final = ("SE-05", "APP-04")
"""Probes that need a reading from before the work."""
