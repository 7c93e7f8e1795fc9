"""The inspection of a terminal as a list of items, and how a person answers a whole list at once. Pure.

The answer, for a file, a terminal window and the screens alike:

- ``pass``: every item was looked at and is in order;
- ``fail: ITEM, ITEM; note``: these are not in order, all others are; ``fail`` or ``fail: note`` where no item is named;
- ``not-done: reason``, ``not-applicable: reason``: the whole list;
- ``ITEM=fail: note; ITEM=not-applicable: reason``: these items as said, all others are in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from techtool.domain.question import CheckAnswer, CheckResult

_NEXT_ITEM: Final = re.compile(r"[;；\n]\s*(?=[\w.\-]+\s*=)")
_ITEM: Final = re.compile(r"\s*([\w.\-]+)\s*=\s*(.+?)\s*", re.DOTALL)
_LIST: Final = re.compile(r"[,，、]")
_END_OF_LIST: Final = re.compile(r"[;；]")
_COLON: Final = re.compile(r"[:：]")


@dataclass(frozen=True, slots=True)
class ChecklistAnswer:
    """What was said of each item; ``items`` is empty where something is wrong and nobody said at which item."""

    result: CheckResult
    """Of the list: ``fail`` where one item failed, else ``not-done`` where one was not looked at."""
    reason: str
    items: Mapping[str, CheckAnswer]

    @classmethod
    def parse(cls, text: str, items: Sequence[str]) -> ChecklistAnswer | None:
        """Read an answer to a list of these item ids; None when it is none."""
        said = _one(text)
        if said is None:
            return cls._of_items(text, items)
        if said.result is not CheckResult.FAIL:
            return cls(said.result, said.reason, dict.fromkeys(items, said))
        named, note = _named(said.reason, items)
        answers = {item: CheckAnswer(CheckResult.FAIL, note) if item in named else _PASS for item in items}
        return cls(CheckResult.FAIL, _reason(answers), answers) if named else cls(CheckResult.FAIL, said.reason, {})

    @classmethod
    def _of_items(cls, text: str, items: Sequence[str]) -> ChecklistAnswer | None:
        given: dict[str, CheckAnswer] = {}
        by_name = {item.casefold(): item for item in items}
        for piece in _NEXT_ITEM.split(text.strip().rstrip(";；")):
            match = _ITEM.fullmatch(piece)
            item = by_name.get(match.group(1).casefold()) if match else None
            answer = _one(match.group(2)) if match else None
            if item is None or answer is None or item in given:
                return None
            given[item] = answer
        return cls.of({item: given.get(item, _PASS) for item in items})

    @classmethod
    def of(cls, answers: Mapping[str, CheckAnswer]) -> ChecklistAnswer:
        """The list's result from its items'."""
        results = [answer.result for answer in answers.values()]
        overall = CheckResult.PASS
        if CheckResult.FAIL in results:
            overall = CheckResult.FAIL
        elif CheckResult.NOT_DONE in results:
            overall = CheckResult.NOT_DONE
        elif results and all(result is CheckResult.NOT_APPLICABLE for result in results):
            overall = CheckResult.NOT_APPLICABLE
        return cls(overall, _reason(answers), dict(answers))

    @property
    def failed(self) -> tuple[str, ...]:
        """Items that are not in order."""
        return tuple(item for item, answer in self.items.items() if answer.result is CheckResult.FAIL)

    @property
    def whole(self) -> CheckAnswer:
        """The list as one check."""
        return CheckAnswer(self.result, self.reason)

    def __str__(self) -> str:
        """As an answer that :meth:`parse` reads as the same."""
        different = {item: answer for item, answer in self.items.items() if answer != _PASS}
        if not different:
            return str(self.whole)
        return "; ".join(f"{item}={answer}" for item, answer in different.items())


_PASS: Final = CheckAnswer(CheckResult.PASS)


def merged_checklist(given: str | None, single: Mapping[str, str], items: Sequence[str]) -> str | None:
    """One answer from the list's own and those to single items; None when items are left without any.

    What cannot be read is handed back as it is, so that it is refused by name.
    """
    base: dict[str, CheckAnswer] = {}
    if given is not None:
        read = ChecklistAnswer.parse(given, items)
        if read is None or not read.items:
            return given
        base = dict(read.items)
    for item, text in single.items():
        answer = _one(text)
        if answer is None:
            return f"{item}={text}"
        base[item] = answer
    return str(ChecklistAnswer.of({i: base[i] for i in items})) if all(item in base for item in items) else None


def _one(text: str) -> CheckAnswer | None:
    """One result, the colon of either alphabet."""
    return CheckAnswer.parse(_COLON.sub(":", text.strip(), count=1))


def _named(text: str, items: Sequence[str]) -> tuple[frozenset[str], str]:
    """The items that a failure names, and the note after them; a text that names no item is all note."""
    listed, *rest = _END_OF_LIST.split(text, maxsplit=1)
    by_name = {item.casefold(): item for item in items}
    words = [word.strip().casefold() for word in _LIST.split(listed)]
    if not all(word in by_name for word in words):
        return frozenset(), text
    return frozenset(by_name[word] for word in words), rest[0].strip() if rest else ""


def _reason(answers: Mapping[str, CheckAnswer]) -> str:
    """What is not plainly in order, as one line."""
    return "; ".join(f"{item}={answer}" for item, answer in answers.items() if answer.result is not CheckResult.PASS)
