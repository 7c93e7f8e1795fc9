from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from techtool.domain.codec import decode_json
from techtool.domain.visit import VisitRecord
from techtool.i18n import Phrase
from techtool.reports.statement import JOURNAL_HEAD, PREDICATE_TYPE, STATEMENT_TYPE, statement
from tests import factories as f


def read(visit: VisitRecord) -> dict[str, Any]:
    return decode_json(statement(visit), dict[str, Any])


def test_it_is_an_in_toto_statement() -> None:
    document = read(f.visit_record())
    assert set(document) == {"_type", "subject", "predicateType", "predicate"}
    assert document["_type"] == STATEMENT_TYPE == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == PREDICATE_TYPE
    assert document["predicate"]["schema"] == 1


def test_subjects_are_what_is_on_the_terminal_and_the_backups_by_digest() -> None:
    subjects = {s["name"]: s["digest"] for s in read(f.visit_record())["subject"]}
    assert subjects == {
        "visits/20260314-090000-7f3a.jnl": {JOURNAL_HEAD: f.digest_of("journal")},
        f"terminals/P2A0123456789/acme-pay@3.2.0/{f.PAY}": {"sha256": f.release().files[0].sha256},
        "backups/b-1.age": {"sha256": f.digest_of("b-1.age")},
        "backups/b-2.age": {"sha256": f.digest_of("b-2.age")},
    }


def test_a_payload_that_reads_back_differently_is_named_by_what_is_there() -> None:
    done = f.lane_done()
    found = f.digest_of("something else")
    lane = replace(done, installed=(replace(done.installed[0], sha256_found=found),))
    document = read(f.visit_record(lane))
    assert {"sha256": found} in [s["digest"] for s in document["subject"]]
    assert document["predicate"]["terminals"][0]["installed"][0]["read_back"] is False


def test_every_subject_has_a_name_of_its_own() -> None:
    lanes = (f.lane_done("1", "SERIAL-A"), f.lane_done("2", "SERIAL-B"))
    names = [s["name"] for s in read(f.visit_record(*lanes))["subject"]]
    assert len(names) == len(set(names)) == 5


def _phrases(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, Mapping):
        if "msgid" in value:
            yield value
        for item in value.values():
            yield from _phrases(item)
    elif isinstance(value, list):
        for item in value:
            yield from _phrases(item)


def test_sentences_can_be_said_again_in_any_language() -> None:
    found = list(_phrases(read(f.visit_record())))
    assert len(found) > 20
    for sentence in found:
        assert set(sentence) == {"text", "msgid", "params"}
        assert Phrase.from_json(sentence).text("en") == sentence["text"]


def test_the_same_record_gives_the_same_bytes_in_every_language() -> None:
    visit = f.visit_record()
    assert statement(visit) == statement(replace(visit)) == statement(f.visit_record())
    assert statement(visit).endswith(b"}\n")


def test_the_fields_that_readers_rely_on() -> None:
    """New fields may come; one that is missing here breaks somebody's program, and needs another schema number."""
    predicate = read(f.visit_record())["predicate"]
    assert set(predicate) >= {"schema", "redacted", "simulated", "visit", "terminals", "totals"}
    assert set(predicate["visit"]) >= {
        "id",
        "type",
        "state",
        "sealed",
        "journal_head",
        "started_at",
        "finished_at",
        "outcome",
        "exit",
        "technician",
        "merchant",
        "work_order",
        "stick",
        "tool_version",
        "clock_note",
        "answers",
    }
    terminal = predicate["terminals"][0]
    assert set(terminal) >= {
        "lane",
        "address",
        "serial",
        "outcome",
        "exit",
        "error",
        "confirmed_at",
        "before",
        "after",
        "trust",
        "plan",
        "steps",
        "answers",
        "checks",
        "backup",
        "installed",
        "evidence",
    }
    assert set(terminal["plan"]) >= {"digest", "releases", "install", "steps", "estimate_s", "downtime_s", "undo"}
    assert set(terminal["plan"]["releases"][0]) >= {"id", "version", "verdict", "rules"}
    assert set(terminal["plan"]["releases"][0]["rules"][0]) >= {"what", "ok", "reason"}


def test_words_and_times_are_those_of_the_records() -> None:
    predicate = read(f.visit_record())["predicate"]
    assert predicate["visit"]["started_at"] == "2026-03-14T09:00:00.000Z"
    assert [t["outcome"] for t in predicate["terminals"]] == ["success", "failed-device-ok", "failed-transient"]
    assert predicate["terminals"][0]["steps"][2]["action"] == "INST"
    assert predicate["totals"]["checks"] == {"pass": 2, "fail": 0, "not-applicable": 1, "not-done": 1}
    assert predicate["simulated"] is True


def test_an_unfinished_visit_claims_no_end() -> None:
    predicate = read(f.unfinished_visit())["predicate"]
    assert predicate["visit"]["state"] == "unfinished"
    assert predicate["visit"]["finished_at"] is None
    assert predicate["terminals"][0]["outcome"] == "inconsistent"
    assert read(f.abandoned_visit())["predicate"]["visit"]["state"] == "abandoned"
