"""What one release says, held against itself and against what techtool knows: models, rules, texts, amounts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from techtool.domain.lint import ADD_AGAIN, MEND_RULES, Check, LintFinding
from techtool.domain.lint_rules import HIGHEST_SDK, is_malformed, processors, rules
from techtool.domain.lint_shelf import VERSIONED
from techtool.domain.release import Compare, Release, ReleaseKind
from techtool.domain.rules_state import BATTERY_FLOOR_POWERED_PERCENT, STORAGE_MARGIN_PERCENT
from techtool.domain.verdicts import compared
from techtool.domain.version_space import Want, contradiction, is_readable
from techtool.domain.versions import SCHEMES
from techtool.i18n import LANGUAGES, Phrase, phrase

_SYSTEM_KINDS: Final = (ReleaseKind.FIRMWARE, ReleaseKind.BOOTLOADER)
_ENDLESS: Final = 1 << 62
"""Bytes: more than any terminal has."""


def alone(
    release: Release, known_models: Collection[tuple[str, str]], known_rules: Collection[str]
) -> Iterator[LintFinding]:
    """Everything that can be said without looking at another release."""
    yield from rules(release, known_rules)
    yield from _models(release, known_models)
    yield from _hardware(release)
    yield from _amounts(release)
    yield from _processor(release)
    yield from _versions(release)
    yield from _told(release)


def _models(release: Release, known: Collection[tuple[str, str]]) -> Iterator[LintFinding]:
    named = sorted({(p.vendor, p.model) for p in release.provides})
    unknown = [f"{vendor}/{model}" for vendor, model in named if (vendor, model) not in known]
    if not named:
        yield LintFinding(
            Check.UNKNOWN_MODEL,
            release.key,
            phrase("It is made for no model at all."),
            phrase("Name its models. {way}", way=ADD_AGAIN),
        )
    elif unknown:
        all_of_them = len(unknown) == len(named)
        listed = ", ".join(unknown)
        text = phrase("The catalogue does not know some of its models: {models}", models=listed)
        if all_of_them:
            text = phrase("The catalogue knows none of its models: {models}", models=listed)
        vendors = {vendor for vendor, _model in named}
        near = [f"{vendor}/{model}" for vendor, model in sorted(known) if vendor in vendors]
        remedy = phrase("{way} The catalogue's models of this vendor: {models}", way=ADD_AGAIN, models=", ".join(near))
        if not near:
            there = ", ".join(sorted({vendor for vendor, _model in known}))
            remedy = phrase("{way} The catalogue's vendors: {vendors}", way=ADD_AGAIN, vendors=there)
        check = Check.UNKNOWN_MODEL if all_of_them else Check.UNKNOWN_MODEL_SOME
        yield LintFinding(check, release.key, text, remedy)


def _hardware(release: Release) -> Iterator[LintFinding]:
    """An entry without revisions means any, also one that is not blocked."""
    blocked = {entry.hw_revision for entry in release.blocked_hw}
    entries = release.provides
    if entries and all(entry.hw_revisions and set(entry.hw_revisions) <= blocked for entry in entries):
        text = phrase("Every hardware revision that it is made for is blocked: {revisions}", revisions=_list(blocked))
        remedy = phrase("Block only revisions that it must not reach, and name the others in “provides”.")
        yield LintFinding(Check.UNREACHABLE, release.key, text, remedy)


def _amounts(release: Release) -> Iterator[LintFinding]:
    """Battery, storage, API level and techtool's version: demands that no amount meets together."""
    needed = -(-release.size_bytes * STORAGE_MARGIN_PERCENT // 100)
    lowest_sdk = max((apk.min_sdk for apk in release.packages), default=1)
    stated = release.requires
    battery = [(r.compare, r.percent) for r in stated if r.what == "battery"]
    storage = [(r.compare, r.bytes) for r in stated if r.what == "free-storage"]
    sdk = [(r.compare, int(r.version)) for r in stated if r.what == "sdk" and not is_malformed(r)]
    floor = BATTERY_FLOOR_POWERED_PERCENT
    why = phrase("no charge from {floor} % to 100 % meets them all", floor=floor)
    yield from _unless_any(release, "battery", battery, range(floor, 101), why)
    why = phrase("from the {floor} bytes on that the release itself needs, no amount meets them all", floor=needed)
    yield from _unless_any(release, "free-storage", storage, range(needed, _ENDLESS), why)
    why = phrase("from level {floor} on, the lowest that its packages run on, none meets them all", floor=lowest_sdk)
    yield from _unless_any(release, "sdk", sdk, range(lowest_sdk, HIGHEST_SDK + 1), why)
    tool = [Want("dotted", r.compare, r.version) for r in stated if r.what == "tool"]
    if contradiction(tool):
        why = phrase("no version of techtool meets them all")
        yield _never(release, "tool", why)


def _unless_any(
    release: Release, what: str, demands: Sequence[tuple[Compare, int]], possible: range, why: Phrase
) -> Iterator[LintFinding]:
    if demands and not _any_amount(demands, possible):
        yield _never(release, what, why)


def _never(release: Release, what: str, why: Phrase) -> LintFinding:
    text = phrase("Its rules “{what}” let no terminal in: {why}.", what=what, why=why)
    return LintFinding(Check.UNREACHABLE, release.key, text, MEND_RULES)


def _any_amount(demands: Sequence[tuple[Compare, int]], possible: range) -> bool:
    """Whether some number meets all demands: one of the ends, or one at or beside a number that is named."""
    places = {possible[0], possible[-1]}
    places |= {number + step for _how, number in demands for step in (-1, 0, 1)}
    return any(number in possible and all(compared(how, number, named) for how, named in demands) for number in places)


def _processor(release: Release) -> Iterator[LintFinding]:
    """Every list needs one processor that no rule forbids: a terminal may have several, so one for each will do."""
    listed = [rule for rule in release.requires if rule.what == "abi" and processors(rule)]
    forbidden = {abi for rule in listed if rule.compare is Compare.NE for abi in processors(rule)}
    wanted = [processors(rule) for rule in listed if rule.compare is not Compare.NE]
    wanted += [apk.abis for apk in release.packages if apk.abis]
    for abis in wanted:
        if set(abis) <= forbidden:
            text = phrase("It needs a processor of {abis} and forbids every one of them.", abis=", ".join(abis))
            yield LintFinding(Check.UNREACHABLE, release.key, text, MEND_RULES)


def _versions(release: Release) -> Iterator[LintFinding]:
    """Versions that the scheme named for them cannot put in order."""
    scheme = release.version_format
    in_order = scheme in SCHEMES and is_readable(scheme, release.version)
    # Between packages Android's code decides; “bundle add” names its scheme where the APK's version has no order.
    code_decides = bool(release.packages) and scheme == "android-code"
    if not in_order and not code_decides:
        text = phrase("Its version “{version}” cannot be read as {scheme}.", version=release.version, scheme=scheme)
        yield _unordered(release, text)
    if release.kind in _SYSTEM_KINDS and scheme == "opaque":
        text = phrase("A name without an order (opaque) never shows that it is newer than what a terminal runs.")
        yield _unordered(release, text)
    shown = release.after.expect_version
    if release.kind in _SYSTEM_KINDS and shown and scheme in SCHEMES and not is_readable(scheme, shown):
        text = phrase(
            "What a terminal shows once it runs it, “{version}”, cannot be read as {scheme}: no terminal's version can "
            "be compared with it.",
            version=shown,
            scheme=scheme,
        )
        yield LintFinding(Check.UNREACHABLE, release.key, text, _SCHEME)
    for rule in (*release.requires, *release.recommends):
        if rule.what in VERSIONED and rule.version.strip():
            want = Want(rule.version_format or scheme, rule.compare, rule.version)
            yield from _rule_version(release, rule.id or rule.what, want)
    for conflict in release.conflicts:
        if conflict.compare is not None:
            yield from _rule_version(release, conflict.id, Want(scheme, conflict.compare, conflict.version))
    lowest = release.rollback.lowest
    if lowest and in_order and not is_readable(scheme, lowest):
        text = phrase(
            "Its lowest version to go back to, “{version}”, cannot be read as {scheme}.", version=lowest, scheme=scheme
        )
        yield _unordered(release, text)


_SCHEME: Final = phrase("Name the scheme that fits (version_format): {schemes}.", schemes=", ".join(sorted(SCHEMES)))


def _rule_version(release: Release, name: str, want: Want) -> Iterator[LintFinding]:
    if not want.readable:
        text = phrase(
            "Its rule about {name} compares with “{version}”, which cannot be read as {scheme}.",
            name=name,
            version=want.version,
            scheme=want.scheme,
        )
        yield _unordered(release, text)
    elif want.scheme == "opaque" and want.how not in (Compare.EQ, Compare.NE):
        text = phrase(
            "Its rule about {name} asks which is newer, and names without an order (opaque) do not tell.", name=name
        )
        yield _unordered(release, text)


def _unordered(release: Release, text: Phrase) -> LintFinding:
    return LintFinding(Check.UNORDERED, release.key, text, _SCHEME)


def _told(release: Release) -> Iterator[LintFinding]:
    """What people need to be told, and what nobody said."""
    lacking = [language for language in LANGUAGES if not release.text.get(language, "").strip()]
    if lacking:
        text = phrase("It has no text for the technician in: {languages}", languages=", ".join(lacking))
        remedy = phrase("Say what is new (--text {language}=…).", language=lacking[0])
        yield LintFinding(Check.TEXT_MISSING, release.key, text, remedy)
    if release.install_duration_s == 0:
        text = phrase("install_duration is not given: the time on site can only be guessed.")
        remedy = phrase("Give the seconds that the lab measured (--install-duration).")
        yield LintFinding(Check.NO_DURATION, release.key, text, remedy)
    for apk in release.packages:
        if apk.version_code == 0:
            text = phrase(
                "{package} states no version code; Android counts it as 0 and never sees it as newer.", package=apk.id
            )
            remedy = phrase("Ask for an APK with a version code.")
            yield LintFinding(Check.NO_CODE, release.key, text, remedy)
    if release.kind in _SYSTEM_KINDS and not release.tested_on:
        text = phrase("Nobody says where the lab tried it, and from which versions.")
        remedy = phrase("Give “tested_on” in the release file: then its way to these terminals is checked as well.")
        yield LintFinding(Check.NO_TESTS, release.key, text, remedy)


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
