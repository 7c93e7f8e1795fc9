"""The connection that this laptop's settings and enrolment stand for: address, authority, name and password."""

from __future__ import annotations

from pathlib import Path

from techtool.errors import UsageError
from techtool.i18n import phrase
from techtool.office.address import OfficeAddress, parse_address
from techtool.office.http import OfficeHttp, Patience
from techtool.office.login import Login, login_for
from techtool.paths import Paths
from techtool.reports.enrolled import read_enrolled
from techtool.settings import OfficeSettings, read_settings


def office_address(paths: Paths, given: str = "") -> OfficeAddress:
    """Of the office's database: as a person gave it, else of the settings. Raises :class:`UsageError`."""
    url = given or read_settings(paths.settings).office.url
    if not url:
        raise UsageError(problem=phrase("Where the office is, is not known here: give --to URL, or enrol this laptop."))
    enrolled = read_enrolled(paths)
    return parse_address(url, plain_http=enrolled is not None and enrolled.plain_http_url == url)


def connect(
    paths: Paths, address: OfficeAddress, login: Login | None = None, patience: Patience | None = None
) -> OfficeHttp:
    """To be entered; ``login`` goes before what is kept for that server."""
    settings = read_settings(paths.settings).office
    return OfficeHttp(address, login or login_for(address, paths), _authority(paths, settings), patience)


def _authority(paths: Paths, settings: OfficeSettings) -> Path | None:
    if not settings.ca_file:
        return None
    file = Path(settings.ca_file).expanduser()
    return file if file.is_absolute() else paths.home / file
