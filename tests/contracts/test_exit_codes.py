"""Exit codes and their order are a contract with scripts."""

from __future__ import annotations

import itertools

from techtool.domain.outcome import OUTCOME_EXIT, OUTCOME_LABEL, Outcome
from techtool.errors import Exit, gravest

CODES = {
    "DONE": 0,
    "FAILED": 1,
    "NOTHING_TO_DO": 2,
    "NOT_FOUND": 3,
    "USAGE": 4,
    "ANSWER_MISSING": 5,
    "REFUSED_BY_PERSON": 6,
    "OFFICE_UNREACHABLE": 7,
    "OFFICE_CONFLICT": 8,
    "UNTRUSTED": 10,
    "EXPIRED": 11,
    "RECALLED": 12,
    "DAMAGED_BUNDLE": 13,
    "WITHDRAWN": 14,
    "UNREACHABLE": 20,
    "UNKNOWN_MODEL": 21,
    "NOT_COMPATIBLE": 22,
    "GATE_CLOSED": 23,
    "LOST": 24,
    "LOCKED": 30,
    "DAMAGED_STORE": 31,
    "DISK_FULL": 32,
    "ROLLED_BACK": 40,
    "NEEDS_FIRMWARE": 41,
    "UNRECOVERABLE": 42,
    "INCONSISTENT": 43,
    "NOT_RESTORED": 44,
    "FORBIDDEN_CONTENT": 50,
    "BACKUP_NOT_VERIFIED": 51,
    "RESTORE_REFUSED": 52,
    "INTERRUPTED": 130,
}
OUTCOMES = {
    "success": 0,
    "self-reported": 0,
    "success-not-restored": 44,
    "needs-reboot": 1,
    "failed-transient": 1,
    "failed-device-ok": 1,
    "rolled-back": 40,
    "failed-needs-firmware": 41,
    "failed-unrecoverable": 42,
    "inconsistent": 43,
    "nothing-to-do": 2,
    "cancelled": 6,
    "refused": 23,
}
GRAVEST_FIRST = [42, 41, 43, 24, 40, 44]


def test_every_exit_code_is_the_one_promised() -> None:
    assert {code.name: int(code) for code in Exit} == CODES


def test_every_outcome_word_has_its_exit_code_and_its_label() -> None:
    assert {outcome.value: int(OUTCOME_EXIT[outcome]) for outcome in Outcome} == OUTCOMES
    assert set(OUTCOME_LABEL) == set(Outcome)


def _order() -> list[int]:
    failures = [c for c in sorted(CODES.values()) if c not in (0, 2, *GRAVEST_FIRST)]
    return [*GRAVEST_FIRST, *failures, 0, 2]


def test_of_two_terminals_the_gravest_counts() -> None:
    for worse, better in itertools.combinations(_order(), 2):
        for codes in ([worse, better], [better, worse]):
            assert gravest([Exit(c) for c in codes]) == worse, codes


def test_of_many_or_none() -> None:
    assert gravest([]) is Exit.DONE
    assert gravest([Exit.NOTHING_TO_DO] * 3) is Exit.NOTHING_TO_DO
    assert gravest([Exit.DONE, Exit.UNREACHABLE, Exit.LOST, Exit.NOTHING_TO_DO]) is Exit.LOST
