"""A terminal's words for “no” to an installation: what each leaves the terminal in, why, and what to do.

Words: Android's ``INSTALL_FAILED_…`` and ``INSTALL_PARSE_FAILED_…`` constants of ``PackageManager``; of Redfish
services the message keys of DMTF's Update registry, HTTP's own statuses, and ``NotFetched``, which is ours. But for
that one none of these refusals changes what is installed; “transient” means that the same file may go in after the
remedy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from techtool.domain.outcome import Outcome
from techtool.domain.sensitive import redact
from techtool.domain.visit import CatmResult
from techtool.errors import InstallFailed
from techtool.i18n import N_, Phrase, phrase, raw

_DETAIL_LIMIT: Final = 2000
_SHOWN_LIMIT: Final = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one word means."""

    outcome: Outcome
    catm: CatmResult
    reason: str
    remedy: str


_OTHER_RELEASE: Final = N_("This release does not fit this terminal; ask the office for the right one.")
_TELL_OFFICE: Final = N_("Do not try again with this file; tell the office that the release itself is faulty.")


def _never(catm: CatmResult, reason: str, remedy: str = _OTHER_RELEASE) -> Refusal:
    """The same file will not go in."""
    return Refusal(Outcome.FAILED_DEVICE_OK, catm, reason, remedy)


def _not_now(catm: CatmResult, reason: str, remedy: str) -> Refusal:
    """The same file may go in after the remedy."""
    return Refusal(Outcome.FAILED_TRANSIENT, catm, reason, remedy)


_NO_ROOM: Final = _not_now(
    CatmResult.OVERFLOW,
    N_("there is not enough free storage"),
    N_("Free storage on the terminal (old logs, pictures, packages nobody needs), then try again."),
)
_NOT_ALLOWED: Final = _not_now(
    CatmResult.ACCESS_DENIED,
    N_("installing is not allowed on this terminal"),
    N_("Look at the terminal's screen and allow it there, or have the terminal's owner lift the restriction."),
)
_BROKEN_OFF: Final = _not_now(
    CatmResult.CONNECTION,
    N_("the terminal broke the installation off"),
    N_("Try again; if it fails again, restart the terminal and try once more."),
)
_OTHER_SIGNER: Final = _never(
    CatmResult.SIGNATURE,
    N_("the installed package is signed by somebody else"),
    N_("Do not remove the installed package: its data and keys would be lost. Report both signers to the office."),
)
_BAD_FILE: Final = _never(CatmResult.FORMAT, N_("it is not a valid installation package"), _TELL_OFFICE)
_BAD_SIGNATURE: Final = _never(
    CatmResult.SIGNATURE, N_("the package's own signature is missing or wrong"), _TELL_OFFICE
)
_VERIFIER: Final = _never(
    CatmResult.SIGNATURE,
    N_("the terminal's own check of packages said no"),
    N_("Ask the office whether the maker or acquirer has signed this release for this terminal."),
)
_OTHER_PROCESSOR: Final = _never(CatmResult.NOT_SUPPORTED, N_("it was built for another kind of processor"))
_PART_MISSING: Final = _never(CatmResult.MISSING, N_("it needs something that is not on this terminal"))
_IN_THE_WAY: Final = _never(CatmResult.INVALID, N_("another installed package is in its way"))
_UNKNOWN: Final = _never(
    CatmResult.INVALID,
    N_("the terminal refused it"),
    N_("Read the terminal's answer; if it is not clear, send a support bundle to the office."),
)

REFUSALS: Final[Mapping[str, Refusal]] = {
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": _NO_ROOM,
    "INSTALL_FAILED_MEDIA_UNAVAILABLE": _NO_ROOM,
    "INSTALL_FAILED_VERSION_DOWNGRADE": _never(
        CatmResult.INVALID,
        N_("a newer version is installed"),
        N_("Leave the newer version in place; going back needs its own release from the office."),
    ),
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": _OTHER_SIGNER,
    "INSTALL_FAILED_SHARED_USER_INCOMPATIBLE": _OTHER_SIGNER,
    "INSTALL_PARSE_FAILED_INCONSISTENT_CERTIFICATES": _OTHER_SIGNER,
    "INSTALL_FAILED_OLDER_SDK": _never(
        CatmResult.NOT_SUPPORTED,
        N_("it needs a newer Android than this terminal has"),
        N_("Update the terminal's firmware first, or ask the office for an older release."),
    ),
    "INSTALL_FAILED_NEWER_SDK": _never(CatmResult.NOT_SUPPORTED, N_("it was made for an older Android only")),
    "INSTALL_FAILED_DEPRECATED_SDK_VERSION": _never(
        CatmResult.NOT_SUPPORTED, N_("it was made for an older Android only")
    ),
    "INSTALL_FAILED_NO_MATCHING_ABIS": _OTHER_PROCESSOR,
    "INSTALL_FAILED_CPU_ABI_INCOMPATIBLE": _OTHER_PROCESSOR,
    "INSTALL_FAILED_MISSING_FEATURE": _PART_MISSING,
    "INSTALL_FAILED_MISSING_SHARED_LIBRARY": _PART_MISSING,
    "INSTALL_FAILED_MISSING_SPLIT": _never(
        CatmResult.MISSING, N_("it is only one part of a package that has several"), _TELL_OFFICE
    ),
    "INSTALL_FAILED_CONFLICTING_PROVIDER": _IN_THE_WAY,
    "INSTALL_FAILED_DUPLICATE_PERMISSION": _IN_THE_WAY,
    "INSTALL_FAILED_DUPLICATE_PACKAGE": _IN_THE_WAY,
    "INSTALL_FAILED_ALREADY_EXISTS": _IN_THE_WAY,
    "INSTALL_FAILED_TEST_ONLY": _never(CatmResult.INVALID, N_("it is marked as a test version"), _TELL_OFFICE),
    "INSTALL_FAILED_INVALID_APK": _BAD_FILE,
    "INSTALL_FAILED_INVALID_URI": _BAD_FILE,
    "INSTALL_FAILED_BAD_DEX_METADATA": _BAD_FILE,
    "INSTALL_FAILED_PACKAGE_CHANGED": _BAD_FILE,
    "INSTALL_FAILED_BAD_SIGNATURE": _BAD_SIGNATURE,
    "INSTALL_PARSE_FAILED_NO_CERTIFICATES": _BAD_SIGNATURE,
    "INSTALL_PARSE_FAILED_CERTIFICATE_ENCODING": _BAD_SIGNATURE,
    "INSTALL_FAILED_VERIFICATION_FAILURE": _VERIFIER,
    "INSTALL_FAILED_VERIFICATION_TIMEOUT": _BROKEN_OFF,
    "INSTALL_FAILED_USER_RESTRICTED": _NOT_ALLOWED,
    "INSTALL_FAILED_REJECTED_BY_BUILDTYPE": _NOT_ALLOWED,
    "INSTALL_FAILED_ABORTED": _BROKEN_OFF,
    "INSTALL_FAILED_INTERNAL_ERROR": _BROKEN_OFF,
    "INSTALL_FAILED_CONTAINER_ERROR": _BROKEN_OFF,
    "INSTALL_FAILED_DEXOPT": _BROKEN_OFF,
    "INSTALL_FAILED_SESSION_INVALID": _BROKEN_OFF,
    "VerificationFailed": _VERIFIER,
    "TransferFailed": _BROKEN_OFF,
    "ApplyFailed": _BROKEN_OFF,
    "ActivateFailed": _BROKEN_OFF,
    "NotFetched": _not_now(
        CatmResult.CONNECTION,
        N_("the device says that it is done, but it never fetched the whole file from this laptop"),
        N_("See that the device can reach this laptop (same network, no firewall in between), then try again."),
    ),
    "NoTargetsDetermined": _never(CatmResult.NOT_SUPPORTED, N_("it knows no component that this file is for")),
    "HTTP-401": _NOT_ALLOWED,
    "HTTP-403": _NOT_ALLOWED,
    "HTTP-409": _BROKEN_OFF,
    "HTTP-413": _never(CatmResult.OVERFLOW, N_("the file is too large for it")),
    "HTTP-415": _BAD_FILE,
    "HTTP-503": _BROKEN_OFF,
    "HTTP-507": _NO_ROOM,
}
_PARSE_FAILED: Final = "INSTALL_PARSE_FAILED"

_FAILURE: Final = re.compile(
    r"\bFailure(?: \[(?P<word>[A-Za-z0-9_.-]+)(?:: ?(?P<words>.*?))?\]\s*$)?", re.DOTALL | re.M
)
_IN_OTHER_WORDS: Final = (
    (
        re.compile(r"not enough space|only -?\d+ allocatable|No space left|ENOSPC", re.I),
        "INSTALL_FAILED_INSUFFICIENT_STORAGE",
    ),
    (re.compile(r"User restriction prevents installing", re.I), "INSTALL_FAILED_USER_RESTRICTED"),
    (
        re.compile(r"Caller has no access to session|Sealed|Session .* not found", re.I),
        "INSTALL_FAILED_SESSION_INVALID",
    ),
)
_THROWN: Final = re.compile(r"^\s*((?:[a-z][A-Za-z0-9_]*\.)+[A-Z]\w*)(?::|$)", re.MULTILINE)


def refusal_of(word: str) -> Refusal:
    """What a word means; a word that is not in the table is taken for a refusal that changed nothing."""
    return REFUSALS.get(word) or (_BAD_FILE if word.startswith(_PARSE_FAILED) else _UNKNOWN)


def outcome_of(word: str) -> Outcome:
    """In what state the terminal is after :class:`InstallFailed` with this ``word``; without one nobody knows."""
    return refusal_of(word).outcome if word else Outcome.INCONSISTENT


def catm_of(word: str) -> CatmResult:
    """The same as an ISO 20022 result code."""
    return refusal_of(word).catm if word else CatmResult.CONNECTION


def word_in(answer: str) -> str:
    """Android's word in what a command printed: of its ``Failure […]``, else of the words of its exceptions.

    Empty where it printed neither.
    """
    failure = _FAILURE.search(answer)
    if failure is not None and failure["word"]:
        return failure["word"]
    for pattern, word in _IN_OTHER_WORDS:
        if pattern.search(answer):
            return word
    thrown = _THROWN.search(answer)
    return thrown[1] if thrown else ""


def install_failed(package: str, answer: str, *, committed: bool) -> InstallFailed:
    """The error for a terminal's answer.

    ``committed``: whether the terminal was already told to install; then only its own ``Failure`` says that it did not.
    """
    word = word_in(answer)
    if committed and "Failure" not in answer:
        return InstallFailed(
            package=package,
            reason=_reason(N_("the terminal gave no clear answer"), answer),
            remedy=phrase("Resume the visit: the terminal is read again before anything else is done."),
            word="",
            detail=redact(answer)[:_DETAIL_LIMIT],
            state=phrase("Whether it was installed is not known until the terminal is read again."),
        )
    refusal = refusal_of(word)
    return InstallFailed(
        package=package,
        reason=_reason(refusal.reason, answer if refusal is _UNKNOWN else word),
        remedy=Phrase(refusal.remedy),
        word=word or "REFUSED",
        detail=redact(answer)[:_DETAIL_LIMIT],
    )


def refused_with(package: str, word: str, answer: str) -> InstallFailed:
    """The error for a word that the terminal gave as such, and what it said besides."""
    refusal = refusal_of(word)
    return InstallFailed(
        package=package,
        reason=_reason(refusal.reason, answer or word),
        remedy=Phrase(refusal.remedy),
        word=word,
        detail=redact(answer)[:_DETAIL_LIMIT],
    )


def _reason(text: str, answer: str) -> Phrase:
    """Our sentence with the terminal's own words behind it."""
    shown = redact(" ".join(answer.split()))[:_SHOWN_LIMIT]
    return phrase("{reason} ({answer})", reason=Phrase(text), answer=raw(shown)) if shown else Phrase(text)
