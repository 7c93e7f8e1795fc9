"""``techtool support VISIT --to DIR``, ``--check FILE_OR_CODE…``, ``--contacts [VENDOR]``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from techtool.catalogue.contacts import Contact
from techtool.cli.output import emit_json, say
from techtool.cli.visiting import answers_option, operator_for
from techtool.clock import SystemClock
from techtool.domain.case_code import parse_code
from techtool.errors import Exit, TechtoolError, UsageError
from techtool.i18n import N_, _, language
from techtool.paths import Paths
from techtool.reports.support import check, compare_codes
from techtool.settings import read_settings
from techtool.visit.rescue import House
from techtool.visit.support import make_bundle

_ALL = "*"


@click.command(
    help=N_(
        "One redacted file of a visit for the support desk, with a case code that can be read out on the telephone; "
        "and whom to call. Nothing is sent."
    )
)
@click.argument("visit", required=False, default="")
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="DIR", help=N_("folder to write the file to"))
@click.option("--lane", default="", metavar="LANE", help=N_("only this terminal of the visit (1, 2 …)"))
@click.option(
    "--log-from",
    "address",
    default="",
    metavar="ADDRESS",
    help=N_("with the log that this terminal of the visit keeps"),
)
@answers_option
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="FILE_OR_CODE",
    help=N_("check a bundle and print its case code; with a code too: whether it is that bundle's"),
)
@click.option(
    "--contacts", is_flag=False, flag_value=_ALL, default="", metavar="[VENDOR]", help=N_("whom to call, offline")
)
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def command(
    visit: str,
    folder: Path | None,
    lane: str,
    address: str,
    answers: Path | None,
    checks: tuple[str, ...],
    contacts: str,
    *,
    as_json: bool,
) -> int | None:
    """One of the three."""
    if checks:
        return _check(checks, as_json=as_json)
    if contacts:
        _contacts([] if contacts == _ALL else [contacts], as_json=as_json)
        return None
    if not visit or folder is None:
        raise UsageError(problem=_("Name a visit and --to DIR, or give --check or --contacts."))
    logs = _terminal_log(address, answers) if address else {}
    made = make_bundle(House.at(Paths.default(), SystemClock()), visit, folder, lane, logs)
    if as_json:
        facts = {
            "file": str(made.path),
            "size_bytes": made.opened.size_bytes,
            "sha256": made.opened.sha256,
            "left_out": list(made.left_out),
        }
        emit_json({**facts, "case_code": made.opened.code, **_contacts_json(made.vendors)})
        return None
    click.echo(made.path)
    say(_("Case code: {code}").format(code=made.opened.code))
    if made.left_out:
        say(_("Too large for one file, so shortened or left out: {parts}").format(parts=", ".join(made.left_out)))
    say(_("Read it out on the telephone; it stands for this very file."))
    say()
    _contacts(made.vendors, as_json=False)
    return None


def _terminal_log(address: str, answers: Path | None) -> dict[str, bytes]:
    """The log of the terminal at ``address`` by its serial number; raises ``NotCapable`` where it gives none."""
    from techtool.cli.connection import terminal_log
    from techtool.cli.runner import run_async
    from techtool.visit.services import Services

    return run_async(terminal_log(Services.real(Paths.default()), address, operator_for(answers, (), None)))


# --- checking -------------------------------------------------------------------------------------------------------


def _check(given: Sequence[str], *, as_json: bool) -> int:
    """Files are opened; codes are compared with every file, and by themselves only proved to be well heard."""
    files = [Path(word) for word in given if _is_path(word) or os.path.lexists(word)]
    codes = [parse_code(word) for word in given if Path(word) not in files]
    opened = [(path, check(path)) for path in files]
    for path, one in opened:
        compare_codes(path, one, codes)
    if as_json:
        emit_json(
            {
                "bundles": [
                    {"file": str(path), "case_code": one.code, "sha256": one.sha256, "files": list(one.names)}
                    for path, one in opened
                ],
                "codes": codes,
            }
        )
        return int(Exit.DONE)
    for path, one in opened:
        click.echo(f"{one.code}  {path}")
        say(_("All {count} files in it are as they were made.").format(count=len(one.names)))
    if not opened:
        for code in codes:
            click.echo(code)
        say(_("The code was heard right; name the file as well to see whether it is that file's."))
    return int(Exit.DONE)


def _is_path(word: str) -> bool:
    return "/" in word or "\\" in word or word.lower().endswith(".zip")


# --- whom to call ---------------------------------------------------------------------------------------------------


def _office() -> dict[str, str]:
    """The office's own, from the settings; broken settings keep nobody from the rest."""
    try:
        return dict(read_settings(Paths.default().settings).contacts)
    except TechtoolError:
        return {}


def known_contacts() -> tuple[Contact, ...]:
    """The office's word on makers, then what they published themselves."""
    from techtool.visit.known_facts import known_facts

    return known_facts(Paths.default()).contacts()


def _contacts(vendors: Sequence[str], *, as_json: bool) -> None:
    """The office first: it, and the acquirer, placed the terminal."""
    if as_json:
        emit_json(_contacts_json(vendors))
        return
    office = _office()
    say(_("Whom to call:"))
    for name, value in office.items():
        click.echo(f"  {name}: {value}")
    if not office:
        say("  " + _("Your office's numbers are not in the settings yet; they go under [contacts] in settings.toml."))
    known = known_contacts()
    for contact in known:
        if not vendors or contact.vendor in _folded(vendors):
            ways = "  ".join(filter(None, (contact.phone, contact.mail, contact.page)))
            region = contact.region.get(language()) or contact.region.get("en", "")
            click.echo(f"  {contact.name} ({region}): {ways}")
            say("    " + _("Source: {source}").format(source=contact.source))
    for vendor in _folded(vendors):
        if vendor not in {contact.vendor for contact in known}:
            say("  " + _("{vendor}: no public support contact is known here; ask the acquirer.").format(vendor=vendor))


def _folded(vendors: Sequence[str]) -> list[str]:
    return [vendor.casefold() for vendor in vendors]


def _contacts_json(vendors: Sequence[str]) -> dict[str, object]:
    wanted = _folded(vendors)
    known = [contact for contact in known_contacts() if not wanted or contact.vendor in wanted]
    return {
        "office": _office(),
        "vendors": [
            {"vendor": c.vendor, "name": c.name, "page": c.page, "phone": c.phone, "mail": c.mail, "source": c.source}
            for c in known
        ],
        "unknown": [vendor for vendor in wanted if vendor not in {c.vendor for c in known_contacts()}],
    }
