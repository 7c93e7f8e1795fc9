"""This laptop's own id, under which the office keeps its visits: made once, kept for ever."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from techtool.domain.codec import CodecError, decode_json, encode_json
from techtool.errors import StoreDamaged
from techtool.i18n import phrase
from techtool.office.documents import LAPTOP_ID
from techtool.paths import Paths, disk_error
from techtool.store.home import Home


@dataclass(frozen=True, slots=True)
class _Laptop:
    id: str
    schema: int = 1


def laptop_id(paths: Paths) -> str:
    """The id; empty while there is none. Raises :class:`StoreDamaged`: a second id would send every visit twice."""
    path = _path(paths)
    try:
        found = decode_json(path.read_bytes(), _Laptop).id
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise disk_error(error, path) from error
    except CodecError as error:
        raise StoreDamaged(path=str(path), problem=phrase("it cannot be read"), detail=str(error)) from error
    if not LAPTOP_ID.fullmatch(found):
        raise StoreDamaged(path=str(path), problem=phrase("it holds no id of a laptop"))
    return found


def ensure_laptop_id(home: Home) -> str:
    """The id, made now if there is none; takes the home's lock for that moment."""
    found = laptop_id(home.paths)
    if found:
        return found
    with home.lock("sync"):
        found = laptop_id(home.paths)
        if not found:
            found = "L" + os.urandom(8).hex()
            home.ensure_folder(home.paths.office)
            home.disk.write_file(_path(home.paths), encode_json(_Laptop(found)))
    return found


def _path(paths: Paths) -> Path:
    return paths.office / "laptop.json"
