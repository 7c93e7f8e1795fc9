"""What is said of each release once the way is known: one word, and every rule with the state it was judged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Final

from techtool.domain.components import Relation, Stock, newer, relation, slot_values, slots_read, slots_written
from techtool.domain.plan import ReleaseFinding, ReleaseVerdict
from techtool.domain.release import Release
from techtool.domain.rules import Case, Environment, Force, Verdict, evaluate
from techtool.domain.rules_requirements import demands
from techtool.domain.terminal import TerminalState
from techtool.domain.verdicts import told
from techtool.domain.versions import Comparison
from techtool.errors import Expired
from techtool.i18n import phrase

ORDER_RULE: Final = "version-order"
LAPSED_RULE: Final = "expired"
_NONE_LAPSED: Final[Mapping[str, Expired]] = MappingProxyType({})

_View = tuple[object, ...]


class Judge:
    """The rules of every release of a stick, remembered for whatever of a terminal's state each release looks at."""

    def __init__(
        self,
        releases: Sequence[Release],
        environment: Environment,
        unordered: frozenset[int] = frozenset(),
        lapsed: Mapping[str, Expired] = _NONE_LAPSED,
    ) -> None:
        self.releases = Stock(releases)
        self.unordered = unordered
        """Releases that cannot be put in order with another of their id."""
        self._environment = environment
        self._lapsed = lapsed
        self._slots = [tuple(sorted(slots_read(release, self.releases))) for release in self.releases]
        self._rules: dict[_View, tuple[Verdict, ...]] = {}
        self._stands: dict[_View, Relation] = {}
        self._unmet: dict[_View, Verdict | None] = {}
        self._values: tuple[TerminalState | None, dict[str, object]] = (None, {})

    def rules(self, index: int, state: TerminalState) -> tuple[Verdict, ...]:
        """Every verdict on one release in one state."""
        view = (*self._view(index, state), state.free_storage_bytes)
        if view not in self._rules:
            verdicts = evaluate(self.releases[index], state, self._environment, self.releases)
            self._rules[view] = verdicts + self._order(index) + self._lapse(index)
        return self._rules[view]

    def case(self, index: int, state: TerminalState) -> Case:
        """One release before the terminal in one state."""
        return Case(self.releases[index], state, self._environment, self.releases)

    def stands(self, index: int, state: TerminalState) -> Relation:
        """How ``state`` stands to one release."""
        view = self._view(index, state)
        if view not in self._stands:
            self._stands[view] = relation(self.releases[index], state)
        return self._stands[view]

    def gates(self, index: int, state: TerminalState, *, hopeful: bool = False) -> tuple[bool, ...]:
        """Which gates are open; ``hopeful``: every open question will be answered with yes."""
        verdicts = self.rules(index, state)
        news = self.stands(index, state) is not Relation.SAME
        return (news, *(v.ok or v.force is Force.WARNING or (hopeful and bool(v.ask)) for v in verdicts))

    def broken(self, state: TerminalState) -> frozenset[str]:
        """Releases running in ``state`` whose demands on other components are not met there."""
        return frozenset(self._missing(state))

    def breaks(self, index: int, state: TerminalState, then: TerminalState) -> tuple[Verdict, ...]:
        """A verdict for each other release that misses something in ``then`` and not yet in ``state``."""
        before, found = self._missing(state), []
        for key, unmet in self._missing(then).items():
            if key not in before and key != self.releases[index].key:
                reason = phrase("{other} would no longer fit: {reason}", other=key, reason=unmet.reason)
                found.append(told("conflict", False, reason, phrase("Ask the office which releases go together.")))
        return tuple(found)

    def _missing(self, state: TerminalState) -> dict[str, Verdict]:
        """What the running releases miss; of several that fit what runs, one that misses nothing is believed."""
        running = [i for i in range(len(self.releases)) if self.stands(i, state) is Relation.SAME]
        unmet = {i: self._first_unmet(i, state) for i in running}
        whole = [slots_written(self.releases[i]) for i in running if unmet[i] is None]
        missing = {i: verdict for i, verdict in unmet.items() if slots_written(self.releases[i]) not in whole}
        return {self.releases[i].key: verdict for i, verdict in missing.items() if verdict is not None}

    def _first_unmet(self, index: int, state: TerminalState) -> Verdict | None:
        view = self._view(index, state)
        if view not in self._unmet:
            unmet = (v for v in demands(self.case(index, state)) if not v.ok and not v.ask)
            self._unmet[view] = next(unmet, None)
        return self._unmet[view]

    def _view(self, index: int, state: TerminalState) -> _View:
        """What one release sees of a state; everything else of a terminal stays as it is while a plan is made."""
        seen, values = self._values
        if seen is not state:
            values = slot_values(state)
            self._values = (state, values)
        return (index, *(values.get(slot) for slot in self._slots[index]))

    def _order(self, index: int) -> tuple[Verdict, ...]:
        if index not in self.unordered:
            return ()
        reason = phrase("This stick holds releases of {id} that cannot be put in order.", id=self.releases[index].id)
        remedy = phrase("Name the one that is wanted, as ID@VERSION.")
        return (told(ORDER_RULE, False, reason, remedy),)

    def _lapse(self, index: int) -> tuple[Verdict, ...]:
        error = self._lapsed.get(self.releases[index].key)
        if error is None:
            return ()
        reason = phrase("The list of {role} was valid until {until}.", **error.params)
        return (told(LAPSED_RULE, False, reason, error.action_phrases[0]),)


def unordered(releases: Sequence[Release], indices: Sequence[int], pinned: frozenset[str]) -> frozenset[int]:
    """Those among ``indices`` that stand beside another of their id of which nobody can say which is newer."""
    of_id: dict[str, list[int]] = {}
    for index in indices:
        of_id.setdefault(releases[index].id, []).append(index)
    groups = (group for release_id, group in of_id.items() if release_id not in pinned)
    pairs = (pair for group in groups for pair in combinations(group, 2))
    alike = (Comparison.UNKNOWN, Comparison.SAME)
    return frozenset(index for a, b in pairs if newer(releases[a], releases[b]) in alike for index in (a, b))


def merged(first: Sequence[Verdict], later: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The rules as they are now, where an earlier step of the plan opens a gate as they will be then.

    What is to be done about a rule that stays closed is what is to be done then.
    """
    return tuple(_merged(now, then) for now, then in zip(first, later, strict=True))


def _merged(now: Verdict, then: Verdict) -> Verdict:
    if now.ok and then.ok:
        return then if now.reason != then.reason else now
    if then.ok:
        return replace(then, reason=phrase("{reason} (by an earlier step of this plan)", reason=then.reason))
    if now.ok:
        return replace(then, reason=phrase("{reason} (after the other steps of this plan)", reason=then.reason))
    return replace(now, remedy=then.remedy) if now.ask == then.ask else then


def still_asked(verdicts: Sequence[Verdict], hoped: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The same verdicts with the questions alone that stay open where every other question is answered with yes.

    What an earlier step then brings need not be asked now.
    """
    return tuple(v if not v.ask or then.ask else replace(v, ask="") for v, then in zip(verdicts, hoped, strict=True))


def without_questions(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The same verdicts for a release that no answer would bring into the plan: nobody is to be asked in vain."""
    return tuple(replace(v, ask="") if v.ask else v for v in verdicts)


def withdrawn_finding(release_id: str, version: str) -> ReleaseFinding:
    """The finding on a release that newer metadata no longer lists."""
    reason = phrase("Withdrawn by its publisher after this stick was made.")
    rule = told("withdrawn", False, reason, phrase("Choose another release, or ask for a newer stick."))
    return ReleaseFinding(release_id, version, ReleaseVerdict.WITHDRAWN, (rule,))


def word(release: Release, rules: Sequence[Verdict], terminal: TerminalState, *, overtaken: bool) -> ReleaseVerdict:
    """The one word for a release that is not in the plan."""
    closed = [v for v in rules if not v.ok and v.force is Force.GATE]
    if any(v.what == "model" for v in closed):
        return ReleaseVerdict.NOT_FOR_THIS_MODEL
    stands = relation(release, terminal)
    if stands is Relation.SAME and not any(v.what == "signer" for v in closed):
        return ReleaseVerdict.INSTALLED
    if stands is Relation.NEWER:
        return ReleaseVerdict.OLDER
    if overtaken:
        return ReleaseVerdict.SUPERSEDED
    return ReleaseVerdict.BLOCKED if closed else ReleaseVerdict.NOT_CHOSEN
