from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.domain.question import AnswerKind, questions
from techtool.domain.release import BlockedHardware, Compare, Conflict, Provides, Release, Requirement
from techtool.domain.rules import Environment, Force, Verdict, evaluate
from techtool.domain.terminal import BatchState, Battery, TamperState, TerminalState
from tests.unit.domain.build import (
    ANY_ROLE,
    IDENTITY,
    OTHER_SIGNER,
    TERMINAL,
    TOOL,
    apk,
    app,
    image,
    package,
    verdicts,
    with_firmware,
    with_packages,
)

PAY = app("com.acme.pay", "1.5.0")


def one(
    release: Release, what: str, terminal: TerminalState = TERMINAL, environment: Environment = TOOL, nth: int = 0
) -> Verdict:
    """The nth verdict of a kind; a failing one always says what to do, an open one never has a remedy."""
    verdict = verdicts(release, what, terminal, environment)[nth]
    assert (verdict.remedy is None) == verdict.ok
    assert verdict.reason.text("en")
    return verdict


def closed(verdict: Verdict) -> bool:
    return not verdict.ok and verdict.force is Force.GATE


def needs(**fields: object) -> Release:
    return app("com.acme.pay", "1.5.0", requires=[Requirement(**fields)])  # type: ignore[arg-type]


def likes(**fields: object) -> Release:
    return app("com.acme.pay", "1.5.0", recommends=[Requirement(**fields)])  # type: ignore[arg-type]


def identity(**fields: object) -> TerminalState:
    return replace(TERMINAL, identity=replace(IDENTITY, **fields))  # type: ignore[arg-type]


def test_a_plain_release_fits_a_plain_terminal() -> None:
    assert all(verdict.ok for verdict in evaluate(PAY, TERMINAL, TOOL))


def test_every_rule_is_evaluated_none_stops_at_the_first_failure() -> None:
    bad = replace(
        TERMINAL,
        identity=replace(IDENTITY, model="Z9", serial_trusted=False, sdk=19, abis=("x86",)),
        battery=Battery(5, external_power=False),
        free_storage_bytes=0,
        tamper=TamperState.TAMPERED,
        batch=BatchState.OPEN,
        packages=(package("com.acme.pay", "2.0.0", signer=OTHER_SIGNER),),
    )
    release = replace(
        app(
            "com.acme.pay",
            "1.5.0",
            requires=[
                Requirement("firmware", version="3.0"),
                Requirement("no-open-batch"),
                Requirement("flux-capacitor"),
            ],
            conflicts=[Conflict("com.acme.pay")],
            facts=replace(apk("com.acme.pay", "1.5.0"), abis=("arm64-v8a",)),
        ),
        erases_data=True,
    )
    failed = {verdict.what for verdict in evaluate(release, bad, TOOL) if not verdict.ok}
    assert failed == {
        "model",
        "serial",
        "tamper",
        "installed-version",
        "signer",
        "sdk",
        "abi",
        "firmware",
        "no-open-batch",
        "flux-capacitor",
        "conflict",
        "battery",
        "free-storage",
        "erases-data",
    }


# -- fit --------------------------------------------------------------------------------------------------------------


def test_model() -> None:
    assert one(PAY, "model").ok
    other = one(PAY, "model", identity(model="X2", model_name="X2"))
    assert closed(other)
    assert other.reason.text("en") == "Made for acme X1; this is Acme X2."
    assert closed(one(PAY, "model", identity(vendor="bolt")))


def test_hardware_revision() -> None:
    release = replace(PAY, provides=(Provides("acme", "X1", hw_revisions=("B", "C")),))
    assert one(PAY, "hw-revision").ok
    assert one(release, "hw-revision").ok
    assert closed(one(release, "hw-revision", identity(hw_revision="A")))


def test_region() -> None:
    release = replace(PAY, provides=(Provides("acme", "X1", regions=("EU",)),))
    assert one(release, "region").ok
    assert closed(one(release, "region", replace(TERMINAL, region="CN")))


def test_revision_and_region_fit_in_one_entry() -> None:
    pairs = (Provides("acme", "X1", ("B",), ("EU",)), Provides("acme", "X1", ("C",), ("CN",)))
    release = replace(PAY, provides=pairs)
    assert one(release, "region").ok
    assert one(release, "hw-revision").ok
    crossed = replace(identity(hw_revision="C"), region="EU")
    assert closed(one(release, "hw-revision", crossed))


def test_one_question_where_the_terminal_tells_neither_revision_nor_region() -> None:
    pairs = (Provides("acme", "X1", ("B",), ("EU",)), Provides("acme", "X1", ("C",), ("CN",)))
    release = replace(PAY, provides=pairs)
    silent = replace(identity(hw_revision=None), region=None)
    asked = questions(evaluate(release, silent, TOOL))
    assert [q.id for q in asked] == ["check.made-for.B EU|C CN"]
    yes = replace(TOOL, answers={asked[0].id: True})
    assert one(release, "hw-revision", silent, yes).ok
    assert one(release, "region", silent, yes).ok
    assert one(replace(PAY, provides=(*pairs, Provides("acme", "X1"))), "hw-revision", silent).ok


def test_an_unknown_region_is_asked_for_the_entries_of_the_known_revision() -> None:
    pairs = (Provides("acme", "X1", ("B",), ("EU",)), Provides("acme", "X1", ("C",), ("CN",)))
    release = replace(PAY, provides=pairs)
    assert one(release, "region", replace(TERMINAL, region=None)).ask == "check.region.EU"
    assert one(release, "hw-revision", identity(hw_revision=None)).ask == "check.hw-revision.B"


def test_blocked_hardware() -> None:
    release = replace(PAY, blocked_hw=(BlockedHardware("A", "no-secure-boot"),))
    assert one(release, "blocked-hardware").ok
    blocked = one(release, "blocked-hardware", identity(hw_revision="A"))
    assert closed(blocked)
    assert "no-secure-boot" in blocked.reason.text("en")
    assert one(release, "blocked-hardware", identity(hw_revision=None)).ask == "check.hw-not.A"


def test_file_roles() -> None:
    firmware = image("acme.os", "2.4.0")
    assert closed(one(firmware, "file-role"))
    assert one(firmware, "file-role", environment=ANY_ROLE).ok
    assert closed(one(replace(PAY, files=()), "file-role"))


# -- state ------------------------------------------------------------------------------------------------------------


def test_an_untrusted_serial_number_is_a_warning() -> None:
    verdict = one(PAY, "serial", identity(serial_trusted=False, serial="0123456789ABCDEF"))
    assert not verdict.ok
    assert verdict.force is Force.WARNING
    assert "0123456789ABCDEF" in verdict.reason.text("en")


def test_tamper() -> None:
    assert one(PAY, "tamper").ok
    assert closed(one(PAY, "tamper", replace(TERMINAL, tamper=TamperState.TAMPERED)))
    silent = replace(TERMINAL, tamper=None)
    assert one(PAY, "tamper", silent).ask == "inspect.tamper"
    assert one(PAY, "tamper", silent, replace(TOOL, answers={"inspect.tamper": True})).ok
    no = one(PAY, "tamper", silent, replace(TOOL, answers={"inspect.tamper": False}))
    assert closed(no)
    assert not no.ask


@pytest.mark.parametrize(
    ("percent", "external_power", "ok"),
    [(30, False, True), (29, False, False), (15, True, True), (14, True, False)],
)
def test_the_general_battery_minimum(percent: int, external_power: bool, ok: bool) -> None:
    verdict = one(PAY, "battery", replace(TERMINAL, battery=Battery(percent, external_power)))
    assert verdict.ok is ok
    assert f"Battery {percent} %" in verdict.reason.text("en")


def test_the_general_minima_hold_only_where_the_terminal_tells() -> None:
    silent = replace(TERMINAL, battery=None, free_storage_bytes=None)
    assert one(PAY, "battery", silent).ok
    assert one(PAY, "free-storage", silent).ok
    assert not questions(evaluate(PAY, silent, TOOL))


@pytest.mark.parametrize(("free", "ok"), [(1_100_000, True), (1_099_999, False)])
def test_storage_needs_a_tenth_more_than_the_files(free: int, ok: bool) -> None:
    assert one(PAY, "free-storage", replace(TERMINAL, free_storage_bytes=free)).ok is ok


def test_erasing_needs_a_settled_batch() -> None:
    release = replace(PAY, erases_data=True)
    assert one(release, "erases-data").ok
    assert closed(one(release, "erases-data", replace(TERMINAL, batch=BatchState.OPEN)))
    assert one(release, "erases-data", replace(TERMINAL, batch=None)).ask == "check.batch"
    assert not verdicts(PAY, "erases-data", replace(TERMINAL, batch=BatchState.OPEN))


# -- packages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("installed", "ok", "said"),
    [
        (None, True, "com.acme.pay is not installed yet; this brings 1.5.0 (10500)."),
        ("1.4.0", True, "com.acme.pay 1.4.0 (10400) is installed; this brings 1.5.0 (10500)."),
        ("1.5.0", True, "com.acme.pay 1.5.0 (10500) is installed already."),
        ("1.6.0", False, "com.acme.pay 1.6.0 (10600) is installed, newer than 1.5.0 (10500)."),
    ],
)
def test_installed_version(installed: str | None, ok: bool, said: str) -> None:
    terminal = with_packages(package("com.acme.pay", installed)) if installed else TERMINAL
    verdict = one(PAY, "installed-version", terminal)
    assert verdict.ok is ok
    assert verdict.reason.text("en") == said


def test_android_compares_the_version_code_only() -> None:
    terminal = with_packages(package("com.acme.pay", "9.9.9", code=1))
    assert one(PAY, "installed-version", terminal).ok


def test_firmware_that_cannot_be_compared_is_not_replaced() -> None:
    release = image("acme.os", "2.4.0")
    assert one(release, "installed-version").ok
    assert closed(one(release, "installed-version", with_firmware("2.5.0")))
    assert closed(one(release, "installed-version", with_firmware("A920_PayDroid_10")))
    silent = with_firmware("")
    asked = one(release, "installed-version", silent)
    assert asked.ask == "check.installed.firmware.2.4.0"
    assert one(release, "installed-version", silent, replace(TOOL, answers={asked.ask: True})).ok


def test_parameters_that_cannot_be_read_are_a_warning() -> None:
    release = replace(image("acme.params", "7"), kind=next(k for k in type(PAY.kind) if k.value == "parameters"))
    verdict = one(release, "installed-version")
    assert not verdict.ok
    assert verdict.force is Force.WARNING


def test_signer() -> None:
    assert one(PAY, "signer").ok
    assert one(PAY, "signer", with_packages(package("com.acme.pay", "1.4.0"))).ok
    other = one(PAY, "signer", with_packages(package("com.acme.pay", "1.4.0", signer=OTHER_SIGNER)))
    assert closed(other)
    assert "cdcdcdcd" in other.reason.text("en")
    unread = one(PAY, "signer", with_packages(package("com.acme.pay", "1.4.0", signer=None)))
    assert not unread.ok
    assert unread.force is Force.WARNING


def test_minimum_api_level_of_the_package() -> None:
    assert one(PAY, "sdk", identity(sdk=22)).ok
    assert closed(one(PAY, "sdk", identity(sdk=21)))
    assert one(PAY, "sdk", identity(sdk=None)).ask == "check.sdk.ge-22"


def test_processor_of_the_package() -> None:
    native = app("com.acme.pay", "1.5.0", facts=replace(apk("com.acme.pay", "1.5.0"), abis=("arm64-v8a", "x86_64")))
    assert one(PAY, "abi", identity(abis=("mips",))).ok
    assert one(native, "abi").ok
    assert closed(one(native, "abi", identity(abis=("armeabi-v7a",))))
    assert one(native, "abi", identity(abis=())).ask == "check.abi.arm64-v8a|x86_64"


# -- requires, recommends, conflicts ----------------------------------------------------------------------------------


CASES = [
    (
        Requirement("firmware", version="2.1.0"),
        TERMINAL,
        with_firmware("2.0.9"),
        with_firmware(" "),
        "firmware.ge-2.1.0",
    ),
    (
        Requirement("bootloader", Compare.LT, "1.5"),
        TERMINAL,
        replace(TERMINAL, bootloader="1.5"),
        replace(TERMINAL, bootloader=None),
        "bootloader.lt-1.5",
    ),
    (
        Requirement("battery", percent=40),
        replace(TERMINAL, battery=Battery(40, external_power=False)),
        replace(TERMINAL, battery=Battery(39, external_power=True)),
        replace(TERMINAL, battery=None),
        "battery.ge-40",
    ),
    (
        Requirement("external-power"),
        TERMINAL,
        replace(TERMINAL, battery=Battery(80, external_power=False)),
        replace(TERMINAL, battery=None),
        "external-power",
    ),
    (
        Requirement("free-storage", bytes=50_000_000),
        replace(TERMINAL, free_storage_bytes=50_000_000),
        replace(TERMINAL, free_storage_bytes=49_999_999),
        replace(TERMINAL, free_storage_bytes=None),
        "free-storage.ge-50000000",
    ),
    (
        Requirement("no-open-batch"),
        TERMINAL,
        replace(TERMINAL, batch=BatchState.OPEN),
        replace(TERMINAL, batch=None),
        "batch",
    ),
    (Requirement("sdk", version="29"), TERMINAL, identity(sdk=28), identity(sdk=None), "sdk.ge-29"),
    (Requirement("abi", version="arm64-v8a"), TERMINAL, identity(abis=("x86",)), identity(abis=()), "abi.arm64-v8a"),
]


@pytest.mark.parametrize(("rule", "good", "bad", "silent", "asked"), CASES, ids=[case[0].what for case in CASES])
def test_requirements_both_ways_and_asked(
    rule: Requirement, good: TerminalState, bad: TerminalState, silent: TerminalState, asked: str
) -> None:
    release = app("com.acme.pay", "1.5.0", requires=[rule])

    def judged(terminal: TerminalState, environment: Environment = TOOL) -> Verdict:
        at = {"sdk": 1, "abi": 1}.get(rule.what, 0)
        return one(release, rule.what, terminal, environment, at)

    assert judged(good).ok
    assert closed(judged(bad))
    open_question = judged(silent)
    assert closed(open_question)
    assert open_question.ask == f"check.{asked}"
    assert judged(silent, replace(TOOL, answers={open_question.ask: True})).ok
    refused = judged(silent, replace(TOOL, answers={open_question.ask: False}))
    assert closed(refused)
    assert not refused.ask
    # The terminal's own word is not overruled by an answer.
    assert closed(judged(bad, replace(TOOL, answers={open_question.ask: True})))


@pytest.mark.parametrize(("rule", "good", "bad", "silent", "asked"), CASES, ids=[case[0].what for case in CASES])
def test_recommendations_are_warnings_and_never_asked(
    rule: Requirement, good: TerminalState, bad: TerminalState, silent: TerminalState, asked: str
) -> None:
    release = app("com.acme.pay", "1.5.0", recommends=[rule])
    yes = replace(TOOL, answers={f"check.{asked}": True})
    assert one(release, rule.what, good, nth=-1).ok
    for terminal in (bad, silent):
        verdict = one(release, rule.what, terminal, yes, -1)
        assert not verdict.ok
        assert verdict.force is Force.WARNING
        assert not verdict.ask


def test_numbers_stand_in_the_reason() -> None:
    low = replace(TERMINAL, battery=Battery(22, external_power=False))
    verdict = one(needs(what="battery", percent=40), "battery", low)
    assert verdict.reason.text("en") == "Battery 22 %, needs 40 % or more (adapter not connected)."
    assert verdict.remedy is not None
    assert verdict.remedy.text("en") == "Connect the adapter and let it charge to 40 %, then check again."


def test_battery_and_adapter_are_two_facts() -> None:
    release = app("com.acme.pay", "1.5.0", requires=[Requirement("battery", percent=40), Requirement("external-power")])
    full_unplugged = replace(TERMINAL, battery=Battery(100, external_power=False))
    assert one(release, "battery", full_unplugged).ok
    assert closed(one(release, "external-power", full_unplugged))


def test_components() -> None:
    release = needs(what="component", id="com.acme.kernel", version="7.0")
    absent = one(release, "component")
    assert closed(absent)
    assert "is not installed" in absent.reason.text("en")
    assert closed(one(release, "component", with_packages(package("com.acme.kernel", "6.9.0"))))
    assert one(release, "component", with_packages(package("com.acme.kernel", "7.0.0"))).ok
    strange = one(release, "component", with_packages(package("com.acme.kernel", "7.0.0-beta", code=70000)))
    assert closed(strange)
    assert "cannot be compared" in strange.reason.text("en")


def test_components_by_version_code() -> None:
    release = needs(what="component", id="com.acme.kernel", version="70000", version_format="android-code")
    assert one(release, "component", with_packages(package("com.acme.kernel", "whatever", code=70001))).ok
    assert closed(one(release, "component", with_packages(package("com.acme.kernel", "whatever", code=69999))))


def test_components_by_release_id() -> None:
    firmware = image("acme.os", "2.4.0")
    release = needs(what="component", id="acme.os", version="2.1.0")
    known = (release, firmware)
    assert next(v for v in evaluate(release, TERMINAL, TOOL, known) if v.what == "component").ok
    older = next(v for v in evaluate(release, with_firmware("2.0.0"), TOOL, known) if v.what == "component")
    assert closed(older)


def test_a_release_id_is_recognised_by_the_code_of_its_package() -> None:
    bundle = app("acme.bundle", "5.0.0", facts=apk("com.acme.kernel", "7.1.0"))
    release = needs(what="component", id="acme.bundle", version="5.0.0")

    def judged(terminal: TerminalState) -> Verdict:
        return next(v for v in evaluate(release, terminal, TOOL, (release, bundle)) if v.what == "component")

    assert judged(with_packages(package("com.acme.kernel", "7.1.0"))).ok
    assert closed(judged(TERMINAL))
    assert judged(with_packages(package("com.acme.kernel", "7.0.5"))).ask == "check.component.acme.bundle.ge-5.0.0"


def test_the_tool_itself() -> None:
    assert one(needs(what="tool", version="1.3"), "tool").ok
    assert closed(one(needs(what="tool", version="1.4"), "tool"))
    assert closed(one(needs(what="tool", version="1.3"), "tool", environment=Environment("1.3.0.dev2")))
    assert closed(one(needs(what="tool", version="one"), "tool"))


def test_an_unknown_rule_can_never_be_met() -> None:
    verdict = one(needs(what="moon-phase"), "moon-phase")
    assert closed(verdict)
    assert "newer techtool" in verdict.reason.text("en")
    softer = one(likes(what="moon-phase"), "moon-phase")
    assert not softer.ok
    assert softer.force is Force.WARNING


@pytest.mark.parametrize(
    "rule",
    [
        Requirement("component", version="1"),
        Requirement("firmware"),
        Requirement("bootloader", version=" "),
        Requirement("sdk", version="ten"),
        Requirement("sdk", version="9" * 5000),
        Requirement("abi"),
        Requirement("tool", version=""),
    ],
)
def test_a_rule_that_makes_no_sense_is_never_met(rule: Requirement) -> None:
    answered = replace(TOOL, answers={f"check.{rule.what}": True})
    assert closed(one(app("com.acme.pay", "1.5.0", requires=[rule]), rule.what, environment=answered, nth=-1))


@pytest.mark.parametrize(
    ("how", "good", "bad"),
    [
        (Compare.EQ, "7.0.0", "7.1.0"),
        (Compare.NE, "7.1.0", "7.0.0"),
        (Compare.LT, "6.9.0", "7.0.0"),
        (Compare.LE, "7.0.0", "7.0.1"),
        (Compare.GT, "7.0.1", "7.0.0"),
        (Compare.GE, "7.0.0", "6.9.9"),
    ],
)
def test_every_comparison(how: Compare, good: str, bad: str) -> None:
    release = needs(what="component", id="com.acme.kernel", compare=how, version="7.0")
    assert one(release, "component", with_packages(package("com.acme.kernel", good))).ok
    assert closed(one(release, "component", with_packages(package("com.acme.kernel", bad))))
    sdk = needs(what="sdk", compare=how, version="7")
    assert one(sdk, "sdk", identity(sdk={"6.9.0": 6, "7.0.0": 7}.get(good, 8)), nth=1).ok
    assert closed(one(sdk, "sdk", identity(sdk={"6.9.9": 6, "7.0.0": 7}.get(bad, 8)), nth=1))


def test_a_processor_may_be_excluded() -> None:
    release = needs(what="abi", compare=Compare.NE, id="x86, x86_64")
    assert one(release, "abi", nth=1).ok
    assert closed(one(release, "abi", identity(abis=("x86",)), nth=1))


def test_conflicts() -> None:
    release = app("com.acme.pay", "1.5.0", conflicts=[Conflict("com.bank.app", Compare.LT, "5.0")])
    assert one(release, "conflict").ok
    assert one(release, "conflict", with_packages(package("com.bank.app", "5.0.0"))).ok
    assert closed(one(release, "conflict", with_packages(package("com.bank.app", "4.9.0"))))
    assert closed(one(release, "conflict", with_packages(package("com.bank.app", "4.9-x", code=1))))
    any_version = app("com.acme.pay", "1.5.0", conflicts=[Conflict("com.bank.app")])
    assert closed(one(any_version, "conflict", with_packages(package("com.bank.app", "9.0.0"))))


# -- questions --------------------------------------------------------------------------------------------------------


def test_questions_are_asked_once_and_say_where_to_look() -> None:
    silent = replace(TERMINAL, batch=None, tamper=None, battery=None)
    release = replace(
        app("com.acme.pay", "1.5.0", requires=[Requirement("no-open-batch"), Requirement("battery", percent=40)]),
        erases_data=True,
    )
    asked = questions(evaluate(release, silent, TOOL))
    assert [q.id for q in asked] == ["inspect.tamper", "check.batch", "check.battery.ge-40"]
    assert all(q.kind is AnswerKind.CONFIRM and q.help is not None for q in asked)
    assert asked[2].text.text("en") == "Is this so on this terminal: battery 40 % or more?"
    answers = {q.id: True for q in asked}
    after = evaluate(release, silent, replace(TOOL, answers=answers))
    assert all(v.ok for v in after)
    assert not questions(after)


def test_the_environment_tells_what_was_said_of_the_batch() -> None:
    assert TOOL.settled is None
    assert replace(TOOL, answers={"check.batch": True}).settled is True


def test_the_same_release_gives_the_same_rules_in_every_state() -> None:
    release = replace(
        app(
            "com.acme.pay",
            "1.5.0",
            requires=[r for r, *_ in CASES],
            conflicts=[Conflict("com.bank.app")],
            recommends=[Requirement("firmware", version="3")],
        ),
        erases_data=True,
    )
    states = [state for _, *states, _ in CASES for state in states if isinstance(state, TerminalState)]
    shapes = {tuple(v.what for v in evaluate(release, state, TOOL)) for state in states}
    assert len(shapes) == 1
