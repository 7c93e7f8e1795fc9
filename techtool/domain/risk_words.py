"""What each factor of the risk model is called for given facts: the word that has points, and a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from techtool.domain.estimate import human_duration
from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.risk_subject import TRADING_LABEL, BackupFact, Facts, Trading, Tries, WayBack
from techtool.domain.risk_weights import Thresholds
from techtool.domain.terminal import Battery
from techtool.domain.verdicts import size_text
from techtool.i18n import N_, Phrase, phrase

FLOORS: Final = ("open-batch", "keys-wiped", "irreversible", "keys-unknown", "anomaly")
FACTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "power": ("adapter", "adapter-low", "battery", "battery-low", "unknown"),
    "storage": ("ample", "fair", "tight", "unknown"),
    "link": (),
    "drops": ("yes", "no"),
    "path": ("one", "two", "more"),
    "component": tuple(kind.value for kind in ReleaseKind),
    "history": ("good", "some", "unknown", "poor"),
    "time": ("late", "fits"),
    "health": ("warning",),
    "resume": ("cannot", "can"),
    "experience": ("first", "known"),
    "rollback": tuple(way.value for way in WayBack),
    "backup": tuple(fact.value for fact in BackupFact),
    "batch": ("settled", "open", "unknown"),
    "keys": tuple(fate.value for fate in KeyFate),
    "trading": (*(trading.value for trading in Trading), "unknown"),
    "spare": ("at-hand", "none"),
    "merchant": ("critical", "usual"),
}
"""Factor → every word that the model may look up; of ``link`` those that the links have."""

Found = tuple[str, str, Phrase]
"""Factor, word, fact."""


def words_for(facts: Facts, threshold: Thresholds) -> Iterator[Found]:
    """Every factor but the terminal's health, which has as many words as it has warnings."""
    yield _power(facts.battery, threshold)
    yield _storage(facts, threshold)
    yield "link", facts.link, phrase("connection: {link}", link=Phrase(_LINK.get(facts.link, facts.link)))
    yield _drops(facts, threshold)
    yield _path(facts.steps)
    yield from _component(facts.kinds)
    yield _history(facts.tries, threshold)
    if facts.left_s is not None:
        yield _time(facts.p90_s, facts.left_s)
    can = phrase("an interrupted transfer goes on where it was")
    yield "resume", "can" if facts.resumes else "cannot", can if facts.resumes else _CANNOT
    first = phrase("this technician's first update of this model, as far as this laptop remembers")
    known = phrase("this technician has updated this model before")
    yield "experience", "first" if facts.first_time else "known", first if facts.first_time else known
    yield "rollback", facts.way_back.value, Phrase(_WAY_BACK[facts.way_back])
    yield "backup", facts.backup.value, Phrase(_BACKUP[facts.backup])
    batch = facts.batch.value if facts.batch is not None else "unknown"
    yield "batch", batch, Phrase(_BATCH[batch])
    yield "keys", facts.keys.value, Phrase(_KEYS[facts.keys])
    yield _trading(facts.trading)
    if facts.spare:
        yield "spare", "at-hand", phrase("a spare terminal is at hand")
    if facts.critical_merchant:
        yield "merchant", "critical", phrase("the order says that this merchant must not stand still")


_CANNOT: Final = phrase("an interrupted transfer begins anew")
_LINK: Final = {
    "usb": N_("USB cable"),
    "lan": N_("network"),
    "stick": N_("stick"),
    "rs232": N_("serial cable"),
    "wifi": N_("Wi-Fi"),
    "bluetooth": N_("Bluetooth"),
}
_WAY_BACK: Final = {
    WayBack.SLOT: N_("the terminal goes back by itself"),
    WayBack.CARRIED: N_("what runs now can be put back"),
    WayBack.REINSTALL: N_("back only by loading it anew"),
    WayBack.IRREVERSIBLE: N_("the terminal cannot go back"),
}
_BACKUP: Final = {
    BackupFact.VERIFIED: N_("a verified backup is made before anything is changed"),
    BackupFact.UNVERIFIED: N_("the backup was not verified"),
    BackupFact.OLDER: N_("only a backup of an earlier visit"),
    BackupFact.NONE: N_("nothing of this terminal can be backed up"),
}
_BATCH: Final = {
    "settled": N_("the batch is settled"),
    "open": N_("takings wait in the terminal"),
    "unknown": N_("nobody said whether takings wait in the terminal"),
}
_KEYS: Final = {
    KeyFate.KEPT: N_("the keys stay"),
    KeyFate.UNKNOWN: N_("nobody says what becomes of the keys"),
    KeyFate.WIPED: N_("the keys are erased and must be loaded again"),
}
_COMPONENT: Final = {
    ReleaseKind.BOOTLOADER: N_("boot loader"),
    ReleaseKind.FIRMWARE: N_("firmware"),
    ReleaseKind.APPLICATION: N_("application"),
    ReleaseKind.KERNEL: N_("kernel"),
    ReleaseKind.AID_CAPK: N_("AIDs and public keys"),
    ReleaseKind.PARAMETERS: N_("parameters"),
    ReleaseKind.RESOURCES: N_("resources"),
    ReleaseKind.CERTIFICATES: N_("certificates"),
}


def _power(battery: Battery | None, threshold: Thresholds) -> Found:
    if battery is None:
        return "power", "unknown", phrase("the terminal does not tell its battery and supply")
    enough = battery.percent >= threshold.battery_percent
    if battery.external_power:
        fact = phrase("battery {percent} %, adapter connected", percent=battery.percent)
        return "power", "adapter" if enough else "adapter-low", fact
    fact = phrase("battery {percent} %, adapter not connected", percent=battery.percent)
    return "power", "battery" if enough else "battery-low", fact


def _storage(facts: Facts, threshold: Thresholds) -> Found:
    if facts.free_storage_bytes is None:
        return "storage", "unknown", phrase("the terminal does not tell its free storage")
    free, need = size_text(facts.free_storage_bytes), size_text(facts.need_bytes)
    fact = phrase("{free} free, {need} needed", free=free, need=need)
    share = facts.free_storage_bytes * 100
    if share >= threshold.storage_ample_percent * facts.need_bytes:
        return "storage", "ample", fact
    return "storage", "fair" if share >= threshold.storage_fair_percent * facts.need_bytes else "tight", fact


def _drops(facts: Facts, threshold: Thresholds) -> Found:
    bad = facts.drops >= threshold.drops or facts.errors_percent > threshold.errors_percent
    fact = phrase("{count} lost connections in this visit", count=facts.drops)
    if facts.errors_percent > threshold.errors_percent:
        percent = round(facts.errors_percent)
        fact = phrase("{fact}, {percent} % of the link's round trips failed", fact=fact, percent=percent)
    return "drops", "yes" if bad else "no", fact


def _path(steps: int) -> Found:
    word = "one" if steps <= 1 else "two" if steps == 2 else "more"
    return "path", word, phrase("{count} releases one after the other", count=steps)


def _component(kinds: frozenset[ReleaseKind]) -> Iterator[Found]:
    """The heaviest kind of the plan, in the order of :class:`ReleaseKind`'s weight: boot loader, firmware, the rest."""
    for kind in _HEAVIEST_FIRST:
        if kind in kinds:
            yield "component", kind.value, phrase("what is changed: {kind}", kind=Phrase(_COMPONENT[kind]))
            return


_HEAVIEST_FIRST: Final = (
    ReleaseKind.BOOTLOADER,
    ReleaseKind.FIRMWARE,
    ReleaseKind.KERNEL,
    ReleaseKind.AID_CAPK,
    ReleaseKind.APPLICATION,
    ReleaseKind.CERTIFICATES,
    ReleaseKind.RESOURCES,
    ReleaseKind.PARAMETERS,
)


def _history(tries: Tries, threshold: Thresholds) -> Found:
    if tries.count < threshold.tries_known:
        return "history", "unknown", phrase("{count} earlier tries of this on this model", count=tries.count)
    fact = phrase("{good} of {count} earlier tries of this on this model went well", good=tries.good, count=tries.count)
    share = tries.good * 100
    if share < threshold.success_poor_percent * tries.count:
        return "history", "poor", fact
    good = share >= threshold.success_good_percent * tries.count and tries.count >= threshold.tries_many
    return "history", "good" if good else "some", fact


def _time(p90_s: float, left_s: float) -> Found:
    fact = phrase(
        "may take {most}; {left} until the shop opens or closes",
        most=human_duration(p90_s),
        left=human_duration(left_s),
    )
    return "time", "late" if p90_s > left_s else "fits", fact


def _trading(trading: Trading | None) -> Found:
    if trading is None:
        return "trading", "unknown", phrase("nobody said whether the merchant sells meanwhile")
    return "trading", trading.value, Phrase(TRADING_LABEL[trading])
