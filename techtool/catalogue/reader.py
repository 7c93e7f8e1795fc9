"""The catalogue's one reader: TOML into typed rules; an error names the file and the place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from techtool.catalogue.allow import AllowList
from techtool.catalogue.approvals import Approvals
from techtool.catalogue.inspection import InspectionFile, InspectionItem
from techtool.catalogue.inspection import problem_in as problem_in_inspection
from techtool.catalogue.kinds import Kinds, KindsFile, kinds_of, problem_in
from techtool.catalogue.model import (
    Family,
    ModelMatch,
    ModelRule,
    Serials,
    StateFacts,
    StateProvider,
    VendorEntry,
    read_match,
    read_state,
)
from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.functional import Capability, FunctionalTest, TestLimits
from techtool.domain.rules import Environment
from techtool.domain.terminal import Evidence
from techtool.errors import BadFile, NotFoundError

DATA: Final = Path(__file__).parent / "data"
_STATE_FACTS: Final = frozenset(
    {"batch", "offline_sales", "reversals", "tamper", "tid", "mid", "bootloader", "region"}
) | {"keys", "aids", "capks", "capabilities", "card_standard"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """``models.toml``; an owner's extra file needs only vendors of its own."""

    schema: int
    vendor: tuple[VendorEntry, ...] = ()
    state: tuple[StateProvider, ...] = ()
    family: Mapping[str, Family] = field(default_factory=dict)
    serials: Serials = field(default_factory=lambda: Serials(()))


@dataclass(frozen=True, slots=True)
class TestsFile:
    """``tests.toml``"""

    __test__ = False
    schema: int
    limits: TestLimits
    test: tuple[FunctionalTest, ...]


@dataclass(frozen=True, slots=True)
class AllowFile:
    """``allow_list.toml``"""

    schema: int
    list: tuple[AllowList, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is known of models, tests and what may be read; pure once it is loaded."""

    models: tuple[ModelRule, ...]
    """In order: the first that fits decides."""
    families: Mapping[str, Family]
    states: tuple[StateProvider, ...]
    not_trusted_serials: frozenset[str]
    tests: tuple[FunctionalTest, ...]
    limits: TestLimits
    allow_lists: Mapping[str, AllowList]
    approvals: Approvals = field(default_factory=Approvals)
    kinds: Kinds = field(default_factory=Kinds)
    inspection: tuple[InspectionItem, ...] = ()
    """What is looked at before a terminal is touched, in order."""

    def match(self, properties: Mapping[str, str]) -> ModelMatch | None:
        """Which model a device with these properties is; None: no rule fits, and nothing is guessed."""
        for rule in self.models:
            if rule.fits(properties):
                return read_match(rule, properties, self.not_trusted_serials)
        return None

    def facts(self, properties: Mapping[str, str], family: str = "android") -> dict[str, str]:
        """What to show of a device that no rule fits; of a family that lists nothing, everything it said."""
        names = self.families[family].facts or sorted(properties)
        return {n: properties[n] for n in names if properties.get(n, "").strip()}

    def state(self, family: str, properties: Mapping[str, str]) -> StateFacts:
        """Batch, tamper, TID, MID, boot loader and region as far as a provider tells them."""
        return read_state([p for p in self.states if p.family == family], properties)

    def environment(self, tool_version: str, family: str) -> Environment:
        """What rules look at besides a terminal of a family; one of which nothing is known takes no file."""
        return Environment(
            tool_version, roles=self.kinds.roles.get(family, frozenset()), policy=self.kinds.policy_of(family)
        )

    def allow_list(self, family: str) -> AllowList:
        """What may be read of a family; a family without a list: nothing."""
        return self.allow_lists.get(family, AllowList(family))

    def capabilities(self, vendor: str, model: str) -> Mapping[Capability, bool]:
        """What the model's entry says it has and has not; of a model without an entry nothing is known."""
        return next((r.capabilities for r in self.models if (r.vendor, r.model) == (vendor, model)), {})

    def test(self, test_id: str) -> FunctionalTest:
        """The test of that id; raises :class:`NotFoundError`."""
        for test in self.tests:
            if test.id == test_id:
                return test
        raise NotFoundError(what=test_id)


@cache
def load_catalogue(extra: Path | None = None) -> Catalogue:
    """The built-in catalogue; ``extra`` is a models file of the owner's, whose vendors come first.

    Raises :class:`BadFile` naming file and place.
    """
    models_path = DATA / "models.toml"
    base = _read(models_path, ModelsFile)
    rules = _rules(models_path, base, base.family)
    states = _states(models_path, base)
    not_trusted = base.serials.not_trusted
    if extra is not None:
        own = _read(extra, ModelsFile)
        rules = _rules(extra, own, base.family) + rules
        states = _states(extra, own) + states
        not_trusted += own.serials.not_trusted
    allow = _allow_lists(DATA / "allow_list.toml")
    functional = _tests(DATA / "tests.toml")
    return Catalogue(
        models=rules,
        families=base.family,
        states=states,
        not_trusted_serials=frozenset(serial.casefold() for serial in not_trusted),
        tests=functional.test,
        limits=functional.limits,
        allow_lists=allow,
        approvals=_read(DATA / "approvals.toml", Approvals),
        kinds=_kinds(DATA / "kinds.toml"),
        inspection=_inspection(DATA / "inspection.toml"),
    )


def _read(path: Path, kind: type[T]) -> T:
    try:
        return decode_toml(path.read_bytes(), kind, strict=True)
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or type(error).__name__) from error
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error


def _pattern(path: Path, place: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BadFile(path=str(path), problem=f"{place}: {error}") from error


def _rules(path: Path, file: ModelsFile, families: Mapping[str, Family]) -> tuple[ModelRule, ...]:
    rules: list[ModelRule] = []
    for number, vendor in enumerate(file.vendor):
        family = families.get(vendor.family)
        if family is None:
            raise BadFile(path=str(path), problem=f"$.vendor[{number}].family: no family “{vendor.family}”")
        rules += _rules_of(path, f"$.vendor[{number}]", vendor, family)
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        if (rule.vendor, rule.model) in seen:
            raise BadFile(path=str(path), problem=f"$.vendor: {rule.vendor} {rule.model} stands twice")
        seen.add((rule.vendor, rule.model))
    return tuple(rules)


def _rules_of(path: Path, place: str, vendor: VendorEntry, family: Family) -> list[ModelRule]:
    where = tuple((n, _pattern(path, f"{place}.match.{n}", text)) for n, text in vendor.match.items())
    return [
        ModelRule(
            vendor=vendor.id,
            vendor_name=vendor.name,
            model=entry.id,
            model_name=entry.name,
            family=vendor.family,
            source=entry.source or vendor.source,
            evidence=entry.evidence or vendor.evidence,
            where=where,
            pattern=_pattern(path, f"{place}.model[{number}].match", entry.match),
            capabilities=entry.capabilities,
            model_from=vendor.model_from or family.model_from,
            serial_from=vendor.serial_from or family.serial_from,
            hw_revision_from=vendor.hw_revision_from or family.hw_revision_from,
            os_version_from=vendor.os_version_from or family.os_version_from,
            firmware_from=vendor.firmware_from or family.firmware_from,
            sdk_from=family.sdk_from,
            abis_from=family.abis_from,
            unverified=vendor.unverified and (entry.evidence or vendor.evidence) is not Evidence.RECORDED,
        )
        for number, entry in enumerate(vendor.model)
    ]


def _states(path: Path, file: ModelsFile) -> tuple[StateProvider, ...]:
    for number, provider in enumerate(file.state):
        for name, text in provider.when.items():
            _pattern(path, f"$.state[{number}].when.{name}", text)
        for fact in provider.facts:
            if fact not in _STATE_FACTS:
                raise BadFile(path=str(path), problem=f"$.state[{number}].facts: no fact “{fact}”")
    return file.state


def _allow_lists(path: Path) -> dict[str, AllowList]:
    found = _read(path, AllowFile).list
    for number, entry in enumerate(found):
        if entry.problem:
            raise BadFile(path=str(path), problem=f"$.list[{number}].file: {entry.problem}")
    return {entry.family: entry for entry in found}


def _kinds(path: Path) -> Kinds:
    file = _read(path, KindsFile)
    problem = problem_in(file)
    if problem:
        raise BadFile(path=str(path), problem=problem)
    return kinds_of(file)


def _inspection(path: Path) -> tuple[InspectionItem, ...]:
    file = _read(path, InspectionFile)
    problem = problem_in_inspection(file)
    if problem:
        raise BadFile(path=str(path), problem=problem)
    return file.item


def _tests(path: Path) -> TestsFile:
    file = _read(path, TestsFile)
    tests = file.test
    known = {test.id for test in tests}
    if len(known) != len(tests):
        raise BadFile(path=str(path), problem="$.test: an id stands twice")
    for number, test in enumerate(tests):
        for missing in test.missing_texts:
            raise BadFile(path=str(path), problem=f"$.test[{number}].{missing}: missing")
        for other in test.follows:
            if other not in known:
                raise BadFile(path=str(path), problem=f"$.test[{number}].follows: no test “{other}”")
    return file
