"""In what state a visit's journal is, and how that is called wherever visits are listed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from techtool.i18n import N_


class VisitState(StrEnum):
    """In what state a visit's journal is."""

    OPEN = "open"
    SEALED = "sealed"
    ABANDONED = "abandoned"
    DAMAGED = "damaged"
    SALVAGED = "salvaged"
    """It was closed, then damaged: what could be saved of it, unsealed, and nothing is done to it any more."""
    NEWER = "newer"
    """Only a newer techtool can read it."""


STATE_LABEL: Final = {
    VisitState.OPEN: N_("unfinished"),
    VisitState.SEALED: N_("closed and sealed"),
    VisitState.ABANDONED: N_("closed as stopped"),
    VisitState.DAMAGED: N_("record damaged"),
    VisitState.SALVAGED: N_("saved from a damaged file"),
    VisitState.NEWER: N_("made by a newer techtool"),
}
