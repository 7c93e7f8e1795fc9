"""From a recording to a rule of the catalogue, for somebody at the office to read before it is taken over. Pure.

Nothing is invented: what the recorded terminal said is the rule, word for word, and what it did not say is not in it. A
terminal that says that it is simulated makes a rule that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.catalogue.model import Family, ModelMatch, first_of
from techtool.domain.terminal import Evidence
from techtool.errors import UsageError
from techtool.i18n import phrase

_ID: Final = re.compile(r"[^A-Za-z0-9]+")
_LONGEST: Final = 80
"""Characters of a name that a terminal gave itself."""
_SIMULATED: Final = "techtool.sim"
"""Set on every terminal of ``techtool simulate``."""
_MAKER: Final = ("ro.product.manufacturer", "ro.product.brand", "redfish.system.Manufacturer", "redfish.root.Vendor")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which facts the office says are which, where the family has no usual ones."""

    model_from: str = ""
    serial_from: str = ""
    vendor: str = ""
    """Name of the maker, where the terminal does not say it."""


def proposed_rule(
    facts: Mapping[str, str],
    family: str,
    known: Family,
    match: ModelMatch | None,
    *,
    source: str,
    wish: Wish | None = None,
) -> str:
    """An entry for ``models.toml``; ``match``: the rule that fits already, if any.

    Raises :class:`UsageError` where the facts do not say model or maker, naming what there is.
    """
    wish = wish or Wish()
    names = (wish.model_from,) if wish.model_from else match.rule.model_from if match else known.model_from
    model_name, model = first_of(facts, names)
    if not model:
        raise _not_said("--model-from", facts)
    if wish.serial_from and not facts.get(wish.serial_from, "").strip():
        raise _not_said("--serial-from", facts)
    maker_name, maker = first_of(facts, _MAKER)
    vendor = match.rule.vendor_name if match else wish.vendor or maker
    if not vendor:
        raise UsageError(problem=phrase("The recording does not say who made the terminal; name it with --vendor."))
    simulated = facts.get(_SIMULATED, "").strip() or (match and match.rule.evidence is Evidence.SIMULATED)
    evidence = Evidence.SIMULATED if simulated else Evidence.RECORDED
    serials = [wish.serial_from] if wish.serial_from else list(match.rule.serial_from) if match else []
    lines = ["[[vendor]]", f"id = {_text(match.rule.vendor if match else _id(vendor).lower())}"]
    lines += [f"name = {_text(vendor)}", f"family = {_text(family)}"]
    if maker_name:
        lines.append(f"match = {{ {_text(maker_name)} = {_text(_exactly(maker))} }}")
    lines += [f"model_from = [{_text(model_name)}]"]
    lines += [f"serial_from = [{', '.join(_text(name) for name in serials)}]"] if serials else []
    lines += [f"source = {_text(source)}", f"evidence = {_text(evidence.value)}", "", "[[vendor.model]]"]
    lines += [f"id = {_text(match.rule.model if match else _id(model))}"]
    lines += [f"name = {_text(match.rule.model_name if match else f'{vendor} {model}'[:_LONGEST])}"]
    lines += [f"match = {_text(_exactly(model))}"]
    return "\n".join(lines) + "\n"


def _not_said(option: str, facts: Mapping[str, str]) -> UsageError:
    names: Sequence[str] = sorted(name for name, value in facts.items() if value.strip())
    shown = ", ".join(names[:40]) or "–"
    return UsageError(
        problem=phrase("{option}: the recording has no such fact; it has {names}", option=option, names=shown)
    )


def _id(name: str) -> str:
    return _ID.sub("_", name[:_LONGEST]).strip("_") or "unnamed"


def _exactly(text: str) -> str:
    return re.escape(text[:_LONGEST]) if len(text) <= _LONGEST else f"{re.escape(text[:_LONGEST])}.*"


def _text(text: str) -> str:
    """A TOML string: what could break out of it, or turn it around on screen, is written as a code."""
    out = [c if c.isprintable() and c not in '"\\' else _code(c) for c in text]
    return f'"{"".join(out)}"'


def _code(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    point = ord(letter)
    return f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"
