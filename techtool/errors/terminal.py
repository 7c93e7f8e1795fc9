"""TT-4xx: the terminal, and the work on it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_, Phrase, PhraseValue


class TerminalError(TechtoolError):
    """The terminal itself, or what it runs."""

    code = "TT-400"
    exit_code = Exit.FAILED


class UnknownModel(TerminalError):
    """No rule of the model catalogue fits."""

    code = "TT-401"
    exit_code = Exit.UNKNOWN_MODEL
    what = N_("The device at {address} is not in the model catalogue: {description}")
    next_actions = (
        N_("Check that the right device is connected."),
        N_("Send its facts to the office (techtool identify ADDRESS --json) so that the model can be added."),
    )

    def __init__(
        self,
        *,
        facts: Mapping[str, str] = MappingProxyType({}),
        detail: str = "",
        state: Phrase | None = None,
        **params: PhraseValue,
    ) -> None:
        self.facts = dict(facts)
        """What the device says of itself, raw."""
        super().__init__(detail=detail, state=state, **params)

    def to_json(self) -> dict[str, object]:
        """The error and the raw facts."""
        return {**super().to_json(), "facts": self.facts}


class NotCompatible(TerminalError):
    """No release fits this terminal; every failed rule is in the plan."""

    code = "TT-402"
    exit_code = Exit.NOT_COMPATIBLE
    what = N_("{release} does not fit this terminal: {reason}")
    next_actions = (N_("Look at the failed rules in the plan; each says what to do."),)


class GateClosed(TerminalError):
    """A gate (no override) is closed."""

    code = "TT-403"
    exit_code = Exit.GATE_CLOSED
    what = N_("The work may not begin: {reason}")
    next_actions: ClassVar[tuple[str, ...]] = (N_("{remedy}"),)


class RiskTooHigh(GateClosed):
    """The risk of the work is critical: no answer opens this gate."""

    code = "TT-405"
    what = N_("The risk is critical ({score} of 25): this is not done on this visit.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Agree on another day or hour with the merchant, or swap the terminal."),
        N_("What would lower it: {lower}"),
    )


class AnotherTerminal(GateClosed):
    """The serial number read now is not the one the visit began with."""

    code = "TT-404"
    what = N_("Another terminal answers at {address}: serial number {found}, expected {expected}.")
    next_actions = (N_("Connect the terminal with serial number {expected} and resume."),)


class InstallFailed(TerminalError):
    """The terminal did not accept a package."""

    code = "TT-410"
    what = N_("The terminal did not install {package}: {reason}")
    state_now = N_("What was not installed runs what it ran before; what went in before it stays in.")
    next_actions = (N_("{remedy}"),)

    @property
    def word(self) -> str:
        """The terminal's own word for the refusal (``INSTALL_FAILED_…``), given as ``word=``; empty: it gave none."""
        return str(self.params.get("word", ""))


class VerifyFailed(TerminalError):
    """Read again after the installation, the terminal is not as planned."""

    code = "TT-411"
    what = N_("After the installation {package} is not as planned: {reason}")
    state_now = N_("What the terminal says now is in the record; do not hand it over before it was checked.")
    next_actions = (
        N_("Try again, or begin a new visit: what is right already is not sent twice."),
        N_("If it stays so, swap the terminal and report it to the office."),
    )
