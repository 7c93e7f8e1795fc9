"""What a release's files state of themselves, against what is installed: what Android would refuse, refused before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from techtool.domain.components import BOOTLOADER, FIRMWARE, Part, Relation, parts
from techtool.domain.release import ApkFacts, Compare
from techtool.domain.rules import Case, Force, Verdict
from techtool.domain.verdicts import compared, need_version, told, untold
from techtool.i18n import N_, Phrase, phrase

_RELATION_REASON: Final = {
    Relation.ABSENT: N_("{name} is not installed yet; this brings {brings}."),
    Relation.OLDER: N_("{name} {found} is installed; this brings {brings}."),
    Relation.SAME: N_("{name} {found} is installed already."),
    Relation.NEWER: N_("{name} {found} is installed, newer than {brings}."),
    Relation.UNKNOWN: N_("{name} {found} is installed; it cannot be compared with {brings}."),
    Relation.UNREADABLE: N_("The terminal does not say which version of {name} it runs."),
}


def packages(case: Case) -> Iterator[Verdict]:
    """For every slot the release writes: the installed version; for every package: signer, API level, processor."""
    for part in parts(case.release, case.terminal):
        yield _installed_version(case, part)
        if part.apk is not None:
            if case.environment.policy.protects(case.terminal.identity.vendor, part.apk.id):
                yield _protected(part.apk)
            yield _signer(case, part.apk)
            yield api_level(case, Compare.GE, str(part.apk.min_sdk))
            yield processor(case, part.apk.abis)


def _protected(apk: ApkFacts) -> Verdict:
    reason = phrase("{name} belongs to the terminal's own payment security; techtool never touches it.", name=apk.id)
    return told("protected", False, reason, phrase("Only the maker's own way brings it."))


def _installed_version(case: Case, part: Part) -> Verdict:
    what = "installed-version"
    if part.relation is Relation.UNREADABLE and part.slot in (FIRMWARE, BOOTLOADER):
        need = need_version(part.name, Compare.LE, part.brings)
        remedy = phrase("Keep what is installed; techtool does not go back to an older version.")
        return untold(what, f"check.installed.{part.slot}.{part.brings}", need, case.environment, remedy)
    params: dict[str, str | Phrase] = {"name": part.name, "found": part.found.version, "brings": part.brings}
    reason = Phrase(_RELATION_REASON[part.relation], params)
    match part.relation:
        case Relation.ABSENT | Relation.OLDER | Relation.SAME:
            return Verdict(what, True, reason)
        case Relation.NEWER:
            remedy = phrase("Keep what is installed; techtool does not go back to an older version.")
            return told(what, False, reason, remedy)
        case Relation.UNKNOWN:
            remedy = phrase("Send both version texts to the office: nobody here can tell which one is newer.")
            return told(what, False, reason, remedy)
        case Relation.UNREADABLE:
            remedy = phrase("Look at the terminal yourself before going on.")
            return told(what, False, reason, remedy, Force.WARNING)


def _signer(case: Case, apk: ApkFacts) -> Verdict:
    package = case.terminal.package(apk.id)
    if package is None:
        return Verdict("signer", True, phrase("{name} is not installed yet: any signer may be first.", name=apk.id))
    if package.signer is None:
        reason = phrase("Who signed the installed {name} was not read; Android refuses another signer.", name=apk.id)
        remedy = phrase("Go on only if the installed package comes from the same publisher.")
        return told("signer", False, reason, remedy, Force.WARNING)
    if package.signer.lower() == apk.signer.lower():
        return Verdict("signer", True, phrase("{name} is signed by the same key as the installed one.", name=apk.id))
    reason = phrase(
        "{name} is signed by {new}…, the installed one by {old}…; Android refuses that.",
        name=apk.id,
        new=apk.signer[:8],
        old=package.signer[:8],
    )
    remedy = phrase("Do not uninstall it. Ask the publisher for a release signed with the key of the installed one.")
    return told("signer", False, reason, remedy)


def api_level(case: Case, how: Compare, wanted: str) -> Verdict:
    """The Android API level (``sdk``)."""
    name = phrase("Android API level")
    need = need_version(name, how, wanted)
    remedy = phrase("It needs another system on the terminal; choose a release for this one.")
    found = case.terminal.identity.sdk
    if not wanted.isdecimal() or len(wanted) > 6:
        return malformed("sdk")
    if found is None:
        return untold("sdk", f"check.sdk.{how}-{wanted}", need, case.environment, remedy)
    ok = compared(how, found, int(wanted))
    return told("sdk", ok, phrase("Android API level {found}; needed: {need}.", found=found, need=need), remedy)


def processor(case: Case, wanted: Sequence[str], *, without: bool = False) -> Verdict:
    """The native ABIs: any of ``wanted`` will do, none needed when it is empty; ``without``: none may be there."""
    found = case.terminal.identity.abis
    if not wanted:
        return Verdict("abi", True, phrase("Runs on every processor."))
    listed = ", ".join(wanted)
    need = (
        phrase("processor is none of: {abis}", abis=listed)
        if without
        else phrase("processor is one of: {abis}", abis=listed)
    )
    remedy = phrase("Choose a release for this terminal's processor.")
    if not found:
        ask = f"check.abi.{'not-' if without else ''}{'|'.join(wanted)}"
        return untold("abi", ask, need, case.environment, remedy)
    ok = bool(set(wanted) & set(found)) is not without
    reason = phrase("Processor {found}; needed: {need}.", found=", ".join(found), need=need)
    return told("abi", ok, reason, remedy)


def malformed(what: str) -> Verdict:
    """A rule whose description makes no sense can never be met."""
    reason = phrase("The release states a rule “{what}” that cannot be read.", what=what)
    return told(what, False, reason, phrase("Do not install it; tell the publisher."))
