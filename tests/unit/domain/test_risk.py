"""The checked scenarios of the risk model, its floors, its gates elsewhere, and what it asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from techtool.catalogue.risk import load_weights, problem_in
from techtool.domain.release import KeyFate, ReleaseKind
from techtool.domain.risk import Band, Side
from techtool.domain.risk_facts import Around, Past, facts_of, keys_of, left_s
from techtool.domain.risk_model import assess, open_questions
from techtool.domain.risk_subject import BackupFact, Facts, Trading, Tries, WayBack
from techtool.domain.risk_views import explained, reasons, risk_json, risk_line
from techtool.domain.rules import evaluate
from techtool.domain.terminal import BatchState, Battery
from techtool.errors import BadFile
from techtool.i18n import phrase
from tests.unit.domain.build import ANY_ROLE, TERMINAL, app, image

WEIGHTS: Final = load_weights()
GOOD: Final = Tries(40, 40)
QUIET: Final = Facts(
    battery=Battery(80, external_power=True),
    free_storage_bytes=10_000_000,
    need_bytes=1_000_000,
    link="usb",
    resumes=True,
    steps=1,
    kinds=frozenset({ReleaseKind.PARAMETERS}),
    way_back=WayBack.SLOT,
    keys=KeyFate.KEPT,
    batch=BatchState.SETTLED,
    tries=GOOD,
    trading=Trading.CLOSED,
)
"""Parameters over the cable in a closed shop: no point at all."""
APP: Final = replace(QUIET, kinds=frozenset({ReleaseKind.APPLICATION}), way_back=WayBack.CARRIED)
FIRMWARE: Final = replace(QUIET, kinds=frozenset({ReleaseKind.FIRMWARE}), way_back=WayBack.REINSTALL)
ON_BATTERY: Final = Battery(60, external_power=False)

SCENARIOS: Final = {
    "parameters-closed-settled": (QUIET, 0, 0, 1, Band.LOW),
    "parameters-open-second-terminal": (
        replace(QUIET, tries=Tries(), way_back=WayBack.CARRIED, trading=Trading.SECOND), 4, 4, 2, Band.LOW,
    ),
    "application-usb-known-good-only-terminal": (replace(APP, trading=Trading.ONLY), 2, 7, 2, Band.LOW),
    "application-wifi-battery-unknown-history": (
        replace(APP, link="wifi", battery=ON_BATTERY, tries=Tries(), trading=Trading.ONLY), 15, 7, 6, Band.MODERATE,
    ),
    "firmware-usb-power-known-good-closed": (FIRMWARE, 6, 4, 4, Band.LOW),
    "firmware-two-steps-unknown-only-terminal": (
        replace(FIRMWARE, steps=2, tries=Tries(), trading=Trading.ONLY, keys=KeyFate.UNKNOWN), 13, 13, 12, Band.HIGH,
    ),
    "firmware-three-steps-serial-tight-battery-peak": (
        replace(
            FIRMWARE, steps=3, tries=Tries(), link="rs232", resumes=False, battery=ON_BATTERY,
            free_storage_bytes=1_200_000, trading=Trading.PEAK, way_back=WayBack.IRREVERSIBLE, keys=KeyFate.UNKNOWN,
            backup=BackupFact.UNVERIFIED,
        ), 33, 20, 25, Band.CRITICAL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_fixed_scenarios_have_fixed_scores(name: str) -> None:
    facts, likelihood, impact, score, band = SCENARIOS[name]
    found = assess(facts, WEIGHTS)
    assert (found.likelihood_points, found.impact_points, found.score, found.band) == (likelihood, impact, score, band)


FLOORED: Final = {
    "open-batch": (replace(APP, batch=BatchState.OPEN), Band.HIGH),
    "keys-wiped": (replace(FIRMWARE, keys=KeyFate.WIPED), Band.HIGH),
    "irreversible": (replace(FIRMWARE, way_back=WayBack.IRREVERSIBLE), Band.HIGH),
    "keys-unknown": (replace(FIRMWARE, way_back=WayBack.SLOT, keys=KeyFate.UNKNOWN), Band.MODERATE),
    "anomaly": (replace(QUIET, anomaly=True), Band.CRITICAL),
}


@pytest.mark.parametrize("floor", FLOORED)
def test_a_floor_lifts_the_band_and_not_the_score(floor: str) -> None:
    facts, band = FLOORED[floor]
    found = assess(facts, WEIGHTS)
    assert [f.id for f in found.floors] == [floor]
    assert found.band is band
    assert WEIGHTS.band.of(found.score) is not band, "the floor would not be needed here"
    assert found.score == assess(replace(facts, anomaly=False), WEIGHTS).score


def test_a_floor_never_lowers() -> None:
    facts, _l, _i, _score, band = SCENARIOS["firmware-three-steps-serial-tight-battery-peak"]
    found = assess(facts, WEIGHTS)
    assert {f.id for f in found.floors} == {"irreversible", "keys-unknown"}
    assert found.band is band is Band.CRITICAL


def test_the_plain_product_is_what_the_floors_mend() -> None:
    """An application over an open batch: “low 4” by itself; a boot loader that wipes keys: at most “moderate 9”."""
    open_batch = assess(replace(APP, batch=BatchState.OPEN), WEIGHTS)
    assert (open_batch.score, open_batch.band) == (3, Band.HIGH)
    boot = replace(QUIET, kinds=frozenset({ReleaseKind.BOOTLOADER}), keys=KeyFate.WIPED, way_back=WayBack.IRREVERSIBLE)
    found = assess(boot, WEIGHTS)
    assert (found.likelihood_points, found.impact_points, found.score) == (8, 14, 8)
    assert found.band is Band.HIGH


EACH: Final = {
    "power-unknown": (replace(QUIET, battery=None), "power", 3),
    "power-low-with-adapter": (replace(QUIET, battery=Battery(40, external_power=True)), "power", 3),
    "power-low-on-battery": (replace(QUIET, battery=Battery(40, external_power=False)), "power", 7),
    "power-half-is-enough": (replace(QUIET, battery=Battery(50, external_power=False)), "power", 4),
    "storage-fair": (replace(QUIET, free_storage_bytes=1_999_999), "storage", 3),
    "storage-ample-at-twice": (replace(QUIET, free_storage_bytes=2_000_000), "storage", 0),
    "storage-fair-at-1.3": (replace(QUIET, free_storage_bytes=1_300_000), "storage", 3),
    "storage-tight": (replace(QUIET, free_storage_bytes=1_299_999), "storage", 6),
    "storage-untold": (replace(QUIET, free_storage_bytes=None), "storage", 3),
    "link-lan": (replace(QUIET, link="lan"), "link", 2),
    "link-bluetooth": (replace(QUIET, link="bluetooth"), "link", 6),
    "link-nobody-knows": (replace(QUIET, link="smoke"), "link", 6),
    "one-drop": (replace(QUIET, drops=1), "drops", 3),
    "frame-errors": (replace(QUIET, errors_percent=5.1), "drops", 3),
    "frame-errors-few": (replace(QUIET, errors_percent=5.0), "drops", 0),
    "no-resume": (replace(QUIET, resumes=False), "resume", 3),
    "history-few": (replace(QUIET, tries=Tries(4, 4)), "history", 4),
    "history-some": (replace(QUIET, tries=Tries(5, 5)), "history", 2),
    "history-nineteen": (replace(QUIET, tries=Tries(19, 19)), "history", 2),
    "history-good": (replace(QUIET, tries=Tries(20, 20)), "history", 0),
    "history-ninety-five": (replace(QUIET, tries=Tries(20, 19)), "history", 2),
    "history-poor": (replace(QUIET, tries=Tries(20, 18)), "history", 8),
    "late": (replace(QUIET, p90_s=601, left_s=600), "time", 4),
    "in-time": (replace(QUIET, p90_s=600, left_s=600), "time", 0),
    "first-time": (replace(QUIET, first_time=True), "experience", 2),
    "backup-older": (replace(QUIET, backup=BackupFact.OLDER), "backup", 5),
    "batch-untold": (replace(QUIET, batch=None), "batch", 3),
    "keys-wiped": (replace(QUIET, keys=KeyFate.WIPED), "keys", 8),
    "peak": (replace(QUIET, trading=Trading.PEAK), "trading", 7),
    "trading-unsaid": (replace(QUIET, trading=None), "trading", 3),
    "spare": (replace(QUIET, spare=True), "spare", -3),
    "critical-merchant": (replace(QUIET, critical_merchant=True), "merchant", 2),
}


@pytest.mark.parametrize("name", EACH)
def test_every_factor_has_its_points(name: str) -> None:
    facts, factor, points = EACH[name]
    (found,) = [f for f in assess(facts, WEIGHTS).factors if f.id == factor]
    assert found.points == points
    assert found.source
    assert found.fact.text("en")


def test_health_warnings_are_capped() -> None:
    warnings = tuple(phrase("sign {n}", n=n) for n in range(3))
    found = assess(replace(QUIET, warnings=warnings), WEIGHTS)
    assert [f.points for f in found.factors if f.id == "health"] == [3, 3, 0]
    assert found.likelihood_points == 6


def test_a_spare_does_not_go_below_nothing() -> None:
    assert assess(replace(QUIET, spare=True), WEIGHTS).impact_points == 0


def test_the_levels_have_their_limits() -> None:
    likelihood, impact = WEIGHTS.level.likelihood, WEIGHTS.level.impact
    assert [likelihood.of(p) for p in (0, 4, 5, 9, 10, 15, 16, 22, 23)] == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert [impact.of(p) for p in (0, 3, 4, 7, 8, 12, 13, 18, 19)] == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert [WEIGHTS.band.of(s) for s in (1, 4, 5, 9, 10, 14, 15, 25)] == [
        Band.LOW, Band.LOW, Band.MODERATE, Band.MODERATE, Band.HIGH, Band.HIGH, Band.CRITICAL, Band.CRITICAL,
    ]  # fmt: skip


def test_a_worse_fact_never_lowers_the_score() -> None:
    for worse in ("second-terminal", "only-terminal", "peak"):
        assert assess(replace(APP, trading=Trading(worse)), WEIGHTS).score >= assess(APP, WEIGHTS).score
    scores = [assess(replace(APP, steps=n), WEIGHTS).likelihood_points for n in range(1, 5)]
    assert all(a <= b for a, b in pairwise(scores))


def test_only_what_can_change_the_band_is_asked() -> None:
    assert open_questions(replace(QUIET, trading=None), WEIGHTS) == ()
    unsaid = replace(APP, trading=None, tries=Tries(), link="wifi")
    assert "trading" in open_questions(unsaid, WEIGHTS)
    assert "trading" not in open_questions(replace(unsaid, trading=Trading.PEAK), WEIGHTS)
    floored = replace(unsaid, anomaly=True)
    assert open_questions(floored, WEIGHTS) == ()
    spare = replace(APP, trading=Trading.PEAK, tries=Tries(), link="wifi")
    bands = {assess(replace(spare, spare=s), WEIGHTS).band for s in (False, True)}
    assert ("spare" in open_questions(spare, WEIGHTS)) == (len(bands) > 1)


def test_every_number_is_explained() -> None:
    facts = SCENARIOS["firmware-two-steps-unknown-only-terminal"][0]
    found = assess(facts, WEIGHTS)
    text = "\n".join(line.text("en") for line in explained(found))
    assert "Likelihood: 13 points, level 3 of 5" in text
    assert "Impact: 13 points, level 4 of 5" in text
    assert "Score: 3 × 4 = 12 of 25" in text
    assert "At least moderate" in text
    for factor in found.factors:
        assert f"{factor.points:+d}" in text
        assert factor.fact.text("en") in text
    for side, points in ((Side.LIKELIHOOD, 13), (Side.IMPACT, 13)):
        assert sum(f.points for f in found.factors if f.side is side) == points


def test_the_short_forms_agree() -> None:
    found = assess(SCENARIOS["application-wifi-battery-unknown-history"][0], WEIGHTS)
    assert risk_line(found).text("en").startswith("Risk: moderate (6 of 25)")
    assert [r.text("en")[:2] for r in reasons(found)] == ["+5", "+5", "+4", "+4", "+2", "+2"]
    tree = risk_json(found, "zh")
    assert (tree["score"], tree["band"]) == (6, "moderate")
    assert all(f["source"] for f in tree["factors"])  # type: ignore[attr-defined]
    assert found.mitigations[0].text("zh")


GATES: Final = (
    "model", "hw-revision", "region", "blocked-hardware", "free-storage", "battery", "tamper", "component",
    "erases-data", "no-open-batch", "firmware", "bootloader",
)  # fmt: skip


def test_the_gates_that_the_weights_name_are_rules() -> None:
    text = (Path(load_weights.__wrapped__.__code__.co_filename).parent / "data" / "risk.toml").read_text("utf-8")
    from techtool.domain.release import BlockedHardware, Provides, Requirement

    rules = tuple(Requirement(what, version="1", id="x") for what in ("component", "firmware", "bootloader"))
    release = replace(
        app("com.acme.pay", "2.0"), erases_data=True, requires=(*rules, Requirement("no-open-batch")),
        provides=(Provides("acme", "X1", ("B",), ("EU",)),), blocked_hw=(BlockedHardware("Z", "old"),),
    )  # fmt: skip
    held = {verdict.what for verdict in evaluate(release, TERMINAL, ANY_ROLE)}
    for gate in GATES:
        assert gate in held
        assert gate in text


NOW: Final = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
HOURS: Final = {
    "09:00-18:00": 1800.0,
    "9:00 – 17:30": (9 * 60 + 24 * 60 - 17 * 60 - 30) * 60.0,
    "18:00-23:00": 1800.0,
    "20:00-02:00": 2.5 * 3600,
    "16:00-02:00": 8.5 * 3600,
    "00:00-24:00": None,
    "16:00-24:00": 6.5 * 3600,
    "07:00-07:00": None,
    "": None,
    "all day": None,
    "09:00-25:00": None,
    "09:00-12:00, 14:00-18:00": None,
}


@pytest.mark.parametrize("hours", HOURS)
def test_time_left_until_the_shop_opens_or_closes(hours: str) -> None:
    assert left_s(hours, NOW) == HOURS[hours]


def test_after_midnight_the_shop_is_still_open() -> None:
    assert left_s("20:00-02:00", NOW.replace(hour=1)) == 30 * 60


KEYS: Final = {
    "application": (app("a", "1.0"), KeyFate.KEPT),
    "application-says-wiped": (replace(app("a", "1.0"), keys=KeyFate.WIPED), KeyFate.WIPED),
    "firmware": (image("os", "1.0"), KeyFate.UNKNOWN),
    "firmware-says-kept": (replace(image("os", "1.0"), keys=KeyFate.KEPT), KeyFate.KEPT),
}


@pytest.mark.parametrize("name", KEYS)
def test_what_becomes_of_the_keys(name: str) -> None:
    release, fate = KEYS[name]
    assert keys_of([release], WEIGHTS.keys.kept) is fate
    assert keys_of([app("b", "1.0"), release], WEIGHTS.keys.kept) is fate


def test_facts_are_read_off_plan_and_terminal() -> None:
    from techtool.domain.planner import make_plan
    from techtool.domain.release import VerifiedRelease
    from tests.unit.domain.build import TRUST, package

    pay = replace(app("com.acme.pay", "2.0.0", size_bytes=4_000_000), date=NOW.date())
    old = replace(app("com.acme.old", "1.0.0"), date=NOW.date() - timedelta(days=731))
    terminal = replace(
        TERMINAL,
        packages=(package("com.acme.pay", "1.0.0"), package("com.acme.old", "1.0.0")),
        reversals=1,
        clock_offset_s=90_000.0,
    )
    plan = make_plan(terminal, [VerifiedRelease(r, TRUST) for r in (pay, old)], ANY_ROLE, wanted=["com.acme.pay"])
    assert [v.release.key for v in plan.releases] == ["com.acme.pay@2.0.0"]
    facts = facts_of(plan, terminal, WEIGHTS, Past(restarts=2), Around(NOW, "09:00-18:00"), [pay, old])
    assert facts.batch is BatchState.OPEN, "a reversal that waits is takings that wait"
    assert facts.need_bytes == 4_000_000
    assert (facts.link, facts.resumes) == ("lan", True)
    assert facts.way_back is WayBack.REINSTALL, "an application can be loaded again, whatever its publisher allows"
    assert facts.left_s == 1800
    assert len(facts.warnings) == 3
    assert facts_of(plan, terminal, WEIGHTS, Past(), Around(NOW), [pay]).warnings == facts.warnings[:1]


def test_broken_weights_are_refused_by_name(tmp_path: Path) -> None:
    good = (Path(load_weights.__wrapped__.__code__.co_filename).parent / "data" / "risk.toml").read_text("utf-8")
    cases = {
        "peak = 7, ": "$.factor[15].points: peak missing",
        'id = "power"': "$.factor[0]",
        "high = 14": "high",
        "at_most = [4, 9, 15, 22]": "likelihood",
    }
    for cut, named in cases.items():
        path = tmp_path / f"{abs(hash(cut))}.toml"
        path.write_text(good.replace(cut, "at_most = [9, 4]" if "at_most" in cut else "", 1), "utf-8")
        with pytest.raises(BadFile) as refused:
            load_weights(path)
        assert named in str(refused.value), cut
    assert problem_in(WEIGHTS) == ""
