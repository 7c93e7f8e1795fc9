"""A recorder that knows this house's secrets and the catalogue's rules about what may never be read."""

from __future__ import annotations

from fnmatch import fnmatchcase

from techtool.catalogue.reader import Catalogue
from techtool.clock import Clock
from techtool.links.record.recorder import Recorder
from techtool.settings import Settings


def recorder_for(catalogue: Catalogue, settings: Settings, clock: Clock) -> Recorder:
    """A new recording."""
    never = {glob.casefold() for listed in catalogue.allow_lists.values() for glob in listed.never}

    def is_secret(name: str) -> bool:
        return any(fnmatchcase(name.casefold(), glob) for glob in never)

    return Recorder(
        clock,
        secret_words=tuple(settings.links.pax.values()),
        kept=catalogue.not_trusted_serials,
        secret_names=is_secret,
    )
