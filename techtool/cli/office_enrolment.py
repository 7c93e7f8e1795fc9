"""``techtool office enrolment FILE``: the one signed file that a laptop is set up with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from techtool.cli.inputs import first_line
from techtool.cli.output import say
from techtool.clock import SystemClock, stamp
from techtool.errors import BadFile, UsageError
from techtool.i18n import N_, _, phrase
from techtool.paths import DISK, os_problem

if TYPE_CHECKING:
    from techtool.reports.keys import ReportKey

_PATH = click.Path(path_type=Path)
_MAX_BYTES = 1_000_000


class _Given(TypedDict):
    office: str
    key_file: Path
    passphrase_file: Path
    roots: tuple[Path, ...]
    recipients: Path
    allowed_signers: Path | None
    url: str | None
    ca_file: Path | None
    plain_http: bool
    contacts: tuple[str, ...]
    company: str
    due_days: int | None
    inspection_days: int | None
    drop_roots: tuple[str, ...]
    old_key: Path | None
    old_passphrase_file: Path | None
    previous: Path | None


@click.command("enrolment", help=N_("Make FILE, with which laptops are enrolled; the office's key signs it."))
@click.argument("file", type=_PATH)
@click.option("--office", required=True, help=N_("what the office calls itself"))
@click.option("--key", "key_file", type=_PATH, required=True, help=N_("its Ed25519 key, as ssh-keygen makes it"))
@click.option("--passphrase-file", type=_PATH, required=True, help=N_("first line: the key's passphrase"))
@click.option("--root", "roots", type=_PATH, multiple=True, required=True, help=N_("a root.json to trust; repeatable"))
@click.option("--recipients", type=_PATH, required=True, help=N_("age recipients of backups, one a line"))
@click.option("--allowed-signers", type=_PATH, help=N_("whose seals and reports are believed, as OpenSSH lists them"))
@click.option("--url", help=N_("where visits go: https://HOST/DATABASE"))
@click.option("--ca-file", type=_PATH, help=N_("PEM: the only authority that the server's certificate is judged by"))
@click.option("--plain-http", is_flag=True, help=N_("allow http:// for that address: it can be read on the way"))
@click.option("--contact", "contacts", multiple=True, metavar="NAME=NUMBER", help=N_("whom to call; repeatable"))
@click.option("--company", default="", help=N_("the service company, as merchants are shown it"))
@click.option("--due-days", type=int, help=N_("how often a terminal is updated when nothing else says it"))
@click.option("--inspection-days", type=int, help=N_("how often a terminal is inspected"))
@click.option("--drop-root", "drop_roots", multiple=True, metavar="FINGERPRINT", help=N_("trust no more; repeatable"))
@click.option("--old-key", type=_PATH, help=N_("the key that laptops know, to vouch for a new one"))
@click.option("--old-passphrase-file", type=_PATH, help=N_("first line: the old key's passphrase"))
@click.option("--previous", type=_PATH, help=N_("an earlier enrolment file: what older keys vouched for is kept"))
def enrolment_command(file: Path, **given: Unpack[_Given]) -> None:
    """Say the fingerprint that technicians are told by telephone."""
    from techtool.backups.keys import read_recipients
    from techtool.office.enrolment import Cadence, Enrolment, Server, make_enrolment, parse_enrolment, read_enrolment
    from techtool.reports.keys import load_report_key

    url, ca_file = given["url"], given["ca_file"]
    if (ca_file is not None or given["plain_http"]) and url is None:
        raise UsageError(problem=_("--ca-file and --plain-http belong to --url."))
    enrolment = Enrolment(
        office=given["office"],
        issued=stamp(SystemClock().now()),
        roots=tuple(_text(path) for path in given["roots"]),
        recipients=read_recipients(given["recipients"]),
        drop_roots=tuple("".join(digits.split()).lower() for digits in given["drop_roots"]),
        allowed_signers=_text(given["allowed_signers"]),
        contacts=dict(_contact(text) for text in given["contacts"]),
        cadence=Cadence(given["due_days"], given["inspection_days"]),
        service_company=given["company"],
        server=Server(url, _text(ca_file), given["plain_http"]) if url is not None else None,
    )
    previous = given["previous"]
    earlier = read_enrolment(previous) if previous is not None else None
    key = load_report_key(given["key_file"], first_line(given["passphrase_file"]))
    data = make_enrolment(enrolment, key, _old_key(given), earlier)
    DISK.write_file(file, data)
    say(_("Tell technicians by another way, such as by telephone; fingerprint of the office's key:"))
    click.echo(parse_enrolment(data, str(file)).shown)


def _old_key(given: _Given) -> ReportKey | None:
    from techtool.reports.keys import load_report_key

    file, passphrase = given["old_key"], given["old_passphrase_file"]
    if file is None:
        return None
    if passphrase is None:
        raise UsageError(problem=_("--old-key needs --old-passphrase-file."))
    return load_report_key(file, first_line(passphrase))


def _contact(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UsageError(problem=phrase("“{text}” is no contact: write NAME=NUMBER.", text=text))
    return name.strip(), value.strip()


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise BadFile(path=str(path), problem=phrase("it is too long"))
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(path=str(path), problem=phrase("it is no text file")) from error
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
