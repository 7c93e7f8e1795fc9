"""What a publisher types on the command line, made into a release draft and into passphrases."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from techtool.bundles.description import Description, ProvidesEntry, decode_draft, decode_rules
from techtool.cli.inputs import first_line
from techtool.domain.codec import CodecError
from techtool.domain.release import ReleaseKind, Requirement
from techtool.errors import AnswerMissing, BadFile, UsageError
from techtool.i18n import _, phrase


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
        draft = replace(draft, text={**draft.text, **dict(_text(text) for text in typed.texts)})
    if typed.kind is not None:
        draft = replace(draft, kind=_kind(typed.kind))
    return replace(
        draft,
        id=typed.id or draft.id,
        version=typed.version or draft.version,
        version_format=typed.version_format or draft.version_format,
        install_duration=draft.install_duration if typed.install_duration is None else typed.install_duration,
    )


def passphrases_from(path: Path | None) -> Callable[[Path], str]:
    """The passphrase from a file, else asked for once per key."""
    if path is not None:
        given = first_line(path)
        return lambda _key: given

    def ask(key: Path) -> str:
        if not sys.stdin.isatty():
            question = f"passphrase.{key.stem}"
            raise AnswerMissing(question=question, text=phrase("Passphrase of the key {path}", path=str(key)))
        return str(click.prompt(_("Passphrase of {path}").format(path=key), hide_input=True, err=True))

    return ask


def _read_draft(path: Path) -> Description:
    try:
        return decode_draft(_bytes_of(path))
    except CodecError as error:
        raise BadFile(path=str(path), problem=str(error)) from error


def _rules(text: str) -> tuple[Requirement, ...]:
    data = text.encode() if text.lstrip().startswith("[") else _bytes_of(Path(text))
    try:
        return decode_rules(data)
    except CodecError as error:
        raise UsageError(problem=_("--requires: {problem}").format(problem=error)) from error


def _model(text: str) -> ProvidesEntry:
    """``VENDOR/MODEL[:REV,REV]``"""
    name, _colon, revisions = text.partition(":")
    vendor, _slash, model = name.partition("/")
    if not vendor or not model:
        raise UsageError(
            problem=_("“{text}” is no model; write VENDOR/MODEL or VENDOR/MODEL:REV,REV").format(text=text)
        )
    return ProvidesEntry(vendor, model, tuple(part.strip() for part in revisions.split(",") if part.strip()))


def _text(text: str) -> tuple[str, str]:
    language, equals, rest = text.partition("=")
    if not equals or not language:
        raise UsageError(problem=_("“{text}” is no text; write LANG=TEXT").format(text=text))
    return language, rest


def _kind(text: str) -> ReleaseKind:
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
