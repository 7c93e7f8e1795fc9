"""``techtool bundle``: look at sticks, and make them."""

from __future__ import annotations

from pathlib import Path

import click

from techtool.cli.bundle_views import released_json, stick_json, stick_lines
from techtool.cli.output import emit_json, say
from techtool.errors import AmbiguousChoice, Damaged, Exit, NotFoundError, PublisherError, Withdrawn
from techtool.i18n import N_, _, phrase
from techtool.paths import Paths

_PATH = click.Path(path_type=Path)
_JSON_HELP = N_("JSON on stdout, nothing else")


@click.group(help=N_("Find, inspect and verify sticks; make and sign them."))
def group() -> None:
    """The group."""


command = group


@group.command("find", help=N_("Removable drives that hold a bundle."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def find(path: Path | None, as_json: bool) -> int:
    """List them; nothing of their content is believed yet."""
    from techtool.bundles.find import find_sticks, locate

    roots = [locate(path)] if path is not None else [stick.root for stick in find_sticks()]
    if as_json:
        emit_json({"sticks": [{"path": str(root.parent), "root": str(root)} for root in roots]})
    for root in roots if not as_json else ():
        click.echo(str(root.parent))
    if not roots:
        say(_("No removable drive holds a bundle. Put in the stick that the office prepared, or name its folder."))
        return int(Exit.NOT_FOUND)
    return int(Exit.DONE)


@group.command("inspect", help=N_("What a verified stick carries. Without PATH: the one stick that is in."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def inspect(path: Path | None, as_json: bool) -> int:
    """Verify the metadata and list the releases; payloads are not read, and an expired stick can be read, too."""
    from techtool.bundles.find import the_stick
    from techtool.bundles.trust import open_stick
    from techtool.clock import SystemClock

    stick = open_stick(the_stick(path), Paths.default(), SystemClock())
    if as_json:
        emit_json({**stick_json(stick), "releases": [released_json(item) for item in stick.releases]})
        return int(Exit.DONE)
    for line in stick_lines(stick):
        click.echo(line)
    return int(Exit.DONE)


@group.command("verify", help=N_("Verify a stick to the last byte. Without PATH: the one stick that is in."))
@click.argument("path", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
def verify(path: Path | None, as_json: bool) -> int:
    """Metadata, descriptions and every payload; exit 10 to 14 say what is wrong."""
    from techtool.bundles.find import the_stick
    from techtool.bundles.trust import judge_alone, open_stick
    from techtool.clock import SystemClock

    folder = the_stick(path)
    judge_alone(folder, Paths.default(), SystemClock())
    stick = open_stick(folder, Paths.default(), SystemClock())
    damaged: list[Damaged] = []
    files: list[dict[str, object]] = []
    for item in stick.releases:
        for file in item.release.files:
            try:
                stick.check(item, file)
            except Damaged as error:
                damaged.append(error)
                say(f"✗ {file.target}: {error.params['problem']}")
                continue
            files.append({"target": file.target, "size": file.size_bytes, "sha256": file.sha256})
            say(f"✓ {file.target}")
    for note in stick.notes:
        say(f"! {note.text()}")
    if damaged:
        raise damaged[0]
    if stick.expired is not None:
        raise stick.expired
    if stick.withdrawn:
        raise Withdrawn(release=", ".join(f"{name} {version}" for name, version in stick.withdrawn))
    if as_json:
        releases = [released_json(item) for item in stick.releases]
        emit_json({"ok": True, **stick_json(stick), "releases": releases, "files": files})
    else:
        click.echo(_("Good: {count} releases, every file is what was signed.").format(count=len(stick.releases)))
    return int(Exit.DONE)


@group.command("init", help=N_("Make a new bundle folder with its roles and keys."))
@click.argument("folder", type=_PATH)
@click.option("--publisher", "publishers", multiple=True, required=True, help=N_("whose releases; may be repeated"))
@click.option("--lab-keys", type=click.IntRange(1, 9), default=1, show_default=True, help=N_("how many lab keys"))
@click.option("--passphrase-file", type=_PATH, help=N_("first line: passphrase of all new keys"))
def init(folder: Path, publishers: tuple[str, ...], lab_keys: int, passphrase_file: Path | None) -> None:
    """Keys, root, delegations, an empty signed state."""
    from techtool.bundles.publish.roles import Quorum
    from techtool.bundles.publish.workspace import KEYS, Workspace
    from techtool.bundles.roots import fingerprint, grouped
    from techtool.cli.inputs import first_line
    from techtool.clock import SystemClock

    passphrase = first_line(passphrase_file) if passphrase_file is not None else ""
    quorum = Quorum(lab_keys=lab_keys)
    workspace = Workspace.create(folder, publishers, SystemClock(), quorum=quorum, passphrase=passphrase)
    data = workspace.root_data()
    say(_("The bundle folder {path} is ready.").format(path=folder))
    if not passphrase:
        say(_("The keys in {path} have no passphrase: fit for trying out only.").format(path=folder / KEYS))
    say(_("Root of trust: {path}").format(path=folder / "metadata" / "1.root.json"))
    say(_("Its fingerprint, to be told by another way than the file:"))
    click.echo(grouped(fingerprint(data)))
    say(_("Next: give each person their key from {path}, then “bundle add”.").format(path=folder / KEYS))


@group.command("add", help=N_("Add a release made of FILES; what an APK states of itself is read from it."))
@click.argument("folder", type=_PATH)
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--publisher", help=N_("whose release (default: the only publisher)"))
@click.option(
    "--model", "models", multiple=True, metavar="VENDOR/MODEL[:REV,REV]", help=N_("for this model; repeatable")
)
@click.option("--release", "draft_file", type=_PATH, help=N_("TOML file with the rest: text, requires, after …"))
@click.option("--requires", metavar="JSON", help=N_("list of rules as JSON, or a file that holds it"))
@click.option("--text", "texts", multiple=True, metavar="LANG=TEXT", help=N_("what is new; repeatable"))
@click.option("--id", "release_id", help=N_("release id (default: the package)"))
@click.option("--version", help=N_("default: the APK's version name"))
@click.option("--version-format", help=N_("how versions are ordered (default: from the version)"))
@click.option("--kind", help=N_("application, firmware, kernel, parameters … (default: application)"))
@click.option("--install-duration", type=int, help=N_("seconds on site"))
def add(  # noqa: PLR0917 - one parameter for each option
    folder: Path,
    files: tuple[Path, ...],
    publisher: str | None,
    models: tuple[str, ...],
    draft_file: Path | None,
    requires: str | None,
    texts: tuple[str, ...],
    release_id: str | None,
    version: str | None,
    version_format: str | None,
    kind: str | None,
    install_duration: int | None,
) -> None:
    """Read, describe, stage."""
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import Typed, draft_from
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    typed = Typed(models, requires, texts, release_id, version, version_format, kind, install_duration)
    added = workspace.add(
        _publisher(workspace.publishers, publisher), files, draft_from(draft_file, typed), SystemClock()
    )
    click.echo(added.release.key)
    for apk in added.release.packages:
        say(
            _("{package} {version} (code {code}), Android SDK {sdk} and up, signer {signer}").format(
                package=apk.id, version=apk.version, code=apk.version_code, sdk=apk.min_sdk, signer=apk.signer
            )
        )
    for note in added.notes:
        say(f"! {note.text()}")
    say(_("Next: “bundle sign”, by the vendor and by the lab."))


@group.command("sign", help=N_("Sign what is staged with the keys that are here; the last signature publishes it."))
@click.argument("folder", type=_PATH)
@click.option("--keys", "key_folders", multiple=True, type=_PATH, help=N_("folder with more key files; repeatable"))
@click.option("--passphrase-file", type=_PATH, help=N_("first line: passphrase of the keys"))
@click.option("--renew", is_flag=True, help=N_("move the use-by date on although nothing changed"))
@click.option(
    "--use-by-days", type=click.IntRange(1, 400), default=120, show_default=True, help=N_("days a stick is good")
)
def sign(
    folder: Path, key_folders: tuple[Path, ...], passphrase_file: Path | None, renew: bool, use_by_days: int
) -> int:
    """Say who signed, who is missing, and whether there is something to write."""
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import passphrases_from
    from techtool.clock import SystemClock

    report = Workspace.open(folder).sign(
        SystemClock(),
        key_folders=key_folders,
        passphrases=passphrases_from(passphrase_file),
        renew=renew,
        use_by_days=use_by_days,
    )
    for role, owner in report.signed:
        click.echo(_("{role}: signed by {owner}").format(role=role, owner=owner))
    for lack in report.missing:
        names = ", ".join(lack.owners)
        say(_("{role}: still needs {count} of: {owners}").format(role=lack.role, count=lack.signatures, owners=names))
    if report.published and report.use_by is not None:
        say(_("Published; sticks are good until {day}.").format(day=f"{report.use_by:%Y-%m-%d}"))
        say(_("Next: “bundle write” to a stick."))
    elif report.missing:
        say(_("Next: pass the folder on to the people named, who run “bundle sign” with their keys."))
    else:
        say(_("Nothing waits for a signature."))
    return int(Exit.DONE if report.signed or report.published else Exit.NOTHING_TO_DO)


@group.command("write", help=N_("Write the published state to a stick, read it back, and open it as a laptop would."))
@click.argument("folder", type=_PATH)
@click.argument("stick", type=_PATH)
def write(folder: Path, stick: Path) -> None:
    """Copy, sync, read back."""
    from techtool.bundles.publish.workspace import Workspace
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    if not stick.is_dir():  # a mistyped or unmounted stick would end up on this computer's own disk
        raise NotFoundError(what=str(stick))
    written = workspace.write(stick, SystemClock())
    for item in written.stick.releases:
        click.echo(item.release.key)
    for note in (*written.notes, *written.stick.notes):
        say(f"! {note.text()}")
    counts = {"files": written.files, "copied": written.copied, "removed": written.removed}
    say(
        _("{files} files on the stick ({copied} written now, {removed} old ones removed), all read back.").format(
            **counts
        )
    )
    say(_("Good until {day}.").format(day=f"{written.stick.trust.use_by:%Y-%m-%d}"))
    say(_("Everything is on the stick. Eject or unmount it in the system, then it is safe to remove."))


def _publisher(publishers: tuple[str, ...], wanted: str | None) -> str:
    if wanted is not None:
        return wanted
    if len(publishers) > 1:
        raise AmbiguousChoice(what="--publisher", choices=", ".join(publishers))
    if not publishers:
        raise PublisherError(problem=phrase("the bundle has no publisher"))
    return publishers[0]
