"""An enrolment that cannot be finished here stands in nobody's way who looks for the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.cli.main import run
from techtool.errors import Exit
from techtool.office.enrolling import pending_path
from techtool.paths import Paths


@pytest.mark.parametrize("argv", [["--help"], ["doctor"], ["due", "--help"]], ids=" ".join)
def test_help_and_doctor_go_on(argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHTOOL_HOME", str(tmp_path))
    pending_path(Paths(tmp_path)).mkdir(parents=True)  # a file that nobody can read
    assert run(["due"]) == Exit.DAMAGED_STORE
    assert run(argv) == Exit.DONE
