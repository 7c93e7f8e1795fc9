"""The typed rules a release's description states: ``requires`` (gates), ``recommends`` (warnings), ``conflicts``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE, Found, find, slots_of_rule, slots_written
from techtool.domain.release import Compare, Conflict, Requirement
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.rules_packages import api_level, malformed, processor
from techtool.domain.rules_state import batch_settled, battery_reason, charge_remedy, storage_reason, storage_remedy
from techtool.domain.verdicts import compared, need_amount, need_version, size_text, told, unsaid, untold
from techtool.domain.versions import Comparison, holds, meets
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


def _firmware(case: Case, rule: Requirement) -> Verdict:
    text = case.terminal.identity.firmware.strip()
    remedy = phrase("Update the firmware first.")
    return _version(case, rule, phrase("firmware"), Found(text, bool(text)), FIRMWARE, remedy)


def _bootloader(case: Case, rule: Requirement) -> Verdict:
    text = (case.terminal.bootloader or "").strip()
    remedy = phrase("Update the boot loader first.")
    return _version(case, rule, phrase("boot loader"), Found(text, bool(text)), BOOTLOADER, remedy)


def _component(case: Case, rule: Requirement) -> Verdict:
    if not rule.id:
        return malformed("component")
    found = find(rule.id, rule.version_format or case.release.version_format, case.terminal, case.known)
    remedy = phrase("Install {name} first.", name=rule.id)
    if found.readable and not found.present:
        need = need_version(raw(rule.id), rule.compare, rule.version)
        reason = phrase("{name} is not installed; needed: {need}.", name=rule.id, need=need)
        return told("component", False, reason, remedy)
    return _version(case, rule, raw(rule.id), found, f"component.{rule.id}", remedy)


def _version(case: Case, rule: Requirement, name: Phrase, found: Found, asked: str, remedy: Phrase) -> Verdict:
    if not rule.version.strip():
        return malformed(rule.what)
    need = need_version(name, rule.compare, rule.version)
    if not found.readable:
        return untold(rule.what, f"check.{asked}.{rule.compare}-{rule.version}", need, case.environment, remedy)
    ok = meets(rule.version_format or case.release.version_format, found.version, rule.compare, rule.version)
    if ok is None:
        return _incomparable(rule.what, name, found.version, rule.version)
    reason = phrase("{name} is {found}; needed: {need}.", name=name, found=found.version, need=need)
    return told(rule.what, ok, reason, remedy)


def _incomparable(what: str, name: Phrase, found: str, wanted: str) -> Verdict:
    reason = phrase("{name} is {found}; it cannot be compared with {wanted}.", name=name, found=found, wanted=wanted)
    remedy = phrase("Send both version texts to the office: nobody here can tell which one is newer.")
    return told(what, False, reason, remedy)


def _battery(case: Case, rule: Requirement) -> Verdict:
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
    battery = case.terminal.battery
    remedy = phrase("Connect the adapter and leave it connected.")
    if battery is None:
        need = phrase("the adapter is connected")
        return untold(rule.what, "check.external-power", need, case.environment, remedy)
    if battery.external_power:
        return Verdict(rule.what, True, phrase("The adapter is connected."))
    reason = phrase("The adapter is not connected (battery {percent} %).", percent=battery.percent)
    return told(rule.what, False, reason, remedy)


def _free_storage(case: Case, rule: Requirement) -> Verdict:
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
    return batch_settled(case, rule.what)


def _sdk(case: Case, rule: Requirement) -> Verdict:
    return api_level(case, rule.compare, rule.version.strip())


def _abi(case: Case, rule: Requirement) -> Verdict:
    wanted = tuple(part.strip() for part in (rule.version or rule.id).split(",") if part.strip())
    return processor(case, wanted, without=rule.compare is Compare.NE) if wanted else malformed("abi")


_KINDS: Final[dict[str, Callable[[Case, Requirement], Verdict]]] = {
    "firmware": _firmware,
    "bootloader": _bootloader,
    "component": _component,
    "battery": _battery,
    "external-power": _external_power,
    "free-storage": _free_storage,
    "tool": _tool,
    "no-open-batch": _no_open_batch,
    "sdk": _sdk,
    "abi": _abi,
}
