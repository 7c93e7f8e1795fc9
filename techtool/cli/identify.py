"""``techtool identify ADDRESS``."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.bundle_views import recall_json, recall_line
from techtool.cli.connection import read_terminal
from techtool.cli.output import emit_json, error_json, printable, say
from techtool.cli.recording_option import record_option, recorded
from techtool.cli.runner import run_async
from techtool.cli.visiting import answers_option, operator_for
from techtool.domain.recall import Recall
from techtool.domain.recalled import recalled_installed
from techtool.domain.redacting import Cleaner
from techtool.domain.terminal import UNVERIFIED, TerminalState
from techtool.errors import UnknownModel
from techtool.i18n import N_, _, translate
from techtool.paths import Paths
from techtool.visit.services import Services


def state_json(state: TerminalState) -> dict[str, object]:
    """The contract of ``identify --json``."""
    identity = state.identity
    return {
        "address": identity.address,
        "vendor": identity.vendor,
        "model": identity.model,
        "hw_revision": identity.hw_revision,
        "serial": identity.serial,
        "serial_trusted": identity.serial_trusted,
        "os_version": identity.os_version,
        "firmware": identity.firmware,
        "evidence": identity.evidence.value,
        "source": identity.source,
        "unverified": identity.unverified,
        "packages": [
            {"id": p.id, "version": p.version, "version_code": p.version_code, "signer": p.signer}
            for p in state.packages
        ],
        "battery": {"percent": state.battery.percent, "external_power": state.battery.external_power}
        if state.battery
        else None,
        "free_storage_bytes": state.free_storage_bytes,
        "tid": state.tid,
        "mid": state.mid,
        "batch": state.batch.value if state.batch else None,
        "tamper": state.tamper.value if state.tamper else None,
        "fact_evidence": {name: evidence.value for name, evidence in state.evidence.items()},
    }


@click.command(help=N_("Which terminal is at ADDRESS, and what it runs. Nothing on it is changed."))
@click.argument("address")
@click.option("--bundle", type=click.Path(path_type=Path), help=N_("read signers of the packages this stick names"))
@answers_option
@record_option
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(address: str, bundle: Path | None, answers: Path | None, record: Path | None, as_json: bool) -> None:
    """Identify one terminal."""
    services = Services.real(Paths.default())
    clean = Cleaner()
    named, recalls = _learned(services, bundle)
    try:
        with recorded(services, record, [address]) as (watched, recorder):
            state = run_async(read_terminal(watched, address, named, operator=operator_for(answers, (), None)))
            if recorder is not None:
                recorder.know(state.identity.serial, state.tid, state.mid)
    except UnknownModel as error:
        if not as_json:
            for name, value in sorted(error.facts.items()):
                click.echo(printable(f"{name} = {clean.field(value, name)}").replace("\n", "·"))
            raise
        emit_json({"address": address, "facts": dict(error.facts), "error": error_json(error)})
        raise click.exceptions.Exit(int(error.exit_code)) from error
    if as_json:
        found = [recall_json(recall) for recall in recalled_installed(state, recalls)]
        emit_json({**state_json(state), "recalled_installed": found})
        return
    identity = clean.clean(state.identity)
    serial = _("serial number {serial}").format(serial=identity.serial)
    click.echo(printable(f"{identity.title}  {serial}"))
    system = _("hardware {revision}, system {system}, {firmware}").format(
        revision=identity.hw_revision or "?", system=identity.os_version, firmware=identity.firmware
    )
    click.echo(printable(system))
    for package in state.packages:
        code = f"  ({package.version_code})" if package.version_code else ""
        click.echo(printable(clean.text(f"  {package.id}  {package.version}{code}")))
    for recall in recalled_installed(state, recalls):
        click.echo(f"! {recall_line(recall)}")
    if identity.unverified:
        say(translate(UNVERIFIED))
    say(_("Rule known from: {source} ({evidence})").format(source=identity.source, evidence=identity.evidence.value))


def _learned(services: Services, bundle: Path | None) -> tuple[set[str], tuple[Recall, ...]]:
    """Packages whose signers are to be read, and what the office recalled: by the stick, else as far as known here."""
    if bundle is None:
        from techtool.bundles.refresh import known

        return set(), tuple(recall for office in known(services.paths, services.clock) for recall in office.recalls)
    from techtool.bundles.trust import open_stick

    stick = open_stick(bundle, services.paths, services.clock, to_install=False)
    return {p.id for v in stick.releases for p in v.release.packages}, stick.recalls
