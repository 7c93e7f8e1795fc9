"""Name and password for the office's server: from the environment or a file that only this person may read.

They are for one server and are sent to no other, never stand on a command line, in a record, an error or a log.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.errors import BadFile, UsageError
from techtool.i18n import phrase
from techtool.office.address import OfficeAddress
from techtool.paths import DISK, Disk, Paths, os_problem

VARIABLE: Final = "TECHTOOL_OFFICE_LOGIN"
"""``NAME:PASSWORD``; goes before the file, and to whatever server the same command names."""
_MAX_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Login:
    """Shown nowhere: not even its ``repr`` has the words."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    origin: str
    user: str = field(repr=False)
    password: str = field(repr=False)


def login_for(address: OfficeAddress, paths: Paths, environment: Mapping[str, str] | None = None) -> Login | None:
    """What to say to that server; None: nothing is known for it. Raises :class:`BadFile`, :class:`UsageError`."""
    given = (os.environ if environment is None else environment).get(VARIABLE, "")
    if given:
        return parse_login(given, VARIABLE)
    path = paths.office_login
    try:
        if sys.platform != "win32" and path.stat().st_mode & 0o077:
            problem = phrase("others on this laptop may read it; “chmod 600” it, and ask the office for a new password")
            raise BadFile(path=str(path), problem=problem)
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    try:
        kept = decode_json(data[:_MAX_BYTES], _Kept)
    except CodecError:
        # Without its cause, which may quote what stands in the file.
        raise BadFile(path=str(path), problem=phrase("it is no login file: “techtool office login” again")) from None
    return Login(kept.user, kept.password) if kept.origin == address.origin else None


def parse_login(text: str, where: str) -> Login:
    """``NAME:PASSWORD`` on one line; raises :class:`UsageError`, which quotes nothing of it."""
    user, colon, password = text.strip("\r\n").partition(":")
    if not (user and colon and password) or not (user + password).isprintable() or len(text) > _MAX_BYTES // 2:
        raise UsageError(problem=phrase("{where} does not hold NAME:PASSWORD on one line.", where=where))
    return Login(user, password)


def read_login(path: Path) -> Login:
    """The first line of a file, ``NAME:PASSWORD``; raises :class:`BadFile`, :class:`UsageError`."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    return parse_login(text.partition("\n")[0], str(path))


def keep_login(paths: Paths, address: OfficeAddress, login: Login, disk: Disk = DISK) -> None:
    """Keep it for that server alone; :class:`techtool.paths.Disk` makes files that nobody else may read."""
    disk.make_folder(paths.office_login.parent)
    disk.write_file(paths.office_login, encode_json(_Kept(address.origin, login.user, login.password)))


def forget_login(paths: Paths, disk: Disk = DISK) -> None:
    """Take it away again."""
    disk.unlink(paths.office_login)
