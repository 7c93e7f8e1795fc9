from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techtool.domain.estimate import (
    EMPIRICAL_FROM,
    SAMPLE_S,
    SIGMA_FLOOR,
    TRUSTED_FROM,
    Z90,
    Eta,
    Phase,
    Subject,
    Timings,
    blend,
    duration,
    human_duration,
    human_estimate,
    together,
    transfer,
)
from techtool.domain.plan import Estimate

seconds = st.floats(0.1, 100_000)
estimates = st.builds(lambda p50, factor: Estimate(p50, p50 * factor), seconds, st.floats(1, 5))


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9)


# -- phases -----------------------------------------------------------------------------------------------------------


def test_a_prior_alone() -> None:
    estimate = duration(60, sigma=0.5)
    assert close(estimate.p50_s, 60)
    assert close(estimate.p90_s, 60 * math.exp(Z90 * 0.5))


def test_a_prior_is_worth_three_observations() -> None:
    middle, _ = blend(100, [10, 10, 10])
    assert close(middle, math.sqrt(100 * 10))


@settings(derandomize=True)
@given(seconds, st.lists(seconds, max_size=30))
def test_the_middle_lies_between_the_prior_and_what_was_seen(prior: float, observed: list[float]) -> None:
    estimate = duration(prior, observed)
    assert min([prior, *observed]) * 0.999999 <= estimate.p50_s <= max([prior, *observed]) * 1.000001
    assert estimate.p90_s >= estimate.p50_s
    assert blend(prior, observed)[1] >= SIGMA_FLOOR


@settings(derandomize=True)
@given(seconds, st.lists(seconds, max_size=15), st.floats(0.01, 100))
def test_a_unit_of_time_changes_nothing(prior: float, observed: list[float], factor: float) -> None:
    plain = duration(prior, observed)
    scaled = duration(prior * factor, [value * factor for value in observed])
    assert close(scaled.p50_s, plain.p50_s * factor)
    assert close(scaled.p90_s, plain.p90_s * factor)


def test_observations_take_over() -> None:
    errors = [abs(math.log(duration(60, [120.0] * n).p50_s / 120)) for n in (0, 3, 5, 10, 20)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1
    spreads = [blend(60, [120.0] * n)[1] for n in (0, 3, 10, 40)]
    assert spreads == sorted(spreads, reverse=True)


def test_with_many_observations_the_bound_is_read_off_them() -> None:
    observed = [float(value) for value in range(10, 10 + EMPIRICAL_FROM)]
    estimate = duration(15, observed)
    assert close(estimate.p90_s, statistics.quantiles(observed, n=10, method="inclusive")[-1])
    assert not close(
        duration(15, observed[:-1]).p90_s, statistics.quantiles(observed[:-1], n=10, method="inclusive")[-1]
    )


def test_nothing_takes_no_time() -> None:
    assert duration(0) == Estimate(0, 0)
    assert transfer(0, 4e6) == Estimate(0, 0)
    assert together([]) == Estimate(0, 0)


def test_transfer() -> None:
    estimate = transfer(40_000_000, 4e6)
    assert close(estimate.p50_s, 10)
    faster = transfer(40_000_000, 4e6, [16e6] * 3)
    assert close(faster.p50_s, 5)


def test_from_twenty_measured_transfers_on_the_bound_is_read_off_them() -> None:
    """Most were fast, some very slow: no smooth curve, and the slow tenth is what “at most” must hold."""
    rates = [8e6] * (EMPIRICAL_FROM - 4) + [1e6] * 4
    estimate = transfer(40_000_000, 4e6, rates)
    assert close(estimate.p90_s, 40)
    fewer = transfer(40_000_000, 4e6, rates[1:])
    assert not close(fewer.p90_s, 40)
    alike = transfer(40_000_000, 1e6, [8e6] * EMPIRICAL_FROM)
    assert alike.p90_s >= alike.p50_s


# -- the whole --------------------------------------------------------------------------------------------------------


@settings(derandomize=True)
@given(st.lists(estimates, min_size=1, max_size=12))
def test_the_bound_of_the_whole_lies_between_the_two_wrong_ways(parts: list[Estimate]) -> None:
    whole = together(parts)
    above = [part.p90_s - part.p50_s for part in parts]
    p50 = sum(part.p50_s for part in parts)
    low, high = p50 + math.sqrt(sum(d * d for d in above)), p50 + sum(above)
    assert close(whole.p50_s, p50)
    assert low * 0.999999 <= whole.p90_s <= high * 1.000001
    assert math.isclose(whole.p90_s, (low + high) / 2, rel_tol=1e-9)


@settings(derandomize=True)
@given(st.lists(estimates, min_size=1, max_size=8), estimates)
def test_one_more_step_never_shortens(parts: list[Estimate], more: Estimate) -> None:
    longer, shorter = together([*parts, more]), together(parts)
    assert longer.p50_s > shorter.p50_s
    assert longer.p90_s >= shorter.p90_s
    assert close(together([more]).p90_s, more.p90_s)


# -- history ----------------------------------------------------------------------------------------------------------


def test_the_most_exact_history_counts() -> None:
    subject = Subject("acme/X1", "android", "adb", "pay@1.5.0", "application")
    family = ("install", "android", "application", "adb")
    model = ("install", "acme/X1", "application", "adb")
    release = ("install", "acme/X1", "pay@1.5.0", "adb")
    assert Timings().of(Phase.INSTALL, subject) == ()
    assert Timings({family: [3.0]}).of(Phase.INSTALL, subject) == [3.0]
    assert Timings({family: [3.0], model: [2.0]}).of(Phase.INSTALL, subject) == [2.0]
    assert Timings({family: [3.0], model: [2.0], release: [1.0]}).of(Phase.INSTALL, subject) == [1.0]
    assert Timings({family: [3.0], model: [2.0], release: []}).of(Phase.INSTALL, subject) == [2.0]
    assert Timings({family: [3.0]}).of(Phase.VERIFY, subject) == ()


# -- shown ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_s", "shown"),
    [
        (0, "less than 1 min"),
        (59.9, "less than 1 min"),
        (60, "1–2 min"),
        (120, "2–5 min"),
        (299, "2–5 min"),
        (300, "5 min"),
        (14.4 * 60, "14 min"),
        (19.4 * 60, "19 min"),
        (19.6 * 60, "20 min"),
        (22.4 * 60, "20 min"),
        (22.5 * 60, "25 min"),
        (57.6 * 60, "1 h 0 min"),
        (125 * 60, "2 h 5 min"),
    ],
)
def test_rounding(given_s: float, shown: str) -> None:
    assert human_duration(given_s).text("en") == shown


def test_both_figures() -> None:
    assert human_estimate(Estimate(14 * 60, 20 * 60)).text("en") == "14 min, at most 20 min"
    assert human_estimate(Estimate(14 * 60, 14.2 * 60)).text("en") == "14 min"


# -- live -------------------------------------------------------------------------------------------------------------


def test_nothing_is_shown_until_it_can_be_trusted() -> None:
    eta = Eta()
    assert eta.remaining_s() is None
    for tick in range(TRUSTED_FROM + 1):
        assert eta.remaining_s() is None
        eta.update(tick, tick * 100, 1000)
    assert eta.rate() == pytest.approx(100)
    assert eta.remaining_s() == pytest.approx((1000 - TRUSTED_FROM * 100) / 100)


@settings(derandomize=True)
@given(st.floats(1, 1e8), st.floats(SAMPLE_S, 5), st.integers(0, 10**9))
def test_a_steady_link_is_known_exactly_wherever_it_resumed(rate: float, every_s: float, offset: int) -> None:
    eta, total = Eta(), offset + int(rate * 100) + 10**6
    for tick in range(12):
        eta.update(1000 + tick * every_s, offset + round(tick * every_s * rate), total)
    found = eta.rate()
    if found is not None:
        assert found == pytest.approx(rate, rel=1e-2, abs=5 / every_s)


def test_a_resumed_transfer_does_not_count_what_was_there() -> None:
    eta = Eta()
    eta.update(0, 0, 1000)
    eta.reset()
    for tick in range(6):
        eta.update(10 + tick, 600 + tick * 2, 1000)
    assert eta.rate() == pytest.approx(2)
    assert eta.remaining_s() == pytest.approx((1000 - 610) / 2)


def test_the_average_follows_a_change() -> None:
    eta = Eta()
    for tick in range(10):
        eta.update(tick, tick * 100, 10_000)
    for tick in range(30):
        eta.update(10 + tick, 1000 + tick * 10, 10_000)
    rate = eta.rate()
    assert rate is not None
    assert 10 <= rate < 12


def test_packets_faster_than_a_sample_are_gathered() -> None:
    eta = Eta()
    for packet in range(2000):
        eta.update(packet * 0.001, packet * 1000, 10**9)
    assert eta.rate() == pytest.approx(1e6, rel=0.01)


def test_asking_often_changes_nothing() -> None:
    eager, calm = Eta(), Eta()
    for tick in range(12):
        calm.update(tick, tick * 50, 5000)
        for part in range(10):
            eager.update(tick + part / 10, tick * 50, 5000)
    assert eager.rate() == calm.rate()


def test_stall() -> None:
    eta = Eta()
    assert eta.stalled_for(5) == 0
    eta.update(10, 0, 100)
    eta.update(12, 50, 100)
    eta.update(30, 50, 100)
    assert eta.stalled_for(30) == 18
    eta.update(31, 100, 100)
    assert eta.stalled_for(99) == 0
    assert eta.remaining_s() == 0


def test_fewer_bytes_or_a_clock_gone_back_start_afresh() -> None:
    eta = Eta()
    for tick in range(6):
        eta.update(tick, tick * 100, 1000)
    assert eta.rate() is not None
    eta.update(6, 100, 1000)
    assert eta.rate() is None
    for tick in range(6):
        eta.update(7 + tick, 200 + tick * 100, 1000)
    assert eta.rate() is not None
    eta.update(3, 900, 1000)
    assert eta.rate() is None
