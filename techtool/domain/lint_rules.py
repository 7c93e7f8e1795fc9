"""The rules that a release states: whether each is of a known kind and has the fields that its kind compares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from techtool.domain.lint import MEND_RULES, Check, LintFinding
from techtool.domain.lint_shelf import VERSIONED
from techtool.domain.release import Release, Requirement
from techtool.i18n import phrase

HIGHEST_SDK: Final = 999_999
"""What a rule can name at most."""
RULE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "firmware": ("compare", "version"),
    "bootloader": ("compare", "version"),
    "component": ("id", "compare", "version"),
    "battery": ("percent",),
    "external-power": (),
    "free-storage": ("bytes",),
    "tool": ("compare", "version"),
    "no-open-batch": (),
    "sdk": ("compare", "version"),
    "abi": ("version",),
}
"""Kind of rule → the fields it needs besides ``what``."""


def rules(release: Release, known: Collection[str]) -> Iterator[LintFinding]:
    """Rules of unknown kinds, and such as lack what they compare with."""
    for what in sorted({rule.what for rule in (*release.requires, *release.recommends)} - set(known)):
        text = phrase("It states a rule “{what}” that nobody here knows: no terminal meets it.", what=what)
        there = "; ".join(_form(name) for name in sorted(known))
        remedy = phrase("The rules that there are, with their fields: {rules}. {mend}", rules=there, mend=MEND_RULES)
        yield LintFinding(Check.UNKNOWN_RULE, release.key, text, remedy)
    for rule in release.requires:
        if rule.what in known and is_malformed(rule):
            yield _malformed(release, rule)


def is_malformed(rule: Requirement) -> bool:
    """Whether the rule could never be judged, on whatever terminal."""
    version = rule.version.strip()
    if rule.what in VERSIONED:
        return bool(_lacking(rule))
    if rule.what == "sdk":
        return not version.isdecimal() or int(version) > HIGHEST_SDK
    if rule.what == "abi":
        return not processors(rule)
    return rule.what == "tool" and not _is_tool_version(version)


def processors(rule: Requirement) -> tuple[str, ...]:
    """What an ``abi`` rule lists."""
    return tuple(part.strip() for part in (rule.version or rule.id).split(",") if part.strip())


def _malformed(release: Release, rule: Requirement) -> LintFinding:
    lacking = _lacking(rule)
    if lacking:
        listed = ", ".join(f"“{name}”" for name in lacking)
        text = phrase("Its rule “{what}” lacks {fields}: no terminal meets it.", what=rule.what, fields=listed)
    else:
        text = phrase(
            "Its rule “{what}” cannot compare with “{version}”, which its field “version” says: no terminal meets it.",
            what=rule.what,
            version=rule.version,
        )
    remedy = phrase("Such a rule has the fields {fields}. {mend}", fields=_form(rule.what), mend=MEND_RULES)
    return LintFinding(Check.UNREACHABLE, release.key, text, remedy)


def _lacking(rule: Requirement) -> list[str]:
    """The text fields that its kind needs and that are empty."""
    if rule.what == "abi":
        return [] if processors(rule) else ["version"]
    wanted = [name for name in RULE_FIELDS.get(rule.what, ()) if name in {"id", "version"}]
    return [name for name in wanted if not getattr(rule, name).strip()]


def _form(what: str) -> str:
    """``component (id, compare, version)``"""
    fields = RULE_FIELDS.get(what, ())
    return f"{what} ({', '.join(fields)})" if fields else what


def _is_tool_version(version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
