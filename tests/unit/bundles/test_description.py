"""The description file: what is read, what is refused, and where the error points."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.bundles.description import (
    MAX_BYTES,
    NewerSchema,
    decode_draft,
    decode_release,
    decode_rules,
    encode_release,
)
from techtool.domain.codec import CodecError
from techtool.domain.release import Compare, KnownIssue, LabResult, ReleaseKind, Requirement, Urgency

SHA = "ab" * 32


def full() -> dict[str, Any]:
    """Every field the file can have, with the names of the specification."""
    return {
        "schema": 1,
        "id": "com.acme.x1.os",
        "version": "2.4.0",
        "version_format": "triplet",
        "kind": "firmware",
        "urgency": "high",
        "install_duration": 420,
        "date": "2026-10-01",
        "branch": "stable",
        "tags": ["bank-a-2026q4"],
        "files": [
            {"role": "image", "target": "acme/x1/x1-os-2.4.0.zip", "size": 500_000_000, "sha256": SHA},
            {
                "role": "apk",
                "target": "acme/x1/pay.apk",
                "size": 5,
                "sha256": SHA,
                "apk": {
                    "id": "com.acme.pay",
                    "version": "1",
                    "version_code": 7,
                    "min_sdk": 22,
                    "abis": ["arm64-v8a"],
                    "signer": SHA,
                },
            },
        ],
        "provides": [{"vendor": "acme", "model": "X1", "hw_rev": ["B", "C"], "region": ["EU"]}],
        "requires": [
            {"what": "firmware", "compare": "ge", "version": "2.1.0"},
            {"what": "component", "id": "com.acme.x1.kernel", "compare": "ge", "version": "7.0"},
            {"what": "battery", "compare": "ge", "percent": 40},
            {"what": "external-power"},
            {"what": "free-storage", "bytes": 1_200_000_000},
        ],
        "recommends": [{"what": "firmware", "compare": "ge", "version": "2.3.0"}],
        "conflicts": [{"id": "com.bank.app", "compare": "lt", "version": "5.0"}],
        "blocked_hw": [{"hw_rev": "A", "reason": "no-secure-boot"}],
        "after": {
            "restart": True,
            "expect_version": "2.4.0",
            "checks": ["boots"],
            "texts": {"boots": {"en": "Boots twice", "zh": "重启两次"}},
        },
        "rollback": {"allowed": False, "data": "restore", "lowest": "2.1.0"},
        "erases_data": True,
        "issues": [{"type": "cve", "id": "CVE-2026-1"}],
        "known_issues": [{"id": "KI-7", "text": "slow", "if": {"hw_rev": "C"}}],
        "tested_on": [
            {"model": "X1", "hw_rev": "B", "from": ["2.1.0"], "result": "passed", "date": "2026-09-20"},
        ],
        "text": {"en": "New kernel.", "zh": "新内核。"},
    }


def data(tree: object) -> bytes:
    return json.dumps(tree).encode()


def changed(path: str, value: object) -> bytes:
    """The full file with one place changed: ``files.0.size``."""
    tree: Any = full()
    place = tree
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    place[int(last) if last.isdigit() else last] = value
    return data(tree)


def test_every_field_arrives() -> None:
    release = decode_release(data(full()))
    assert release.kind is ReleaseKind.FIRMWARE
    assert release.urgency is Urgency.HIGH
    assert release.install_duration_s == 420
    assert release.date == date(2026, 10, 1)
    assert release.files[0].size_bytes == 500_000_000
    assert release.packages[0].version_code == 7
    assert release.provides[0].hw_revisions == ("B", "C")
    assert release.requires[1] == Requirement("component", Compare.GE, "7.0", id="com.acme.x1.kernel")
    assert release.blocked_hw[0].hw_revision == "A"
    assert release.known_issues == (KnownIssue("KI-7", "slow", "C"),)
    assert release.tested_on == (LabResult("X1", "passed", "B", ("2.1.0",), date(2026, 9, 20)),)
    assert release.text["zh"] == "新内核。"


def test_written_and_read_again_is_the_same() -> None:
    release = decode_release(data(full()))
    written = encode_release(release)
    assert decode_release(written) == release
    assert encode_release(decode_release(written)) == written
    assert {k: v for k, v in json.loads(written).items() if k != "text"}.keys() == full().keys() - {"text"}


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("surprise", 1, "surprise"),
        ("files.0.surprise", 1, "$.files[0]"),
        ("files.1.apk.surprise", 1, "$.files[1].apk"),
        ("provides.0.hw_revisions", ["B"], "$.provides[0]"),
        ("requires.0.surprise", 1, "$.requires[0]"),
        ("known_issues.0.when", {}, "when"),
        ("known_issues.0.if", {"moon": "full"}, "moon"),
        ("ask", [{"when": "detach", "id": "hold-f1"}], "ask"),
    ],
)
def test_a_field_nobody_here_knows_is_refused(path: str, value: object, place: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_release(changed(path, value))
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("id", "", "$.id"),
        ("id", "../../x", "$.id"),
        ("version", "", "$.version"),
        ("version", "1\n2", "$.version"),
        ("version", "x" * 300, "$.version"),
        ("version", 24, "$.version"),
        ("kind", "os", "$.kind"),
        ("kind", None, "$.kind"),
        ("install_duration", -1, "$.install_duration"),
        ("install_duration", 10**9, "$.install_duration"),
        ("files", [], "$.files"),
        ("files.0.role", "script", "$.files[0].role"),
        ("files.0.size", 0, "$.files[0].size"),
        ("files.0.size", -5, "$.files[0].size"),
        ("files.0.size", 1 << 50, "$.files[0].size"),
        ("files.0.size", "5", "$.files[0].size"),
        ("files.0.sha256", SHA.upper(), "$.files[0].sha256"),
        ("files.0.sha256", "ab", "$.files[0].sha256"),
        ("files.1.apk", None, "$.files[1].apk"),
        ("files.1.apk.version_code", -1, "$.files[1].apk.version_code"),
        ("files.1.apk.signer", "x", "$.files[1].apk.signer"),
        ("provides", [{"vendor": "a", "model": "b"}] * 300, "$.provides"),
        ("requires.2.percent", 140, "$.requires[2].percent"),
        ("requires.1.id", "", "$.requires[1].id"),
        ("requires.0.compare", "about", "$.requires[0].compare"),
        ("rollback.data", "burn", "$.rollback.data"),
        ("text", {"en": "x" * 30_000}, "$.text.en"),
        ("text", {"Klingon!": "x"}, "$.text"),
        ("date", "soon", "$.date"),
        ("schema", 0, "$.schema"),
        ("schema", True, "$.schema"),
        ("schema", "1", "$.schema"),
    ],
)
def test_out_of_bounds_names_the_place(path: str, value: object, place: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_release(changed(path, value))
    assert place in str(caught.value)


def test_a_rule_of_an_unknown_kind_stays_in_its_place() -> None:
    tree = full()
    tree["requires"].insert(1, {"what": "moon-phase", "phase": "full", "compare": "roughly"})
    release = decode_release(data(tree))
    assert release.requires[1] == Requirement("moon-phase")
    assert len(release.requires) == 6


def test_a_newer_schema_is_told_apart() -> None:
    with pytest.raises(NewerSchema):
        decode_release(data({"schema": 2, "anything": []}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"schema":1,"id":' + b'{"a":' * 100_000,
        b'{"schema": 1, "schema": 1}',
        b'{"schema": 1, "text": {"en": "a", "en": "b"}}',
        b'{"schema": NaN}',
        b'{"schema": 1e999}',
        b'{"schema": 1, "id": "\\ud800"}',
        b'{"schema": 1} trailing',
        b"{" + b" " * MAX_BYTES + b"}",
        b'{"schema": 1, "install_duration": ' + b"9" * 5000 + b"}",
    ],
    ids=range(14),
)
def test_hostile_bytes(raw: bytes) -> None:
    with pytest.raises(CodecError):
        decode_release(raw)


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    with pytest.raises(CodecError):
        decode_release(raw)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(full())), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.sampled_from(sorted(full())), _JSON)
def test_any_value_in_any_field_is_read_or_refused(name: str, value: object) -> None:
    raw = json.dumps({**full(), name: value}).encode("utf-8", "surrogatepass")
    try:
        release = decode_release(raw)
    except CodecError:
        return
    assert decode_release(encode_release(release)) == release


class TestDraft:
    def test_what_a_publisher_writes(self) -> None:
        draft = decode_draft(
            b'install_duration = 60\nurgency = "low"\n[text]\nen = "New"\n'
            b'[[requires]]\nwhat = "battery"\npercent = 30\n'
            b'[[known_issues]]\nid = "K"\ntext = "t"\nif = {hw_rev = "C"}\n'
        )
        assert (draft.install_duration, draft.urgency, draft.text) == (60, Urgency.LOW, {"en": "New"})
        assert draft.requires == (Requirement("battery", percent=30),)
        assert draft.known_issues[0].when.hw_rev == "C"

    @pytest.mark.parametrize("raw", [b"schema = 1", b"files = []", b"surprise = 1", b"x = [", b"\xff", b'kind = "os"'])
    def test_what_it_may_not_hold(self, raw: bytes) -> None:
        with pytest.raises(CodecError):
            decode_draft(raw)

    def test_rules_alone(self) -> None:
        rules = decode_rules(b'[{"what": "no-open-batch"}, {"what": "sdk", "version": "28"}]')
        assert [rule.what for rule in rules] == ["no-open-batch", "sdk"]
        with pytest.raises(CodecError):
            decode_rules(b'{"what": "battery"}')


def test_how_an_issue_shows_arrives_and_an_issue_without_is_written_as_before() -> None:
    told: Any = full()
    check = {"probe": "HW-07", "expect": "pass", "question": {"en": "Look at the clock.", "zh": "查看时钟。"}}
    told["issues"] += [{"type": "vendor", "id": "BUG-1", "text": {"en": "Clock", "zh": "时钟"}, "check": check}]
    release = decode_release(data(told))
    assert release.issues[1].check is not None
    assert (release.issues[1].check.probe, release.issues[1].can_be_checked) == ("HW-07", True)
    assert not release.issues[0].can_be_checked
    assert json.loads(encode_release(release))["issues"] == told["issues"]


@pytest.mark.parametrize(
    "check", [{}, {"probe": "", "question": {}}, {"probe": "a\nb"}, {"question": {"EN": "x"}}, {"x": 1}]
)
def test_a_check_that_checks_nothing_is_refused(check: dict[str, object]) -> None:
    with pytest.raises(CodecError):
        decode_release(changed("issues.0", {"type": "vendor", "id": "BUG-1", "check": check}))
