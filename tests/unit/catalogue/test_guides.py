"""The guides: complete in both languages, honest about where they are known from, and refused when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.catalogue.guides import load_guides
from techtool.domain.guide import Guide
from techtool.domain.terminal import Evidence
from techtool.errors import BadFile

GUIDES = load_guides()
DATA = Path("techtool/catalogue/data/guides.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.id)
def test_a_guide_says_where_it_is_known_from(guide: Guide) -> None:
    for step in guide.step:
        source, evidence = guide.known_from(step)
        assert source
        assert evidence in (Evidence.DOCUMENTED, Evidence.SIMULATED), "nobody has recorded one yet"
        if evidence is Evidence.DOCUMENTED:
            assert source.endswith("not verified on hardware")


def test_only_what_does_not_exist_is_simulated() -> None:
    assert [guide.id for guide in GUIDES if guide.simulated] == ["example/S1"]


def test_names_on_the_stick() -> None:
    layouts = {guide.id: guide.layout for guide in GUIDES}
    pax, verifone = layouts["pax/S80"], layouts["verifone/V_OS"]
    assert pax.name_for("SB_S80_33.33") == "!SB_S80_33.33"
    assert pax.takes("!SB_S80_33.33")
    assert not pax.takes("SB_S80_33.33")
    assert pax.disturbs("!sb_s80_32.01")
    assert verifone.takes("dl.app-2.1.tgz")
    assert not verifone.takes("app-2.1.tgz")
    assert not verifone.disturbs("holiday.jpg")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('evidence = "simulated"', 'evidence = "documented"', "$.guide[0]"),
        ('result_good = "RESULT=OK"', "", "$.guide[0].layout.result_good"),
        ('result_good = "RESULT=OK"', 'result_good = "("', "$.guide[0].layout.result_good"),
        ('folder = "UPDATE"', 'folder = "update"', "$.guide[0].layout.folder"),
        ('write_as = "!{name}"', 'write_as = "!"', "$.guide[4].layout.write_as"),
        ('id = "restart"\nchanges = true', 'id = "restart"', "$.guide[0].step.changes"),
        ('id = "restart"', 'id = "start"', "$.guide[0].step"),
        ('ask = "choice"', 'ask = "done"', "$.guide[0].step[1].choice"),
        ('ask = "choice"', 'ask = "shout"', "shout"),
        ('zh = "最后屏幕显示什么？"', 'zh = ""', "$.guide[0].step[1].shows.zh"),
        ('file_systems = ["fat32"]', "file_systems = []", "$.guide[0].layout.file_systems"),
        ('id = "insert"', 'id = "insert"\ncolour = 1', "colour"),
        ("schema = 1", "schema = 1\nschema = 2", ""),
    ],
)
def test_a_broken_file_is_told_by_place(old: str, new: str, place: str, tmp_path: Path) -> None:
    assert old in DATA
    path = tmp_path / "guides.toml"
    path.write_text(DATA.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        load_guides(path)
    assert place in str(caught.value)
