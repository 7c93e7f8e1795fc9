"""What a publisher types on the command line, made into a release draft and into passphrases."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from techtool.bundles.description import Description, ProvidesEntry, decode_draft, decode_rules
from techtool.cli.inputs import first_line
from techtool.domain.codec import CodecError
from techtool.domain.recall import RecalledPackage
from techtool.domain.release import Compare, Provides, ReleaseKind, Requirement, Urgency
from techtool.errors import AnswerMissing, BadFile, UsageError
from techtool.i18n import _, phrase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


_WRONG_WORD: Final = re.compile(r"^Invalid enum value .*\.([a-z_]+)`$", re.DOTALL)
"""The codec's word for it; the place stands at the end."""
_WORDS: Final = {
    "compare": tuple(Compare),
    "kind": tuple(ReleaseKind),
    "urgency": tuple(Urgency),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The options of ``bundle add``; each overrides the release file."""

    models: tuple[str, ...]
    requires: str | None
    texts: tuple[str, ...]
    id: str | None
    version: str | None
    version_format: str | None
    kind: str | None
    install_duration: int | None


def draft_from(path: Path | None, typed: Typed) -> Description:
    """The release file, if any, with what was typed over it; raises :class:`BadFile` and :class:`UsageError`."""
    draft = Description() if path is None else _read_draft(path)
    if typed.models:
        draft = replace(draft, provides=tuple(_model(text) for text in typed.models))
    if typed.requires is not None:
        draft = replace(draft, requires=_rules(typed.requires))
    if typed.texts:
        draft = replace(draft, text={**draft.text, **texts_of(typed.texts)})
    if typed.kind is not None:
        draft = replace(draft, kind=kind_of(typed.kind))
    return replace(
        draft,
        id=typed.id or draft.id,
        version=typed.version or draft.version,
        version_format=typed.version_format or draft.version_format,
        install_duration=draft.install_duration if typed.install_duration is None else typed.install_duration,
    )


def passphrases_from(path: Path | None) -> Callable[[Path], str]:
    """The passphrase from a file, else asked for once per key; an empty answer leaves that key alone."""
    if path is not None:
        given = first_line(path)
        return lambda _key: given

    def ask(key: Path) -> str:
        if not sys.stdin.isatty():
            question = f"passphrase.{key.stem}"
            raise AnswerMissing(question=question, text=phrase("Passphrase of the key {path}", path=str(key)))
        text = _("Passphrase of {path} (empty: do not sign with it)").format(path=key)
        return str(click.prompt(text, hide_input=True, err=True, default="", show_default=False))

    return ask


def new_passphrase(path: Path | None) -> str:
    """The passphrase of keys that are made now: from a file, else asked for twice; empty where nobody can be asked."""
    if path is not None:
        return first_line(path)
    if not sys.stdin.isatty():
        return ""
    text = _("Passphrase of the new keys (empty: none)")
    return str(click.prompt(text, hide_input=True, err=True, default="", show_default=False, confirmation_prompt=True))


def public_keys(texts: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    """``OWNER=FILE.pub``, each; raises :class:`UsageError` and :class:`BadFile`."""
    from techtool.bundles.publish.keyfiles import read_public

    keys: dict[str, Ed25519PublicKey] = {}
    for text in texts:
        owner, equals, name = text.partition("=")
        if not equals or not owner or not name or owner in keys:
            raise UsageError(problem=_("“{text}” is no key; write OWNER=FILE.pub, each owner once").format(text=text))
        keys[owner] = read_public(Path(name))
    return keys


def release_key(text: str) -> tuple[str, str]:
    """``ID@VERSION``; raises :class:`UsageError`."""
    release_id, _at, version = text.partition("@")
    if not release_id or not version:
        raise UsageError(problem=_("“{text}” is no release; write ID@VERSION").format(text=text))
    return release_id, version


def texts_of(texts: Sequence[str]) -> dict[str, str]:
    """``LANG=TEXT``, each; raises :class:`UsageError`."""
    return dict(_text(text) for text in texts)


def packages_of(texts: Sequence[str]) -> tuple[RecalledPackage, ...]:
    """``ID:CODE``, each; raises :class:`UsageError`."""
    return tuple(_package(text) for text in texts)


def provides_of(texts: Sequence[str]) -> tuple[Provides, ...]:
    """``VENDOR/MODEL[:REV,REV]``, each; raises :class:`UsageError`."""
    return tuple(Provides(entry.vendor, entry.model, entry.hw_rev) for entry in map(_model, texts))


def _read_draft(path: Path) -> Description:
    try:
        return decode_draft(_bytes_of(path))
    except CodecError as error:
        raise BadFile(path=str(path), problem=_with_words(error)) from error


def _rules(text: str) -> tuple[Requirement, ...]:
    data = text.encode() if text.lstrip().startswith("[") else _bytes_of(Path(text))
    try:
        return decode_rules(data)
    except CodecError as error:
        raise UsageError(problem=_("--requires: {problem}").format(problem=_with_words(error))) from error


def _with_words(error: CodecError) -> str:
    """What is wrong, with the words that there are where another one was written."""
    field = _WRONG_WORD.search(str(error))
    words = _WORDS.get(field[1]) if field is not None else None
    if words is None:
        return str(error)
    return _("{problem}; there are: {words}").format(problem=error, words=", ".join(words))


def _model(text: str) -> ProvidesEntry:
    """``VENDOR/MODEL[:REV,REV]``"""
    name, _colon, revisions = text.partition(":")
    vendor, _slash, model = name.partition("/")
    if not vendor or not model:
        raise UsageError(
            problem=_("“{text}” is no model; write VENDOR/MODEL or VENDOR/MODEL:REV,REV").format(text=text)
        )
    return ProvidesEntry(vendor, model, tuple(part.strip() for part in revisions.split(",") if part.strip()))


def _package(text: str) -> RecalledPackage:
    name, _colon, code = text.rpartition(":")
    if not name or not (code.isascii() and code.isdigit()):
        raise UsageError(problem=_("“{text}” is no package; write ID:CODE with its version code").format(text=text))
    return RecalledPackage(name, int(code))


def _text(text: str) -> tuple[str, str]:
    language, equals, rest = text.partition("=")
    if not equals or not language:
        raise UsageError(problem=_("“{text}” is no text; write LANG=TEXT").format(text=text))
    return language, rest


def kind_of(text: str) -> ReleaseKind:
    """A kind of release by its word; raises :class:`UsageError`."""
    try:
        return ReleaseKind(text)
    except ValueError:
        kinds = ", ".join(kind.value for kind in ReleaseKind)
        raise UsageError(
            problem=_("“{kind}” is no kind of release; there are: {kinds}").format(kind=text, kinds=kinds)
        ) from None


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(path=str(path), problem=error.strerror or "cannot be read") from error
