"""The shapes of the catalogue's model rules, and how they read a device's properties. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from techtool.domain.functional import Capability
from techtool.domain.terminal import BatchState, Evidence, Identity, TamperState


@dataclass(frozen=True, slots=True)
class Family:
    """What the properties of a family are called where a vendor has no better name; first that says something wins."""

    model_from: tuple[str, ...]
    serial_from: tuple[str, ...]
    hw_revision_from: tuple[str, ...]
    os_version_from: tuple[str, ...]
    firmware_from: tuple[str, ...]
    sdk_from: tuple[str, ...]
    abis_from: tuple[str, ...]
    facts: tuple[str, ...]
    """Properties shown of a device that no rule fits."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of a vendor as its entry says it."""

    id: str
    name: str
    match: str
    """Pattern over the model's name, as a whole."""
    source: str = ""
    """Empty: the vendor's."""
    evidence: Evidence | None = None
    """None: the vendor's."""
    capabilities: Mapping[Capability, bool] = field(default_factory=dict)
    """What it has and has not; what is not in it is not known."""
    capabilities_source: str = ""
    """Where that is known from."""


@dataclass(frozen=True, slots=True)
class VendorEntry:
    """One vendor as its entry says it; empty lists mean the family's."""

    id: str
    name: str
    family: str
    source: str
    evidence: Evidence
    match: Mapping[str, str] = field(default_factory=dict)
    """Property → pattern; every one must fit as a whole."""
    model_from: tuple[str, ...] = ()
    serial_from: tuple[str, ...] = ()
    hw_revision_from: tuple[str, ...] = ()
    os_version_from: tuple[str, ...] = ()
    firmware_from: tuple[str, ...] = ()
    unverified: bool = False
    """Nobody has tried techtool on real hardware of this maker."""
    model: tuple[ModelEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class StateProvider:
    """Which properties tell the state that no standard property gives."""

    family: str
    source: str
    evidence: Evidence
    facts: Mapping[str, str]
    """Fact → property: ``batch``, ``offline_sales``, ``reversals``, ``tamper``, ``tid``, ``mid``, ``bootloader`` …"""
    when: Mapping[str, str] = field(default_factory=dict)
    """Property → pattern; all must fit."""


@dataclass(frozen=True, slots=True)
class Serials:
    """Numbers that identify nothing."""

    not_trusted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What the providers said; ``evidence`` has an entry for each fact that is not None."""

    batch: BatchState | None = None
    tamper: TamperState | None = None
    tid: str | None = None
    mid: str | None = None
    bootloader: str | None = None
    region: str | None = None
    offline_sales: int | None = None
    reversals: int | None = None
    capabilities: Mapping[Capability, bool] = field(default_factory=dict)
    keys: Mapping[str, str] | None = None
    """Key slot → its check value, which proves a key without telling it; None: not told."""
    aids: tuple[str, ...] | None = None
    """Application identifiers that it takes."""
    capks: Mapping[str, str] | None = None
    """Public keys of the schemes, ``RID:INDEX`` → last day as ``YYYYMMDD``."""
    card_standard: str | None = None
    """Level of the card standard that its payment software follows (``PBOC 3.0``)."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelRule:
    """One model with everything its vendor and family add."""

    vendor: str
    vendor_name: str
    model: str
    model_name: str
    family: str
    source: str
    evidence: Evidence
    where: tuple[tuple[str, re.Pattern[str]], ...]
    """Property and the pattern it must fit as a whole."""
    pattern: re.Pattern[str]
    """Of the model's name."""
    capabilities: Mapping[Capability, bool]
    model_from: tuple[str, ...]
    serial_from: tuple[str, ...]
    hw_revision_from: tuple[str, ...]
    os_version_from: tuple[str, ...]
    firmware_from: tuple[str, ...]
    sdk_from: tuple[str, ...]
    abis_from: tuple[str, ...]
    unverified: bool = False
    """Nobody has tried techtool on real hardware of this maker."""

    def fits(self, properties: Mapping[str, str]) -> bool:
        """Whether a device with these properties is this model."""
        if not all(pattern.fullmatch(properties.get(name, "").strip()) for name, pattern in self.where):
            return False
        _name, model = first_of(properties, self.model_from)
        return bool(model) and self.pattern.fullmatch(model) is not None


@dataclass(frozen=True, slots=True)
class ModelMatch:
    """A device that a rule fits, as the rule reads it."""

    rule: ModelRule
    hw_revision: str | None
    serial: str
    """Empty where the device says none."""
    serial_source: str
    serial_trusted: bool
    os_version: str
    firmware: str
    abis: tuple[str, ...]
    sdk: int | None

    def identity(self, address: str) -> Identity:
        """Who it is, at the address it was reached at."""
        rule = self.rule
        return Identity(
            address=address,
            vendor=rule.vendor,
            vendor_name=rule.vendor_name,
            model=rule.model,
            model_name=rule.model_name,
            family=rule.family,
            hw_revision=self.hw_revision,
            serial=self.serial,
            serial_source=self.serial_source,
            serial_trusted=self.serial_trusted,
            os_version=self.os_version,
            firmware=self.firmware,
            abis=self.abis,
            sdk=self.sdk,
            evidence=rule.evidence,
            source=rule.source,
            unverified=rule.unverified,
        )


def first_of(properties: Mapping[str, str], names: Sequence[str]) -> tuple[str, str]:
    """The first property that says something, and what; two empty strings when none does."""
    for name in names:
        value = properties.get(name, "").strip()
        if value:
            return name, value
    return "", ""


def read_match(rule: ModelRule, properties: Mapping[str, str], not_trusted: frozenset[str]) -> ModelMatch:
    """Read a device by the rule that fits it.

    A serial number that many units share is passed over where another property has a better one; where none has, it is
    kept and not trusted.
    """
    serials = [(name, properties.get(name, "").strip()) for name in rule.serial_from]
    said = [(name, value) for name, value in serials if value]
    real = [(name, value) for name, value in said if value.casefold() not in not_trusted]
    serial_source, serial = (real or said or [("", "")])[0]
    sdk = first_of(properties, rule.sdk_from)[1]
    abis = first_of(properties, rule.abis_from)[1]
    return ModelMatch(
        rule=rule,
        hw_revision=first_of(properties, rule.hw_revision_from)[1] or None,
        serial=serial,
        serial_source=serial_source,
        serial_trusted=bool(real),
        os_version=first_of(properties, rule.os_version_from)[1],
        firmware=first_of(properties, rule.firmware_from)[1],
        abis=tuple(abi.strip() for abi in abis.split(",") if abi.strip()),
        sdk=int(sdk) if sdk.isascii() and sdk.isdigit() else None,
    )


def read_state(providers: Sequence[StateProvider], properties: Mapping[str, str]) -> StateFacts:
    """What the device says of its state; for each fact the first provider that knows it."""
    found: dict[str, str] = {}
    evidence: dict[str, Evidence] = {}
    for provider in providers:
        if not all(re.fullmatch(p, properties.get(name, "").strip()) for name, p in provider.when.items()):
            continue
        for fact, name in provider.facts.items():
            value = properties.get(name, "").strip()
            if fact not in found and _is_said(fact, value):
                found[fact] = value
                evidence[fact] = provider.evidence
    return StateFacts(
        batch=BatchState(found["batch"]) if "batch" in found else None,
        tamper=TamperState(found["tamper"]) if "tamper" in found else None,
        tid=found.get("tid"),
        mid=found.get("mid"),
        bootloader=found.get("bootloader"),
        region=found.get("region"),
        offline_sales=int(found["offline_sales"]) if "offline_sales" in found else None,
        reversals=int(found["reversals"]) if "reversals" in found else None,
        capabilities=_capabilities(found.get("capabilities", "")),
        keys=_pairs(found["keys"]) if "keys" in found else None,
        aids=tuple(found["aids"].split()) if "aids" in found else None,
        capks=_pairs(found["capks"]) if "capks" in found else None,
        card_standard=found.get("card_standard"),
        evidence=evidence,
    )


def _capabilities(text: str) -> dict[Capability, bool]:
    """``printer wifi -ethernet``: a hyphen before what it has not; words nobody knows are passed over."""
    known = {capability.value: capability for capability in Capability}
    words = ((word.removeprefix("-"), not word.startswith("-")) for word in text.split())
    return {known[name]: has for name, has in words if name in known}


def _pairs(text: str) -> dict[str, str]:
    """``NAME=VALUE NAME=VALUE``."""
    return {name: value for name, _, value in (word.partition("=") for word in text.split())}


def _is_said(fact: str, value: str) -> bool:
    """A state nobody knows the word for is no state: the technician is asked instead."""
    if fact == "batch":
        return value in set(BatchState)
    if fact in ("offline_sales", "reversals"):
        return value.isascii() and value.isdigit() and len(value) < 10
    if fact == "tamper":
        return value in set(TamperState)
    return bool(value) and value.casefold() != "unknown"
