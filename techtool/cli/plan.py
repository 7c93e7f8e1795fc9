"""``techtool plan ADDRESS --bundle PATH``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.bundles.trust import open_stick
from techtool.cli.connection import read_terminal
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.domain.planner import make_plan, plan_json
from techtool.domain.refusal import refusal
from techtool.domain.rules import Environment
from techtool.errors import Exit
from techtool.i18n import N_, language
from techtool.paths import Paths
from techtool.visit.services import Services


@click.command(
    help=N_("What the stick would do to the terminal: every release, every rule, its reason. Changes nothing.")
)
@click.argument("address")
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help=N_("the stick, or its TECHTOOL folder"))
@click.option("--release", "releases", multiple=True, metavar="ID", help=N_("only these releases; may be repeated"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(address: str, bundle: Path, releases: tuple[str, ...], as_json: bool) -> int:
    """Plan without doing."""
    services = Services.real(Paths.default())
    stick = open_stick(bundle, services.paths, services.clock)
    named = {p.id for v in stick.releases for p in v.release.packages}
    state = run_async(read_terminal(services, address, named))
    environment = Environment(tool_version=services.tool_version)
    plan = make_plan(state, stick.releases, environment, wanted=releases, withdrawn=stick.withdrawn)
    refused = stick.expired or refusal(plan, releases)
    if as_json:
        emit_json({k: v for k, v in plan_json(plan, state.identity, language()).items() if k != "schema"})
    else:
        for finding in plan.findings:
            click.echo(f"{finding.release_id} {finding.version}: {finding.verdict.value}")
            for verdict in finding.rules:
                click.echo(f"  {'✓' if verdict.ok else '✗'} {verdict.reason.text()}")
                if not verdict.ok and verdict.remedy is not None:
                    click.echo(f"      → {verdict.remedy.text()}")
        for number, step in enumerate(plan.steps, 1):
            click.echo(f"{number:2}. {step.title.text()}  ({step.effect.text()})")
        click.echo(plan.undo.text())
        if refused is not None:
            say(f"! {refused.what_phrase.text()}")
    if refused is not None:
        return int(refused.exit_code)
    return int(Exit.DONE if plan.has_work else Exit.NOTHING_TO_DO)
