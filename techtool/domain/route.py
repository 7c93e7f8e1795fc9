"""The shortest allowed way from what a terminal runs to the newest releases it can run.

A breadth-first search over states of the terminal: a step is a release whose gates are all open there. Fewest releases
win, then fewest restarts. Of several ids, as many as possible reach the newest release that any way reaches for them.

A way may pass through a state in which a release no longer has what it demands of the others (the kernel is new, the
application still old), but it may not end there.

Many independent releases would make the number of states explode, so a release is taken at once, without branching,
when that cannot spoil anything (:meth:`_Search._harmless`): it is the newest wanted of its id, whatever another release
demands of the slots it writes holds afterwards or never could, and nothing still to come closes a gate of its own
(:meth:`_Search._rivalled`). Every rule looks at one slot, so taking it first leaves every other step of every best way
possible; the result is the same as that of the full search.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from techtool.domain.components import Relation, after, slot_values, slots_read, slots_written
from techtool.domain.release import Release, ReleaseKind
from techtool.domain.terminal import TerminalState

NODES: Final = 3000
"""States looked at before the search gives way to plain steps forward; real sticks need a few dozen."""

Gates = Callable[[int, TerminalState], tuple[bool, ...]]
"""For a candidate's index and a state: which of its gates are open, always in the same order."""
Broken = Callable[[TerminalState], frozenset[str]]
"""For a state: the releases running there whose demands on other components are not met."""

_KIND_ORDER: Final = {
    ReleaseKind.BOOTLOADER: 0,
    ReleaseKind.FIRMWARE: 1,
    ReleaseKind.KERNEL: 2,
    ReleaseKind.CERTIFICATES: 3,
    ReleaseKind.AID_CAPK: 4,
    ReleaseKind.RESOURCES: 5,
    ReleaseKind.APPLICATION: 6,
    ReleaseKind.PARAMETERS: 7,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that may become a step."""

    index: int
    """The caller's number for it."""
    release: Release
    rank: int
    """Place among the candidates of its id, the oldest first."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Where to start, what is wanted, and what the rules say of any state."""

    start: TerminalState
    goals: frozenset[str]
    """Ids that are wanted."""
    gates: Gates
    broken: Broken
    stands: Callable[[int, TerminalState], Relation]
    """For a candidate's index and a state: how that stands to the release."""
    known: Sequence[Release]
    """The whole stick: rules may name any of its releases."""


StateKey = tuple[object, ...]


def state_key(state: TerminalState) -> StateKey:
    """What of a state a step can change, so that two ways to the same state are recognised."""
    return frozenset(slot_values(state).items()), state.free_storage_bytes


def find_route(problem: Problem, candidates: Sequence[Candidate], *, nodes: int = NODES) -> tuple[int, ...]:
    """The indices of the releases to install, in order."""
    useful = _useful(problem, _possible(problem, candidates))
    in_order = sorted(useful, key=lambda c: (_KIND_ORDER[c.release.kind], c.release.id, -c.rank, c.index))
    return _Search(problem, in_order).run(nodes)


def _possible(problem: Problem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates each gate of which opens somewhere: at the start or after some other possible one."""
    possible: list[Candidate] = []
    waiting = list(candidates)
    while True:
        states = [problem.start, *(after(c.release, problem.start) for c in possible)]
        grown = []
        for candidate in waiting:
            gates = zip(*(problem.gates(candidate.index, state) for state in states), strict=True)
            if all(any(one_gate) for one_gate in gates):
                grown.append(candidate)
        if not grown:
            return possible
        possible += grown
        waiting = [c for c in waiting if c not in grown]


def _useful(problem: Problem, possible: Sequence[Candidate]) -> list[Candidate]:
    """The wanted ones, and those that may open a gate for them or mend what they would break."""
    useful = [c for c in possible if c.release.id in problem.goals]
    fresh = list(useful)
    slots: set[str] = set()
    while fresh:
        for candidate in fresh:
            slots |= slots_read(candidate.release, problem.known)
            broken = problem.broken(after(candidate.release, problem.start))
            slots |= {slot for r in problem.known if r.key in broken for slot in slots_written(r)}
        fresh = [c for c in possible if c not in useful and slots_written(c.release) & slots]
        useful += fresh
    return useful


@dataclass(order=True, frozen=True, slots=True)
class _Node:
    releases: int
    restarts: int
    way: tuple[int, ...]
    """Positions among the search's candidates."""
    state: TerminalState = field(compare=False, repr=False)


class _Search:
    """One search; candidates are addressed by their position in the fixed order of installation."""

    def __init__(self, problem: Problem, candidates: Sequence[Candidate]) -> None:
        self._start = problem.start
        self._candidates = candidates
        self._goals = sorted(problem.goals & {c.release.id for c in candidates})
        self._gates = problem.gates
        self._broken = problem.broken
        self._stands = problem.stands
        self._broken_before = problem.broken(problem.start)
        self._best_ranks = tuple(max(c.rank for c in candidates if c.release.id == g) for g in self._goals)
        self._read = [slots_read(c.release, problem.known) for c in candidates]
        self._written = [slots_written(c.release) for c in candidates]
        self._take_at_once = self._harmless()

    def run(self, nodes: int) -> tuple[int, ...]:
        """The best way, as the caller's indices."""
        heap = [_Node(0, 0, (), self._start)]
        seen: set[StateKey] = set()
        looked_at: list[tuple[_Node, tuple[int, ...], bool]] = []
        while heap and len(looked_at) < nodes:
            node = heapq.heappop(heap)
            key = state_key(node.state)
            if key in seen:
                continue
            seen.add(key)
            whole, ranks = self._is_whole(node.state), self._ranks(node.state)
            looked_at.append((node, ranks, whole))
            if whole and ranks == self._best_ranks:
                return self._indices(self._in_order(node))
            for step in self._steps(node):
                heapq.heappush(heap, self._extended(node, step))
        best = _best([(node, ranks) for node, ranks, whole in looked_at if whole])
        return self._indices(self._in_order(self._forward(best) if heap else best))

    def _in_order(self, found: _Node) -> tuple[int, ...]:
        """The same releases, the system before what runs on it, where that order is allowed too."""
        node = _Node(0, 0, (), self._start)
        while len(node.way) < len(found.way):
            waiting = (p for p in sorted(found.way) if p not in node.way)
            step = next((p for p in waiting if all(self._gates(self._candidates[p].index, node.state))), None)
            if step is None:
                return found.way
            node = self._extended(node, step)
        return node.way

    def _is_whole(self, state: TerminalState) -> bool:
        """Whether nothing runs here that misses something, but for what missed it from the start."""
        return self._broken(state) <= self._broken_before

    def _extended(self, node: _Node, step: int) -> _Node:
        release = self._candidates[step].release
        restarts = node.restarts + int(release.after.restart)
        return _Node(node.releases + 1, restarts, (*node.way, step), after(release, node.state))

    def _steps(self, node: _Node) -> list[int]:
        """The steps possible from here; a single one where it can be taken without loss."""
        allowed = [
            position
            for position, candidate in enumerate(self._candidates)
            if position not in node.way and all(self._gates(candidate.index, node.state))
        ]
        sure = (p for p in allowed if p in self._take_at_once and not self._rivalled(p, node))
        first = next(sure, None)
        return allowed if first is None else [first]

    def _ranks(self, state: TerminalState) -> tuple[int, ...]:
        """For each goal the place of the newest of its releases that runs; -1: none does."""
        running = [c for c in self._candidates if self._stands(c.index, state) is Relation.SAME]
        return tuple(max((c.rank for c in running if c.release.id == goal), default=-1) for goal in self._goals)

    def _forward(self, node: _Node) -> _Node:
        """Go on with any allowed step that brings a goal forward, until there is none."""
        while True:
            nexts = (self._extended(node, step) for step in self._steps(node))
            ranks = sum(self._ranks(node.state))
            better = (n for n in nexts if sum(self._ranks(n.state)) > ranks and self._is_whole(n.state))
            further = next(better, None)
            if further is None:
                return node
            node = further

    def _indices(self, way: Sequence[int]) -> tuple[int, ...]:
        return tuple(self._candidates[step].index for step in way)

    # -- what may be taken at once ----------------------------------------------------------------------------------

    def _harmless(self) -> frozenset[int]:
        """Newest wanted releases that no other candidate can mind."""
        if self._tight():
            return frozenset()
        states = [after(c.release, self._start) for c in self._candidates]
        table = [
            (self._gates(c.index, self._start), [self._gates(c.index, state) for state in states])
            for c in self._candidates
        ]
        targets = [t for t in range(len(self._candidates)) if self._is_target(t)]
        return frozenset(t for t in targets if self._spares(t, states[t]) and not self._minded(t, table))

    def _spares(self, target: int, then: TerminalState) -> bool:
        """Whether every release that runs now goes on having what it demands."""
        return self._broken(then) - {self._candidates[target].release.key} <= self._broken_before

    def _tight(self) -> bool:
        """Whether storage could become short on the way, so that the order of steps matters for it."""
        free = self._start.free_storage_bytes
        if free is None:
            return False
        total = sum(c.release.size_bytes for c in self._candidates)
        lean = replace(self._start, free_storage_bytes=max(0, free - total))
        return any(self._gates(c.index, self._start) != self._gates(c.index, lean) for c in self._candidates)

    def _is_target(self, position: int) -> bool:
        """Newest of a wanted id, and writes whatever the older ones of its id would."""
        target = self._candidates[position]
        same = [p for p, c in enumerate(self._candidates) if c.release.id == target.release.id]
        newest = dict(zip(self._goals, self._best_ranks, strict=True)).get(target.release.id)
        return newest == target.rank and all(self._written[p] <= self._written[position] for p in same)

    def _rivalled(self, target: int, node: _Node) -> bool:
        """Whether another id's release, that may yet come, would close a gate of ``target``."""
        index = self._candidates[target].index
        for position, candidate in enumerate(self._candidates):
            if position in node.way or candidate.release.id == self._candidates[target].release.id:
                continue
            if not self._written[position] & self._read[target]:
                continue
            gone_past = self._stands(candidate.index, node.state) is Relation.NEWER
            if not gone_past and not all(self._gates(index, after(candidate.release, node.state))):
                return True
        return False

    def _minded(self, target: int, table: Sequence[tuple[tuple[bool, ...], Sequence[tuple[bool, ...]]]]) -> bool:
        """Whether some gate of another id is closed after ``target`` that is, or could be, open otherwise."""
        sharing = [p for p, slots in enumerate(self._written) if slots & self._written[target]]
        for position, (now, then) in enumerate(table):
            if self._candidates[position].release.id == self._candidates[target].release.id:
                continue
            for gate, open_after in enumerate(then[target]):
                if not open_after and (now[gate] or any(then[other][gate] for other in sharing)):
                    return True
        return False


def _best(nodes: Sequence[tuple[_Node, tuple[int, ...]]]) -> _Node:
    """Most ids at the newest that any way reaches, then as new as possible, then shortest."""
    reached = [max(places) for places in zip(*(ranks for _, ranks in nodes), strict=True)]

    def order(found: tuple[_Node, tuple[int, ...]]) -> tuple[int, int, _Node]:
        node, ranks = found
        return -sum(r == best for r, best in zip(ranks, reached, strict=True)), -sum(ranks), node

    return min(nodes, key=order)[0]
