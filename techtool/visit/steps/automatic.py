"""Tests that need no person: from what this visit read and knows, else from the terminal's driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from techtool.domain.backup import BackupManifest
from techtool.domain.binding import differ, label_fits
from techtool.domain.components import lasting
from techtool.domain.config_file import ConfigRule
from techtool.domain.functional import Mode
from techtool.domain.known_issues import verification
from techtool.domain.probe import Finding
from techtool.domain.question import TAKINGS, CheckResult
from techtool.domain.required_tests import INSTALLING
from techtool.domain.visit import VisitKind
from techtool.domain.work_order import VisitType
from techtool.i18n import phrase
from techtool.visit.lane import Lane
from techtool.visit.log import manifest_of
from techtool.visit.operator import YES


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and who it is from."""

    finding: Finding
    mode: Mode = Mode.AUTOMATIC


async def automatic(lane: Lane, test_id: str) -> Found | None:
    """The finding of one test; None: nobody but a person can do it here."""
    own = _OWN.get(test_id)
    if own is not None:
        return await own(lane)
    finding = await lane.driver.probe(test_id, lane.log.baseline_of(lane.id).get(test_id, ""))
    return Found(finding) if finding is not None else None


async def _versions(lane: Lane) -> Found | None:
    """Verify read everything again, package by package; here the whole list once more, by the newest reading."""
    if lane.visit is not None and lane.visit.kind is VisitKind.INSPECTION:
        return Found(Finding(CheckResult.NOT_APPLICABLE, said=phrase("nothing was to be installed")))
    if lane.plan is None:
        return None
    lasted = lasting([verified.release for verified in lane.plan.releases])
    planned: list[tuple[str, int | None]] = [(apk.id, apk.version_code) for _release, _file, apk in lasted]
    planned += [(one.package, one.former_code) for one in lane.plan.put_back if one.files]
    if not planned:
        return None
    wrong: list[str] = []
    right: list[str] = []
    for package, code in planned:
        found = lane.known.package(package)
        there = found.version_code if found is not None else None
        (right if there is not None and code in (there, None) else wrong).append(f"{package} {there} / {code}")
    if wrong:
        said = phrase("not the planned version: {packages}", packages=", ".join(wrong))
        return Found(Finding(CheckResult.FAIL, ", ".join(wrong), said))
    return Found(Finding(CheckResult.PASS, ", ".join(word.partition(" / ")[0] for word in right)))


async def _parameters(lane: Lane) -> Found | None:
    """Configuration files against this visit's backup; where the catalogue knows of none, a person compares."""
    manifest = manifest_of(lane.log.db, f"{lane.log.visit_id}-{lane.id}")
    identity = lane.known.identity
    files = lane.services.catalogue.allow_list(identity.family).files_for(identity.vendor)
    rules = [file.config for file in files if file.config is not None]
    if manifest is None or not rules:
        return None
    changed = [rule.path for rule in rules if await _differs(lane, rule, manifest)]
    if changed:
        paths = ", ".join(changed)
        said = phrase("{paths} changed since the backup: look whether only what was planned changed.", paths=paths)
        return Found(Finding(None, paths, said))
    kept = [rule.path for rule in rules if any(item.name == rule.item for item in manifest.items)]
    return Found(Finding(CheckResult.PASS, ", ".join(kept))) if kept else None


async def _differs(lane: Lane, rule: ConfigRule, manifest: BackupManifest) -> bool:
    former = next((item.sha256 for item in manifest.items if item.name == rule.item), "")
    return bool(former) and await lane.driver.config_digest(rule) != former


async def _numbers(lane: Lane) -> Found | None:
    """TID and MID: as before the work, and as the order says; the slip's head is looked at with the slip."""
    now, before = lane.known, lane.before or lane.known
    if now.tid is None or now.mid is None:
        return None
    order = lane.visit.order if lane.visit is not None else None
    expected = order.expected(now.identity.serial) if order is not None else None
    wrong: list[str] = []
    for name, there, former, ordered in (
        ("TID", now.tid, before.tid, expected.tid if expected else ""),
        ("MID", now.mid, before.mid, expected.mid if expected else ""),
    ):
        if there != (former or there) or differ(ordered, there):
            wrong.append(name)
    value = f"TID …{now.tid[-4:]} MID …{now.mid[-4:]}"
    if wrong:
        said = phrase("not as before the work or not as in the order: {what}", what=", ".join(wrong))
        return Found(Finding(CheckResult.FAIL, value, said))
    return Found(Finding(CheckResult.PASS, value))


async def _serial(lane: Lane) -> Found | None:
    """Label, software, order: the label was read when it was bound, or its last four were typed at the gate."""
    if lane.known.typed:
        return None  # a number that a person typed proves nothing about itself
    serial = lane.known.identity.serial
    binding = lane.log.binding_of(lane.id)
    typed = [a.answer for a in lane.log.answers_of(lane.id) if a.question_id == "confirm.last4"]
    value = f"…{serial[-4:]}"
    if binding is not None and differ(binding.order_serial, serial):
        return Found(Finding(CheckResult.FAIL, value, phrase("the order names another serial number")))
    label = binding.label_serial if binding is not None else ""
    read = label or (typed[-1] if typed else "")
    if not read:
        return None
    if label_fits(read, serial):
        return Found(Finding(CheckResult.PASS, value))
    return Found(Finding(CheckResult.FAIL, value, phrase("the label shows another serial number")))


async def _approval(lane: Lane) -> Found | None:
    catalogue = lane.services.catalogue
    kind = lane.visit.type if lane.visit is not None else VisitType.UPDATE
    today = lane.services.clock.now().date()
    age = catalogue.limits.approvals_max_age_days
    finding = catalogue.approvals.judge(lane.known.identity, today, age, installing=kind in INSTALLING)
    return Found(finding) if finding is not None else None


async def _issues(lane: Lane) -> Found | None:
    return Found(verification([record.result for record in lane.log.issues_of(lane.id)]))


async def _reversals(lane: Lane) -> Found | None:
    return _queue(lane, lane.known.reversals)


async def _offline_sales(lane: Lane) -> Found | None:
    return _queue(lane, lane.known.offline_sales)


def _queue(lane: Lane, count: int | None) -> Found | None:
    """What waits for the host: the terminal's word, else what was said and proven at the gate before the work."""
    if count is not None:
        if count == 0:
            return Found(Finding(CheckResult.PASS, "0"))
        return Found(Finding(CheckResult.FAIL, str(count), phrase("{count} still wait for the host", count=count)))
    answers = {answer.question_id: answer.answer for answer in lane.log.answers_of(lane.id)}
    for gate in TAKINGS:
        if answers.get(gate) == YES:
            return Found(Finding(CheckResult.PASS, answers.get(f"{gate}.evidence", "")), Mode.HUMAN)
    return None


_OWN: Final[Mapping[str, Callable[[Lane], Awaitable[Found | None]]]] = {
    "SE-03": _serial,
    "SE-07": _approval,
    "APP-01": _versions,
    "APP-02": _parameters,
    "APP-03": _numbers,
    "APP-06": _issues,
    "TX-09": _reversals,
    "TX-10": _offline_sales,
}
