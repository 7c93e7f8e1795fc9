"""What can come first: releases that wait for each other in a circle, and needs that the bundle does not meet.

A release can be reached when for each of its needs some release that brings it can be reached, or none of the bundle
brings it: then the terminal may run it already. What is left over after that waits, directly or not, for a circle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from techtool.domain.lint import Check, LintFinding
from techtool.domain.lint_shelf import Absent, Model, Need, Shelf
from techtool.i18n import phrase, raw


def circles(shelf: Shelf, closed: Collection[int]) -> tuple[list[LintFinding], Absent]:
    """Circles, what waits for them, and needs that nothing here meets; ``closed`` are releases found impossible."""
    bringers = {
        (index, place): shelf.bringers(index, need)
        for index in range(len(shelf.releases))
        if index not in closed
        for place, need in enumerate(shelf.needs(index))
        if need.calls
    }
    absent: dict[tuple[int, int], set[Model]] = {}
    findings: list[LintFinding] = []
    for group, models in _groups(shelf):
        inside = frozenset(group)
        waits: dict[int, list[list[int]]] = {}
        for index in group:
            for place in range(len(shelf.needs(index))):
                if (index, place) not in bringers:
                    continue
                here = [i for i in bringers[index, place] if i in inside]
                if here:
                    waits.setdefault(index, []).append(here)
                else:
                    absent.setdefault((index, place), set()).update(models)
        findings += _stuck(shelf, _left_over(group, waits))
    frozen = {key: frozenset(models) for key, models in absent.items()}
    return [*findings, *_absent(shelf, frozen)], frozen


def _groups(shelf: Shelf) -> list[tuple[tuple[int, ...], list[Model]]]:
    """The releases for each model; models with the very same releases are one group."""
    of_model: dict[Model, list[int]] = {}
    for index, models in enumerate(shelf.models):
        for model in models:
            of_model.setdefault(model, []).append(index)
    groups: dict[tuple[int, ...], list[Model]] = {}
    for model, indices in of_model.items():
        groups.setdefault(tuple(indices), []).append(model)
    return list(groups.items())


def _left_over(group: Sequence[int], waits: Mapping[int, Sequence[Sequence[int]]]) -> dict[int, list[list[int]]]:
    """The releases that can never come first or after another → for each open need the releases that would bring it."""
    open_needs = {index: set(range(len(waits.get(index, ())))) for index in group}
    opens: dict[int, list[tuple[int, int]]] = {}
    for index, needs in waits.items():
        for place, bringers in enumerate(needs):
            for bringer in bringers:
                opens.setdefault(bringer, []).append((index, place))
    reached = deque(index for index in group if not open_needs[index])
    while reached:
        for index, place in opens.get(reached.popleft(), ()):
            if place in open_needs[index]:
                open_needs[index].discard(place)
                if not open_needs[index]:
                    reached.append(index)
    return {index: [list(waits[index][p]) for p in sorted(places)] for index, places in open_needs.items() if places}


def _stuck(shelf: Shelf, left: Mapping[int, Sequence[Sequence[int]]]) -> Iterator[LintFinding]:
    """Name each circle once, and what waits for one."""
    edges = {index: sorted({i for need in needs for i in need if i in left}) for index, needs in left.items()}
    in_circle: set[int] = set()
    for members in _components(edges):
        if len(members) > 1:
            in_circle |= members
            yield _circle(shelf, members, edges)
    for index in sorted(left.keys() - in_circle):
        waited_for = next(i for i in edges[index])
        text = phrase(
            "It needs {other} first, which no terminal can reach: that one waits for a circle of releases.",
            other=shelf.releases[waited_for].key,
        )
        remedy = phrase("Break the circle, then check again.")
        yield LintFinding(Check.UNREACHABLE, shelf.releases[index].key, text, remedy, (shelf.releases[waited_for].key,))


def _circle(shelf: Shelf, members: Collection[int], edges: Mapping[int, Sequence[int]]) -> LintFinding:
    """“A → B → A”, beginning with the first by name."""
    start = min(members, key=lambda index: (shelf.releases[index].key, index))
    way = _way_round(start, members, edges)
    named = raw(" → ".join(shelf.releases[index].key for index in (*way, start)))
    text = phrase("Each of these needs the next one first, and none can be the first: {circle}", circle=named)
    remedy = phrase("Take one of the demands back, or add a release that meets it and needs none of them.")
    key = shelf.releases[start].key
    others = sorted({shelf.releases[index].key for index in members} - {key})
    return LintFinding(Check.CYCLE, key, text, remedy, tuple(others))


def _way_round(start: int, members: Collection[int], edges: Mapping[int, Sequence[int]]) -> list[int]:
    """The shortest way from ``start`` back to it, inside the circle's members."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        index = waiting.popleft()
        for then in edges[index]:
            if then == start:
                way = [index]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if then in members and then not in came_from:
                came_from[then] = index
                waiting.append(then)
    return [start]


def _components(edges: Mapping[int, Sequence[int]]) -> list[set[int]]:
    """Releases that can each be reached from each other along the needs (Tarjan's strongly connected components)."""
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    stack: list[int] = []
    found: list[set[int]] = []
    for root in edges:
        if root in number:
            continue
        number[root] = lowest[root] = len(number)
        stack.append(root)
        work = [(root, iter(edges[root]))]
        while work:
            index, rest = work[-1]
            then = next((i for i in rest if i not in number or lowest[i] >= 0), None)
            if then is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[index])
                if lowest[index] == number[index]:
                    found.append(_popped(stack, index, lowest))
            elif then in number:
                lowest[index] = min(lowest[index], number[then])
            else:
                number[then] = lowest[then] = len(number)
                stack.append(then)
                work.append((then, iter(edges[then])))
    return found


def _popped(stack: list[int], until: int, lowest: dict[int, int]) -> set[int]:
    """One finished component off the stack; its members are never looked at again."""
    members: set[int] = set()
    while until not in members:
        member = stack.pop()
        lowest[member] = -1
        members.add(member)
    return members


def _absent(shelf: Shelf, absent: Absent) -> Iterator[LintFinding]:
    for (index, place), models in absent.items():
        need: Need = shelf.needs(index)[place]
        release = shelf.releases[index]
        text = phrase(
            "It needs what no release here brings: {need}. Only terminals that run it already can take this one.",
            need=need.text,
        )
        if models < shelf.models[index]:
            listed = ", ".join(f"{vendor}/{model}" for vendor, model in sorted(models))
            text = phrase("On {models}: {finding}", models=listed, finding=text)
        remedy = phrase("Add the release that brings it, unless all these terminals run it.")
        yield LintFinding(Check.PREREQUISITE_MISSING, release.key, text, remedy)
