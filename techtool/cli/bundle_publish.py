"""``techtool bundle init|add|write``: the publisher's way from an empty folder to a stick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from techtool.cli.bundle_lint import say_lint
from techtool.cli.bundle_says import say_root, say_waiting
from techtool.cli.output import say
from techtool.errors import AmbiguousChoice, NotFoundError, PublisherError
from techtool.i18n import N_, _, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace

_PATH = click.Path(path_type=Path)
_COUNT = click.IntRange(1, 9)


@click.command("init", help=N_("Make a new bundle folder with its roles and keys."))
@click.argument("folder", type=_PATH)
@click.option("--publisher", "publishers", multiple=True, required=True, help=N_("whose releases; may be repeated"))
@click.option("--root-keys", type=_COUNT, default=3, show_default=True, help=N_("how many keys the root has"))
@click.option("--root-threshold", type=_COUNT, default=2, show_default=True, help=N_("how many of them must sign"))
@click.option(
    "--targets-keys", type=_COUNT, default=2, show_default=True, help=N_("how many keys the release board has")
)
@click.option("--targets-threshold", type=_COUNT, default=2, show_default=True, help=N_("how many of them must sign"))
@click.option("--vendor-keys", type=_COUNT, default=1, show_default=True, help=N_("how many keys each publisher has"))
@click.option("--lab-keys", type=_COUNT, default=1, show_default=True, help=N_("how many lab keys"))
@click.option(
    "--list-threshold",
    type=_COUNT,
    default=2,
    show_default=True,
    help=N_("how many must sign a publisher's list; always a vendor and a lab among them"),
)
@click.option("--recall-keys", type=_COUNT, default=2, show_default=True, help=N_("how many keys can recall a release"))
@click.option("--recall-threshold", type=_COUNT, default=1, show_default=True, help=N_("how many of them must sign"))
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="OWNER=FILE.pub",
    help=N_("a person's own public key (OpenSSH or PEM) instead of a new one, such as lab-1=anna.pub; repeatable"),
)
@click.option("--passphrase-file", type=_PATH, help=N_("first line: passphrase of all new keys"))
def init(  # noqa: PLR0917 - one parameter for each option
    folder: Path,
    publishers: tuple[str, ...],
    root_keys: int,
    root_threshold: int,
    targets_keys: int,
    targets_threshold: int,
    vendor_keys: int,
    lab_keys: int,
    list_threshold: int,
    recall_keys: int,
    recall_threshold: int,
    keys: tuple[str, ...],
    passphrase_file: Path | None,
) -> None:
    """Keys, root, delegations, an empty signed state."""
    from techtool.bundles.publish.roles import Quorum
    from techtool.bundles.publish.workspace import Workspace
    from techtool.cli.bundle_input import new_passphrase, public_keys
    from techtool.clock import SystemClock

    quorum = Quorum(
        root_keys=root_keys,
        root_threshold=root_threshold,
        targets_keys=targets_keys,
        targets_threshold=targets_threshold,
        vendor_keys=vendor_keys,
        lab_keys=lab_keys,
        publisher_threshold=list_threshold,
        recall_keys=recall_keys,
        recall_threshold=recall_threshold,
    )
    quorum.check()
    given = public_keys(keys)
    passphrase = new_passphrase(passphrase_file)
    workspace = Workspace.create(folder, publishers, SystemClock(), quorum=quorum, passphrase=passphrase, given=given)
    _say_made(workspace, len(given), protected=bool(passphrase))


def _say_made(workspace: Workspace, given: int, *, protected: bool) -> None:
    """What there is now, and who gets what."""
    say(_("The bundle folder {path} is ready.").format(path=workspace.folder))
    made = sorted(path.name for path in workspace.keys.glob("*")) if workspace.keys.is_dir() else []
    say(_("New key files in {path}: {names}").format(path=workspace.keys, names=", ".join(made) or "–"))
    if given:
        say(_("Keys that are people's own: {count}. Their private halves were never here.").format(count=given))
    if made and not protected:
        say(_("The keys in {path} have no passphrase: fit for trying out only.").format(path=workspace.keys))
    if made:
        say(
            _(
                "Give each person their key file and remove it here; with “ssh-keygen -p -f FILE” they set their own "
                "passphrase."
            )
        )
    if workspace.staged_roles():
        say_waiting(workspace)
        say(_("The root's fingerprint is told when it is signed."))
        return
    say_root(workspace)
    say(_("Next: “bundle add”."))


@click.command(
    "add",
    help=N_(
        "Add a release made of FILES. They are APKs, a firmware archive, or parameter files. What an APK states of "
        "itself is read from it; for the others --id, --version, --version-format and --kind say it."
    ),
)
@click.argument("folder", type=_PATH)
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--publisher", help=N_("whose release (default: the only publisher)"))
@click.option(
    "--model", "models", multiple=True, metavar="VENDOR/MODEL[:REV,REV]", help=N_("for this model; repeatable")
)
@click.option("--release", "draft_file", type=_PATH, help=N_("TOML file with the rest: text, requires, after …"))
@click.option(
    "--requires",
    metavar="JSON",
    help=N_(
        "list of rules as JSON, or a file that holds it. Kinds (“what”) and their fields: firmware, bootloader: "
        "compare, version; component: id, compare, version; battery: percent; external-power; free-storage: bytes; "
        "tool, sdk: compare, version; no-open-batch; abi: version. compare is one of eq ne lt le gt ge (default: ge). "
        "An example stands in the README."
    ),
)
@click.option("--text", "texts", multiple=True, metavar="LANG=TEXT", help=N_("what is new; repeatable"))
@click.option("--id", "release_id", help=N_("release id (default: the package)"))
@click.option("--version", help=N_("default: the APK's version name"))
@click.option(
    "--version-format",
    help=N_(
        "how versions are ordered: dotted, triplet, semver, android-code, dotted-date or opaque (default: from the "
        "version)"
    ),
)
@click.option(
    "--kind",
    help=N_(
        "application, firmware, bootloader, kernel, aid_capk, parameters, resources or certificates (default: "
        "application)"
    ),
)
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
    from techtool.bundles.publish.contents import unread_languages
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
    for file in added.release.files if not added.release.packages else ():
        say(
            _("{path}: {size} bytes, SHA-256 {digest}").format(
                path=file.target, size=file.size_bytes, digest=file.sha256
            )
        )
    for note in unread_languages(added.release.text):
        say(f"! {note.text()}")
    if say_lint(workspace, added.release):
        say(_("Next: mend it first, for it is not published like this: “bundle withdraw”, then “bundle add” again."))
    else:
        say(_("Next: “bundle sign”, by the vendor and by the lab."))


@click.command(
    "write",
    help=N_(
        "Write the published state to a stick. STICK is its folder; everything is read back, and opened as a laptop "
        "would. With --metadata-only STICK is a file: a refresh file, which brings new dates, recalls and withdrawals "
        "to laptops far away."
    ),
)
@click.argument("folder", type=_PATH)
@click.argument("stick", type=_PATH)
@click.option("--metadata-only", is_flag=True, help=N_("write a refresh file instead of a stick"))
def write(folder: Path, stick: Path, metadata_only: bool) -> None:
    """Copy, sync, read back."""
    from techtool.bundles.publish.workspace import Workspace
    from techtool.clock import SystemClock

    workspace = Workspace.open(folder)
    if metadata_only:
        _write_refresh(workspace, stick)
        return
    if not stick.exists():  # a mistyped or unmounted stick would end up on this computer's own disk
        raise NotFoundError(what=str(stick))
    written = workspace.write(stick, SystemClock())
    for item in written.stick.releases:
        click.echo(item.release.key)
    for note in (*written.notes, *written.stick.notes):
        say(f"! {note.text()}")
    counts = {"files": written.files, "copied": written.copied, "removed": written.removed}
    say(
        _("Files on the stick: {files} (written now: {copied}, old ones removed: {removed}), all read back.").format(
            **counts
        )
    )
    if written.stick.recalls:
        say(_("Recalls that go along: {count}").format(count=len(written.stick.recalls)))
    say(_("Good until {day}.").format(day=f"{written.use_by:%Y-%m-%d}"))
    say(_("Everything is on the stick. Eject or unmount it in the system, then it is safe to remove."))


def _write_refresh(workspace: Workspace, path: Path) -> None:
    from techtool.bundles.publish.published import write_refresh
    from techtool.clock import SystemClock

    written = write_refresh(workspace, path, SystemClock())
    click.echo(str(written.path))
    for note in written.notes:
        say(f"! {note.text()}")
    say(
        _("Bytes: {size}; it holds all metadata, no releases. Recalls: {count}").format(
            size=written.size_bytes, count=written.recalls
        )
    )
    say(_("Good until {day}.").format(day=f"{written.use_by:%Y-%m-%d}"))
    say(_("Next: send it; “techtool trust refresh FILE” on the laptop takes it in."))


def _publisher(publishers: tuple[str, ...], wanted: str | None) -> str:
    if wanted is not None:
        return wanted
    if len(publishers) > 1:
        raise AmbiguousChoice(what="--publisher", choices=", ".join(publishers))
    if not publishers:
        raise PublisherError(problem=phrase("the bundle has no publisher"))
    return publishers[0]
