"""``techtool bundle lint``: everything that is wrong with a bundle, before it is signed or carried away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.output import emit_json, say
from techtool.errors import Exit, NoStick, NotFoundError
from techtool.i18n import N_, _

if TYPE_CHECKING:
    from techtool.bundles.publish.lint import LintReport
    from techtool.bundles.publish.workspace import Workspace
    from techtool.domain.lint import LintFinding
    from techtool.domain.release import Release


@click.command(
    "lint",
    help=N_(
        "Check the releases of a bundle folder or a stick. Everything is shown at once, of a folder what is staged as "
        "well: rules that no terminal meets, circles, versions without an order, unknown models and rules, missing "
        "files and texts, files that no connection brings, other signers."
    ),
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("JSON on stdout, nothing else"))
def lint(path: Path, as_json: bool) -> int:
    """Show all of it; exit 1 where there is an error."""
    report = _linted(path)
    if as_json:
        emit_json(
            {
                "path": str(path),
                "releases": report.releases,
                "errors": report.errors,
                "warnings": len(report.findings) - report.errors,
                "findings": [_finding_json(finding) for finding in report.findings],
            }
        )
    else:
        _show(report)
    return int(Exit.FAILED if report.errors else Exit.DONE)


def say_lint(workspace: Workspace, release: Release) -> bool:
    """What there is to say of a release that was just added, in one line each; whether there is an error."""
    from techtool.bundles.publish.lint import findings_on
    from techtool.domain.lint import Check, Severity

    findings = findings_on(workspace, release)
    for finding in findings:
        say(f"{_mark_of(finding)} {finding.text.text()}")
        if finding.severity is Severity.ERROR or finding.check in {Check.FILE_ROLE, Check.SIGNER_CHANGE}:
            say(f"  → {finding.remedy.text()}")
    return any(finding.severity is Severity.ERROR for finding in findings)


def _mark_of(finding: LintFinding) -> str:
    """``✗`` for what must not go out, ``!`` for what somebody will ask about."""
    from techtool.domain.lint import Severity

    return "✗" if finding.severity is Severity.ERROR else "!"


def _linted(path: Path) -> LintReport:
    """A stick where there is one at ``path``, else a bundle folder."""
    from techtool.bundles.find import locate
    from techtool.bundles.publish.lint import lint_folder, lint_stick
    from techtool.bundles.publish.workspace import Workspace
    from techtool.bundles.trust import open_stick
    from techtool.clock import SystemClock
    from techtool.paths import Paths

    if not path.is_dir():
        raise NotFoundError(what=str(path))
    try:
        root = locate(path)
    except NoStick:
        return lint_folder(Workspace.open(path))
    return lint_stick(open_stick(root, Paths.default(), SystemClock()))


def _finding_json(finding: LintFinding) -> dict[str, object]:
    return {
        "check": finding.check.value,
        "severity": finding.severity.value,
        "release": finding.release_key,
        "others": list(finding.others),
        "text": finding.text.text(),
        "remedy": finding.remedy.text(),
    }


def _show(report: LintReport) -> None:
    for line in _lines(report):
        click.echo(line)
    counts = {
        "releases": report.releases,
        "errors": report.errors,
        "warnings": len(report.findings) - report.errors,
    }
    say(_("Releases: {releases}, errors: {errors}, warnings: {warnings}.").format(**counts))
    if report.errors:
        say(_("Next: mend the errors; “bundle sign” publishes no list that has them."))


def _lines(report: LintReport) -> Iterator[str]:
    """Each release once, its findings below it, each with what to do."""
    key = ""
    for finding in report.findings:
        if finding.release_key != key:
            key = finding.release_key
            yield key
        yield f"  {_mark_of(finding)} [{finding.check}] {finding.text.text()}"
        yield f"      → {finding.remedy.text()}"
