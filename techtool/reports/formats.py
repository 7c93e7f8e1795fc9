"""The formats of a report, apart from what writes them: that is loaded only where one is written."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("html", "merchant", "pdf", "csv", "json")
"""What can be written, by the words of ``--format``."""
