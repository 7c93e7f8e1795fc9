"""Each check of the linter: what it must find, and what looks like it and is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pytest

from techtool.bundles.description import KNOWN_RULES
from techtool.domain.lint import Check, LintFinding, Severity, lint, lint_one
from techtool.domain.lint_install import Reach
from techtool.domain.lint_rules import RULE_FIELDS
from techtool.domain.policy import Policy, Way
from techtool.domain.release import (
    After,
    ApkFacts,
    BlockedHardware,
    Compare,
    Conflict,
    LabResult,
    Provides,
    Release,
    ReleaseFile,
    ReleaseKind,
    Requirement,
    Rollback,
)
from tests.unit.domain.build import OTHER_SIGNER, SIGNER, apk, app, image

MODELS = frozenset({("acme", "X1"), ("acme", "X2"), ("beta", "Z9")})
TOLD = {"text": {"en": "Mends this.", "zh": "修复。"}, "install_duration_s": 60}
X1 = (Provides("acme", "X1"),)
X2 = (Provides("acme", "X2"),)
BOTH = X1 + X2


def needs(release_id: str, version: str, how: Compare = Compare.GE, scheme: str = "") -> Requirement:
    if release_id in ("firmware", "bootloader"):
        return Requirement(release_id, how, version, scheme)
    return Requirement("component", how, version, scheme, id=release_id)


def pay(version: str = "1.0", *requires: Requirement, **changes: object) -> Release:
    return replace(app("pay", version, requires=requires), **{**TOLD, **changes})  # type: ignore[arg-type]


def kernel(version: str = "7.0", *requires: Requirement, **changes: object) -> Release:
    return replace(app("kernel", version, requires=requires), **{**TOLD, **changes})  # type: ignore[arg-type]


def firmware(version: str = "2.0", *requires: Requirement, **changes: object) -> Release:
    """Tested somewhere, but from nowhere in particular."""
    told = {**TOLD, "tested_on": (LabResult("X1", "passed"),), **changes}
    return replace(image("os", version, requires=requires), **told)  # type: ignore[arg-type]


def lab(*versions: str, model: str = "X1", result: str = "passed", revision: str = "") -> dict[str, object]:
    return {"tested_on": (LabResult(model, result, revision, versions),)}


def found(*releases: Release) -> list[LintFinding]:
    return list(lint(releases, MODELS, KNOWN_RULES))


def checks(*releases: Release) -> list[tuple[str, str]]:
    return [(finding.check.value, finding.release_key) for finding in found(*releases)]


def only(*releases: Release) -> LintFinding:
    (finding,) = found(*releases)
    return finding


def test_a_clean_bundle_has_no_finding() -> None:
    assert found() == []
    assert found(pay(), kernel(), firmware()) == []


class TestSelfRequirement:
    @pytest.mark.parametrize(
        "release",
        [
            firmware("1.26.0", needs("firmware", "1.26.0")),  # the one that was shipped: fwupd's firmware-dell #174
            firmware("1.26.0", needs("firmware", "1.26")),
            firmware("1.26.0", needs("firmware", "1.26.0", Compare.EQ)),
            firmware("1.26.0", needs("firmware", "1.26.1")),
            firmware("1.26.0", needs("firmware", "1.27", Compare.GT)),
            firmware("1.26.0", needs("os", "1.26.0")),
            firmware("9", needs("firmware", "2.0"), after=After(expect_version="2.0")),
            pay("2.0", needs("pay", "2.0")),
            pay("2.0", needs("pay", "20000", scheme="android-code")),
            replace(pay("2.0", needs("suite", "2.0")), id="suite"),
            image("boot", "3.0", kind=ReleaseKind.BOOTLOADER, requires=[needs("bootloader", "3.0")]),
            image("aids", "3", kind=ReleaseKind.AID_CAPK, requires=[needs("aids", "3")]),
        ],
    )
    def test_it_needs_itself(self, release: Release) -> None:
        errors = [f for f in found(release) if f.severity is Severity.ERROR]
        assert [f.check for f in errors] == [Check.SELF_REQUIREMENT]
        assert "itself" in errors[0].text.text("en")

    @pytest.mark.parametrize(
        "requires",
        [
            (needs("firmware", "1.25"),),
            (needs("firmware", "1.26.0", Compare.LT),),
            (needs("firmware", "1.26.0", Compare.LE),),
            (needs("firmware", "1.26.0", Compare.NE),),
            (needs("firmware", "1.25", Compare.GT), needs("firmware", "1.26", Compare.LT)),
        ],
    )
    def test_an_older_version_to_start_from_is_no_self_requirement(self, requires: Sequence[Requirement]) -> None:
        assert "self-requirement" not in dict(checks(firmware("1.26.0", *requires)))

    def test_three_releases_that_each_need_the_one_before_are_right(self) -> None:
        assert found(pay("1.0"), pay("2.0", needs("pay", "1.0")), pay("3.0", needs("pay", "2.0"))) == []

    @pytest.mark.parametrize(
        "conflict", [Conflict("pay"), Conflict("pay", Compare.GE, "2.0"), Conflict("pay", Compare.EQ, "2")]
    )
    def test_it_conflicts_with_itself(self, conflict: Conflict) -> None:
        assert only(pay("2.0", conflicts=(conflict,))).check is Check.SELF_REQUIREMENT

    def test_firmware_that_conflicts_with_its_own_id(self) -> None:
        assert only(firmware("2.0", conflicts=(Conflict("os"),))).check is Check.SELF_REQUIREMENT

    def test_a_conflict_with_older_versions_of_itself_is_right(self) -> None:
        assert found(pay("2.0", conflicts=(Conflict("pay", Compare.LT, "1.0"),))) == []


class TestCycle:
    def test_two_that_need_each_other(self) -> None:
        finding = only(pay("2.0", needs("kernel", "7.0")), kernel("7.0", needs("pay", "2.0")))
        assert (finding.check, finding.severity) == (Check.CYCLE, Severity.ERROR)
        assert (finding.release_key, finding.others) == ("kernel@7.0", ("pay@2.0",))
        assert "kernel@7.0 → pay@2.0 → kernel@7.0" in finding.text.text("en")

    def test_firmware_and_boot_loader(self) -> None:
        boot = image("boot", "2.0", kind=ReleaseKind.BOOTLOADER, requires=[needs("firmware", "2.0")])
        assert ("cycle", "boot@2.0") in checks(boot, firmware("2.0", needs("bootloader", "2.0")))

    def test_an_older_release_outside_the_circle_opens_it(self) -> None:
        assert found(pay("1.0"), pay("2.0", needs("kernel", "7.0")), kernel("7.0", needs("pay", "1.0"))) == []

    def test_what_waits_for_a_circle_is_named_with_what_it_waits_for(self) -> None:
        circle = [pay("2.0", needs("kernel", "7.0")), kernel("7.0", needs("pay", "2.0"))]
        shop = replace(app("shop", "1.0", requires=[needs("pay", "2.0")]), **TOLD)  # type: ignore[arg-type]
        by_check = {f.check: f for f in found(*circle, shop)}
        assert by_check.keys() == {Check.CYCLE, Check.UNREACHABLE}
        assert by_check[Check.UNREACHABLE].release_key == "shop@1.0"
        assert by_check[Check.UNREACHABLE].others == ("pay@2.0",)

    def test_a_long_circle_is_named_once_from_end_to_end(self) -> None:
        names = [f"app{n}" for n in range(1, 6)]
        ring = [
            replace(app(name, "1.0", requires=[needs(then, "1.0")]), **TOLD)  # type: ignore[arg-type]
            for name, then in zip(names, [*names[1:], names[0]], strict=True)
        ]
        finding = only(*ring)
        assert finding.text.text("en").endswith("app1@1.0 → app2@1.0 → app3@1.0 → app4@1.0 → app5@1.0 → app1@1.0")
        assert len(finding.others) == 4

    def test_a_circle_of_other_models_is_none(self) -> None:
        on_x1 = pay("2.0", needs("kernel", "7.0"), provides=X1)
        on_x2 = kernel("7.0", needs("pay", "2.0"), provides=X2)
        assert checks(on_x1, on_x2) == [("prerequisite-missing", "kernel@7.0"), ("prerequisite-missing", "pay@2.0")]

    def test_a_circle_on_one_of_two_models_is_one(self) -> None:
        releases = [
            pay("1.0", provides=X1),
            pay("2.0", needs("kernel", "7.0"), provides=BOTH),
            kernel("7.0", needs("pay", "1.0"), provides=BOTH),
        ]
        assert checks(*releases) == [("cycle", "kernel@7.0")]


class TestPrerequisite:
    def test_it_is_named_with_what_is_missing(self) -> None:
        finding = only(pay("1.0", needs("firmware", "2.1"), needs("firmware", "3", Compare.LT)), firmware("2.0"))
        assert (finding.check, finding.severity) == (Check.PREREQUISITE_MISSING, Severity.WARNING)
        assert "firmware 2.1 or newer; firmware older than 3" in finding.text.text("en")

    @pytest.mark.parametrize(
        "needed",
        [
            needs("firmware", "2.0"),
            needs("firmware", "3", Compare.LT),  # asks for nothing to be installed
            needs("os", "2.0"),
            needs("kernel", "7.0", Compare.EQ),
            needs("kernel", "70000", Compare.EQ, scheme="android-code"),
        ],
    )
    def test_what_the_bundle_brings_is_not_missing(self, needed: Requirement) -> None:
        assert found(pay("1.0", needed), firmware("2.0"), kernel("7.0")) == []

    def test_brought_for_one_model_only(self) -> None:
        finding = only(pay("1.0", needs("kernel", "7.0"), provides=BOTH), kernel("7.0", provides=X2))
        assert finding.check is Check.PREREQUISITE_MISSING
        assert finding.text.text("en").startswith("On acme/X1: ")

    def test_the_step_before_is_not_in_the_bundle(self) -> None:
        assert checks(pay("1.0"), pay("3.0", needs("pay", "2.0"))) == [("prerequisite-missing", "pay@3.0")]

    def test_a_newer_release_is_no_step_before(self) -> None:
        assert checks(firmware("3.0"), firmware("2.0", needs("firmware", "1.0"))) == [
            ("prerequisite-missing", "os@2.0")
        ]


class TestUnreachable:
    @pytest.mark.parametrize(
        "release",
        [
            pay("1.0", needs("firmware", "3"), needs("firmware", "2", Compare.LT)),
            pay("1.0", needs("firmware", "3"), needs("os", "2", Compare.LT)),
            pay("1.0", needs("kernel", "3", Compare.EQ), needs("kernel", "3", Compare.NE)),
            pay("1.0", needs("kernel", "7"), conflicts=(Conflict("kernel"),)),
            pay("1.0", needs("kernel", "7"), conflicts=(Conflict("kernel", Compare.GE, "7"),)),
            pay("1.0", conflicts=(Conflict("os"),)),
            pay("1.0", conflicts=(Conflict("os", Compare.GE, "0"),)),
            pay("1.0", blocked_hw=(BlockedHardware("A", "x"),), provides=(Provides("acme", "X1", ("A",)),)),
            pay("1.0", Requirement("sdk", Compare.LT, "22")),
            pay("1.0", Requirement("sdk", Compare.GE, "29"), Requirement("sdk", Compare.LT, "29")),
            pay("1.0", Requirement("sdk", Compare.GE, "10.0")),
            pay("1.0", Requirement("abi", Compare.EQ, "x86"), Requirement("abi", Compare.NE, "x86,x86_64")),
            pay("1.0", Requirement("abi")),
            pay("1.0", Requirement("battery", Compare.LT, percent=10)),
            pay("1.0", Requirement("battery", Compare.GT, percent=100)),
            pay("1.0", Requirement("battery", percent=80), Requirement("battery", Compare.LE, percent=50)),
            pay("1.0", Requirement("free-storage", Compare.LT, bytes=1_000_000)),
            pay("1.0", Requirement("tool", version="one")),
            pay("1.0", Requirement("tool", version="2"), Requirement("tool", Compare.LT, "2")),
            pay("1.0", Requirement("firmware")),
            pay("1.0", Requirement("component", id="kernel")),
        ],
    )
    def test_no_state_of_a_terminal_opens_its_gates(self, release: Release) -> None:
        findings = found(release, firmware("9.0"), firmware("1.0"), kernel("7.5"), kernel("3.0"))
        assert [(f.check.value, f.release_key) for f in findings if f.severity is Severity.ERROR] == [
            ("unreachable", "pay@1.0")
        ]

    @pytest.mark.parametrize(
        "release",
        [
            pay("1.0", needs("firmware", "2"), needs("firmware", "3", Compare.LT)),
            pay("1.0", conflicts=(Conflict("kernel"),)),
            pay("1.0", needs("kernel", "7"), conflicts=(Conflict("kernel", Compare.GE, "8"),)),
            pay("1.0", conflicts=(Conflict("os", Compare.LT, "1.5"),)),
            pay("1.0", blocked_hw=(BlockedHardware("A", "x"),)),
            pay("1.0", blocked_hw=(BlockedHardware("A", "x"),), provides=(Provides("acme", "X1", ("A", "B")),)),
            pay("1.0", Requirement("sdk", Compare.LE, "22")),
            pay("1.0", Requirement("abi", Compare.EQ, "x86,arm64-v8a"), Requirement("abi", Compare.NE, "x86")),
            pay("1.0", Requirement("battery", Compare.LE, percent=15)),
            pay("1.0", Requirement("battery", Compare.GE, percent=100)),
            pay("1.0", Requirement("free-storage", Compare.LE, bytes=1_100_000)),
            pay("1.0", Requirement("tool", version="2.0.dev1")),
            pay("1.0", Requirement("no-open-batch"), Requirement("external-power")),
        ],
    )
    def test_what_some_terminal_meets_is_right(self, release: Release) -> None:
        assert [f for f in found(release, firmware("2.0"), kernel("7.0")) if f.severity is Severity.ERROR] == []

    def test_the_processors_of_its_package_against_its_own_rule(self) -> None:
        facts = ApkFacts("pay", "1.0", 10000, 22, ("armeabi-v7a",), SIGNER)
        release = replace(app("pay", "1.0", facts=facts), **TOLD)  # type: ignore[arg-type]
        assert found(release) == []
        closed = replace(release, requires=(Requirement("abi", Compare.NE, "armeabi-v7a"),))
        assert only(closed).check is Check.UNREACHABLE

    def test_what_the_terminal_will_show_can_never_be_compared(self) -> None:
        shown = After(expect_version="PayDroid 10")
        assert only(firmware("2.0", after=shown)).check is Check.UNREACHABLE
        assert found(pay("2.0", after=shown)) == [], "a package is compared by its code"
        dated = {"version_format": "dotted-date", "after": After(expect_version="PayDroid_10_V1.01_20241205")}
        assert found(firmware("P_2.0", **dated)) == []


class TestWays:
    """From a version that the lab tested from to the newest release."""

    def test_the_step_between_is_missing(self) -> None:
        newest = firmware("4.0", needs("firmware", "3.0"), **lab("3.0", "1.0"))
        steps = [firmware("3.0", needs("firmware", "2.0")), firmware("2.0", needs("firmware", "1.0"))]
        assert [f for f in found(newest, *steps) if f.severity is Severity.ERROR] == []
        finding = next(f for f in found(newest, steps[0]) if f.severity is Severity.ERROR)
        assert (finding.check, finding.release_key) == (Check.UNREACHABLE, "os@4.0")
        text = finding.text.text("en")
        assert text.startswith("There is no way to it from 1.0 on acme/X1")
        assert "firmware 3.0 or newer" in text

    def test_the_same_of_an_application(self) -> None:
        newest = pay("4.0", needs("pay", "3.0"), **lab("3.0", "1.0"))
        assert checks(newest, pay("3.0", needs("pay", "1.0"))) == [("prerequisite-missing", "pay@3.0")]
        assert ("unreachable", "pay@4.0") in checks(newest, pay("3.0", needs("pay", "2.0")))

    def test_a_needed_component_that_cannot_come(self) -> None:
        """The kernel comes only from 6.0 on, and the application only without anything older than it."""
        newest = pay("2.0", needs("kernel", "7.0"), **lab("1.0"))
        good = kernel("7.0", conflicts=(Conflict("pay", Compare.LT, "1.0"),))
        assert found(newest, good) == []
        bad = kernel("7.0", conflicts=(Conflict("pay", Compare.LT, "2.0"),))
        assert checks(newest, bad) == [("unreachable", "pay@2.0")]

    def test_what_no_release_brings_is_taken_as_there(self) -> None:
        newest = pay("2.0", needs("kernel", "7.0"), needs("bootloader", "4"), **lab("1.0"))
        assert {check for check, _key in checks(newest)} == {"prerequisite-missing"}

    @pytest.mark.parametrize(
        "change",
        [
            lab("1.0", result="failed"),
            lab("1.0", model="X7"),
            lab(),
            lab("4.0"),  # itself, tried again
        ],
    )
    def test_no_promise_no_finding(self, change: dict[str, object]) -> None:
        newest = firmware("4.0", needs("firmware", "3.0"), **change)
        assert checks(newest) == [("prerequisite-missing", "os@4.0")]

    def test_only_the_newest_of_its_id_is_asked_for(self) -> None:
        former = firmware("4.0", needs("firmware", "3.0"), **lab("1.0"))
        assert checks(former, firmware("5.0")) == [("prerequisite-missing", "os@4.0")]

    def test_tested_from_something_newer(self) -> None:
        assert only(firmware("4.0", **lab("5.0"))).check is Check.UNREACHABLE
        assert only(pay("4.0", **lab("5.0"))).check is Check.UNREACHABLE

    def test_tested_on_hardware_that_it_is_not_made_for(self) -> None:
        provides = (Provides("acme", "X1", ("B",)),)
        assert found(firmware("4.0", provides=provides, **lab("3.0", revision="B"))) == []
        assert only(firmware("4.0", provides=provides, **lab("3.0", revision="C"))).check is Check.UNREACHABLE

    def test_versions_of_another_line(self) -> None:
        dated = {"version_format": "dotted-date"}
        assert found(firmware("A_2.0", **dated, **lab("A_1.0"))) == []
        assert only(firmware("A_2.0", **dated, **lab("B_1.0"))).check is Check.UNREACHABLE

    def test_parameters_are_not_asked_for(self) -> None:
        release = image("aids", "4", kind=ReleaseKind.AID_CAPK)
        assert found(replace(release, **TOLD, **lab("5"))) == []  # type: ignore[arg-type]

    def test_a_release_of_several_packages_goes_to_the_planner(self) -> None:
        main, extra = apk("pay", "3.0"), apk("plugin", "3.0")
        files = tuple(ReleaseFile("apk", f"acme/{a.id}.apk", 1000, "0" * 64, a) for a in (main, extra))
        newest = replace(pay("3.0", needs("pay", "2.0"), **lab("1.0")), files=files)
        assert ("unreachable", "pay@3.0") in checks(newest)
        assert found(newest, pay("2.0")) == []


class TestNames:
    def test_a_rule_that_nobody_knows(self) -> None:
        finding = only(pay("1.0", Requirement("moon-phase"), Requirement("battery", percent=30)))
        assert (finding.check, finding.severity) == (Check.UNKNOWN_RULE, Severity.ERROR)
        assert "moon-phase" in finding.text.text("en")
        assert "no-open-batch" in finding.remedy.text("en")

    def test_a_recommendation_that_nobody_knows(self) -> None:
        assert only(pay("1.0", recommends=(Requirement("batery"),))).check is Check.UNKNOWN_RULE

    def test_models(self) -> None:
        some = only(pay("1.0", provides=(Provides("acme", "X1"), Provides("acme", "X9"))))
        assert (some.check, some.severity) == (Check.UNKNOWN_MODEL_SOME, Severity.WARNING)
        assert "acme/X9" in some.text.text("en")
        assert "acme/X1, acme/X2" in some.remedy.text("en")
        none = only(pay("1.0", provides=(Provides("acme", "x1"),)))
        assert (none.check, none.severity) == (Check.UNKNOWN_MODEL, Severity.ERROR)
        stranger = only(pay("1.0", provides=(Provides("acne", "X1"),)))
        assert "acme, beta" in stranger.remedy.text("en")
        assert only(pay("1.0", provides=())).check is Check.UNKNOWN_MODEL


class TestDuplicate:
    def test_one_id_and_version_twice(self) -> None:
        assert only(pay("1.0"), pay("1.0", text={"en": "Other", "zh": "其他"})).check is Check.DUPLICATE

    def test_one_id_of_two_publishers(self) -> None:
        theirs = pay("2.0")
        theirs = replace(theirs, files=tuple(replace(f, target=f"beta/{f.target}") for f in theirs.files))
        finding = only(pay("1.0"), theirs)
        assert (finding.check, finding.release_key, finding.others) == (Check.DUPLICATE, "pay@1.0", ("pay@2.0",))
        assert "acme, beta" in finding.text.text("en")
        same = replace(theirs, version="1.0")
        assert {check for check, _key in checks(pay("1.0"), same)} == {"duplicate"}

    def test_two_names_for_one_content(self) -> None:
        twin = replace(pay("1.0"), id="pay-again")
        finding = only(pay("1.0"), twin)
        assert (finding.check, finding.severity) == (Check.SAME_CONTENT, Severity.WARNING)
        assert (finding.release_key, finding.others) == ("pay@1.0", ("pay-again@1.0",))

    def test_one_content_for_different_terminals_is_right(self) -> None:
        for mine, theirs in [
            (Provides("acme", "X1"), Provides("acme", "X2")),
            (Provides("acme", "X1", ("A",)), Provides("acme", "X1", ("B",))),
            (Provides("acme", "X1", (), ("EU",)), Provides("acme", "X1", (), ("CN",))),
        ]:
            twin = replace(pay("1.0", provides=(theirs,)), id="pay-again")
            assert found(pay("1.0", provides=(mine,)), twin) == []


class TestOrder:
    def test_one_version_written_twice(self) -> None:
        finding = only(firmware("2.0"), firmware("2.0.0"))
        assert (finding.check, finding.others) == (Check.UNORDERED, ("os@2.0.0",))
        assert "mean the same" in finding.text.text("en")

    def test_two_lines_of_one_id(self) -> None:
        line = {"version_format": "dotted-date"}
        assert only(firmware("A_1.0", **line), firmware("B_2.0", **line)).check is Check.UNORDERED
        apart = [firmware("A_1.0", **line, provides=X1), firmware("B_2.0", **line, provides=X2)]
        assert found(*apart) == []

    def test_two_schemes_of_one_id(self) -> None:
        assert only(firmware("1.0"), firmware("2.0.0", version_format="semver")).check is Check.UNORDERED

    def test_packages_are_ordered_by_their_codes(self) -> None:
        line = {"version_format": "android-code"}
        assert found(pay("1.0", **line), replace(pay("2.0", **line), version="Sagittarius")) == []
        same_code = replace(app("pay", "1.1", facts=apk("pay", "1.1", 10000)), **TOLD, version_format="opaque")  # type: ignore[arg-type]
        assert only(pay("1.0", version_format="opaque"), same_code).check is Check.UNORDERED

    def test_of_very_many_only_neighbours_are_compared_and_nothing_is_lost(self) -> None:
        many = [pay(f"1.{n}") for n in range(1, 130)]
        assert found(*many) == []
        odd = replace(many[60], version="1.61.0")
        assert only(*many, odd).check is Check.UNORDERED

    @pytest.mark.parametrize(
        "release",
        [
            firmware("Sagittarius"),
            firmware("2.0", version_format="lunar"),
            firmware("2.0", version_format="opaque"),
            pay("1.0 beta"[:3], version_format="semver"),
            pay("1.0", needs("firmware", "A920_V1.01")),
            pay("1.0", needs("firmware", "2.0", scheme="lunar")),
            pay("1.0", needs("firmware", "Sagittarius", scheme="opaque")),
            pay("1.0", needs("kernel", "7.1", scheme="android-code")),
            pay("1.0", recommends=(needs("kernel", "seven"),)),
            pay("1.0", conflicts=(Conflict("kernel", Compare.LT, "seven"),)),
            pay("1.0", conflicts=(Conflict("kernel", Compare.LT),)),
            pay("1.0", rollback=Rollback(lowest="first")),
        ],
    )
    def test_versions_that_their_scheme_cannot_order(self, release: Release) -> None:
        errors = [f for f in found(release) if f.severity is Severity.ERROR]
        assert [f.check for f in errors] == [Check.UNORDERED]

    @pytest.mark.parametrize(
        "release",
        [
            firmware("A920_PayDroid_10.0.0_Sagittarius_V1.01_20241205", version_format="dotted-date"),
            pay("1.0", version_format="android-code"),  # as “bundle add” does where a version name has no order
            image("aids", "autumn", kind=ReleaseKind.AID_CAPK, requires=()),
            pay("1.0", needs("kernel", "70000", scheme="android-code")),
            pay("1.0", needs("firmware", "Sagittarius", Compare.EQ, scheme="opaque")),
            pay("1.0", rollback=Rollback(lowest="0.9")),
        ],
    )
    def test_versions_that_need_no_more_order_than_they_have(self, release: Release) -> None:
        release = replace(release, version_format="opaque") if release.id == "aids" else release
        assert [f for f in found(release) if f.severity is Severity.ERROR] == []

    def test_a_rule_that_reads_another_scheme(self) -> None:
        named = firmware("A920_V2.0_20240101", version_format="dotted-date")
        finding = next(f for f in found(pay("1.0", needs("firmware", "2.0")), named) if f.severity is Severity.ERROR)
        assert (finding.check, finding.others) == (Check.UNORDERED, ("os@A920_V2.0_20240101",))
        right = needs("firmware", "A920_V1.0_20230101", scheme="dotted-date")
        assert found(pay("1.0", right), named) == []

    def test_another_scheme_that_can_be_read_all_the_same(self) -> None:
        newest = kernel("7.1.0", version_format="semver")
        assert found(pay("1.0", needs("kernel", "7.0")), newest) == []


class TestTold:
    def test_texts(self) -> None:
        assert only(pay("1.0", text={"en": "x", "zh": " "})).text.text("en").endswith("zh")
        finding = only(pay("1.0", text={}))
        assert (finding.check, finding.severity) == (Check.TEXT_MISSING, Severity.WARNING)
        assert finding.text.text("en").endswith("en, zh")

    def test_duration(self) -> None:
        assert only(pay("1.0", install_duration_s=0)).check is Check.NO_DURATION

    def test_a_package_without_a_code(self) -> None:
        release = app("pay", "1.0", facts=apk("pay", "1.0", 0))
        assert only(replace(release, **TOLD)).check is Check.NO_CODE  # type: ignore[arg-type]

    def test_firmware_that_nobody_tested(self) -> None:
        assert only(firmware("2.0", tested_on=())).check is Check.NO_TESTS


class TestLarge:
    @pytest.mark.slow
    @pytest.mark.timeout(60)
    def test_two_thousand_releases_are_a_matter_of_seconds(self) -> None:
        """Two seconds here; comparing all of them with all, or planning for each, would take many minutes."""
        releases = [firmware(f"{n}.0", *([needs("firmware", f"{n - 1}.0")] if n > 1 else [])) for n in range(1, 11)]
        for name in range(199):
            for n in range(1, 11):
                rules = [needs("firmware", "3.0"), needs(f"app{name}", f"{n - 1}.0")][: 2 if n > 1 else 1]
                rules += [needs(f"app{name - 1}", f"{n}.0")] if name % 4 else []
                made = app(f"app{name}", f"{n}.0", requires=rules)
                releases.append(replace(made, **{**TOLD, **lab("1.0", "7.0")}))  # type: ignore[arg-type]
        assert len(releases) == 2000
        assert found(*releases) == []


class TestShape:
    def test_all_findings_in_a_fixed_order_errors_first(self) -> None:
        worst = app("pay", "2.0", requires=[needs("pay", "2.0"), Requirement("moon-phase")])
        other = app("shop", "1.0")
        expected = [
            ("self-requirement", "pay@2.0"),
            ("unknown-rule", "pay@2.0"),
            ("text-missing", "pay@2.0"),
            ("no-duration", "pay@2.0"),
            ("text-missing", "shop@1.0"),
            ("no-duration", "shop@1.0"),
        ]
        assert checks(worst, other) == checks(other, worst) == expected

    def test_every_finding_says_what_to_do_in_words(self) -> None:
        worst = app("pay", "2.0", requires=[needs("pay", "2.0"), Requirement("moon-phase")])
        for finding in found(worst):
            assert "{" not in finding.text.text("en") + finding.remedy.text("en")
            assert finding.remedy.text("en")

    @pytest.mark.parametrize(
        ("rule", "said"),
        [
            (Requirement("component", version="1"), "lacks “id”"),
            (Requirement("component", id="kernel"), "lacks “version”"),
            (Requirement("component"), "lacks “id”, “version”"),
            (Requirement("firmware"), "lacks “version”"),
            (Requirement("sdk"), "lacks “version”"),
            (Requirement("sdk", version="ten"), "“ten”"),
            (Requirement("tool", version="new"), "“new”"),
            (Requirement("abi", version=" , "), "lacks “version”"),
        ],
    )
    def test_the_field_that_is_wrong_is_named(self, rule: Requirement, said: str) -> None:
        finding = next(f for f in found(pay("1.0", rule)) if f.check is Check.UNREACHABLE)
        assert said in finding.text.text("en")
        assert rule.what in finding.remedy.text("en")

    def test_a_need_without_a_version_has_a_name(self) -> None:
        texts = [f.text.text("en") for f in found(pay("1.0", Requirement("component", id="kernel")))]
        assert any("no release here brings: kernel." in text for text in texts)

    def test_the_fields_of_every_rule_are_known(self) -> None:
        assert RULE_FIELDS.keys() == KNOWN_RULES
        names = {field.name for field in fields(Requirement)}
        assert all(names.issuperset(wanted) for wanted in RULE_FIELDS.values())

    def test_one_release_is_told_what_concerns_it(self) -> None:
        releases = [
            pay("2.0", needs("kernel", "7.0")),
            kernel("7.0", needs("pay", "2.0")),
            replace(app("shop", "1.0"), text={}),
            firmware("2.0"),
            firmware("2.0.0"),
        ]
        for release in releases:
            alone = lint_one(releases, release.key, MODELS, KNOWN_RULES)
            assert list(alone) == [f for f in found(*releases) if f.concerns({release.key})]
            assert alone
        assert lint_one(releases, "nobody@1", MODELS, KNOWN_RULES) == ()


class TestInstall:
    REACH = Reach(
        {("acme", "X1"): frozenset({"apk"}), ("acme", "X2"): frozenset({"apk"}), ("beta", "Z9"): frozenset({"image"})},
        Policy(ways=(Way("image", {"en": "Acme's loader.", "zh": "Acme 工具。"}, vendor="acme"),)),
    )

    def roles(self, release: Release) -> list[LintFinding]:
        findings = lint([release], MODELS, KNOWN_RULES, self.REACH)
        return [finding for finding in findings if finding.check is Check.FILE_ROLE]

    def test_files_that_no_connection_brings(self) -> None:
        (finding,) = self.roles(firmware("2.0", provides=BOTH))
        assert finding.severity is Severity.WARNING
        assert "(image) on: acme/X1, acme/X2" in finding.text.text("en")
        assert finding.remedy.text("en") == "Acme's loader."

    def test_each_vendor_has_its_way(self) -> None:
        reach = replace(self.REACH, roles={**self.REACH.roles, ("beta", "Z9"): frozenset()})
        release = firmware("2.0", provides=(*X1, Provides("beta", "Z9")))
        found = [f for f in lint([release], MODELS, KNOWN_RULES, reach) if f.check is Check.FILE_ROLE]
        ways = {f.text.text("en").rpartition(" ")[2]: f.remedy.text("en") for f in found}
        assert ways["acme/X1"] == "Acme's loader."
        assert "maker's own way" in ways["beta/Z9"]

    def test_what_can_be_installed_or_is_not_known(self) -> None:
        assert self.roles(pay()) == []
        assert self.roles(firmware("2.0", provides=(Provides("beta", "Z9"),))) == []
        assert self.roles(firmware("2.0", provides=(Provides("none", "N1"),))) == []

    def signed(self, version: str, signer: str, models: tuple[Provides, ...] = X1) -> Release:
        return replace(
            app("pay", version, facts=apk("pay", version, signer=signer)),
            text={"en": "x", "zh": "x"},
            install_duration_s=60,
            provides=models,
        )

    def test_another_signer(self) -> None:
        old, older, new = self.signed("1.1", SIGNER), self.signed("1.0", SIGNER), self.signed("2.0", OTHER_SIGNER)
        finding = only(new, old, older)
        assert (finding.check, finding.severity) == (Check.SIGNER_CHANGE, Severity.WARNING)
        assert (finding.release_key, finding.others) == ("pay@2.0", ("pay@1.0", "pay@1.1"))
        assert OTHER_SIGNER[:8] in finding.text.text("en")
        assert SIGNER[:8] in finding.text.text("en")

    def test_the_same_signer_and_other_models(self) -> None:
        assert found(self.signed("1.0", SIGNER), self.signed("2.0", SIGNER.upper())) == []
        assert found(self.signed("1.0", SIGNER, X1), self.signed("2.0", OTHER_SIGNER, X2)) == []

    def test_it_is_told_of_each_that_takes_part(self) -> None:
        releases = [self.signed("1.0", SIGNER), self.signed("2.0", OTHER_SIGNER), self.signed("3.0", OTHER_SIGNER)]
        for release in releases:
            told = lint_one(releases, release.key, MODELS, KNOWN_RULES)
            assert Check.SIGNER_CHANGE in {finding.check for finding in told}
