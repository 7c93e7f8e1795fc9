"""The plan as ``techtool plan --json`` prints it: every release with its verdict, the steps, the questions."""

from __future__ import annotations

from collections.abc import Iterable

from techtool.domain.plan import Estimate, Missing, Plan, PlanStep, ReleaseFinding
from techtool.domain.recall import Recall
from techtool.domain.recalled import replacement_finding
from techtool.domain.risk import Risk
from techtool.domain.risk_views import risk_json
from techtool.domain.rollback import RollbackPlan
from techtool.domain.rules import Verdict, questions
from techtool.domain.terminal import Identity


def plan_json(
    plan: Plan,
    identity: Identity,
    language: str = "en",
    recalled: Iterable[Recall] = (),
    risk: Risk | None = None,
) -> dict[str, object]:
    """``plan`` with its texts in ``language``; ``recalled``: what the terminal runs that was recalled.

    ``risk``: None where nothing is to be done.
    """
    return {
        "address": identity.address,
        "serial": plan.serial,
        "vendor": identity.vendor,
        "model": identity.model,
        "unverified": identity.unverified,
        "releases": [_release(finding, language) for finding in plan.findings],
        "order": [verified.release.key for verified in plan.releases],
        "steps": [_step(step, language) for step in plan.steps],
        "questions": [
            {"id": question.id, "kind": question.kind.value, "text": question.text.text(language)}
            for question in questions(plan.findings)
        ],
        "recalled_installed": [_recalled(recall, plan, language) for recall in recalled],
        "estimate_s": _seconds(plan.total),
        "attended_s": _seconds(plan.attended),
        "downtime_s": _seconds(plan.downtime),
        "undo": plan.undo.text(language),
        "rollback": rollback_json(plan.rollback, language),
        "digest": plan.digest,
        "risk": risk_json(risk, language) if risk is not None else None,
    }


def rollback_json(rollback: RollbackPlan, language: str) -> dict[str, object]:
    """The class of the whole plan and of each release, with its reason."""
    return {
        "class": rollback.kind.value,
        "releases": [
            {"release": one.release_key, "class": one.kind.value, "reason": one.reason.text(language)}
            for one in rollback.releases
        ],
    }


def _release(finding: ReleaseFinding, language: str) -> dict[str, object]:
    return {
        "id": finding.release_id,
        "version": finding.version,
        "verdict": finding.verdict.value,
        "rules": [_rule(rule, language) for rule in finding.rules],
        "missing": [_missing(missing, language) for missing in finding.missing],
        "highest_for_hardware": finding.highest,
    }


def _rule(rule: Verdict, language: str) -> dict[str, object]:
    return {
        "what": rule.what,
        "ok": rule.ok,
        "force": rule.force.value,
        "reason": rule.reason.text(language),
        "remedy": rule.remedy.text(language) if rule.remedy else None,
        "ask": rule.ask or None,
    }


def _missing(missing: Missing, language: str) -> dict[str, object]:
    return {
        "what": missing.what,
        "id": missing.id or None,
        "compare": missing.compare.value,
        "version": missing.version,
        "text": missing.need.text(language),
    }


def _step(step: PlanStep, language: str) -> dict[str, object]:
    return {
        "step": step.kind.value,
        "title": step.title.text(language),
        "effect": step.effect.text(language),
        "release": step.release_key or None,
        "attended": step.attended,
        "estimate_s": _seconds(step.estimate),
    }


def _recalled(recall: Recall, plan: Plan, language: str) -> dict[str, object]:
    found = replacement_finding(recall, plan.findings)
    return {
        "id": recall.id,
        "version": recall.version,
        "urgency": recall.urgency.value,
        "date": recall.date.isoformat(),
        "reason": recall.reason_phrase.text(language),
        "replacement": recall.replacement or None,
        "replacement_verdict": found.verdict.value if found else None,
    }


def _seconds(estimate: Estimate) -> dict[str, float]:
    return {"p50": round(estimate.p50_s, 1), "p90": round(estimate.p90_s, 1)}
