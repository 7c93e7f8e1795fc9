"""``techtool enrol FILE``: this laptop gets its trust and settings from the office; its key goes back as a line."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.inputs import ask_told
from techtool.cli.output import emit_json, say
from techtool.clock import SystemClock, said
from techtool.errors import Exit, NotSetUp, OtherFingerprint, UsageError
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths


@click.command(
    help=N_(
        "Take over FILE, the enrolment that the office signed: trusted roots, backup recipients, settings. The first "
        "time its fingerprint is compared; later files must be by the same key."
    )
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--fingerprint", help=N_("what the office told you by another way; then nothing is asked"))
@click.option("--key-line", is_flag=True, help=N_("print this laptop's report key as a line of allowed_signers"))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(file: Path | None, fingerprint: str | None, key_line: bool, as_json: bool) -> int:
    """0: taken over, or the line was printed. 2: it was already. 10: not the office's."""
    paths = Paths.default()
    if key_line:
        return _key_line(paths, as_json=as_json)
    if file is None:
        raise UsageError(problem=_("Name the enrolment file, or give --key-line."))
    return _enrol(paths, file, fingerprint, as_json=as_json)


def _enrol(paths: Paths, file: Path, told: str | None, *, as_json: bool) -> int:
    from techtool.office.enrolling import accept, changes, judge
    from techtool.office.enrolment import issued_at, read_enrolment
    from techtool.store.home import Home

    signed = read_enrolment(file)
    judged = judge(signed, paths)
    office, made = signed.enrolment.office, said(issued_at(signed.enrolment.issued))
    say(_("{office}, made {made}; fingerprint of its key:").format(office=office, made=made))
    say(f"  {signed.shown}")
    if told is not None and not signed.told(told):
        raise OtherFingerprint(found=signed.shown)
    if not judged.known:
        for change in changes(signed, paths):
            say(f"  · {change.text()}")
        if judged.new_key:
            say(_("! The office has a new key; its old one vouches for it."))
        if judged.first and told is None:
            ask_told(signed.shown, signed.told)
        accept(signed, Home(paths), SystemClock())
    if as_json:
        found = {"office": office, "issued": signed.enrolment.issued, "key": signed.fingerprint}
        emit_json({**found, "news": not judged.known})
    if judged.known:
        say(_("This file was taken over before."))
    else:
        say(_("Taken over: this laptop is set up as the office wants it."))
    return int(Exit.NOTHING_TO_DO if judged.known else Exit.DONE)


def _key_line(paths: Paths, *, as_json: bool) -> int:
    from techtool.office.key_line import key_line

    line = key_line(paths)
    if not line:
        raise NotSetUp(missing=phrase("the report key ({path})", path=str(paths.report_key)))
    if as_json:
        emit_json({"allowed_signers": line})
    else:
        say(_("For the office's list of signers:"))
        click.echo(line)
    return int(Exit.DONE)
