"""How risky the work on one terminal is: facts and weights in, the whole sum out. Pure; no number of its own.

Likelihood points and impact points are each brought to a level of 1 to 5; the score is level times level; floors lift
the band where the product alone is known to be wrong. Gates are not here: they are rules, and a plan that is put to a
person has passed them. The weights are data (``catalogue/data/risk.toml``), each with its source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Final

from techtool.domain.estimate import human_duration
from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.risk import Band, Factor, Floor, Risk, Side
from techtool.domain.terminal import BatchState, Battery
from techtool.domain.verdicts import size_text
from techtool.i18n import N_, Phrase, bilingual, phrase

# -- weights --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Level:
    """The highest points of levels 1 to 4."""

    at_most: tuple[int, ...]

    def of(self, points: int) -> int:
        """1 to 5."""
        return 1 + sum(points > limit for limit in self.at_most)


@dataclass(frozen=True, slots=True)
class Levels:
    """Of both sides."""

    likelihood: Level
    impact: Level


@dataclass(frozen=True, slots=True)
class Bands:
    """The highest score of each band but the last."""

    low: int
    moderate: int
    high: int

    def of(self, score: int) -> Band:
        """The band of a score of 1 to 25."""
        for limit, band in ((self.low, Band.LOW), (self.moderate, Band.MODERATE), (self.high, Band.HIGH)):
            if score <= limit:
                return band
        return Band.CRITICAL


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What facts are compared with."""

    battery_percent: int
    storage_ample_percent: int
    storage_fair_percent: int
    errors_percent: int
    drops: int
    tries_known: int
    tries_many: int
    success_good_percent: int
    success_poor_percent: int
    version_old_days: int
    clock_off_s: int
    restarts: int


@dataclass(frozen=True, slots=True)
class LinkWeight:
    """What the factor ``link`` calls an address."""

    scheme: str
    name: str
    resumes: bool
    source: str


@dataclass(frozen=True, slots=True)
class KeysWeight:
    """Kinds that leave the keys alone where the release does not say."""

    kept: tuple[ReleaseKind, ...]
    source: str


@dataclass(frozen=True, slots=True)
class RollbackWeight:
    """Kinds of which “cannot be undone” means that the terminal cannot go back."""

    final: tuple[ReleaseKind, ...]
    source: str


@dataclass(frozen=True, slots=True)
class FactorWeight:
    """One factor: what was found → points."""

    id: str
    side: Side
    points: Mapping[str, int]
    source: str
    mitigation: Mapping[str, str] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class FloorWeight:
    """One floor."""

    id: str
    band: Band
    reason: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Weights:
    """``risk.toml``"""

    schema: int
    level: Levels
    band: Bands
    threshold: Thresholds
    keys: KeysWeight
    rollback: RollbackWeight
    link: tuple[LinkWeight, ...]
    factor: tuple[FactorWeight, ...]
    floor: tuple[FloorWeight, ...]

    def link_of(self, scheme: str, target: str = "") -> LinkWeight | None:
        """How an address is counted; an adb server that reaches its terminal at ``HOST:PORT`` goes over the network."""
        names = {link.scheme: link for link in self.link}
        if scheme == "adb+server" and ":" in target:
            scheme = "adb"
        return names.get(scheme)


# -- facts ----------------------------------------------------------------------------------------------------------


class WayBack(StrEnum):
    """How what ran before can come back."""

    SLOT = "slot"
    CARRIED = "carried"
    """The former version is in the backup and the terminal takes it."""
    REINSTALL = "reinstall"
    """Only by loading it anew, with what it stored."""
    IRREVERSIBLE = "irreversible"


class BackupFact(StrEnum):
    """What copy there is when the first change is made."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    OLDER = "older"
    NONE = "none"
    """Nothing can be read from the terminal."""


class Trading(StrEnum):
    """Whether the merchant sells meanwhile; the values are those of the answer ``confirm.trading``."""

    CLOSED = "closed"
    SECOND = "second-terminal"
    ONLY = "only-terminal"
    PEAK = "peak"


TRADING_LABEL: Final = {
    Trading.CLOSED: N_("The shop is closed"),
    Trading.SECOND: N_("Open, another terminal takes payments"),
    Trading.ONLY: N_("Open, this is the only terminal"),
    Trading.PEAK: N_("Open, and it is the busiest hour"),
}


@dataclass(frozen=True, slots=True)
class Tries:
    """How earlier installations of these releases on this model went."""

    count: int = 0
    good: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the terminal, the plan, the link, the place and the past; None: nobody knows."""

    battery: Battery | None
    free_storage_bytes: int | None
    need_bytes: int
    link: str
    """Word of the factor ``link``; one that it does not know counts as the heaviest."""
    resumes: bool
    steps: int
    """Releases to install, one after the other."""
    kinds: frozenset[ReleaseKind]
    way_back: WayBack
    keys: KeyFate
    batch: BatchState | None
    tries: Tries = field(default_factory=Tries)
    p90_s: float = 0.0
    left_s: float | None = None
    """Until the shop closes or, where it is closed, opens."""
    warnings: tuple[Phrase, ...] = ()
    """Of the terminal's health."""
    first_time: bool = False
    drops: int = 0
    """Lost connections of this visit."""
    errors_percent: float = 0.0
    backup: BackupFact = BackupFact.VERIFIED
    trading: Trading | None = None
    spare: bool | None = None
    critical_merchant: bool = False
    anomaly: bool = False


# -- the sum --------------------------------------------------------------------------------------------------------


def assess(facts: Facts, weights: Weights) -> Risk:
    """Every factor with its points, the levels, the score, the floors; factors of no points are in it too."""
    by_id = {factor.id: factor for factor in weights.factor}
    factors = tuple(_factor(by_id[name], word, fact) for name, word, fact in _found(facts, weights.threshold))
    factors = (*factors, *_health(facts, by_id["health"]))
    points = {side: max(0, sum(f.points for f in factors if f.side is side)) for side in Side}
    likelihood = weights.level.likelihood.of(points[Side.LIKELIHOOD])
    impact = weights.level.impact.of(points[Side.IMPACT])
    score = likelihood * impact
    floors = tuple(
        Floor(floor.id, floor.band, bilingual(floor.reason)) for floor in weights.floor if _holds(floor.id, facts)
    )
    bands = [weights.band.of(score), *(floor.band for floor in floors)]
    return Risk(
        factors=factors,
        likelihood_points=points[Side.LIKELIHOOD],
        impact_points=points[Side.IMPACT],
        likelihood=likelihood,
        impact=impact,
        score=score,
        band=max(bands, key=ORDER.index),
        floors=floors,
    )


ORDER: Final = tuple(Band)
"""From the lightest to the gravest."""


def open_questions(facts: Facts, weights: Weights) -> tuple[str, ...]:
    """``trading`` and ``spare`` where nobody said it yet and the answer can change the band."""
    found: list[str] = []
    tradings = (facts.trading,) if facts.trading is not None else tuple(Trading)
    spares = (facts.spare,) if facts.spare is not None else (False, True)
    bands = {
        (trading, spare): assess(replace(facts, trading=trading, spare=spare), weights).band
        for trading, spare in product(tradings, spares)
    }
    if any(len({bands[trading, spare] for trading in tradings}) > 1 for spare in spares):
        found.append("trading")
    if any(len({bands[trading, spare] for spare in spares}) > 1 for trading in tradings):
        found.append("spare")
    return tuple(found)


def _factor(weight: FactorWeight, word: str, fact: Phrase) -> Factor:
    heaviest = max(weight.points.values())
    points = weight.points.get(word, heaviest)
    return Factor(weight.id, weight.side, points, fact, weight.source, _mitigation(weight))


def _mitigation(weight: FactorWeight) -> Phrase | None:
    return bilingual(weight.mitigation) if weight.mitigation else None


def _health(facts: Facts, weight: FactorWeight) -> Iterator[Factor]:
    left = weight.most if weight.most is not None else sum(weight.points.values()) * len(facts.warnings)
    for warning in facts.warnings:
        points = min(weight.points["warning"], left)
        left -= points
        yield Factor(weight.id, weight.side, points, warning, weight.source, _mitigation(weight))


def _holds(floor: str, facts: Facts) -> bool:
    match floor:
        case "open-batch":
            return facts.batch is BatchState.OPEN
        case "keys-wiped":
            return facts.keys is KeyFate.WIPED
        case "irreversible":
            return facts.way_back is WayBack.IRREVERSIBLE
        case "keys-unknown":
            return facts.keys is KeyFate.UNKNOWN and bool(facts.kinds & {ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER})
        case "anomaly":
            return facts.anomaly
    return False


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
"""Factor → every word that :func:`assess` may look up; of ``link`` those that the links have."""

Found = tuple[str, str, Phrase]
"""Factor, word, fact."""


def _found(facts: Facts, threshold: Thresholds) -> Iterator[Found]:
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
