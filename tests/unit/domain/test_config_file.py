"""Configuration files: only named keys are kept, counters go upward only, passwords stay where they are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.config_file import (
    ConfigRefused,
    ConfigRule,
    Format,
    FormerConfig,
    former_bytes,
    keep,
    merge,
    read_former,
)

RULE = ConfigRule(
    "/sdcard/pos/terminal.json",
    Format.JSON,
    "config_version",
    ("receipt_header", "timeout_s", "batch_no", "trace_no"),
    ("batch_no", "trace_no"),
    ("operator_password",),
)
LINES = replace(RULE, format=Format.KEY_VALUE)
COUNTS = st.integers(0, 10**12)


def json_file(**changed: object) -> bytes:
    content: dict[str, object] = {
        "config_version": "2.1",
        "receipt_header": "OLD SHOP",
        "timeout_s": 30,
        "batch_no": "000041",
        "trace_no": 317,
        "operator_password": "s3cret!",
        "other": {"nested": [1, 2.5]},
    }
    return json.dumps({**content, **changed}).encode()


def line_file(batch: int, trace: int, header: str = "OLD SHOP") -> bytes:
    return (
        f"# kept remark\nconfig_version = 2.1\nreceipt_header={header}\n\ntimeout_s=30\nbatch_no={batch:06d}\n"
        f"trace_no = {trace}\noperator_password=s3cret!\nother=x=y\n"
    ).encode()


@given(st.tuples(COUNTS, COUNTS), st.tuples(COUNTS, COUNTS), st.booleans())
def test_counters_only_ever_go_upward(now: tuple[int, int], then: tuple[int, int], as_text: bool) -> None:
    def file(counts: tuple[int, int]) -> bytes:
        return json_file(batch_no=f"{counts[0]:06d}" if as_text else counts[0], trace_no=counts[1])

    merged = merge(RULE, file(now), keep(RULE, file(then)))
    found = json.loads(merged.content)
    assert (int(found["batch_no"]), int(found["trace_no"])) == (max(now[0], then[0]), max(now[1], then[1]))
    assert isinstance(found["batch_no"], str) is as_text
    again = merge(RULE, merged.content, keep(RULE, file(then)))
    assert (again.changed, again.content) == ((), merged.content)


@given(st.tuples(COUNTS, COUNTS), st.tuples(COUNTS, COUNTS))
def test_counters_of_lines_only_ever_go_upward(now: tuple[int, int], then: tuple[int, int]) -> None:
    merged = merge(LINES, line_file(*now), keep(LINES, line_file(*then)))
    found = dict(line.split("=", 1) for line in merged.content.decode().split("\n") if "=" in line)
    found = {key.strip(): value.strip() for key, value in found.items()}
    assert (int(found["batch_no"]), int(found["trace_no"])) == (max(now[0], then[0]), max(now[1], then[1]))
    assert len(found["batch_no"]) >= 6


def test_a_password_is_named_and_never_kept() -> None:
    former = keep(RULE, json_file())
    assert former.reenter == ("operator_password",)
    assert b"s3cret" not in former_bytes(former)
    assert b"nested" not in former_bytes(former)
    assert read_former(former_bytes(former)) == former


def test_what_is_not_named_stays_as_the_terminal_has_it() -> None:
    former = keep(RULE, json_file(receipt_header="NEW SHOP", operator_password="of the backup", other=0))
    merged = merge(RULE, json_file(config_version="3.0"), former)
    assert json.loads(merged.content) == json.loads(json_file(config_version="3.0", receipt_header="NEW SHOP"))
    assert merged.changed == ("receipt_header",)
    assert merged.reenter == ("operator_password",)


def test_lines_stay_in_their_order_with_their_remarks() -> None:
    merged = merge(LINES, line_file(41, 317), keep(LINES, line_file(40, 400, "NEW SHOP")))
    expected = line_file(41, 317, "NEW SHOP").replace(b"trace_no = 317", b"trace_no=400")
    assert merged.content == expected
    assert (merged.changed, merged.kept_higher) == (("receipt_header", "trace_no"), ("batch_no",))


@pytest.mark.parametrize(
    "now",
    [
        json_file(batch_no=None),
        json_file(batch_no=""),
        json_file(batch_no="4l"),
        json_file(trace_no=-1),
        json_file(trace_no=31.7),
        json_file(trace_no=True),
        json_file(trace_no={"value": 317}),
        json.dumps({k: v for k, v in json.loads(json_file()).items() if k != "trace_no"}).encode(),
        b"",
        b"[]",
        b'{"config_version": "2.1", "batch_no": 1, "batch_no": 2, "trace_no": 3}',
        json_file()[:-20],
        json_file(config_version="?"),
    ],
)
def test_what_cannot_be_read_is_not_written(now: bytes) -> None:
    former = keep(RULE, json_file(receipt_header="NEW SHOP"))
    with pytest.raises(ConfigRefused) as refused:
        merge(RULE, now, former)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("then", "now", "allowed"),
    [
        ("2.1", "2.1", True),
        ("2.1", "2.1.0", True),
        ("2.9", "2.10", True),
        ("2.1", "3.0", True),
        ("2.10", "2.9", False),
        ("3.0", "2.1", False),
        ("2.1.1", "2.1", False),
    ],
)
def test_never_a_later_version_onto_an_earlier_one(then: str, now: str, allowed: bool) -> None:
    former = keep(RULE, json_file(config_version=then, receipt_header="NEW SHOP"))
    if allowed:
        merged = merge(RULE, json_file(config_version=now), former)
        assert json.loads(merged.content)["config_version"] == now
    else:
        with pytest.raises(ConfigRefused, match="version"):
            merge(RULE, json_file(config_version=now), former)


def test_a_counter_that_the_backup_lacks_stays() -> None:
    merged = merge(RULE, json_file(), FormerConfig("2.1", {"receipt_header": "NEW SHOP", "batch_no": "none"}))
    assert json.loads(merged.content) == json.loads(json_file(receipt_header="NEW SHOP"))
