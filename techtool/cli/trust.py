"""``techtool trust``: the roots this laptop trusts."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.bundle_views import known_json, known_lines
from techtool.cli.inputs import ask_told
from techtool.cli.output import emit_json, say
from techtool.clock import SystemClock, said, stamp
from techtool.domain.typed import told_fits
from techtool.errors import CertificateChanged, Exit, OtherFingerprint, UsageError
from techtool.i18n import N_, _
from techtool.paths import Paths

_JSON_HELP = N_("JSON on stdout, nothing else")


@click.group(help=N_("The roots this laptop trusts."))
def group() -> None:
    """The group."""


command = group


@group.command(
    "add", help=N_("Trust an office: FILE is its root.json, or a stick of it. Compare the fingerprint first.")
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--fingerprint", help=N_("what the office told you by another way; then nothing is asked"))
def add(file: Path, fingerprint: str | None) -> None:
    """Show, compare, pin."""
    from techtool.bundles.reading import root_of_stick
    from techtool.bundles.roots import pin_root, read_root

    facts = root_of_stick(file) if file.is_dir() else read_root(file)
    say(_("Fingerprint of root {version}:").format(version=facts.version))
    say(f"  {facts.shown}")
    if fingerprint is None:
        ask_told(facts.shown, lambda typed: told_fits(typed, facts.fingerprint))
    elif not told_fits(fingerprint, facts.fingerprint):
        raise OtherFingerprint(found=facts.shown)
    click.echo(pin_root(Paths.default(), facts.data))
    say(_("This laptop trusts it from now on."))


@group.command("list", help=N_("Every trusted root with its fingerprint, and the newest metadata known under it."))
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def list_roots(as_json: bool) -> None:
    """What was pinned, and what is mirrored."""
    from techtool.bundles.refresh import known
    from techtool.bundles.roots import pinned

    paths = Paths.default()
    roots = pinned(paths)
    newest = {item.trust.pinned_sha256: item for item in known(paths, SystemClock())}
    if as_json:
        rows = [
            {
                "fingerprint": root.fingerprint,
                "version": root.version,
                "expires": stamp(root.expires),
                "keys": root.keys,
                "threshold": root.threshold,
                "newest": known_json(newest[root.fingerprint]) if root.fingerprint in newest else None,
            }
            for root in roots
        ]
        emit_json({"roots": rows})
        return
    for root in roots:
        text = _("root {version}, {threshold} of {keys} keys, good until {day}").format(
            version=root.version, threshold=root.threshold, keys=root.keys, day=f"{root.expires:%Y-%m-%d}"
        )
        click.echo(f"{root.shown}\n    {text}")
        for line in known_lines(newest[root.fingerprint]) if root.fingerprint in newest else ():
            click.echo(f"    {line}")
    if not roots:
        say(_("No root is trusted yet: “techtool trust add FILE”."))


@group.command(
    "refresh",
    help=N_("Learn the newest metadata and recalls from FILE, a refresh file of the office, or from a stick."),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def refresh(file: Path, as_json: bool) -> int:
    """Verify it as a stick is verified, keep what is newer, and say what is known now."""
    from techtool.bundles.refresh import learn

    known = learn(file, Paths.default(), SystemClock())
    if as_json:
        emit_json({"news": known.news, **known_json(known)})
    else:
        for line in known_lines(known):
            click.echo(line)
    for note in known.notes:
        say(f"! {note.text()}")
    if known.expired is not None:
        raise known.expired
    if not known.news:
        say(_("This laptop knew all of that already."))
        return int(Exit.NOTHING_TO_DO)
    say(_("Kept. Sticks of this office are judged by it from now on."))
    return int(Exit.DONE)


@group.command("clock", help=N_("The time before which this laptop's clock is not believed; --today sets it back."))
@click.option("--today", metavar="YYYY-MM-DD", help=N_("the day it really is, when this laptop's clock once ran ahead"))
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def clock_command(today: str | None, as_json: bool) -> None:
    """Show the floor; let it sink to what signatures prove, when a person says that the clock is right now."""
    from techtool.bundles.clock_floor import BUILT, read_floor, set_back
    from techtool.bundles.refresh import known

    paths, clock = Paths.default(), SystemClock()
    now = clock.now()
    if today is not None:
        if today not in (f"{now:%Y-%m-%d}", f"{now.astimezone():%Y-%m-%d}"):
            text = _("This laptop's clock says {now}, not {today}: correct the clock first.")
            raise UsageError(problem=text.format(now=f"{now.astimezone():%Y-%m-%d}", today=today))
        proven = max((office.trust.issued for office in known(paths, clock)), default=BUILT)
        set_back(paths, proven, now)
    floor = read_floor(paths)
    if as_json:
        emit_json({"floor": stamp(floor), "system": stamp(now)})
        return
    click.echo(_("Not believed before {floor}; the clock says {now}.").format(floor=said(floor), now=said(now)))
    if floor > now:
        say(_("If the clock is right and once ran ahead: “techtool trust clock --today YYYY-MM-DD” with today's date."))


@group.command("device", help=N_("Trust the certificate of a gateway: compare its fingerprint with the label first."))
@click.argument("address", metavar="redfish+https://HOST[:PORT]")
@click.option("--fingerprint", help=N_("what stands on its label or screen, or what the office told you"))
@click.option("--forget", is_flag=True, help=N_("trust it no longer"))
def device(address: str, *, fingerprint: str | None, forget: bool) -> None:
    """Show, compare, pin; nothing but the greeting is sent to it."""
    from techtool.cli.runner import run_async
    from techtool.domain.terminal import Address
    from techtool.links.redfish.pins import Pins, certificate_at, fingerprint_of, shown, typed_fits

    where, pins = Address.parse(address), Pins(Paths.default())
    if where.scheme != "redfish+https":
        raise UsageError(problem=_("Only gateways (redfish+https) show a certificate."))
    if forget:
        there = pins.forget(where)
        say(_("This laptop trusts it no longer.") if there else _("Nothing was trusted there."))
        return
    der = run_async(certificate_at(where)).der
    found = fingerprint_of(der)
    say(_("Fingerprint of the certificate (SHA-256):"))
    say(f"  {shown(found)}")
    if fingerprint is None:
        ask_told(shown(found), lambda typed: typed_fits(typed, found))
    elif not typed_fits(fingerprint, found):
        raise CertificateChanged(address=str(where), found=shown(found), expected=fingerprint)
    click.echo(pins.keep(where, der).fingerprint)
    say(_("This laptop trusts it from now on."))
