from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from techtool.cli.main import run
from tests.unit.attacks.scene import NEW, Scene, make_office


@dataclass(frozen=True)
class Told:
    """What the command line said."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which is one JSON document and nothing else."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out[:400]
        tree: dict[str, Any] = json.loads(lines[0])
        return tree


Verify = Callable[..., Told]


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about power cuts."""
    monkeypatch.setattr("os.fsync", lambda _fd: None)


@pytest.fixture(scope="session")
def made_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacked")
    make_office(folder)
    return folder


@pytest.fixture
def scene(made_scene: Path, tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "scene"
    yield Scene.copy(made_scene, folder)
    shutil.rmtree(folder)  # not kept as pytest keeps folders: some hold tens of thousands of files


@pytest.fixture
def verify(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """``techtool bundle verify STICK --json`` on one of the laptops."""
    monkeypatch.setattr("techtool.clock.SystemClock", lambda: scene.clock)

    def verify(laptop: str = NEW, stick: Path | None = None, command: str = "verify") -> Told:
        monkeypatch.setenv("TECHTOOL_HOME", str(scene.laptop(laptop).home))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["bundle", command, str(stick or scene.stick), "--json"])
        return Told(code, out.getvalue(), err.getvalue())

    return verify
