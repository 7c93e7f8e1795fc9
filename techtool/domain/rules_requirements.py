"""The typed rules a release's description states: ``requires`` (gates), ``recommends`` (warnings), ``conflicts``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE, Found, find, slots_of_rule, slots_written
from techtool.domain.release import Compare, Conflict, Requirement
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.rules_packages import api_level, malformed, processor
from techtool.domain.rules_state import (
    batch_settled,
    battery_reason,
    charge_remedy,
    external_power,
    storage_reason,
    storage_remedy,
)
from techtool.domain.verdicts import compared, need_amount, need_version, size_text, told, unsaid, untold
from techtool.domain.versions import Comparison, compare, holds, meets
from techtool.i18n import Phrase, phrase, raw


def requirements(case: Case) -> Iterator[Verdict]:
    """One gate for each ``requires``."""
    for rule in case.release.requires:
        yield judge(case, rule)


def recommendations(case: Case) -> Iterator[Verdict]:
    """One warning for each ``recommends``: nothing is asked, what the terminal does not say is said so."""
    for rule in case.release.recommends:
        verdict = judge(replace(case, environment=replace(case.environment, answers={})), rule)
        if verdict.ask:
            need = verdict.reason.params.get("need")
            yield unsaid(rule.what, need if isinstance(need, Phrase) else raw(rule.what))
        else:
            yield replace(verdict, force=Force.WARNING)


def judge(case: Case, rule: Requirement) -> Verdict:
    """One rule as a gate; a kind that this techtool does not know can never be met."""
    check = _KINDS.get(rule.what)
    if check is None:
        reason = phrase("The rule “{what}” is not known here: it needs a newer techtool.", what=rule.what)
        return told(rule.what, False, reason, phrase("Update techtool, then check again."))
    return check(case, rule)


def conflicts(case: Case) -> Iterator[Verdict]:
    """One gate for each component that must not be there."""
    for conflict in case.release.conflicts:
        yield _conflict(case, conflict)


def demands(case: Case) -> Iterator[Verdict]:
    """The rules about other components, which must go on holding while the release runs.

    A rule about what the release itself replaces (from which version it may be installed) ends with its installation.
    """
    own = slots_written(case.release)
    for rule in case.release.requires:
        slots = slots_of_rule(rule, case.known)
        if slots and not slots & own:
            yield judge(case, rule)
    for conflict in case.release.conflicts:
        if not slots_of_rule(conflict, case.known) & own:
            yield _conflict(case, conflict)


def _conflict(case: Case, conflict: Conflict) -> Verdict:
    scheme = case.release.version_format
    found = find(conflict.id, scheme, case.terminal, case.known)
    name = raw(conflict.id)
    how = conflict.compare
    remedy = phrase("Ask the office which releases go together.")
    forbidden = name if how is None else need_version(name, how, conflict.version)
    if not found.readable:
        ask = f"check.conflict.{conflict.id}" + (f".{how}-{conflict.version}" if how else "")
        return untold("conflict", ask, phrase("not there: {what}", what=forbidden), case.environment, remedy)
    if not found.present:
        return Verdict("conflict", True, phrase("{name} is not there.", name=name))
    clash = True if how is None else meets(scheme, found.version, how, conflict.version)
    if clash is None:
        return _incomparable("conflict", name, found.version, conflict.version)
    reason = phrase(
        "{name} {found} is installed; it does not go with {what}.", name=name, found=found.version, what=forbidden
    )
    return told("conflict", not clash, reason, remedy)


class Shortfall(StrEnum):
    """Which way a rule about a version is missed."""

    TOO_OLD = "too-old"
    """Something that is not there yet must come first."""
    TOO_NEW = "too-new"
    """The terminal is past it, and techtool does not go back."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """What a rule about a version looks at."""

    name: Phrase
    found: Found
    asked: str
    """Middle part of the question's id."""
    remedy: Phrase


def named(rule: Requirement) -> Phrase:
    """“com.acme.kernel 7.0 or newer”: what a rule about a version asks for."""
    name = {FIRMWARE: phrase("firmware"), BOOTLOADER: phrase("boot loader")}.get(rule.what, raw(rule.id))
    return need_version(name, rule.compare, rule.version)


def shortfall(case: Case, rule: Requirement) -> Shortfall | None:
    """How a rule about a version is missed; None: it is met, or nobody can tell."""
    looking_at = _SLOTS.get(rule.what)
    if looking_at is None or not rule.version.strip() or (rule.what == "component" and not rule.id):
        return None
    found = looking_at(case, rule).found
    if not found.readable:
        return None
    if not found.present:
        return Shortfall.TOO_OLD
    scheme = _scheme(case, rule)
    if meets(scheme, found.version, rule.compare, rule.version) is not False:
        return None
    order = compare(scheme, found.version, rule.version)
    past = order is Comparison.NEWER or (order is Comparison.SAME and rule.compare is Compare.LT)
    return Shortfall.TOO_NEW if past else Shortfall.TOO_OLD


def _scheme(case: Case, rule: Requirement) -> str:
    return rule.version_format or case.release.version_format


def _firmware(case: Case, rule: Requirement) -> _Slot:
    text = case.terminal.identity.firmware.strip()
    remedy = phrase("Update the firmware first.")
    return _Slot(phrase("firmware"), Found(text, bool(text)), rule.what, remedy)


def _bootloader(case: Case, rule: Requirement) -> _Slot:
    text = (case.terminal.bootloader or "").strip()
    remedy = phrase("Update the boot loader first.")
    return _Slot(phrase("boot loader"), Found(text, bool(text)), rule.what, remedy)


def _component(case: Case, rule: Requirement) -> _Slot:
    found = find(rule.id, _scheme(case, rule), case.terminal, case.known)
    return _Slot(raw(rule.id), found, f"component.{rule.id}", phrase("Install {name} first.", name=rule.id))


_SLOTS: Final[dict[str, Callable[[Case, Requirement], _Slot]]] = {
    FIRMWARE: _firmware,
    BOOTLOADER: _bootloader,
    "component": _component,
}


def _version(case: Case, rule: Requirement) -> Verdict:
    if not rule.version.strip() or (rule.what == "component" and not rule.id):
        return malformed(rule.what)
    slot = _SLOTS[rule.what](case, rule)
    need = need_version(slot.name, rule.compare, rule.version)
    if not slot.found.readable:
        ask = f"check.{slot.asked}.{rule.compare}-{rule.version}"
        return untold(rule.what, ask, need, case.environment, slot.remedy)
    if not slot.found.present:
        reason = phrase("{name} is not installed; needed: {need}.", name=slot.name, need=need)
        return told(rule.what, False, reason, slot.remedy)
    ok = meets(_scheme(case, rule), slot.found.version, rule.compare, rule.version)
    if ok is None:
        return _incomparable(rule.what, slot.name, slot.found.version, rule.version)
    reason = phrase("{name} is {found}; needed: {need}.", name=slot.name, found=slot.found.version, need=need)
    return told(rule.what, ok, reason, slot.remedy)


def _incomparable(what: str, name: Phrase, found: str, wanted: str) -> Verdict:
    reason = phrase("{name} is {found}; it cannot be compared with {wanted}.", name=name, found=found, wanted=wanted)
    remedy = phrase("Send both version texts to the office: nobody here can tell which one is newer.")
    return told(what, False, reason, remedy)


def _is_plain(rule: Requirement) -> bool:
    """Whether a rule that is either true or not says nothing else, such as “less than the adapter is connected”."""
    return rule.compare is Compare.GE and not rule.version


def _battery(case: Case, rule: Requirement) -> Verdict:
    if not rule.percent:
        return malformed(rule.what)
    need = need_amount(rule.compare, f"{rule.percent} %")
    battery = case.terminal.battery
    if battery is None:
        remedy = charge_remedy(False, f"{rule.percent} %")
        ask = f"check.battery.{rule.compare}-{rule.percent}"
        return untold("battery", ask, phrase("battery {need}", need=need), case.environment, remedy)
    ok = compared(rule.compare, battery.percent, rule.percent)
    reason = battery_reason(battery.percent, battery.external_power, need)
    return told("battery", ok, reason, charge_remedy(battery.external_power, f"{rule.percent} %"))


def _external_power(case: Case, rule: Requirement) -> Verdict:
    return external_power(case, rule.what) if _is_plain(rule) else malformed(rule.what)


def _free_storage(case: Case, rule: Requirement) -> Verdict:
    if not rule.bytes:
        return malformed(rule.what)
    need = need_amount(rule.compare, size_text(rule.bytes))
    free = case.terminal.free_storage_bytes
    if free is None:
        ask = f"check.free-storage.{rule.compare}-{rule.bytes}"
        return untold(rule.what, ask, phrase("free storage {need}", need=need), case.environment, storage_remedy())
    return told(rule.what, compared(rule.compare, free, rule.bytes), storage_reason(free, need), storage_remedy())


def _tool(case: Case, rule: Requirement) -> Verdict:
    from packaging.version import InvalidVersion, Version

    found = case.environment.tool_version
    need = need_version(raw("techtool"), rule.compare, rule.version)
    try:
        ours, wanted = Version(found), Version(rule.version)
    except InvalidVersion:
        return malformed("tool")
    order = Comparison.SAME if ours == wanted else Comparison.OLDER if ours < wanted else Comparison.NEWER
    reason = phrase("This is techtool {found}; needed: {need}.", found=found, need=need)
    return told("tool", bool(holds(order, rule.compare)), reason, phrase("Update techtool, then check again."))


def _no_open_batch(case: Case, rule: Requirement) -> Verdict:
    return batch_settled(case, rule.what) if _is_plain(rule) else malformed(rule.what)


def _sdk(case: Case, rule: Requirement) -> Verdict:
    return api_level(case, rule.compare, rule.version.strip())


def _abi(case: Case, rule: Requirement) -> Verdict:
    wanted = tuple(part.strip() for part in (rule.version or rule.id).split(",") if part.strip())
    return processor(case, wanted, without=rule.compare is Compare.NE) if wanted else malformed("abi")


_KINDS: Final[dict[str, Callable[[Case, Requirement], Verdict]]] = {
    "firmware": _version,
    "bootloader": _version,
    "component": _version,
    "battery": _battery,
    "external-power": _external_power,
    "free-storage": _free_storage,
    "tool": _tool,
    "no-open-batch": _no_open_batch,
    "sdk": _sdk,
    "abi": _abi,
}
