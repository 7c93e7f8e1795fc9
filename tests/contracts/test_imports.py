"""What starting costs: which libraries are loaded when. Asked of fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.locale_tools import PACKAGE

TUI = PACKAGE / "tui" / "app.py"
LATE = ("asyncio.base_events", "httpx", "tuf", "securesystemslib", "cryptography.x509", "reportlab", "pyaxmlparser")
"""Loaded where they are used: never by help, never before the first frame (asyncio is Textual's own there)."""
HELP_MAY_LOAD = {"click", "platformdirs", "techtool"}
"""platformdirs finds the settings, which say the language."""
BEFORE_FIRST_FRAME = {"click", "tinydb", "msgspec", "filelock", "platformdirs", "tomli_w", "techtool"}
"""Beside Textual and what it brings."""


def _loaded(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after ``code``."""
    report = "\nimport json, sys\nsys.__stderr__.write('\\n' + json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stderr.splitlines()[-1]))


def _foreign(modules: set[str]) -> set[str]:
    """Top names of what neither Python itself nor a bare interpreter here loads."""
    bare = {name.partition(".")[0] for name in _loaded("pass")}
    return {m.partition(".")[0] for m in modules} - bare - set(sys.stdlib_module_names)


def _package_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


HELP = """
import contextlib, io, sys
sys.argv = ["techtool", *{arguments}]
from techtool.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    try:
        main()
    except SystemExit as leave:
        assert leave.code in (0, None), leave.code
assert "{expected}" in out.getvalue(), out.getvalue()
"""


@pytest.mark.parametrize(("arguments", "expected"), [(["--help"], "Usage: techtool"), (["--version"], "techtool")])
def test_help_loads_click_and_little_else(arguments: list[str], expected: str) -> None:
    modules = _loaded(HELP.format(arguments=arguments, expected=expected))
    assert _foreign(modules) - HELP_MAY_LOAD == set()
    assert not modules & {*LATE, "ssl", "sqlite3"}


def test_the_work_below_the_screens_loads_no_textual() -> None:
    names = [_package_of(p) for p in sorted(PACKAGE.rglob("*.py")) if (PACKAGE / "tui") not in p.parents]
    names.remove("techtool.__main__")
    imports = "\n".join(f"import {name}" for name in names)
    modules = _loaded(imports)
    assert "techtool.cli.main" in modules
    assert not modules & {"textual", "rich"}


def test_the_pure_domain_loads_no_library_but_the_codec() -> None:
    names = [_package_of(p) for p in sorted((PACKAGE / "domain").rglob("*.py"))]
    modules = _loaded("\n".join(f"import {name}" for name in [*names, "techtool.errors", "techtool.events"]))
    assert _foreign(modules) - {"techtool"} <= {"msgspec", "packaging", "typing_extensions"}
    assert "asyncio.base_events" not in modules


def test_reading_a_report_module_loads_no_cryptography() -> None:
    modules = _loaded("import techtool.reports.write, techtool.reports.keys, techtool.reports.html")
    assert not modules & {"cryptography", *LATE}


@pytest.mark.skipif(not any(TUI.parent.glob("[a-z]*.py")), reason="there are no screens yet")
def test_the_screens_start_without_what_they_need_later() -> None:
    modules = _loaded("import techtool.tui.app")
    assert "textual" in modules
    assert not modules & (set(LATE) - {"asyncio.base_events"})
    brought = _foreign(_loaded("import textual.app, textual.widgets, textual.screen"))
    assert _foreign(modules) - brought - BEFORE_FIRST_FRAME == set()
