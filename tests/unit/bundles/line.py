"""The command line as the tests of bundles type it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.main import run


@dataclass
class Line:
    """One command line with what it said."""

    capture: pytest.CaptureFixture[str]
    code: int = -1
    out: str = ""
    err: str = ""

    def __call__(self, *argv: str | Path) -> Line:
        self.code = run([str(word) for word in argv])
        self.out, self.err = self.capture.readouterr()
        return self

    @property
    def json(self) -> dict[str, Any]:
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        tree: dict[str, Any] = json.loads(lines[0])
        return tree
