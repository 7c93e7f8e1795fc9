"""``techtool bundle lint``: folders and sticks, people and scripts, and what it keeps from being published."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from techtool.bundles.description import KNOWN_RULES, Description, ProvidesEntry
from techtool.bundles.medium import place_of
from techtool.bundles.publish.adding import withdraw
from techtool.bundles.publish.lint import findings_on, lint_folder, lint_stick
from techtool.bundles.publish.recalling import RecallOrder, recall_release
from techtool.bundles.publish.roles import file_entry
from techtool.domain.lint import Check, LintFinding
from techtool.domain.release import Compare, ReleaseKind, Requirement
from techtool.domain.rules_requirements import judge
from techtool.errors import PublisherError
from tests.unit.bundles.line import Line
from tests.unit.bundles.office import ACME, Office
from tests.unit.domain.build import TERMINAL, TOOL, app
from tests.unit.simulator.apk_maker import make_apk

SELF = Requirement("component", Compare.GE, "2.0", id="com.acme.new")
"""What ``com.acme.new`` 2.0 may not demand."""


def folder_of(office: Office) -> Path:
    return office.folder / "bundle"


def add_faulty(office: Office, publisher: str = "acme") -> None:
    office.add("com.acme.new", "2.0", publisher, requires=(SELF,))


def errors(office: Office) -> list[tuple[str, str]]:
    findings = lint_folder(office.workspace).findings
    return [(f.check.value, f.release_key) for f in findings if f.severity == "error"]


def listed_file(office: Office, path: str) -> Path:
    """Where a listed file of acme lies."""
    entry = office.workspace.list_of(ACME).signed.targets[path]
    return folder_of(office) / place_of(path, entry.hashes["sha256"])


PAYLOAD = "acme/com.acme.pay/com.acme.pay-1.0.bin"
DESCRIPTION = "releases/acme/com.acme.pay-1.0.json"


class TestFolder:
    def test_published_and_staged_releases_are_looked_at(self, office: Office) -> None:
        report = lint_folder(office.workspace)
        assert (report.releases, report.errors) == (3, 0)
        assert {f.check for f in report.findings} == {Check.TEXT_MISSING, Check.NO_DURATION, Check.FILE_ROLE}
        add_faulty(office)
        assert lint_folder(office.workspace).releases == 4
        assert errors(office) == [("self-requirement", "com.acme.new@2.0")]

    def test_releases_of_all_publishers_are_held_against_each_other(self, office: Office) -> None:
        office.add("org.beta.app", "4.0", "acme")
        assert errors(office) == [("duplicate", "org.beta.app@4.0")]

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda path: path.unlink(), "missing"),
            (lambda path: path.write_bytes(path.read_bytes()[:-1]), "ends after"),
            (lambda path: path.write_bytes(path.read_bytes() + b"!"), "longer"),
            (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"), "another"),
            (lambda path: (path.rename(path.with_suffix(".x")), path.symlink_to(path.with_suffix(".x"))), "link"),
        ],
    )
    @pytest.mark.parametrize(("path", "key"), [(PAYLOAD, "com.acme.pay@1.0"), (DESCRIPTION, DESCRIPTION)])
    def test_a_file_that_is_not_what_is_listed(
        self, office: Office, path: str, key: str, spoil: Callable[[Path], object], said: str
    ) -> None:
        spoil(listed_file(office, path))
        (finding,) = [f for f in lint_folder(office.workspace).findings if f.severity == "error"]
        assert (finding.check, finding.release_key) == (Check.MISSING_FILE, key)
        assert path in finding.text.text("en")
        assert said in finding.text.text("en")

    def test_a_shared_payload_names_everyone_who_lacks_it(self, office: Office) -> None:
        shared = office.payload("shared.bin", b"x")
        draft = Description(
            id="com.acme.shared",
            version="1",
            version_format="dotted",
            kind=ReleaseKind.PARAMETERS,
            provides=(ProvidesEntry("sunmi", "P2"),),
        )
        for version in ("1", "2"):
            office.workspace.add("acme", [shared], replace(draft, version=version), office.clock)
        listed_file(office, "acme/com.acme.shared/shared.bin").unlink()
        (finding,) = [f for f in lint_folder(office.workspace).findings if f.check is Check.MISSING_FILE]
        assert (finding.release_key, finding.others) == ("com.acme.shared@1", ("com.acme.shared@2",))

    def test_a_payload_that_the_list_does_not_have(self, office: Office) -> None:
        listed = dict(office.workspace.list_of(ACME).signed.targets)
        del listed[PAYLOAD]
        office.workspace.replace_list(ACME, listed, office.clock.now())
        assert errors(office) == [("missing-file", "com.acme.pay@1.0")]

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b'{"schema": 9}', b'{"schema": 1, "surprise": 1}', b"[" * 5000, b"\xff\xfe"]
    )
    def test_a_description_that_cannot_be_read(self, office: Office, data: bytes) -> None:
        put_listed(office, "releases/acme/com.acme.odd-1.json", data)
        assert errors(office) == [("bad-description", "releases/acme/com.acme.odd-1.json")]

    def test_a_description_that_is_too_long_is_not_read(self, office: Office) -> None:
        put_listed(office, "releases/acme/com.acme.odd-1.json", b" " * (600 * 1024))
        assert errors(office) == [("missing-file", "releases/acme/com.acme.odd-1.json")]

    def test_one_release_is_held_against_its_neighbours(self, office: Office) -> None:
        before = Requirement("component", Compare.GE, "1.0", id="com.acme.pay")
        office.add("com.acme.pay", "2.0", requires=(before,))
        office.add("com.acme.pay", "3.0", requires=(replace(before, version="2.5"),))
        by_key: dict[str, tuple[LintFinding, ...]] = {}
        for one in office.open(office.stick()).releases:
            by_key[one.release.key] = findings_on(office.workspace, one.release)
        usual = {Check.TEXT_MISSING, Check.NO_DURATION, Check.FILE_ROLE}
        assert {f.check for f in by_key["com.acme.pay@2.0"]} == usual
        assert {f.check for f in by_key["com.acme.pay@3.0"]} == usual | {Check.PREREQUISITE_MISSING}


def put_listed(office: Office, path: str, data: bytes) -> None:
    """A file of acme and its line in the staged list."""
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    place = folder_of(office) / place_of(path, digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    listed = dict(office.workspace.list_of(ACME).signed.targets)
    listed[path] = file_entry(path, len(data), digest)
    office.workspace.replace_list(ACME, listed, office.clock.now())


class TestStick:
    def test_what_was_published_all_the_same_is_found_on_the_stick(self, office: Office) -> None:
        add_faulty(office)
        office.workspace.sign(office.clock, accept_lint=True)
        report = lint_stick(office.open(office.stick()))
        assert (report.releases, report.errors) == (4, 1)

    def test_a_spoilt_payload(self, office: Office, stick: Path) -> None:
        (path,) = (stick / "TECHTOOL/targets/acme/com.acme.pay").iterdir()
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        (finding,) = [f for f in lint_stick(office.open(stick)).findings if f.severity == "error"]
        assert (finding.check, finding.release_key) == (Check.MISSING_FILE, "com.acme.pay@1.0")


class TestCommand:
    def test_clean_but_for_warnings_is_0(self, shop: Office, cli: Line) -> None:
        assert cli("bundle", "lint", folder_of(shop)).code == 0
        assert "com.acme.pay@1.0\n  ! [text-missing] " in cli.out
        assert "→" in cli.out
        assert "Releases: 3, errors: 0, warnings: 9." in cli.err

    def test_errors_are_1_and_all_are_shown(self, shop: Office, cli: Line) -> None:
        shop.add("com.acme.new", "2.0", requires=(SELF, Requirement("moon-phase")))
        assert cli("bundle", "lint", folder_of(shop)).code == 1
        assert "✗ [self-requirement] " in cli.out
        assert "✗ [unknown-rule] " in cli.out

    def test_json(self, shop: Office, cli: Line) -> None:
        add_faulty(shop)
        assert cli("bundle", "lint", folder_of(shop), "--json").code == 1
        assert cli.err == ""
        tree: dict[str, Any] = cli.json
        assert (tree["schema"], tree["releases"], tree["errors"], tree["warnings"]) == (1, 4, 1, 12)
        assert len(tree["findings"]) == 13
        (worst,) = [f for f in tree["findings"] if f["severity"] == "error"]
        assert worst.keys() == {"check", "severity", "release", "others", "text", "remedy"}
        assert (worst["check"], worst["release"]) == ("self-requirement", "com.acme.new@2.0")

    @pytest.mark.parametrize("part", ["", "TECHTOOL"])
    def test_a_stick(self, shop: Office, stick: Path, cli: Line, part: str) -> None:
        assert cli("bundle", "lint", stick / part, "--json").code == 0
        assert cli.json["releases"] == 3

    def test_an_untrusted_stick_is_10(self, shop: Office, stick: Path, cli: Line) -> None:
        (stick / "TECHTOOL/metadata/timestamp.json").write_bytes(b"{}")
        assert cli("bundle", "lint", stick, "--json").code == 10

    def test_neither_a_stick_nor_a_folder(self, shop: Office, cli: Line, tmp_path: Path) -> None:
        assert cli("bundle", "lint", tmp_path / "nowhere", "--json").code == 3
        (tmp_path / "empty").mkdir()
        assert cli("bundle", "lint", tmp_path / "empty", "--json").code == 4

    def test_in_chinese_it_is_the_same_findings(self, shop: Office, cli: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        from techtool.i18n import set_language

        add_faulty(shop)
        cli("bundle", "lint", folder_of(shop), "--json")
        english = [(f["check"], f["release"]) for f in json.loads(cli.out)["findings"]]
        set_language("zh")
        try:
            cli("bundle", "lint", folder_of(shop), "--json")
        finally:
            set_language("en")
        assert [(f["check"], f["release"]) for f in json.loads(cli.out)["findings"]] == english


class TestAdd:
    def test_the_findings_on_what_was_added_are_told_and_no_others(self, shop: Office, cli: Line) -> None:
        path = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        rules = json.dumps([{"what": "component", "id": "com.acme.new", "compare": "ge", "version": "2.0"}])
        words: Sequence[str | Path] = ("bundle", "add", folder_of(shop), path, "--publisher", "acme")
        assert cli(*words, "--model", "sunmi/P2", "--requires", rules, "--text", "en=New").code == 0
        marked = [line for line in cli.err.splitlines() if line[:1] in "✗!"]
        assert len(marked) == 3
        assert marked[0].startswith("✗ It demands com.acme.new 2.0")
        assert marked[1].endswith("zh")
        assert "install_duration" in marked[2]

    def test_a_good_one_is_added_without_remarks(self, shop: Office, cli: Line) -> None:
        path = shop.payload("new.apk", make_apk("com.acme.new", 7, "2.0"))
        words: Sequence[str | Path] = ("bundle", "add", folder_of(shop), path, "--publisher", "acme")
        told = ("--text", "en=New", "--text", "zh=新", "--install-duration", "60")
        assert cli(*words, "--model", "sunmi/P2", *told).code == 0
        assert [line for line in cli.err.splitlines() if line[:1] in "✗!"] == []


class TestSign:
    def test_a_list_with_errors_is_signed_but_not_published(self, shop: Office, cli: Line) -> None:
        add_faulty(shop)
        before = shop.workspace.timestamp()
        assert cli("bundle", "sign", folder_of(shop)).code == 4
        for said in (
            "TT-106",
            "vendor-acme",
            "com.acme.new@2.0",
            "bundle lint",
            "--accept-lint",
            "Signatures are kept",
        ):
            assert said in cli.err
        assert shop.workspace.staged_roles() == (ACME,)
        assert len(shop.workspace.list_of(ACME).signatures) == 3
        now = shop.workspace.timestamp()
        assert before is not None
        assert now is not None
        assert now.version == before.version

    def test_it_is_published_deliberately(self, shop: Office, cli: Line) -> None:
        add_faulty(shop)
        assert cli("bundle", "sign", folder_of(shop), "--accept-lint").code == 0
        assert shop.workspace.staged_roles() == ()

    def test_and_once_it_is_mended(self, shop: Office, cli: Line) -> None:
        add_faulty(shop)
        assert cli("bundle", "sign", folder_of(shop)).code == 4
        assert "TT-106" in cli.err
        withdraw(shop.workspace, "com.acme.new", "2.0", shop.clock)
        shop.add("com.acme.new", "2.0")
        assert cli("bundle", "sign", folder_of(shop)).code == 0

    def test_warnings_stop_nothing(self, shop: Office, cli: Line) -> None:
        shop.add("com.acme.new", "2.0", requires=(replace(SELF, version="1.0"),))
        assert cli("bundle", "sign", folder_of(shop)).code == 0

    def test_a_missing_payload_stops_it(self, shop: Office, cli: Line) -> None:
        shop.add("com.acme.new")
        listed_file(shop, "acme/com.acme.new/com.acme.new-1.0.bin").unlink()
        assert cli("bundle", "sign", folder_of(shop)).code == 4
        assert "TT-106" in cli.err
        assert "com.acme.new-1.0.bin" in cli.err

    def test_what_else_is_ready_does_not_wait_for_it(self, shop: Office, cli: Line) -> None:
        add_faulty(shop)
        shop.add("org.beta.new", publisher="beta")
        assert cli("bundle", "sign", folder_of(shop)).code == 4
        assert "New in the published state: vendor-beta" in cli.err
        assert "TT-106" in cli.err
        assert shop.workspace.staged_roles() == (ACME,)
        assert "org.beta.new@1.0" in [item.release.key for item in shop.open(written(shop)).releases]

    def test_a_recall_does_not_wait_for_it(self, shop: Office) -> None:
        add_faulty(shop)
        recall_release(shop.workspace, RecallOrder("com.acme.pay", "1.0", {"en": "Loses receipts"}), shop.clock)
        report = shop.workspace.sign(shop.clock)
        assert report.roles == ("recall",)
        assert report.refused is not None
        assert [recall.key for recall in shop.open(written(shop)).recalls] == ["com.acme.pay@1.0"]

    def test_signing_the_same_list_again_does_not_wait_for_what_was_accepted(self, shop: Office) -> None:
        add_faulty(shop)
        shop.workspace.sign(shop.clock, accept_lint=True)
        shop.workspace.replace_list(ACME, shop.workspace.list_of(ACME).signed.targets, shop.clock.now())
        report = shop.workspace.sign(shop.clock)
        assert (report.roles, report.refused) == ((ACME,), None)

    def test_a_renewal_does_not_wait_for_it(self, shop: Office) -> None:
        add_faulty(shop)
        report = shop.workspace.sign(shop.clock, renew=True)
        assert report.published
        assert report.refused is not None
        assert report.roles == ()

    def test_a_withdrawal_does_not_wait_for_errors_of_what_stays(self, shop: Office) -> None:
        add_faulty(shop)
        shop.workspace.sign(shop.clock, accept_lint=True)
        withdraw(shop.workspace, "com.acme.pay", "1.0", shop.clock)
        report = shop.workspace.sign(shop.clock)
        assert (report.published, report.refused) == (True, None)

    def test_another_publisher_does_not_wait_for_errors_that_are_not_its_own(self, shop: Office) -> None:
        add_faulty(shop)
        shop.workspace.sign(shop.clock, accept_lint=True)
        shop.add("org.beta.new", publisher="beta")
        assert shop.workspace.sign(shop.clock).published

    def test_an_error_between_two_publishers_is_that_of_the_one_who_comes_new(self, shop: Office) -> None:
        shop.add("org.beta.app", "4.0", "acme")
        with pytest.raises(PublisherError, match=ACME):
            shop.workspace.sign(shop.clock)


def written(office: Office) -> Path:
    office.workspace.write(office.folder / "stick", office.clock)
    return office.folder / "stick"


def test_the_linter_knows_the_rules_that_are_judged() -> None:
    """Every kind that a description may state is judged, and a strange one is not."""
    from techtool.domain.rules import Case

    def is_known(what: str) -> bool:
        verdict = judge(Case(app("pay", "1.0"), TERMINAL, TOOL), Requirement(what, version="1", id="x"))
        return "newer techtool" not in verdict.reason.text("en")

    assert all(is_known(what) for what in KNOWN_RULES)
    assert not is_known("moon-phase")
