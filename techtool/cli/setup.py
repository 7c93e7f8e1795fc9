"""``techtool setup``: the first run without the screen, for images and for people who use a screen reader."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.backups.keys import read_recipients
from techtool.bundles.roots import grouped
from techtool.cli.inputs import first_line
from techtool.cli.output import say
from techtool.domain.typed import told_fits
from techtool.errors import BadFile, OtherFingerprint, UsageError
from techtool.i18n import LANGUAGES, N_, _, phrase, set_language
from techtool.paths import Paths
from techtool.reports.keys import load_report_key, public_path
from techtool.visit.setup import make_key, missing, save_person, save_recipients, trust_root


@click.command(help=N_("Name, language, report key, trusted root and backup recipients of this laptop."))
@click.option("--name", required=True, help=N_("the technician's name, as it stands in reports"))
@click.option("--staff-no", help=N_("the technician's staff number"))
@click.option("--company", help=N_("the service company, as merchants are shown it"))
@click.option("--lang", required=True, type=click.Choice(LANGUAGES), help=N_("language of screens and messages"))
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help=N_("first line: passphrase of the new report key")
)
@click.option("--root", type=click.Path(path_type=Path), help=N_("the office's root.json"))
@click.option("--fingerprint", help=N_("its fingerprint, as the office told it by another way"))
@click.option("--recipients", type=click.Path(path_type=Path), help=N_("the office's age recipients, one a line"))
def command(
    name: str,
    staff_no: str | None,
    company: str | None,
    lang: str,
    passphrase_file: Path | None,
    root: Path | None,
    fingerprint: str | None,
    recipients: Path | None,
) -> None:
    """Do what is asked and say what is still missing."""
    paths = Paths.default()
    passphrase = first_line(passphrase_file) if passphrase_file is not None else None
    if root is not None:
        if fingerprint is None:
            raise UsageError(problem=_("--root needs --fingerprint: compare it with what the office told you."))
        _check_fingerprint(root, fingerprint)
    if recipients is not None and not read_recipients(recipients):
        raise BadFile(path=str(recipients), problem=phrase("no age recipient is in it"))
    if passphrase is not None and paths.report_key.exists():
        load_report_key(paths.report_key, passphrase)
    save_person(paths, lang, name, staff_no=staff_no, service_company=company)
    set_language(lang)
    if passphrase is not None:
        say(_("For the office's list of signers:"))
        click.echo(public_line(paths) if paths.report_key.exists() else make_key(paths, name, passphrase))
    if root is not None:
        say(_("Trusted root: {fingerprint}").format(fingerprint=grouped(trust_root(paths, root))))
    if recipients is not None:
        say(_("{count} backup recipients").format(count=len(save_recipients(paths, recipients))))
    left = missing(paths)
    for lacking, option in (
        (left.report_key, "--passphrase-file"),
        (left.root, "--root"),
        (left.recipients, "--recipients"),
    ):
        if lacking:
            say(_("Still missing: {option}").format(option=option))


def _check_fingerprint(root: Path, given: str) -> None:
    from techtool.bundles.roots import read_root

    facts = read_root(root)
    if not told_fits(given, facts.fingerprint):
        raise OtherFingerprint(found=facts.shown)


def public_line(paths: Paths) -> str:
    """Of the report key that is there already: the same command may be run again."""
    return public_path(paths.report_key).read_text(encoding="utf-8").strip()
