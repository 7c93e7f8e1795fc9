"""``techtool visit verify [ID|FILE…]``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from techtool.cli.output import emit_json, say
from techtool.clock import SystemClock
from techtool.errors import Exit, NoSuchVisit, UsageError
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths
from techtool.reports.keys import public_path
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.reports.signers import Signer, own_signers, read_signers
from techtool.store.home import Home
from techtool.store.index import Index
from techtool.visit.verify import VERDICT_LABEL, Verdict, Verification, verify_file, write_for_ssh_keygen
from techtool.visit.visits import known_visits


@click.command(
    "verify",
    help=N_(
        "Prove that visits are, to the last byte, what was sealed, and by whom. Without an argument: every closed "
        "visit of this laptop."
    ),
)
@click.argument("what", nargs=-1, metavar="[ID|FILE]…")
@click.option(
    "--allowed-signers",
    "list_file",
    type=click.Path(path_type=Path),
    help=N_("keys that may have sealed, as OpenSSH lists them (default: this laptop's report key)"),
)
@click.option(
    "--extract",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help=N_("write the signed bytes and the signature into this folder, for ssh-keygen -Y verify"),
)
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def verify_command(what: tuple[str, ...], list_file: Path | None, folder: Path | None, as_json: bool) -> int:
    """0: all good. 31: one of them is damaged, or not what was sealed, or nobody stands for it."""
    paths = Paths.default()
    signers = read_signers(list_file) if list_file is not None else _own(paths)
    found = _named(paths, what, signers) if what else _all_closed(paths, signers)
    if folder is not None:
        signed = [one for one in found if one.signature]
        if not signed:
            raise UsageError(problem=_("None of these has a signature that could be written out."))
        for one in signed:
            say(_command_for(one, write_for_ssh_keygen(one, folder), list_file))
    if as_json:
        emit_json({"records": [_json(one) for one in found]})
    else:
        for one in found:
            _tell(one)
        if not found:
            say(_("No closed visit yet on this laptop."))
    return int(Exit.DONE if all(one.verdict is Verdict.GOOD for one in found) else Exit.DAMAGED_STORE)


def _own(paths: Paths) -> tuple[Signer, ...]:
    signers = own_signers(paths)
    if not signers:
        raise UsageError(
            problem=phrase(
                "There is no report key at {path} to check against; give --allowed-signers.",
                path=str(public_path(paths.report_key)),
            )
        )
    return signers


def _named(paths: Paths, what: tuple[str, ...], signers: Sequence[Signer]) -> list[Verification]:
    """Files are judged by themselves; of a visit of this laptop the index remembers something too."""
    home, now = Home(paths), SystemClock().now()
    known = {summary.id: summary for summary in known_visits(Index(home))}
    found: list[Verification] = []
    for name in what:
        if Path(name).is_file():
            found.append(verify_file(Path(name), signers, now))
            continue
        if not home.visit_path(name).is_file():
            raise NoSuchVisit(visit=name)
        found.append(verify_file(home.visit_path(name), signers, now, known.get(name), own=name))
    return found


def _all_closed(paths: Paths, signers: Sequence[Signer]) -> list[Verification]:
    """Every visit but those that are open, and those that the index remembers and that are gone."""
    home, now = Home(paths), SystemClock().now()
    known = {summary.id: summary for summary in known_visits(Index(home))}
    found: list[Verification] = []
    for visit in sorted(known.keys() | set(home.visit_ids())):
        path, memory = home.visit_path(visit), known.get(visit)
        if not path.is_file():
            found.append(Verification(path, visit, Verdict.DAMAGED, phrase("the file is gone")))
            continue
        one = verify_file(path, signers, now, memory, own=visit)
        if one.verdict is not Verdict.OPEN or (memory is not None and memory.closed):
            found.append(one)
    return found


def _command_for(one: Verification, written: tuple[Path, Path], list_file: Path | None) -> str:
    text, signature = (shlex.quote(str(path)) for path in written)
    signers = shlex.quote(str(list_file)) if list_file is not None else "allowed_signers"
    name = shlex.quote(one.principal.split(",")[0]) if list_file is not None and one.principal else "NAME"
    return f"ssh-keygen -Y verify -f {signers} -I {name} -n {SEAL_NAMESPACE} -s {signature} < {text}"


def _tell(one: Verification) -> None:
    mark = "✓" if one.verdict is Verdict.GOOD else "✗"
    say(f"{mark} {one.visit or one.path}: {VERDICT_LABEL[one.verdict].text()}")
    if one.problem is not None:
        say(f"  {one.problem.text()}")
    if one.key:
        say(
            "  "
            + _("sealed by {who} {key}, {lines} lines").format(who=one.principal or "?", key=one.key, lines=one.lines)
        )
    if one.salvaged and one.verdict is Verdict.GOOD:
        say("  " + _("Before it was sealed it had been saved from a damaged file; the record says what is missing."))


def _json(one: Verification) -> dict[str, object]:
    return {
        "path": str(one.path),
        "visit": one.visit or None,
        "verdict": one.verdict.value,
        "problem": one.problem.text() if one.problem is not None else None,
        "lines": one.lines,
        "head": one.head or None,
        "signed_by": {"principal": one.principal or None, "key": one.key} if one.key else None,
        "salvaged": one.salvaged,
    }
