"""``techtool find``: what can be seen without probing anybody's network."""

from __future__ import annotations

import click

from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.errors import Exit, Unreachable
from techtool.i18n import N_, _
from techtool.links.adb.server import server_devices
from techtool.paths import Paths
from techtool.settings import read_settings


@click.command(help=N_("Terminals that a running adb server knows (USB cables, network). Nothing is probed."))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(as_json: bool) -> int:
    """List addresses."""
    paths = Paths.default()
    try:
        devices = run_async(server_devices(read_settings(paths.settings).links, paths))
    except Unreachable:
        devices = []
    if as_json:
        emit_json({"terminals": [{"address": f"adb+server:{d.serial}", "state": d.state} for d in devices]})
    for device in devices if not as_json else ():
        click.echo(f"adb+server:{device.serial}  {device.state}")
    if not devices:
        say(_("No terminal is seen. Connect the cable and start an adb server, or name a network terminal yourself."))
        return int(Exit.NOT_FOUND)
    return int(Exit.DONE)
