"""What a release description or a recall may hold at most: what a signer could get wrong, or a false one overdo.

The places named in errors are those of the file (``$.files[0].size``), because that is what a publisher corrects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from techtool.domain.codec import CodecError
from techtool.domain.recall import Recall
from techtool.domain.release import Issue, Provides, Release, ReleaseFile, Requirement

T = TypeVar("T")

_MAX_ITEMS: Final = 256
_MAX_TEXT: Final = 20_000
_MAX_WORD: Final = 200
_MAX_PATH: Final = 400
_MAX_FILE: Final = 1 << 40
_MAX_DURATION_S: Final = 7 * 24 * 3600
_MAX_CADENCE_DAYS: Final = 3660
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_FILE_ROLES: Final = ("apk", "image", "data")
_DATA_POLICIES: Final = ("restore", "retain", "wipe")


def check_bounds(release: Release) -> Release:
    """``release`` itself, when everything in it is there and within bounds; raises :class:`CodecError`."""
    _require(_ID.fullmatch(release.id) is not None, "$.id")
    _words([release.version], "$.version")
    _words([release.version_format], "$.version_format")
    _require(0 <= release.install_duration_s <= _MAX_DURATION_S, "$.install_duration")
    _require(0 <= release.cadence_days <= _MAX_CADENCE_DAYS, "$.cadence_days")
    _require(len(release.files) > 0, "$.files")
    _few(release.files, "$.files")
    for place, file in enumerate(release.files):
        _check_file(file, f"$.files[{place}]")
    _check_provides(release.provides)
    for name, rules in (("requires", release.requires), ("recommends", release.recommends)):
        _few(rules, f"$.{name}")
        for place, rule in enumerate(rules):
            _check_rule(rule, f"$.{name}[{place}]")
    _check_rest(release)
    return release


def check_recall_bounds(recall: Recall) -> Recall:
    """``recall`` itself, when everything in it is there and within bounds; raises :class:`CodecError`."""
    _require(_ID.fullmatch(recall.id) is not None, "$.id")
    _words([recall.version], "$.version")
    _words([*_given(recall.replacement), *_given(recall.shown_version)], "$")
    _require(any(text.strip() for text in recall.reason.values()), "$.reason")
    _check_texts(recall.reason, "$.reason")
    _few(recall.packages, "$.packages")
    for place, package in enumerate(recall.packages):
        _require(_ID.fullmatch(package.id) is not None, f"$.packages[{place}].id")
        _require(0 <= package.version_code < 1 << 63, f"$.packages[{place}].version_code")
    _check_provides(recall.provides)
    return recall


def _check_provides(entries: Sequence[Provides]) -> None:
    _few(entries, "$.provides")
    for place, provided in enumerate(entries):
        _words([provided.vendor, provided.model], f"$.provides[{place}]")
        _words(provided.hw_revisions, f"$.provides[{place}].hw_rev")
        _words(provided.regions, f"$.provides[{place}].region")


def _check_texts(texts: Mapping[str, str], at: str) -> None:
    _require(len(texts) <= _MAX_ITEMS, at)
    for language, text in texts.items():
        _require(_LANGUAGE.fullmatch(language) is not None, at)
        _check_text(text, f"{at}.{language}")


def _check_text(text: str, at: str) -> None:
    """Sentences for people: lines and tabs, and nothing that drives a terminal or turns the direction of writing."""
    _require(len(text) <= _MAX_TEXT and all(char.isprintable() or char in "\n\t" for char in text), at)


def _check_rest(release: Release) -> None:
    _few(release.conflicts, "$.conflicts")
    for place, conflict in enumerate(release.conflicts):
        _words([conflict.id], f"$.conflicts[{place}].id")
        _words(_given(conflict.version), f"$.conflicts[{place}].version")
    _few(release.blocked_hw, "$.blocked_hw")
    for place, blocked in enumerate(release.blocked_hw):
        _words([blocked.hw_revision, blocked.reason], f"$.blocked_hw[{place}]")
    _words(release.tags, "$.tags")
    _words(release.after.checks, "$.after.checks")
    _require(set(release.after.texts) <= set(release.after.checks), "$.after.texts")
    for check, texts in release.after.texts.items():
        _check_texts(texts, f"$.after.texts.{check}")
    _words(_given(release.after.expect_version), "$.after.expect_version")
    _words(_given(release.branch), "$.branch")
    _require(release.rollback.data in _DATA_POLICIES, "$.rollback.data")
    _words(_given(release.rollback.lowest), "$.rollback.lowest")
    for place, issue in enumerate(_few(release.issues, "$.issues")):
        _check_issue(issue, f"$.issues[{place}]")
    for place, known in enumerate(_few(release.known_issues, "$.known_issues")):
        _words([known.id, *_given(known.hw_revision)], f"$.known_issues[{place}]")
        _check_text(known.text, f"$.known_issues[{place}].text")
    for place, tested in enumerate(_few(release.tested_on, "$.tested_on")):
        _words([tested.model, tested.result, *_given(tested.hw_revision)], f"$.tested_on[{place}]")
        _words(tested.from_versions, f"$.tested_on[{place}].from")
    _check_texts(release.text, "$.text")


def _check_issue(issue: Issue, at: str) -> None:
    _words([issue.type, issue.id], at)
    _check_texts(issue.text, f"{at}.text")
    _check_texts(issue.symptom, f"{at}.symptom")
    if issue.check is not None:
        _require(bool(issue.check.probe or issue.check.question), f"{at}.check")
        _words([*_given(issue.check.probe), issue.check.expect], f"{at}.check")
        _check_texts(issue.check.question, f"{at}.check.question")


def _check_file(file: ReleaseFile, at: str) -> None:
    _require(file.role in _FILE_ROLES, f"{at}.role")
    _require(0 < file.size_bytes <= _MAX_FILE, f"{at}.size")
    _require(_SHA256.fullmatch(file.sha256) is not None, f"{at}.sha256")
    _words([file.target], f"{at}.target", limit=_MAX_PATH)
    _require((file.apk is not None) == (file.role == "apk"), f"{at}.apk")
    if file.apk is not None:
        apk = file.apk
        _require(_ID.fullmatch(apk.id) is not None, f"{at}.apk.id")
        _words([apk.version], f"{at}.apk.version")
        _require(0 <= apk.version_code < 1 << 63, f"{at}.apk.version_code")
        _require(0 < apk.min_sdk < 100_000, f"{at}.apk.min_sdk")
        _require(_SHA256.fullmatch(apk.signer) is not None, f"{at}.apk.signer")
        _words(apk.abis, f"{at}.apk.abis")


def _check_rule(rule: Requirement, at: str) -> None:
    _words([rule.what], f"{at}.what")
    _require(0 <= rule.percent <= 100, f"{at}.percent")
    _require(0 <= rule.bytes <= _MAX_FILE, f"{at}.bytes")
    _require(rule.what != "component" or bool(rule.id), f"{at}.id")
    _words([*_given(rule.version), *_given(rule.version_format), *_given(rule.id)], at)


def _given(text: str) -> tuple[str, ...]:
    """A word that may be left out."""
    return (text,) if text else ()


def _words(texts: Iterable[str], at: str, limit: int = _MAX_WORD) -> None:
    """Short, printable, without blanks around: what can stand in a table, a file name or a sentence."""
    found = list(texts)
    _few(found, at)
    for text in found:
        _require(0 < len(text) <= limit and text.isprintable() and text == text.strip(), at)


def _few(items: Sequence[T], at: str) -> Sequence[T]:
    _require(len(items) <= _MAX_ITEMS, at)
    return items


def _require(ok: bool, at: str) -> None:
    if not ok:
        raise CodecError(f"missing or out of bounds - at `{at}`")
