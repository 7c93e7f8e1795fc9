"""What a test comes to without a person: the result, what was read, and why, in words for any language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from techtool.domain.question import CheckResult
from techtool.i18n import Phrase, phrase


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one probe, or of a rule; never a guess: what cannot be read has none."""

    result: CheckResult | None
    """None: it was read, and a person has to judge; ``said`` helps with that."""
    value: str = ""
    """As it was read, short, with units; no key, no card data."""
    said: Phrase | None = None
    """Why it is not a pass; for a pass what a person should know besides."""


RESTARTED: Final = phrase("the terminal restarted by itself")
"""What a watch says that ended with a restart nobody asked for."""


@dataclass(frozen=True, slots=True)
class Crash:
    """One entry of the crash log."""

    process: str
    at: str = ""
    """As the log says it; together with the process it tells two crashes apart, also in a log that wraps around."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One look at whether a terminal runs steadily; two of them are compared."""

    boot_id: str
    uptime_s: float | None
    crashes: tuple[Crash, ...] | None
    """The crash log, oldest first; None: it may not be read."""


def unsteady(first: Pulse, last: Pulse, packages: Collection[str]) -> Phrase | None:
    """What happened between two looks that must not; ``packages``: only their crashes count (none: everybody's)."""
    if first.boot_id != last.boot_id:
        return RESTARTED
    if first.uptime_s is not None and last.uptime_s is not None and last.uptime_s < first.uptime_s:
        return RESTARTED
    if first.crashes is None or last.crashes is None:
        return None
    # What both looks hold is old; the log may have lost its oldest entries meanwhile.
    new = Counter(last.crashes) - Counter(first.crashes)
    ours = [crash.process for crash in new.elements() if not packages or crash.process in packages]
    if ours:
        return phrase("{package} crashed {count} times", package=ours[-1], count=ours.count(ours[-1]))
    return None


PROPERTY = "property:"
"""A probe of this name and a property's reads the property: ``property:persist.sys.timezone``."""
