"""The user and the password of a gateway: held in memory while a link needs them, and taken out of all it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_toml
from techtool.domain.terminal import Address
from techtool.errors import BadFile
from techtool.i18n import phrase
from techtool.paths import os_problem

_HIDDEN: Final = "***"
_SHORT: Final = 6
"""A shorter secret is hidden only where it is the whole text: within a word it would be chance."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in; never shown, not by an accident either."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _LoginFile:
    """``user``, ``password``; ``[at."HOST:PORT"]`` for one device."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    at: Mapping[str, Login] = field(default_factory=dict, repr=False)


def read_login(path: Path, address: Address) -> Login | None:
    """What the file has for an address; raises :class:`BadFile`, also where others may read the file."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise BadFile(path=str(path), problem=phrase("others may read it; allow its owner only (chmod 600)"))
        file = decode_toml(path.read_bytes(), _LoginFile, strict=True)
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    except CodecError:
        # Its words may quote the line with the password.
        raise BadFile(path=str(path), problem=phrase("it is not a file with user and password")) from None
    own = file.at.get(address.target)
    if own is not None:
        return own
    return Login(file.user, file.password) if file.user else None


def without(value: object, secrets: tuple[str, ...]) -> object:
    """A JSON value without the secrets: a device that repeats a password must not get it into a record.

    Links are left as they are: a path with a star would lead nowhere, and none is ever shown.
    """
    if isinstance(value, str):
        return _hidden(value, secrets)
    if isinstance(value, list):
        return [without(item, secrets) for item in value]
    if isinstance(value, dict):
        return {
            _hidden(key, secrets): item if key.startswith("@odata.") else without(item, secrets)
            for key, item in value.items()
        }
    return value


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if text == secret or (len(secret) >= _SHORT and secret in text):
            text = text.replace(secret, _HIDDEN)
    return text
