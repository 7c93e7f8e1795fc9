"""The office's facts in use: taken in by command, shown with their sources, asked for by the work itself."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from techtool.cli.main import run
from techtool.errors import Exit
from techtool.events import Asked
from tests.unit.catalogue.test_facts import GOOD
from tests.visit.conftest import Shop


@pytest.fixture
def at_home(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("TECHTOOL_HOME", str(shop.world.paths.home))
    return shop


def picture(colour: int = 90) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (colour, 9, 9)).save(data, "JPEG")
    return data.getvalue()


def facts_file(folder: Path, *, data: bytes | None = None) -> Path:
    """With a reference picture of the P2 beside it."""
    folder.mkdir(exist_ok=True)
    shown = picture()
    (folder / "p2.jpg").write_bytes(data if data is not None else shown)
    path = folder / "acme.toml"
    path.write_text(
        f"""{GOOD}
[[picture]]
vendor = "sunmi"
model = "P2"
file = "p2.jpg"
sha256 = "{hashlib.sha256(shown).hexdigest()}"
shows = {{ en = "the underside, both seals", zh = "底部，两枚封签" }}
source = "photographed by ACME's workshop"
evidence = "recorded"
""",
        encoding="utf-8",
    )
    return path


def question(shop: Shop, name: str) -> str:
    found = [event.question for event in shop.events if isinstance(event, Asked) and event.question.id == name]
    return found[0].help.text("en") if found and found[0].help else ""


async def test_they_decide_and_are_shown(at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.DONE
    shown = capsys.readouterr().out
    assert "ACME, estate office" in shown
    assert "ACME contract 7 (documented)" in shown
    photo = tmp_path / "counter.jpg"
    photo.write_bytes(picture(200))
    at_home.changed = {"inspect.photo": str(photo)}
    async with at_home.terminals() as simulation:
        await at_home.run(*simulation.addresses)
        first = question(at_home, "inspect.SE-02")
        assert "the underside, both seals" in first
        assert "photo of" not in first, "nothing was seen before"
        at_home.events = []
        assert at_home.lane().evidence
        await at_home.run(*simulation.addresses)
    second = question(at_home, "inspect.SE-02")
    assert "photo of" in second
    named = [word for word in second.split() if word.endswith((".jpg", ".png"))]
    assert len(named) == 2
    assert all(Path(word).is_file() for word in named)
    assert run(["due", "--json"]) == Exit.DONE
    (due,) = json.loads(capsys.readouterr().out)["terminals"]
    assert due["end_of_life"] == "2030-01-01"
    assert run(["support", "--contacts", "sunmi"]) == Exit.DONE
    assert "ACME's desk for SUNMI" in capsys.readouterr().out


def test_a_picture_that_is_another_one_is_refused_and_nothing_is_kept(at_home: Shop, tmp_path: Path) -> None:
    path = facts_file(tmp_path / "from", data=picture(7))
    assert run(["facts", "--add", str(path)]) == Exit.USAGE
    assert not list(at_home.world.paths.facts.glob("*.toml"))
    (path.parent / "p2.jpg").unlink()
    assert run(["facts", "--add", str(path)]) == Exit.USAGE


def test_taken_away_again(at_home: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["facts", "--add", str(facts_file(tmp_path / "from"))]) == Exit.DONE
    assert run(["facts", "--remove", "../settings.toml"]) == Exit.NOT_FOUND
    capsys.readouterr()
    assert run(["facts", "--remove", "acme.toml", "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == []
    assert {one["kind"] for one in said["facts"]} == {"cadence", "life", "approval", "contact"}
    assert {one["evidence"] for one in said["facts"]} == {"documented", "simulated"}


def test_a_file_that_rots_is_found_by_the_doctor(at_home: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    at_home.world.paths.facts.mkdir()
    (at_home.world.paths.facts / "acme.toml").write_text("rubbish", encoding="utf-8")
    assert run(["facts"]) == Exit.DONE
    assert run(["doctor"]) == Exit.DAMAGED_STORE
    assert "acme.toml" in capsys.readouterr().err
