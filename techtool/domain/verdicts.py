"""How a verdict is worded: met, not met, or not told by the terminal and so asked or warned about."""

from __future__ import annotations

from typing import Final

from techtool.domain.release import Compare
from techtool.domain.rules import Environment, Force, Verdict
from techtool.i18n import N_, Phrase, phrase

_VERSION_NEED: Final = {
    Compare.EQ: N_("{name} {version} exactly"),
    Compare.NE: N_("{name} other than {version}"),
    Compare.LT: N_("{name} older than {version}"),
    Compare.LE: N_("{name} {version} or older"),
    Compare.GT: N_("{name} newer than {version}"),
    Compare.GE: N_("{name} {version} or newer"),
}
_AMOUNT_NEED: Final = {
    Compare.EQ: N_("exactly {amount}"),
    Compare.NE: N_("not {amount}"),
    Compare.LT: N_("less than {amount}"),
    Compare.LE: N_("{amount} or less"),
    Compare.GT: N_("more than {amount}"),
    Compare.GE: N_("{amount} or more"),
}
_UNITS: Final = ("kB", "MB", "GB", "TB")


def need_version(name: Phrase, how: Compare, version: str) -> Phrase:
    """“firmware 2.1.0 or newer”"""
    return Phrase(_VERSION_NEED[how], {"name": name, "version": version})


def need_amount(how: Compare, amount: str) -> Phrase:
    """“40 % or more”, “less than 40 %”"""
    return Phrase(_AMOUNT_NEED[how], {"amount": amount})


def compared(how: Compare, found: int, wanted: int) -> bool:
    """Whether an amount meets its rule."""
    match how:
        case Compare.EQ:
            return found == wanted
        case Compare.NE:
            return found != wanted
        case Compare.LT:
            return found < wanted
        case Compare.LE:
            return found <= wanted
        case Compare.GT:
            return found > wanted
        case Compare.GE:
            return found >= wanted


def size_text(size_bytes: int) -> str:
    """``1234567`` as ``1.2 MB`` (powers of 1000)."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value, power = size_bytes / 1000, 0
    while value >= 999.95 and power < len(_UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.1f} {_UNITS[power]}"


def told(what: str, ok: bool, reason: Phrase, remedy: Phrase, force: Force = Force.GATE) -> Verdict:
    """A verdict on something that is known; the remedy is kept only where it is needed."""
    return Verdict(what, ok, reason, None if ok else remedy, force)


def untold(what: str, ask: str, need: Phrase, environment: Environment, remedy: Phrase) -> Verdict:
    """A verdict on what the terminal does not say: the technician's answer decides, closed until it is given."""
    answer = environment.answers.get(ask)
    if answer is None:
        reason = phrase("The terminal does not say; needed: {need}.", need=need)
        return Verdict(what, False, reason, phrase("Look at the terminal and answer the question."), ask=ask)
    if answer:
        return Verdict(what, True, phrase("Needed: {need}; the technician confirmed it.", need=need))
    return Verdict(what, False, phrase("Needed: {need}; the technician says that it is not so.", need=need), remedy)


def unsaid(what: str, need: Phrase) -> Verdict:
    """A warning about what the terminal does not say, where nothing must be asked."""
    reason = phrase("The terminal does not say; recommended: {need}.", need=need)
    return Verdict(what, False, reason, phrase("Look at the terminal yourself before going on."), Force.WARNING)
