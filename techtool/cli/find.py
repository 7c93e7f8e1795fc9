"""``techtool find``: what can be seen without asking anybody; a network or a port is asked only when it is named."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

import click

from techtool.cli.columns import column
from techtool.cli.output import emit_json, say
from techtool.cli.runner import run_async
from techtool.domain.nearby import Nearby
from techtool.domain.redacting import Cleaner
from techtool.errors import Exit, UsageError
from techtool.i18n import N_, _
from techtool.paths import Paths
from techtool.settings import Settings, read_settings

_ADDRESS: Final = 34


@click.command(
    help=N_(
        "Terminals that can be seen: by an adb server (USB, paired), announced in the network, on USB, named in the "
        "settings; and the serial ports. Nobody is asked anything, unless a --probe option says whom."
    )
)
@click.option(
    "--probe-subnet", metavar="NETWORK", help=N_("ask every address of this laptop's own network, /24 at most")
)
@click.option("--probe-serial", metavar="PORT", help=N_("ask what is behind one serial port"))
@click.option("--watch", is_flag=True, help=N_("go on until ^C: tell when a cable goes in or out"))
@click.option("--probes", is_flag=True, help=N_("who probed what, and when; nothing is looked for"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(probe_subnet: str | None, probe_serial: str | None, watch: bool, probes: bool, as_json: bool) -> int:
    """List addresses."""
    if sum(map(bool, (probe_subnet, probe_serial, watch, probes))) > 1:
        raise UsageError(problem=_("Give one of --probe-subnet, --probe-serial, --watch and --probes."))
    paths = Paths.default()
    if probes:
        return _log(paths, as_json)
    settings = read_settings(paths.settings)
    if watch:
        return run_async(_watch(paths, settings, as_json))
    found = run_async(_found(paths, settings, probe_subnet, probe_serial))
    terminals = [one for one in found if one.address]
    others = [one for one in found if not one.address]
    if as_json:
        emit_json(
            {"terminals": [nearby_json(one) for one in terminals], "others": [nearby_json(one) for one in others]}
        )
    else:
        show(found)
    if terminals or ((probe_serial or probe_subnet) and found):
        return int(Exit.DONE)
    if probe_serial or probe_subnet:
        say(_("Nobody answered."))
    else:
        say(_("No terminal is seen. Connect the cable and start an adb server, or name a network terminal yourself."))
    return int(Exit.NOT_FOUND)


async def _found(paths: Paths, settings: Settings, subnet: str | None, port: str | None) -> list[Nearby]:
    from techtool.clock import SystemClock
    from techtool.links.discovery.look import look
    from techtool.links.discovery.probe import ask_serial, ask_subnet

    who, clock = settings.technician, SystemClock()
    if subnet is not None:

        def begun(count: int) -> None:
            text = _("{count} addresses are asked, 20 in a second; this is written down in {path}.")
            say(text.format(count=count, path=paths.probes))

        return await ask_subnet(subnet, who, paths, clock, begun)
    if port is not None:
        return await ask_serial(port, who, paths, clock)
    return await look(settings.links, paths)


async def _watch(paths: Paths, settings: Settings, as_json: bool) -> int:
    from techtool.links.discovery.look import watch_cables

    told: list[Nearby] | None = None
    async with aclosing(watch_cables(settings.links, paths)) as changes:
        async for found in changes:
            if found == told:
                continue
            told = found
            if as_json:
                emit_json({"terminals": [nearby_json(one) for one in found]})
            elif found:
                show(found)
                say("")
            else:
                say(_("No terminal on a cable. Waiting; ^C ends it."))
    say(_("No adb server can be asked."))
    return int(Exit.NOT_FOUND)


def nearby_json(one: Nearby) -> dict[str, object]:
    """The contract of ``find --json``: one thing that was seen."""
    return {
        "address": one.address or None,
        "state": one.state,
        "usable": one.usable,
        "how": one.how.value,
        "vendor": one.vendor,
        "name": one.name,
        "serial": one.serial,
        "place": one.place,
        "what": one.said.text(),
        "next": one.advice.text(),
    }


def show(found: list[Nearby]) -> None:
    """Address or place, what it is, in what state; below it what to do."""
    clean = Cleaner()
    for one in found:
        where = one.address or one.place or one.serial or "?"
        title = clean.text(one.title)
        if len(where) > _ADDRESS:
            click.echo(where)
            where = ""
        said = clean.text(one.said.text())
        click.echo(f"{column(where, _ADDRESS)}  {said}" + (f"  ({title})" if title else ""))
        if advice := one.advice.text():
            click.echo(f"  → {advice}")


def _log(paths: Paths, as_json: bool) -> int:
    from techtool.clock import stamp
    from techtool.links.discovery.probe_log import entries

    found = entries(paths)
    if as_json:
        emit_json(
            {
                "probes": [
                    {
                        "at": stamp(one.at),
                        "who": one.who,
                        "kind": one.kind,
                        "target": one.target,
                        "asked": one.asked,
                        "found": list(one.found) if one.found is not None else None,
                    }
                    for one in found
                ]
            }
        )
        return int(Exit.DONE)
    for one in found:
        what = _("begun") if one.found is None else ", ".join(one.found) or _("nobody answered")
        click.echo(f"{stamp(one.at)}  {one.who or '-'}  {one.target}  ({one.asked})  {what}")
    if not found:
        say(_("Nothing was ever probed from this laptop."))
    return int(Exit.DONE)
