"""The dated copy of published PTS approvals, and what it says of one terminal. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from techtool.domain.probe import Finding
from techtool.domain.question import CheckResult
from techtool.domain.terminal import Evidence, Identity
from techtool.i18n import phrase

_NEVER: Final = date.min


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as its source documents it."""

    vendor: str
    model: str
    number: str
    expires: date
    source: str
    version: str = ""
    """Of the PTS requirements."""
    hardware: str = ""
    """Pattern over the hardware revision; empty: every one."""
    firmware: str = ""
    """Pattern over the firmware's display id; empty: every one."""
    dated: date = _NEVER
    """Of the copy that it stands in, where that is not the built-in one's."""
    evidence: Evidence = Evidence.DOCUMENTED

    @property
    def problem(self) -> str:
        """What is wrong with it; empty: nothing."""
        for name, pattern in (("hardware", self.hardware), ("firmware", self.firmware)):
            try:
                re.compile(pattern)
            except (re.error, OverflowError, RecursionError) as error:
                return f"{name}: {error}"
        return "" if self.number.strip() else "number: missing"

    def fits(self, identity: Identity) -> bool:
        """Whether it is about this hardware and this firmware."""
        if (self.vendor, self.model) != (identity.vendor, identity.model):
            return False
        said = ((self.hardware, identity.hw_revision or ""), (self.firmware, identity.firmware))
        return all(not pattern or re.fullmatch(pattern, value) for pattern, value in said)


@dataclass(frozen=True, slots=True)
class Approvals:
    """``approvals.toml``"""

    schema: int = 1
    dated: date = _NEVER
    """When the copy was made."""
    source: str = ""
    approval: tuple[Approval, ...] = ()

    def judge(self, identity: Identity, today: date, max_age_days: int, *, installing: bool) -> Finding | None:
        """What the list says; None: it cannot say, a person has to look it up.

        An approval that ran out forbids to place a terminal newly (the card schemes' rule for new deployments); one
        that is in use already stays, and the date is shown.
        """
        oldest, who = today - timedelta(days=max_age_days), (identity.vendor, identity.model)
        known = [one for one in self.approval if (one.vendor, one.model) == who and self._copied(one) >= oldest]
        if not known:
            return None
        found = max((one for one in known if one.fits(identity)), key=lambda one: one.expires, default=None)
        if found is None:
            sources = ", ".join(dict.fromkeys(one.source for one in known))
            said = phrase("this hardware with this firmware is not in the list: {source}", source=sources)
            return Finding(CheckResult.FAIL, said=said)
        value = f"{found.number} {found.version} → {found.expires.isoformat()}"
        if found.expires >= today:
            return Finding(CheckResult.PASS, value, phrase("so says {source}", source=found.source))
        said = phrase(
            "the approval ran out on {date}, says {source}", date=found.expires.isoformat(), source=found.source
        )
        return Finding(CheckResult.FAIL if installing else CheckResult.PASS, value, said)

    def _copied(self, one: Approval) -> date:
        """When the copy was made that an entry stands in."""
        return self.dated if one.dated == _NEVER else one.dated
