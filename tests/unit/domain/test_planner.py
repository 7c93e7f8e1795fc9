from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from techtool.domain.codec import decode_json_untyped, encode_json
from techtool.domain.findings import Judge
from techtool.domain.plan import Plan, ReleaseFinding, ReleaseVerdict, StepKind
from techtool.domain.plan_json import plan_json
from techtool.domain.planner import make_plan
from techtool.domain.release import (
    Compare,
    Conflict,
    Provides,
    Release,
    ReleaseKind,
    Requirement,
    Rollback,
)
from techtool.domain.route import Candidate, Problem, find_route
from techtool.domain.rules import Environment, questions
from techtool.domain.terminal import BatchState, TerminalState
from techtool.errors import Exit, NotFoundError
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
    recall,
    verified,
    with_firmware,
    with_packages,
)


def plan(
    *releases: Release,
    terminal: TerminalState = TERMINAL,
    environment: Environment = ANY_ROLE,
    wanted: Sequence[str] = (),
) -> Plan:
    return make_plan(terminal, verified(*releases), environment, wanted)


def keys(made: Plan) -> list[str]:
    return [v.release.key for v in made.releases]


def finding(made: Plan, key: str) -> ReleaseFinding:
    return next(f for f in made.findings if f"{f.release_id}@{f.version}" == key)


def words(made: Plan) -> dict[str, str]:
    return {f"{f.release_id}@{f.version}": f.verdict.value for f in made.findings}


FIRMWARE_GE = {version: Requirement("firmware", Compare.GE, version) for version in ("2.1.0", "2.2.0", "2.4.0")}


# -- what is installed and in which order -----------------------------------------------------------------------------


def test_the_newest_of_an_id_supersedes_the_others() -> None:
    made = plan(app("pay", "1.4.0"), app("pay", "1.5.0"), app("pay", "1.10.0"))
    assert keys(made) == ["pay@1.10.0"]
    assert words(made) == {"pay@1.4.0": "superseded", "pay@1.5.0": "superseded", "pay@1.10.0": "install"}


def test_a_blocked_newest_leaves_the_next() -> None:
    made = plan(app("pay", "1.4.0"), app("pay", "1.5.0", requires=[Requirement("moon-phase")]))
    assert keys(made) == ["pay@1.4.0"]
    assert words(made)["pay@1.5.0"] == "blocked"
    assert [v.what for v in finding(made, "pay@1.5.0").failed] == ["moon-phase"]


def test_prerequisites_come_first_and_say_so() -> None:
    kernel = app("kernel", "7.0.0")
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")])
    made = plan(pay, kernel)
    assert keys(made) == ["kernel@7.0.0", "pay@1.5.0"]
    rule = next(v for v in finding(made, "pay@1.5.0").rules if v.what == "component")
    assert rule.ok
    assert rule.reason.text("en").endswith("(by an earlier step of this plan)")


def test_an_intermediate_firmware_is_taken_only_when_it_is_needed() -> None:
    stick = (image("os", "2.2.0"), image("os", "2.4.0", requires=[FIRMWARE_GE["2.2.0"]]))
    assert keys(plan(*stick, terminal=with_firmware("2.1.0"))) == ["os@2.2.0", "os@2.4.0"]
    direct = plan(*stick, terminal=with_firmware("2.3.0"))
    assert keys(direct) == ["os@2.4.0"]
    assert words(direct)["os@2.2.0"] == "older"


def test_of_two_ways_as_long_the_one_with_fewer_restarts() -> None:
    noisy = image("os", "2.2.0")
    quiet = image("os", "2.3.0", restart=False)
    last = image("os", "2.4.0", requires=[FIRMWARE_GE["2.2.0"]])
    assert keys(plan(noisy, quiet, last)) == ["os@2.3.0", "os@2.4.0"]


def test_a_release_that_requires_itself_is_never_offered() -> None:
    made = plan(image("os", "2.4.0", requires=[FIRMWARE_GE["2.4.0"]]))
    assert not made.has_work
    assert words(made) == {"os@2.4.0": "blocked"}


def test_releases_that_require_each_other_are_never_offered() -> None:
    one = app("one", "1.0.0", requires=[Requirement("component", id="two", version="1.0")])
    two = app("two", "1.0.0", requires=[Requirement("component", id="one", version="1.0")])
    assert words(plan(one, two)) == {"one@1.0.0": "blocked", "two@1.0.0": "blocked"}


def test_nothing_to_do() -> None:
    made = plan(app("pay", "1.4.0"), app("pay", "1.5.0"), terminal=with_packages(package("pay", "1.5.0")))
    assert not made.has_work
    assert words(made) == {"pay@1.4.0": "older", "pay@1.5.0": "installed"}
    assert [s.kind for s in made.steps] == [StepKind.IDENTIFY, StepKind.INSPECT, StepKind.CHECK]
    assert made.downtime.p90_s == 0


def test_another_signer_is_neither_installed_nor_to_be_installed() -> None:
    release = app("pay", "1.5.0", facts=apk("pay", "1.5.0", signer=OTHER_SIGNER))
    for version in ("1.4.0", "1.5.0"):
        made = plan(release, terminal=with_packages(package("pay", version)))
        assert words(made) == {"pay@1.5.0": "blocked"}
        assert [v.what for v in finding(made, "pay@1.5.0").failed] == ["signer"]


def test_other_models_are_listed_with_their_reason() -> None:
    made = plan(replace(app("pay", "1.5.0"), provides=(Provides("bolt", "Z"),)), app("pay", "1.4.0"))
    assert keys(made) == ["pay@1.4.0"]
    assert words(made)["pay@1.5.0"] == "not-for-this-model"


def test_what_cannot_be_installed_over_this_connection_is_blocked() -> None:
    made = plan(image("os", "2.4.0"), app("pay", "1.5.0"), environment=TOOL)
    assert words(made) == {"os@2.4.0": "blocked", "pay@1.5.0": "install"}


def two_apks(version: str) -> Release:
    """A release of two packages, the second's version one ahead of the first's."""
    one, two = app("one", f"{version}.0.0").files[0], app("two", f"{int(version) + 1}.0.0").files[0]
    return replace(app("both", f"{version}.0.0"), files=(one, two))


def test_a_release_of_two_packages_is_installed_when_both_are() -> None:
    half = plan(two_apks("2"), terminal=with_packages(package("one", "2.0.0"), package("two", "2.0.0")))
    assert keys(half) == ["both@2.0.0"]
    full = plan(two_apks("2"), terminal=with_packages(package("one", "2.0.0"), package("two", "3.0.0")))
    assert words(full) == {"both@2.0.0": "installed"}
    ahead = plan(two_apks("2"), terminal=with_packages(package("one", "1.0.0"), package("two", "4.0.0")))
    assert words(ahead) == {"both@2.0.0": "older"}
    assert keys(plan(two_apks("2"), two_apks("3"))) == ["both@3.0.0"]


def test_two_releases_of_which_each_is_newer_in_something_are_not_chosen_between() -> None:
    mixed = replace(two_apks("3"), files=(two_apks("4").files[0], two_apks("1").files[1]))
    made = plan(two_apks("2"), mixed)
    assert not made.has_work
    assert {v.what for f in made.findings for v in f.failed} == {"version-order"}


# -- things that do not go together -----------------------------------------------------------------------------------


def test_a_conflict_holds_in_both_directions() -> None:
    kernel = app("kernel", "8.0.0")
    pay = app("pay", "1.5.0", conflicts=[Conflict("kernel", Compare.GE, "8.0")])
    made = plan(kernel, pay)
    assert len(keys(made)) == 1
    blocked = next(f for f in made.findings if f.verdict is ReleaseVerdict.BLOCKED)
    assert any(v.what == "conflict" for v in blocked.failed)


def test_an_installed_release_is_not_left_without_what_it_demands() -> None:
    old = app("pay", "1.4.0", requires=[Requirement("component", Compare.LT, id="kernel", version="8.0")])
    terminal = with_packages(package("pay", "1.4.0"), package("kernel", "7.0.0"))
    made = plan(old, app("kernel", "8.0.0"), terminal=terminal)
    assert not made.has_work
    rule = finding(made, "kernel@8.0.0").failed[0]
    assert rule.what == "conflict"
    assert rule.reason.text("en").startswith("pay@1.4.0 would no longer fit: ")


def test_a_plan_may_pass_through_what_it_mends() -> None:
    old = app("pay", "1.4.0", requires=[Requirement("component", Compare.LT, id="kernel", version="8.0")])
    new = app("pay", "1.5.0", requires=[Requirement("component", Compare.GE, id="kernel", version="8.0")])
    terminal = with_packages(package("pay", "1.4.0"), package("kernel", "7.0.0"))
    made = plan(old, new, app("kernel", "8.0.0"), terminal=terminal)
    assert keys(made) == ["kernel@8.0.0", "pay@1.5.0"]
    # Also when only the kernel is asked for: the application comes along, or the terminal would be left broken.
    assert keys(plan(old, new, app("kernel", "8.0.0"), terminal=terminal, wanted=["kernel"])) == keys(made)


def test_a_version_from_which_it_may_be_installed_is_no_lasting_demand() -> None:
    step = image("os", "2.4.0", requires=[Requirement("firmware", Compare.EQ, "2.1.0")])
    assert keys(plan(step)) == ["os@2.4.0"]


def test_storage_is_counted_over_the_whole_way() -> None:
    small = replace(TERMINAL, free_storage_bytes=25_000_000)
    made = plan(*(app(name, "1.0.0", size_bytes=10_000_000) for name in ("one", "two", "three")), terminal=small)
    assert len(keys(made)) == 2
    blocked = next(f for f in made.findings if f.verdict is ReleaseVerdict.BLOCKED)
    assert [v.what for v in blocked.failed] == ["free-storage"]
    assert "5.0 MB" in blocked.failed[0].reason.text("en")


def test_short_storage_is_spent_on_the_quietest_releases() -> None:
    short = replace(TERMINAL, free_storage_bytes=50_000_000)
    stick = [app(name, "1.0.0", size_bytes=20_000_000, restart=name == "a") for name in ("a", "b", "c")]
    assert keys(plan(*stick, terminal=short)) == ["b@1.0.0", "c@1.0.0"]


# -- what cannot be put in order --------------------------------------------------------------------------------------


def test_releases_that_cannot_be_put_in_order_are_not_chosen_between() -> None:
    blue = replace(image("keys", "blue", kind=ReleaseKind.CERTIFICATES), version_format="opaque")
    green = replace(blue, version="green")
    made = plan(blue, green)
    assert not made.has_work
    assert all([v.what for v in f.failed] == ["version-order"] for f in made.findings)
    pinned = plan(blue, green, wanted=["keys@green"])
    assert keys(pinned) == ["keys@green"]


def test_a_firmware_text_that_cannot_be_compared_blocks() -> None:
    made = plan(image("os", "2.4.0"), terminal=with_firmware("A920_PayDroid_10.0.0"))
    assert [v.what for v in finding(made, "os@2.4.0").failed] == ["installed-version"]


# -- what is wanted ---------------------------------------------------------------------------------------------------


def test_only_what_is_wanted_and_what_it_needs() -> None:
    stick = (
        app("kernel", "7.0.0"),
        app("kernel", "7.1.0"),
        app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0")]),
        app("game", "3.0.0"),
    )
    made = plan(*stick, wanted=["pay"])
    assert keys(made) == ["kernel@7.1.0", "pay@1.5.0"]
    assert words(made)["game@3.0.0"] == "not-chosen"
    assert keys(plan(*stick, wanted=["game"])) == ["game@3.0.0"]


def test_one_exact_version_can_be_wanted() -> None:
    made = plan(app("pay", "1.4.0"), app("pay", "1.5.0"), wanted=["pay@1.4.0"])
    assert keys(made) == ["pay@1.4.0"]
    assert words(made)["pay@1.5.0"] == "not-chosen"


def test_no_other_version_comes_in_place_of_the_one_that_is_wanted() -> None:
    stick = (
        app("pay", "1.4.0"),
        app("pay", "1.5.0", requires=[Requirement("moon-phase")]),
        app("shop", "1.0.0", requires=[Requirement("component", id="pay", version="1.4")]),
    )
    made = plan(*stick, wanted=["pay@1.5.0"])
    assert not made.has_work
    assert words(made) == {"pay@1.4.0": "not-chosen", "pay@1.5.0": "blocked", "shop@1.0.0": "blocked"}
    # Something else may still need the older one.
    assert keys(plan(*stick, wanted=["pay@1.5.0", "shop"])) == ["pay@1.4.0", "shop@1.0.0"]


def test_something_wanted_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NotFoundError) as caught:
        plan(app("pay", "1.4.0"), wanted=["poy"])
    assert caught.value.exit_code is Exit.NOT_FOUND
    assert "poy" in caught.value.what_phrase.text("en")


def test_withdrawn_and_recalled_are_said_so_and_not_installed() -> None:
    stick = verified(app("pay", "1.4.0"), app("pay", "1.5.0"))
    recalled = {"pay@1.5.0": recall("pay", "1.5.0")}
    made = make_plan(TERMINAL, stick, TOOL, ["gone"], withdrawn=[("gone", "1.0")], recalled=recalled)
    assert words(made) == {"pay@1.4.0": "not-chosen", "gone@1.0": "withdrawn", "pay@1.5.0": "recalled"}
    assert "leaks" in finding(made, "pay@1.5.0").failed[0].reason.text("en")
    assert keys(make_plan(TERMINAL, stick, TOOL, recalled=recalled)) == ["pay@1.4.0"]


# -- what only a person can say ---------------------------------------------------------------------------------------


def test_questions_then_the_plan() -> None:
    silent = replace(TERMINAL, batch=None)
    stick = (
        app("kernel", "7.0.0", requires=[Requirement("no-open-batch")]),
        app("pay", "1.5.0", requires=[Requirement("component", id="kernel", version="7.0"), Requirement("sdk")]),
        app("shop", "1.0.0", requires=[Requirement("component", id="kernel", version="7.0")]),
    )
    first = plan(*stick, terminal=silent)
    assert not first.has_work
    assert [q.id for q in questions(first.findings)] == ["check.batch"]
    yes = plan(*stick, terminal=silent, environment=replace(ANY_ROLE, answers={"check.batch": True}))
    assert keys(yes) == ["kernel@7.0.0", "shop@1.0.0"]
    assert not questions(yes.findings)
    no = plan(*stick, terminal=silent, environment=replace(ANY_ROLE, answers={"check.batch": False}))
    assert not no.has_work
    assert not questions(no.findings)


def test_all_questions_of_a_chain_are_asked_at_once() -> None:
    silent = replace(TERMINAL, batch=None, battery=None)
    stick = (
        app("kernel", "7.0.0", requires=[Requirement("no-open-batch")]),
        app(
            "pay",
            "1.5.0",
            requires=[Requirement("component", id="kernel", version="7.0"), Requirement("battery", percent=40)],
        ),
    )
    asked = questions(plan(*stick, terminal=silent).findings)
    assert [q.id for q in asked] == ["check.batch", "check.battery.ge-40"]


def test_what_an_earlier_step_will_bring_is_not_asked_now() -> None:
    """Which version of the bundle runs is not known; once it is brought, it is."""
    silent = replace(TERMINAL, batch=None, packages=(package("core", "0.9.0"),))
    bundle = app("bundle", "5.0.0", facts=apk("core", "1.0.0"), requires=[Requirement("no-open-batch")])
    pay = app("pay", "1.5.0", requires=[Requirement("component", id="bundle", version="5.0")])
    made = plan(bundle, pay, terminal=silent)
    assert [q.id for q in questions(made.findings)] == ["check.batch"]
    yes = replace(ANY_ROLE, answers={"check.batch": True})
    assert keys(plan(bundle, pay, terminal=silent, environment=yes)) == ["bundle@5.0.0", "pay@1.5.0"]


def test_nothing_is_asked_for_releases_that_no_answer_would_bring() -> None:
    silent = replace(TERMINAL, batch=None)
    ask = [Requirement("no-open-batch")]
    made = plan(
        replace(app("other", "1.0.0", requires=ask), provides=(Provides("bolt", "Z"),)),
        app("pay", "1.4.0", requires=ask),
        app("blocked", "1.0.0", requires=[*ask, Requirement("moon-phase")]),
        terminal=replace(silent, packages=(package("pay", "1.4.0"),)),
    )
    assert not questions(made.findings)
    rule = next(v for v in finding(made, "blocked@1.0.0").rules if v.what == "no-open-batch")
    assert not rule.ok


def test_the_terminals_word_on_the_batch_needs_no_question() -> None:
    stick = app("pay", "1.5.0", requires=[Requirement("no-open-batch")])
    closed = plan(stick, terminal=replace(TERMINAL, batch=BatchState.OPEN))
    assert not closed.has_work
    assert not questions(closed.findings)
    assert plan(stick).has_work


# -- the rest of the plan ---------------------------------------------------------------------------------------------


def test_stations_and_times() -> None:
    made = plan(app("kernel", "7.0.0"), app("pay", "1.5.0", restart=True))
    assert [s.kind.value for s in made.steps] == [
        "identify",
        "inspect",
        "check",
        "confirm",
        "backup",
        "install",
        "install",
        "verify",
        "test",
        "sign_off",
    ]
    assert [s.release_key for s in made.steps if s.release_key] == ["kernel@7.0.0", "pay@1.5.0"]
    assert {s.kind for s in made.steps if s.attended} == {
        StepKind.INSPECT,
        StepKind.CONFIRM,
        StepKind.TEST,
        StepKind.SIGN_OFF,
    }
    p50 = sum(s.estimate.p50_s for s in made.steps)
    p90 = sum(s.estimate.p90_s for s in made.steps)
    assert made.total.p50_s == pytest.approx(p50)
    assert p50 < made.total.p90_s < p90
    assert 0 < made.downtime.p50_s < made.total.p50_s


def test_a_slow_link_and_the_publishers_hint_count() -> None:
    stick = verified(app("pay", "1.5.0", size_bytes=40_000_000))
    fast = make_plan(TERMINAL, stick, TOOL, link_bytes_s=40e6)
    slow = make_plan(TERMINAL, stick, TOOL, link_bytes_s=40e3)
    assert slow.downtime.p50_s - fast.downtime.p50_s == pytest.approx(999)
    hinted = verified(replace(app("pay", "1.5.0", size_bytes=40_000_000), install_duration_s=600))
    assert make_plan(TERMINAL, hinted, TOOL, link_bytes_s=40e6).downtime.p50_s > 600


def test_effects_are_told_in_versions() -> None:
    terminal = with_packages(package("pay", "1.4.0"))
    made = plan(replace(app("pay", "1.5.0", restart=True), erases_data=True), terminal=terminal)
    effect = next(s.effect for s in made.steps if s.release_key)
    assert effect.text("en") == (
        "replaces pay 1.4.0 (10400) by 1.5.0 (10500); application data is erased. The terminal restarts."
    )


@pytest.mark.parametrize(
    ("allowed", "start"),
    [((), "Nothing will be changed"), ((True, True), "Every release may be undone"), ((False,), "Cannot be undone"),
     ((True, False), "Can be undone: r0@1.0.0. Cannot be undone on site once installed: r1@1.0.0.")],
)  # fmt: skip
def test_undo(allowed: tuple[bool, ...], start: str) -> None:
    stick = [replace(app(f"r{i}", "1.0.0"), rollback=Rollback(allowed=ok)) for i, ok in enumerate(allowed)]
    assert plan(*stick).undo.text("en").startswith(start)


@pytest.mark.parametrize(
    ("lowest", "firmware", "undone"),
    [
        ("", "2.1.0", True),
        ("2.1.0", "2.1.0", True),
        ("2.1", "2.3.0", True),
        ("2.2.0", "2.1.0", False),
        ("two", "2.1.0", False),
        ("2.1.0", "", False),
    ],
)
def test_nothing_older_than_the_lowest_version_comes_back(lowest: str, firmware: str, undone: bool) -> None:
    release = replace(image("os", "2.4.0"), rollback=Rollback(allowed=True, lowest=lowest))
    answers = {"check.installed.firmware.2.4.0": True}
    environment = replace(ANY_ROLE, answers=answers)
    undo = plan(release, terminal=with_firmware(firmware), environment=environment).undo.text("en")
    assert undo.startswith("Every release may be undone") is undone
    if not undone:
        runs = firmware or "?"
        assert f"os@2.4.0 lets nothing older than {lowest} come back, and the terminal runs {runs}." in undo


def test_of_a_chain_the_way_back_is_to_what_ran_before_it() -> None:
    second = replace(image("os", "2.2.0"), rollback=Rollback(allowed=True))
    needs = [FIRMWARE_GE["2.2.0"]]
    third = replace(image("os", "2.4.0", requires=needs), rollback=Rollback(allowed=True, lowest="2.2.0"))
    undo = plan(second, third).undo.text("en")
    assert undo.startswith("Can be undone: os@2.2.0. Cannot be undone on site once installed: os@2.4.0.")


def test_what_was_not_there_can_be_taken_away_again() -> None:
    release = replace(app("pay", "1.5.0"), rollback=Rollback(allowed=True, lowest="1.4.0"))
    assert plan(release).undo.text("en").startswith("Every release may be undone")
    old = plan(release, terminal=with_packages(package("pay", "1.3.0")))
    assert old.undo.text("en").startswith("Cannot be undone")


def test_going_back_may_cost_the_data() -> None:
    release = replace(app("pay", "1.5.0"), rollback=Rollback(allowed=True, data="wipe"))
    assert plan(release).undo.text("en").endswith("Going back erases the data of pay@1.5.0.")


def test_the_digest_names_terminal_order_and_bytes() -> None:
    stick = (app("kernel", "7.0.0"), app("pay", "1.5.0"))
    base = plan(*stick)
    assert len(base.digest) == 64
    assert plan(*reversed(stick)).digest == base.digest
    assert plan(*stick, terminal=replace(TERMINAL, identity=replace(IDENTITY, serial="X"))).digest != base.digest
    assert plan(stick[0]).digest != base.digest
    other = replace(stick[1], files=(replace(stick[1].files[0], sha256="0" * 64),))
    assert plan(stick[0], other).digest != base.digest


def test_json() -> None:
    silent = replace(TERMINAL, batch=None)
    made = plan(app("pay", "1.5.0", requires=[Requirement("no-open-batch")]), app("kernel", "7.0.0"), terminal=silent)
    data = plan_json(made, IDENTITY)
    assert decode_json_untyped(encode_json(data)) == data
    assert data["order"] == ["kernel@7.0.0"]
    releases = data["releases"]
    assert isinstance(releases, list)
    assert [(r["id"], r["version"], r["verdict"]) for r in releases] == [
        ("pay", "1.5.0", "blocked"),
        ("kernel", "7.0.0", "install"),
    ]
    rule = next(r for r in releases[0]["rules"] if r["what"] == "no-open-batch")
    assert rule["ok"] is False
    assert rule["ask"] == "check.batch"
    assert isinstance(rule["reason"], str)
    assert isinstance(data["estimate_s"], dict)
    assert set(data["estimate_s"]) == {"p50", "p90"}
    assert [q["id"] for q in data["questions"]] == ["check.batch"]  # type: ignore[attr-defined]


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_full_stick_is_planned_quickly() -> None:
    needs = [FIRMWARE_GE["2.4.0"], Requirement("component", id="kernel", version="7.1.0")]
    stick = [
        image("os", "2.2.0"),
        image("os", "2.4.0", requires=[FIRMWARE_GE["2.2.0"]]),
        app("kernel", "7.0.0"),
        app("kernel", "7.1.0"),
        *(app(f"app{i:02}", version, requires=needs) for i in range(20) for version in ("1.0.0", "1.1.0")),
    ]
    started = time.process_time()
    made = plan(*stick)
    assert time.process_time() - started < 5
    assert keys(made) == ["os@2.2.0", "os@2.4.0", "kernel@7.1.0", *(f"app{i:02}@1.1.0" for i in range(20))]


def test_when_the_search_gives_up_the_way_is_still_allowed() -> None:
    stick = [app(f"app{i:02}", "1.0.0", conflicts=[Conflict(f"app{(i + 1) % 9:02}")]) for i in range(9)]
    judge = Judge(stick, TOOL)
    problem = Problem(TERMINAL, frozenset(r.id for r in stick), judge.gates, judge.broken, judge.stands, stick)
    way = find_route(problem, [Candidate(i, r, 0) for i, r in enumerate(stick)], nodes=3)
    chosen = {stick[i].id for i in way}
    assert len(chosen) >= 3
    assert not any(conflict.id in chosen for i in way for conflict in stick[i].conflicts)
