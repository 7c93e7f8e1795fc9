"""``techtool plan ADDRESS --bundle PATH``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from techtool.bundles.trust import open_stick
from techtool.catalogue.risk import load_weights
from techtool.cli.connection import read_terminal
from techtool.cli.output import emit_json, error_json, show_error
from techtool.cli.plan_views import plan_lines, risk_lines
from techtool.cli.recording_option import record_option, recorded
from techtool.cli.runner import run_async
from techtool.cli.visiting import answers_option, operator_for
from techtool.domain.plan import Plan
from techtool.domain.plan_json import plan_json
from techtool.domain.planner import make_plan
from techtool.domain.recalled import recalled_installed
from techtool.domain.redacting import Cleaner
from techtool.domain.refusal import refusal
from techtool.domain.release import Release
from techtool.domain.risk import Risk
from techtool.domain.risk_facts import Around, facts_of
from techtool.domain.risk_model import assess
from techtool.domain.terminal import Address, TerminalState
from techtool.errors import Exit
from techtool.i18n import N_, language
from techtool.paths import Paths
from techtool.visit.learned import learned_timings, past_for
from techtool.visit.services import Services


@click.command(
    help=N_("What the stick would do to the terminal: every release, every rule, its reason. Changes nothing.")
)
@click.argument("address")
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help=N_("the stick, or its TECHTOOL folder"))
@click.option("--release", "releases", multiple=True, metavar="ID", help=N_("only these releases; may be repeated"))
@click.option("--every-rule", is_flag=True, help=N_("also the rules that are met, of every release"))
@click.option("--explain", is_flag=True, help=N_("every number of the risk"))
@answers_option
@record_option
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(
    address: str,
    bundle: Path,
    releases: tuple[str, ...],
    *,
    every_rule: bool,
    explain: bool,
    answers: Path | None,
    record: Path | None,
    as_json: bool,
) -> int:
    """Plan without doing."""
    services = Services.real(Paths.default())
    stick = open_stick(bundle, services.paths, services.clock, to_install=False)
    plain = tuple(verified.release for verified in stick.releases)
    named = {p.id for release in plain for p in release.packages}
    with recorded(services, record, [address]) as (watched, recorder):
        state = run_async(read_terminal(watched, address, named, plain, operator_for(answers, (), None)))
        if recorder is not None:
            recorder.know(state.identity.serial, state.tid, state.mid)
    plan = make_plan(
        state,
        stick.releases,
        services.catalogue.environment(services.tool_version, state.identity.family),
        wanted=releases,
        withdrawn=stick.withdrawn,
        recalled={recall.key: recall for recall in stick.recalls},
        lapsed=stick.lapsed,
        link=Address.parse(address).scheme,
        timings=learned_timings(services),
    )
    risk = _risk(services, plan, state, plain)
    recalled = recalled_installed(state, stick.recalls, plain)
    refused = stick.expired or refusal(plan, releases)
    if as_json:
        tree = plan_json(plan, state.identity, language(), recalled, risk)
        notes = [note.text() for note in stick.notes]
        emit_json({**tree, "notes": notes, "refused": error_json(refused) if refused is not None else None})
    else:
        stopped = refused is not None
        clean = Cleaner((state.identity.serial,))
        for note in stick.notes:
            click.echo(f"! {clean.text(note.text())}")
        for line in plan_lines(plan, state.identity, recalled, refused=stopped, every_rule=every_rule):
            click.echo(clean.text(line))
        if risk is not None:
            for line in risk_lines(risk, explain=explain):
                click.echo(clean.text(line))
        if refused is not None:
            show_error(refused, as_json=False)
    if refused is not None:
        return int(refused.exit_code)
    return int(Exit.DONE if plan.has_work else Exit.NOTHING_TO_DO)


def _risk(services: Services, plan: Plan, state: TerminalState, known: Sequence[Release]) -> Risk | None:
    """As a visit would weigh it before anybody was asked; None where nothing is to be done."""
    if not plan.releases:
        return None
    weights = load_weights()
    around = Around(services.clock.now().astimezone())
    return assess(facts_of(plan, state, weights, past_for(services, plan, state), around, known), weights)
