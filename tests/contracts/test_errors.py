"""Every error of the tree is one a person can act on, and every place that raises one fills its texts."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from techtool import errors
from techtool.errors import Exit, TechtoolError
from techtool.i18n import Phrase
from tests.locale_tools import PACKAGE, has_words, parsed, placeholders, translations

SOURCES = sorted(PACKAGE.rglob("*.py"))


def _family(base: type[TechtoolError]) -> Iterator[type[TechtoolError]]:
    for child in base.__subclasses__():
        yield child
        yield from _family(child)


TREE = sorted({c for c in _family(TechtoolError) if c.__module__.startswith("techtool.errors.")}, key=lambda c: c.code)
ALL: list[type[TechtoolError]] = [TechtoolError, *TREE]
CLASSES = {c.__name__: c for c in ALL}
EXITS = {
    "UsageError": 4,
    "BadAddress": 4,
    "BadFile": 4,
    "BadSettings": 4,
    "NotSetUp": 4,
    "AmbiguousChoice": 4,
    "BadEvidence": 4,
    "BadOrder": 4,
    "AnswerUnusable": 5,
    "ConfirmationMissing": 5,
    "PublisherError": 4,
    "SupportRefused": 50,
    "SupportDamaged": 13,
    "BadCaseCode": 4,
    "NotFoundError": 3,
    "NoStick": 3,
    "NoSuchVisit": 3,
    "NothingToResume": 3,
    "VisitClosed": 3,
    "SignedOff": 3,
    "NoSuchBackup": 3,
    "PersonError": 6,
    "AnswerMissing": 5,
    "OptionMissing": 5,
    "PassphraseMissing": 5,
    "StoppedHere": 6,
    "RefusedByPerson": 6,
    "WrongPassphrase": 6,
    "TrustError": 10,
    "Untrusted": 10,
    "UnknownOffice": 10,
    "OtherFingerprint": 10,
    "RefreshUntrusted": 10,
    "EnrolmentUntrusted": 10,
    "FactsUntrusted": 10,
    "Expired": 11,
    "Recalled": 12,
    "Damaged": 13,
    "Withdrawn": 14,
    "LinkError": 20,
    "Unreachable": 20,
    "NotReady": 20,
    "PairingFailed": 20,
    "WrongProtocol": 20,
    "NotAuthorized": 20,
    "TokenRefused": 20,
    "TokenMissing": 20,
    "TokenWithheld": 20,
    "LinkTimeout": 20,
    "LinkLost": 24,
    "CommandRefused": 1,
    "CertificateUnknown": 10,
    "CertificateChanged": 10,
    "LoginNeeded": 5,
    "LoginRefused": 20,
    "NotCapable": 22,
    "MediumUnfit": 22,
    "MediumFailed": 24,
    "TerminalError": 1,
    "UnknownModel": 21,
    "NotCompatible": 22,
    "GateClosed": 23,
    "RiskTooHigh": 23,
    "AnotherTerminal": 23,
    "InstallFailed": 1,
    "VerifyFailed": 1,
    "StoreError": 31,
    "StoreLocked": 30,
    "StoreDamaged": 31,
    "VisitDamaged": 31,
    "StoreKeyMissing": 31,
    "StoreKeyUnusable": 31,
    "StoreTooNew": 31,
    "DiskFull": 32,
    "DiskError": 31,
    "NotEnoughRoom": 32,
    "BackupError": 1,
    "ForbiddenContent": 50,
    "BackupNotVerified": 51,
    "RestoreRefused": 52,
    "OfficeError": 7,
    "OfficeCertificate": 7,
    "OfficeDenied": 7,
    "OfficeRefused": 7,
    "OfficeConflict": 8,
    "RecordUnproven": 10,
    "Interrupted": 130,
    "InternalError": 1,
}


def texts(kind: type[TechtoolError]) -> list[str]:
    return [kind.what, kind.state_now, *kind.next_actions]


def test_the_exit_codes_are_the_ones_promised() -> None:
    assert {c.__name__: int(c.exit_code) for c in TREE} == EXITS


def test_every_exit_code_but_those_of_outcomes_has_an_error() -> None:
    of_outcomes = {
        Exit.DONE,
        Exit.NOTHING_TO_DO,
        Exit.ROLLED_BACK,
        Exit.NEEDS_FIRMWARE,
        Exit.UNRECOVERABLE,
        Exit.INCONSISTENT,
        Exit.NOT_RESTORED,
    }
    assert {c.exit_code for c in TREE} | of_outcomes == set(Exit)


def test_every_code_is_used_once() -> None:
    codes = [c.code for c in ALL]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"TT-\d{3}", code) for code in codes)
    inherited = [c.__name__ for c in TREE if "code" not in vars(c)]
    assert inherited == []


def test_a_code_begins_with_the_digit_of_its_branch() -> None:
    for kind in TREE:
        branch = next(b for b in reversed(inspect.getmro(kind)) if b in TREE)
        assert kind.code[:4] == CLASSES[branch.__name__].code[:4], kind


def test_the_drawing_on_top_shows_every_class() -> None:
    drawing = errors.__doc__ or ""
    drawn = re.findall(r"[├└]── (\w+)", drawing)
    assert sorted(drawn) == sorted(c.__name__ for c in TREE)


def test_every_class_is_imported_from_the_package_itself() -> None:
    """Where a class stands among the modules is for whoever reads them; whoever raises it need not know."""
    assert {name: getattr(errors, name, None) for name in CLASSES} == CLASSES


def test_no_other_module_has_errors_of_its_own() -> None:
    for path in SOURCES:
        if path.parent == PACKAGE / "errors":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                bases = {b.id if isinstance(b, ast.Name) else "" for b in node.bases}
                assert not bases & set(CLASSES), f"{path.name}: {node.name}"


@pytest.mark.parametrize("kind", TREE, ids=lambda c: str(c.code))
def test_it_says_what_state_and_what_to_do(kind: type[TechtoolError]) -> None:
    assert kind.next_actions
    for text in texts(kind):
        assert text.strip() == text
        assert text
        assert text[-1] in ".:})]", f"a sentence ends: {text}"
        assert all(name.isidentifier() for name in placeholders(text))
    assert kind.__doc__


@pytest.mark.parametrize("kind", TREE, ids=lambda c: str(c.code))
def test_it_is_shown_whole_when_its_placeholders_are_filled(kind: type[TechtoolError]) -> None:
    names = {name for text in texts(kind) for name in placeholders(text)}
    params: dict[str, Any] = {name: f"<{name}>" for name in names}
    error = kind(detail="raw {not a template}", **params)
    for language in ("en", "zh"):
        shown = [error.what_phrase, error.state_phrase, *error.action_phrases]
        for phrase in shown:
            assert phrase.text(language)
            assert "{" not in phrase.text(language)
    recorded = error.to_json()
    assert (recorded["code"], recorded["exit"]) == (kind.code, int(kind.exit_code))
    what = recorded["what"]
    assert isinstance(what, dict)
    assert Phrase.from_json(what) == error.what_phrase


@pytest.fixture(scope="module")
def chinese() -> Mapping[object, object]:
    """English message → its translation."""
    return {m.id: m.string for m in translations() if m.id}


@pytest.mark.parametrize("kind", ALL, ids=lambda c: str(c.code))
def test_it_speaks_chinese(kind: type[TechtoolError], chinese: Mapping[object, object]) -> None:
    for text in filter(has_words, texts(kind)):
        assert chinese.get(text), text
        assert re.search(r"[\u4e00-\u9fff]", str(chinese[text])), text


def _raised(path: Path) -> Iterator[tuple[int, type[TechtoolError], set[str]]]:
    """Every place where an error is made, with the names it is given; calls with ``**`` are left out."""
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in CLASSES:
            continue
        given = {k.arg for k in node.keywords}
        if None not in given:
            yield node.lineno, CLASSES[node.func.id], {name for name in given if name}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_whoever_raises_it_fills_its_placeholders(path: Path) -> None:
    """Otherwise the message to the person at the counter fails at the worst moment."""
    for line, kind, given in _raised(path):
        shown = [kind.what, *kind.next_actions, *([] if "state" in given else [kind.state_now])]
        needed = {name for text in shown for name in placeholders(text)}
        assert needed <= given, f"{path.name}:{line}: {kind.__name__} lacks {sorted(needed - given)}"
