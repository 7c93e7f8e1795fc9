"""Whether any version at all meets several demands together.

Between the versions that the demands name lie only a few kinds of places: on one of them, just above one, at the very
bottom. So it is enough to try one version of each kind, by the same comparison that judges a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from techtool.domain.release import Compare
from techtool.domain.versions import SCHEMES, meets, parse

_SEPARATORS: Final = re.compile(r"([-_ ]+)")


@dataclass(frozen=True, slots=True)
class Want:
    """One demand on a version."""

    scheme: str
    how: Compare
    version: str
    forbidden: bool = False
    """The opposite is wanted: a conflict. What cannot be compared meets neither."""

    @property
    def readable(self) -> bool:
        """Whether the scheme can put the version that is named in order."""
        return is_readable(self.scheme, self.version)

    def met_by(self, found: str) -> bool:
        """Whether ``found`` is such a version."""
        return meets(self.scheme, found, self.how, self.version) is (not self.forbidden)


def is_readable(scheme: str, version: str) -> bool:
    """Whether ``scheme`` is known and can put ``version`` in order; a name without an order needs only to be there."""
    found = parse(scheme, version)
    return bool(found.text) if scheme == "opaque" else scheme in SCHEMES and found.line is not None


def witness(wants: Sequence[Want]) -> str | None:
    """A version that meets every demand, all of one scheme; None when there is none."""
    if not wants:
        return ""
    texts = [parse(want.scheme, want.version).text for want in wants]
    places = _places(wants[0].scheme, texts)
    return next((text for text in places if all(want.met_by(text) for want in wants)), None)


def contradiction(wants: Iterable[Want]) -> tuple[Want, ...]:
    """The readable demands of one scheme that no version meets together; empty when there are none such."""
    by_scheme: dict[str, list[Want]] = {}
    for want in wants:
        if want.readable:
            by_scheme.setdefault(want.scheme, []).append(want)
    for together in by_scheme.values():
        if witness(together) is None:
            return tuple(together)
    return ()


def _places(scheme: str, texts: Sequence[str]) -> Iterator[str]:
    """The versions that are named, and one of every kind of place between them."""
    yield from texts
    depth = max(text.count(".") for text in texts) + 1
    for text in texts:
        if not is_readable(scheme, text):
            continue
        match scheme:
            case "dotted" | "triplet":
                yield from (_above_dotted(text, depth), "0")
            case "android-code":
                yield from (str(int(text) + 1), "0")
            case "semver":
                yield from (_above_semver(text), "0.0.0-0")
            case "dotted-date":
                yield from (_above_dated(text, depth), _lowest_dated(text))
            case _:
                yield next(name for name in map(str, range(len(texts) + 1)) if name not in texts)


def _above_dotted(text: str, depth: int) -> str:
    """Above ``text`` and below every higher version of at most ``depth`` parts."""
    return f"{text}{'.0' * depth}.1"


def _above_semver(text: str) -> str:
    """The very next version: nothing fits between (§11: more fields make a pre-release higher)."""
    version = text.partition("+")[0]
    core, hyphen, names = version.partition("-")
    if hyphen:
        return f"{core}-{names}.0"
    major, minor, patch = core.split(".")
    return f"{major}.{minor}.{int(patch) + 1}-0"


def _above_dated(text: str, depth: int) -> str:
    """The next day where a day decides last, else a place just above the last number."""
    parts = _SEPARATORS.split(text)
    days = [place for place, part in enumerate(parts) if _is_day(part)]
    if days:
        day = date.fromisoformat(parts[days[-1]])
        if day < date.max:
            parts[days[-1]] = f"{day + timedelta(days=1):%Y%m%d}".rjust(8, "0")
            return "".join(parts)
    numbers = [place for place, part in enumerate(parts) if _is_number(part)]
    if numbers:
        parts[numbers[-1]] = _above_dotted(parts[numbers[-1]], depth)
        parts = [_FIRST_DAY if _is_day(part) else part for part in parts]
    return "".join(parts)


_FIRST_DAY: Final = "00010101"


def _lowest_dated(text: str) -> str:
    """The lowest version of the same line."""
    parts = _SEPARATORS.split(text)
    return "".join(_FIRST_DAY if _is_day(part) else "0" if _is_number(part) else part for part in parts)


def _is_number(part: str) -> bool:
    return not _is_day(part) and parse("dotted", part).line is not None


def _is_day(part: str) -> bool:
    found = parse("dotted-date", part)
    return found.line == ("day",)
