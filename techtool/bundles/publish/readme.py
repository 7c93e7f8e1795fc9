"""The one file on a stick that is made for people who open it in a file manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techtool.bundles.metadata import issued
from techtool.bundles.profile import RELEASES
from techtool.i18n import LANGUAGES, Phrase, phrase

if TYPE_CHECKING:
    from techtool.bundles.publish.published import PublishedState


def readme(state: PublishedState) -> bytes:
    """What is on the stick and until when, in every language; for Windows' editor too (BOM, CRLF)."""
    lines = [
        phrase("This stick was prepared for techtool. Do not change or rename anything on it."),
        phrase("Issued: {day}", day=f"{issued(state.timestamp):%Y-%m-%d}"),
        phrase("Use by: {day}", day=f"{state.use_by:%Y-%m-%d}"),
        phrase("Nothing on it is a program; nothing has to be opened. The folder “outbox” goes back to the office."),
        *_recalls(state),
        phrase("Releases:"),
    ]
    releases = _releases(state)
    blocks = [_block(lines, language, releases) for language in LANGUAGES]
    return ("\ufeff" + "\r\n\r\n".join(blocks) + "\r\n").encode()


def _block(lines: list[Phrase], language: str, releases: list[str]) -> str:
    return "\r\n".join([*(line.text(language) for line in lines), *(f"  {name}" for name in releases)])


def _recalls(state: PublishedState) -> list[Phrase]:
    """What must not be installed any more, wherever it comes from."""
    if not state.recalls:
        return []
    lines = [
        phrase("  {release}: {reason}", release=recall.key, reason=recall.reason_phrase)
        for recall in sorted(state.recalls, key=lambda recall: recall.key)
    ]
    return [phrase("Recalled, not to be installed any more:"), *lines]


def _releases(state: PublishedState) -> list[str]:
    """The names of the release descriptions, as they are listed."""
    names = (path.rpartition("/")[2].removesuffix(".json") for path in state.listed if path.startswith(f"{RELEASES}/"))
    return sorted(names)
