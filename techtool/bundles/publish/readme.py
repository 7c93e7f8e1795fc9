"""The one file on a stick that is made for people who open it in a file manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuf.api.metadata import Targets, Timestamp

from techtool.bundles.metadata import issued
from techtool.bundles.profile import RELEASES, ROLE_PREFIX
from techtool.bundles.publish.workspace import read_as
from techtool.i18n import LANGUAGES, Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.workspace import Workspace


def readme(workspace: Workspace, timestamp: Timestamp) -> bytes:
    """What is on the stick and until when, in every language; for Windows' editor too (BOM, CRLF)."""
    lines = [
        phrase("This stick was prepared for techtool. Do not change or rename anything on it."),
        phrase("Issued: {day}", day=f"{issued(timestamp):%Y-%m-%d}"),
        phrase("Use by: {day}", day=f"{timestamp.expires:%Y-%m-%d}"),
        phrase("Nothing on it is a program; nothing has to be opened. The folder “outbox” goes back to the office."),
        phrase("Releases:"),
    ]
    releases = _releases(workspace)
    blocks = [_block(lines, language, releases) for language in LANGUAGES]
    return ("\ufeff" + "\r\n\r\n".join(blocks) + "\r\n").encode()


def _block(lines: list[Phrase], language: str, releases: list[str]) -> str:
    return "\r\n".join([*(line.text(language) for line in lines), *(f"  {name}" for name in releases)])


def _releases(workspace: Workspace) -> list[str]:
    """The names of the release descriptions, as they are listed."""
    snapshot = workspace.snapshot()
    names: list[str] = []
    for publisher in workspace.publishers:
        role = f"{ROLE_PREFIX}{publisher}"
        meta = None if snapshot is None else snapshot.meta.get(f"{role}.json")
        if meta is not None:
            listed = read_as(Targets, workspace.published_file(role, meta.version), role).signed.targets
            names += [path.rpartition("/")[2].removesuffix(".json") for path in listed if path.startswith(RELEASES)]
    return sorted(names)
