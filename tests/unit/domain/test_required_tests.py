"""Which tests a visit calls for: kinds of release × type of visit × what the terminal has, from the real catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.catalogue.reader import load_catalogue
from techtool.domain.functional import Capability, Occasion
from techtool.domain.question import CheckResult
from techtool.domain.release import After, ReleaseKind
from techtool.domain.required_tests import Consent, Situation, choose_tests, is_due, without_consent
from techtool.domain.work_order import VisitType
from tests.factories import release

TESTS = load_catalogue().tests
ALWAYS = {
    "HW-07",
    "HW-08",
    "SE-01",
    "SE-02",
    "SE-03",
    "NET-04",
    "APP-01",
    "APP-03",
    "APP-06",
    "TX-01",
    "TX-09",
    "TX-10",
}
SALES = {"TX-02", "TX-03", "TX-04", "TX-05"}
AFTER_SALES = {"TX-06", "TX-11", "TX-12"}
FIRMWARE = ALWAYS | SALES | AFTER_SALES | {
    "HW-01", "HW-02", "HW-03", "HW-04", "HW-05", "HW-06", "SE-05", "SE-06", "SE-07", "SE-08", "NET-01", "NET-02",
    "NET-03", "APP-02", "APP-04", "APP-07", "RD-01", "RD-02", "RD-03", "RD-04", "PR-01", "PR-02", "ECR-01",
}  # fmt: skip
PAYMENT = ALWAYS | SALES | AFTER_SALES | {
    "SE-05", "SE-08", "APP-02", "APP-04", "APP-07", "TX-07", "PR-02", "PR-03", "ECR-01",
}  # fmt: skip
CONFIGURATION = ALWAYS | {"APP-02", "APP-04", "APP-05"}
INSTALLATION = ALWAYS | SALES | AFTER_SALES | {
    "HW-01", "HW-02", "HW-03", "HW-04", "HW-05", "HW-09", "SE-04", "SE-05", "SE-07", "SE-08", "NET-01", "NET-02",
    "NET-03", "NET-05", "APP-02", "APP-05", "RD-01", "RD-02", "RD-03", "RD-04", "PR-01", "PR-02", "TR-01",
}  # fmt: skip
INSPECTION = ALWAYS | {
    "HW-01", "HW-02", "HW-05", "SE-04", "SE-07", "NET-03", "RD-01", "RD-02", "RD-03", "PR-01", "TR-01",
}  # fmt: skip
NOTHING: set[str] = set()


def required(kinds: set[ReleaseKind], visit: VisitType = VisitType.UPDATE) -> set[str]:
    releases = [replace(release(), kind=kind) for kind in sorted(kinds)]
    return {test.id for test in choose_tests(TESTS, Situation.of(releases, visit)) if test.required}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ReleaseKind.FIRMWARE, FIRMWARE),
        (ReleaseKind.BOOTLOADER, FIRMWARE),
        (ReleaseKind.APPLICATION, PAYMENT),
        (ReleaseKind.RESOURCES, PAYMENT),
        (ReleaseKind.KERNEL, CONFIGURATION),
        (ReleaseKind.AID_CAPK, CONFIGURATION),
        (ReleaseKind.PARAMETERS, CONFIGURATION),
        (ReleaseKind.CERTIFICATES, CONFIGURATION),
    ],
)
@pytest.mark.parametrize(
    ("visit", "more"),
    [
        (VisitType.UPDATE, NOTHING),
        (VisitType.REPAIR, NOTHING),
        (VisitType.INSTALL, INSTALLATION),
        (VisitType.SWAP, INSTALLATION),
        (VisitType.INSPECTION, INSPECTION),
    ],
)
def test_the_required_set(kind: ReleaseKind, expected: set[str], visit: VisitType, more: set[str]) -> None:
    assert required({kind}, visit) == expected | more


def test_several_kinds_call_for_all_of_their_tests() -> None:
    assert required({ReleaseKind.FIRMWARE, ReleaseKind.PARAMETERS}) == FIRMWARE | CONFIGURATION


def test_nothing_is_called_for_by_nothing() -> None:
    assert required(set(), VisitType.UPDATE) == set()
    assert required(set(), VisitType.INSPECTION) == INSPECTION


HANGS_ON = {
    Capability.PRINTER: {"PR-01", "PR-02", "PR-03"},
    Capability.MAGSTRIPE: {"RD-01", "TX-04"},
    Capability.CHIP: {"RD-02", "TX-02"},
    Capability.CONTACTLESS: {"RD-03", "TX-03"},
    Capability.SCANNER: {"RD-04"},
    Capability.ETHERNET: {"NET-01"},
    Capability.WIFI: {"NET-02"},
    Capability.CELLULAR: {"NET-03"},
    Capability.PIN_PAD: {"SE-08"},
    Capability.BATTERY: {"HW-02"},
    Capability.TOUCHSCREEN: {"HW-04"},
    Capability.KEYPAD: set(),
    Capability.CASH_REGISTER: {"ECR-01"},
}


@pytest.mark.parametrize("capability", list(Capability))
def test_what_it_has_not_is_not_applicable_with_the_reason(capability: Capability) -> None:
    releases = [replace(release(), kind=kind) for kind in (ReleaseKind.FIRMWARE, ReleaseKind.APPLICATION)]
    for has, expected in ((False, HANGS_ON[capability]), (True, set())):
        situation = Situation.of(releases, VisitType.UPDATE, {capability: has})
        absent = {test.id: test.absent for test in choose_tests(TESTS, situation) if test.absent is not None}
        assert set(absent) == expected
        assert all("this terminal has none" in reason.text("en") for reason in absent.values())


def test_one_of_several_capabilities_is_enough() -> None:
    """A terminal without Ethernet and Wi-Fi may still have a SIM."""
    some = {Capability.ETHERNET: False, Capability.WIFI: False}
    for known, applies in ((some, True), ({**some, Capability.CELLULAR: False}, False)):
        situation = Situation.of([release()], VisitType.UPDATE, known)
        (echo,) = [test for test in choose_tests(TESTS, situation) if test.id == "NET-04"]
        assert (echo.absent is None) is applies


def test_a_release_adds_tests_of_its_own() -> None:
    asks = replace(release(), kind=ReleaseKind.PARAMETERS, after=After(checks=("HW-06", "boots")))
    chosen = {test.id: test for test in choose_tests(TESTS, Situation.of([asks], VisitType.UPDATE))}
    assert set(chosen) == CONFIGURATION | {"HW-06", "boots"}
    assert (chosen["boots"].required, chosen["boots"].title.text("en")) == (True, f"The test boots of {asks.key}")
    assert chosen["HW-06"].because.text("en") == f"{asks.key} asks for it"


def test_every_test_says_why() -> None:
    chosen = choose_tests(TESTS, Situation.of([release()], VisitType.UPDATE))
    assert all(test.because.text("en") and test.because.text("zh") for test in chosen)
    optional = {test.id for test in chosen if not test.required}
    assert optional == {"TX-08"}


def test_a_void_belongs_after_a_sale_that_was_run() -> None:
    chosen = {test.id: test for test in choose_tests(TESTS, Situation.of([release()], VisitType.UPDATE))}
    void, settlement, sale = chosen["TX-06"], chosen["TX-11"], chosen["TX-02"]
    assert is_due(sale, {})
    for results, due in (
        ({}, (False, False)),
        ({"TX-02": "not-done"}, (False, False)),
        ({"TX-02": "pass"}, (True, True)),
        ({"TX-02": "fail"}, (True, True)),
        ({"TX-03": "pass"}, (True, False)),
    ):
        assert (is_due(void, results), is_due(settlement, results)) == due


def test_sales_only_with_consent() -> None:
    catalogue = {test.id: test for test in TESTS}
    for consent in Consent:
        found = without_consent(catalogue["TX-02"], consent)
        assert (found is None) is (consent is Consent.GIVEN)
        if found is not None:
            assert found.result is CheckResult.NOT_DONE
            assert found.said is not None
        assert without_consent(catalogue["TX-01"], consent) is None


def test_a_persons_hands_stay_where_they_are() -> None:
    """Readers together, then sign-in and sales, then the void, then settlement; the watch comes last."""
    order = [
        test.id
        for test in choose_tests(TESTS, Situation.of([replace(release(), kind=ReleaseKind.FIRMWARE)], VisitType.UPDATE))
    ]
    places = [
        order.index(name) for name in ("RD-01", "RD-04", "TX-01", "TX-02", "TX-05", "TX-06", "TX-11", "TX-12", "APP-07")
    ]
    assert places == sorted(places)
    assert order.index("RD-04") - order.index("RD-01") == 3


def test_an_occasion_without_a_kind_is_none() -> None:
    assert Situation.of([], VisitType.REMOVAL).occasions == frozenset()
    assert Situation.of([], VisitType.SWAP).occasions == {Occasion.INSTALLATION}
