"""Every recording in ``tests/fixtures/recordings`` tells what is written beside it; a new one is a new test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from techtool.catalogue.proposal import proposed_rule
from techtool.catalogue.reader import load_catalogue
from techtool.domain.sensitive import Scanner
from techtool.domain.terminal import Address, Evidence
from techtool.links.record.replay import ReplayLink
from techtool.links.record.transcript import read_recording
from techtool.terminals.identify import read_facts
from tests.make_recordings import FOLDER, facts

RECORDINGS = sorted(FOLDER.glob("*.jsonl"))
EACH = pytest.mark.parametrize("path", RECORDINGS, ids=[path.stem for path in RECORDINGS])


def test_there_are_some() -> None:
    assert {"adbd-paydroid", "simulator-practice"} <= {path.stem for path in RECORDINGS}


@EACH
async def test_it_tells_what_is_written_beside_it(path: Path) -> None:
    assert await facts(path) == json.loads(path.with_suffix(".json").read_text("utf-8"))


@EACH
def test_nothing_in_it_looks_like_card_data(path: Path) -> None:
    scanner, data = Scanner(), path.read_bytes()
    assert not [*scanner.feed(data), *scanner.finish()]


@EACH
async def test_it_becomes_a_rule_that_reads_it(path: Path, tmp_path: Path) -> None:
    """The printed rule, put into a models file, decides before the built-in ones."""
    catalogue = load_catalogue()
    link = ReplayLink(Address("replay", str(path)), read_recording(path))
    await link.open()
    family, said = await read_facts(link)
    built_in = catalogue.match(said)
    own = tmp_path / "models.toml"
    text = proposed_rule(said, family, catalogue.families[family], built_in, source="Recording of a test")
    own.write_text(f"schema = 1\n\n{text}", "utf-8")
    match = load_catalogue(own).match(said)
    assert match is not None
    assert built_in is not None
    assert (match.rule.vendor, match.rule.model) == (built_in.rule.vendor, built_in.rule.model)
    assert (match.rule.source, match.serial) == ("Recording of a test", built_in.serial)
    simulated = "techtool.sim" in said
    assert match.rule.evidence is (Evidence.SIMULATED if simulated else Evidence.RECORDED)
