"""How long it will take: predictions that say how sure they are, and the live remainder of a transfer.

Durations spread like products, not sums, so they are handled as logarithms: an estimate is a
prior blended with what was observed, and its 90 % bound is a factor above the middle. No source publishes durations of
terminal updates: the priors are first guesses of ours, worth three observations, and the reports keep estimate and
actual side by side so that they can be replaced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from techtool.domain.plan import Estimate
from techtool.domain.release import ReleaseKind
from techtool.i18n import Phrase, phrase

PRIOR_WEIGHT: Final = 3
"""How many observations a prior is worth."""
SIGMA_PRIOR: Final = 0.5
"""Spread of the logarithm before anything was observed: a prior wrong by 1.6 and a spread of 0.3 together."""
SIGMA_FLOOR: Final = 0.20
EMPIRICAL_FROM: Final = 20
"""Observations from which the 90 % bound is read off them directly."""
Z90: Final = 1.2816
LINK_BYTES_S: Final = 4_000_000.0
"""Throughput of an unknown link: the 4 MB/s that a fleet is planned with."""

SAMPLES: Final = 10
"""N of the moving average; its weight is 2/(N+1)."""
TRUSTED_FROM: Final = 4
"""Samples before anything is shown: a wrong first figure is remembered."""
SAMPLE_S: Final = 0.25
"""Shortest stretch that makes a sample: single packets say nothing of a link."""
STALL_S: Final = 10.0
"""No confirmed byte for so long, and the screen says so instead of an ETA."""
_WEIGHT: Final = 2 / (SAMPLES + 1)


class Phase(StrEnum):
    """What is timed; machine and person apart."""

    IDENTIFY = "identify"
    INSPECTION = "inspection"
    PREFLIGHT = "preflight"
    CONFIRM = "confirm"
    BACKUP = "backup"
    TRANSFER = "transfer"
    STAGE = "stage"
    INSTALL = "install"
    REBOOT = "reboot"
    VERIFY = "verify"
    TESTS = "tests"
    SIGN_OFF = "sign_off"


PRIOR_S: Final[Mapping[Phase, float]] = {
    Phase.IDENTIFY: 10,
    Phase.INSPECTION: 90,
    Phase.PREFLIGHT: 5,
    Phase.CONFIRM: 30,
    Phase.BACKUP: 30,
    Phase.STAGE: 3,
    Phase.REBOOT: 75,
    Phase.VERIFY: 15,
    Phase.TESTS: 240,
    Phase.SIGN_OFF: 90,
}
INSTALL_PRIOR_S: Final[Mapping[ReleaseKind, float]] = {
    ReleaseKind.BOOTLOADER: 60,
    ReleaseKind.FIRMWARE: 240,
    ReleaseKind.APPLICATION: 15,
    ReleaseKind.KERNEL: 15,
    ReleaseKind.AID_CAPK: 5,
    ReleaseKind.PARAMETERS: 5,
    ReleaseKind.RESOURCES: 10,
    ReleaseKind.CERTIFICATES: 5,
}


def blend(prior: float, observed: Sequence[float] = (), *, sigma: float = SIGMA_PRIOR) -> tuple[float, float]:
    """The middle and the spread (of the logarithm) of a quantity above zero: a prior and what was observed of it."""
    logs = [math.log(value) for value in observed if value > 0]
    weight = PRIOR_WEIGHT + len(logs)
    middle = (PRIOR_WEIGHT * math.log(prior) + sum(logs)) / weight
    own = sum(logs) / len(logs) if logs else middle
    variance = (PRIOR_WEIGHT * sigma**2 + sum((log - own) ** 2 for log in logs)) / weight
    return math.exp(middle), max(SIGMA_FLOOR, math.sqrt(variance))


def duration(prior_s: float, observed_s: Sequence[float] = (), *, sigma: float = SIGMA_PRIOR) -> Estimate:
    """The estimate of a phase; failed and aborted runs are no observations."""
    if prior_s <= 0:
        return Estimate(0.0, 0.0)
    p50, spread = blend(prior_s, observed_s, sigma=sigma)
    p90 = p50 * math.exp(Z90 * spread)
    if len(observed_s) >= EMPIRICAL_FROM:
        p90 = max(p50, _quantile(observed_s, 0.9))
    return Estimate(p50, p90)


def transfer(size_bytes: int, bytes_s: float, observed_bytes_s: Sequence[float] = ()) -> Estimate:
    """How long ``size_bytes`` take over a link of about ``bytes_s``, by the rates it was seen to have."""
    if size_bytes <= 0:
        return Estimate(0.0, 0.0)
    rate, spread = blend(bytes_s, observed_bytes_s)
    p50_s = size_bytes / rate
    p90_s = p50_s * math.exp(Z90 * spread)
    if len(observed_bytes_s) >= EMPIRICAL_FROM:
        p90_s = max(p50_s, size_bytes / _quantile(observed_bytes_s, 0.1))
    return Estimate(p50_s, p90_s)


def together(parts: Sequence[Estimate]) -> Estimate:
    """One after the other: the 90 % bound is the mean of the two wrong ways to add them.

    Adding the bounds covers too much, the root of squares too little when phases are slow together.
    """
    p50 = sum(part.p50_s for part in parts)
    above = [part.p90_s - part.p50_s for part in parts]
    return Estimate(p50, p50 + (math.sqrt(sum(d * d for d in above)) + sum(above)) / 2)


def _quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie, between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is worked on, as far as it is known to matter for durations."""

    model: str = ""
    family: str = ""
    link: str = ""
    release_key: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """What earlier visits took: seconds, and bytes per second for :attr:`Phase.TRANSFER`.

    Keys, the most exact first: ``(phase, model, release key, link)``, ``(phase, model, kind, link)``,
    ``(phase, family, kind, link)``.
    """

    observed: Mapping[tuple[str, str, str, str], Sequence[float]] = field(default_factory=dict)

    def of(self, phase: Phase, subject: Subject) -> Sequence[float]:
        """The observations of the most exact key that has any."""
        for key in (
            (phase.value, subject.model, subject.release_key, subject.link),
            (phase.value, subject.model, subject.kind, subject.link),
            (phase.value, subject.family, subject.kind, subject.link),
        ):
            if self.observed.get(key):
                return self.observed[key]
        return ()


def human_duration(seconds: float) -> Phrase:
    """Rounded as far as an estimate deserves: three coarse steps, then whole minutes, from 20 on by fives."""
    minutes = seconds / 60
    if minutes < 1:
        return phrase("less than 1 min")
    if minutes < 2:
        return phrase("1–2 min")
    if minutes < 5:
        return phrase("2–5 min")
    whole = _half_up(minutes)
    if whole >= 20:
        whole = max(20, 5 * _half_up(minutes / 5))
    if whole < 60:
        return phrase("{minutes} min", minutes=whole)
    return phrase("{hours} h {minutes} min", hours=whole // 60, minutes=whole % 60)


def human_estimate(estimate: Estimate) -> Phrase:
    """Both figures: “14 min, at most 20 min”; one when rounding makes them the same."""
    likely, most = human_duration(estimate.p50_s), human_duration(estimate.p90_s)
    return likely if likely == most else phrase("{likely}, at most {most}", likely=likely, most=most)


def time_line(total: Estimate, attended: Estimate, downtime: Estimate) -> Phrase:
    """“About 14 min (at most 20 min), of it 6 min with you; payments down about 9 min.”"""
    likely, most = human_duration(total.p50_s), human_duration(total.p90_s)
    whole = likely if likely == most else phrase("{likely} (at most {most})", likely=likely, most=most)
    return phrase(
        "About {whole}, of it {attended} with you; payments down about {downtime}.",
        whole=whole,
        attended=human_duration(attended.p50_s),
        downtime=human_duration(downtime.p50_s),
    )


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)


class Eta:
    """A moving average over confirmed bytes; what was there before it looked (a resumed transfer) is no speed."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._samples = 0
        self._mark: tuple[float, int] | None = None
        self._confirmed = 0
        self._total = 0
        self._grew_at: float | None = None

    def update(self, at_s: float, confirmed: int, total: int) -> None:
        """Note that ``confirmed`` of ``total`` bytes are there at ``at_s`` (monotonic).

        Fewer bytes than before, another total or a clock that went back mean another transfer: it starts afresh.
        """
        if self._mark is None or confirmed < self._confirmed or total != self._total or at_s < self._mark[0]:
            self.reset()
            self._mark, self._confirmed, self._total, self._grew_at = (at_s, confirmed), confirmed, total, at_s
            return
        if confirmed == self._confirmed:
            return
        self._confirmed, self._grew_at = confirmed, at_s
        since_s, since_bytes = self._mark
        if at_s - since_s < SAMPLE_S:
            return
        self._mark = (at_s, confirmed)
        sample = (confirmed - since_bytes) / (at_s - since_s)
        self._rate = sample if self._rate is None else self._rate + _WEIGHT * (sample - self._rate)
        self._samples += 1

    def reset(self) -> None:
        """Forget everything; call it when a transfer is resumed."""
        self._rate, self._samples, self._mark, self._grew_at = None, 0, None, None
        self._confirmed = self._total = 0

    def rate(self) -> float | None:
        """Bytes a second; None until it can be trusted."""
        return self._rate if self._samples >= TRUSTED_FROM else None

    def remaining_s(self) -> float | None:
        """Seconds to the last byte; None until it can be trusted."""
        if self._mark is not None and self._total and self._confirmed >= self._total:
            return 0.0
        rate = self.rate()
        return (self._total - self._confirmed) / rate if rate else None

    def stalled_for(self, at_s: float) -> float:
        """Seconds since the last confirmed byte; 0 when nothing is awaited."""
        if self._grew_at is None or self._confirmed >= self._total:
            return 0.0
        return max(0.0, at_s - self._grew_at)
