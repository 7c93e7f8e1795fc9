"""Facts of the office: read with their sources, before the built-in ones, and never a reason for a visit to stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from techtool.catalogue.cadence import load_cycles
from techtool.catalogue.facts import load_facts, read_facts
from techtool.catalogue.reader import load_catalogue
from techtool.domain.question import CheckResult
from techtool.errors import BadFile
from tests.factories import identity

TODAY = date(2026, 11, 22)
GOOD = """
schema = 1
issued_by = "ACME, estate office"
dated = 2026-11-20

[[cadence]]
vendor = "simulated"
days = 30
source = "ACME contract 7"
evidence = "documented"

[[life]]
vendor = "sunmi"
model = "P2"
end_of_life = 2030-01-01
source = "the maker's letter of 2026-03-01"

[[approval]]
vendor = "sunmi"
model = "P2"
number = "4-40000"
expires = 2030-04-30
source = "our copy of the PCI SSC's list"

[[contact]]
vendor = "sunmi"
name = "ACME's desk for SUNMI"
phone = "+86 10 5555 0199"
region = { en = "China", zh = "中国" }
source = "ACME intranet"
"""


def believed(_path: Path, _content: bytes) -> str:
    """Signed; what that takes is judged elsewhere."""
    return "North office"


def write(folder: Path, text: str = GOOD, name: str = "acme.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_offices_word_comes_first(tmp_path: Path) -> None:
    write(tmp_path)
    facts = load_facts(tmp_path, believed)
    assert facts.unusable == ()
    cycles = facts.cycles()
    assert [(one.vendor, one.days) for one in cycles.cadence] == [("simulated", 30), ("simulated", 90)]
    assert cycles.life[0].end_of_life == date(2030, 1, 1)
    assert cycles.life[0].source == "the maker's letter of 2026-03-01 (ACME, estate office, 2026-11-20)"
    assert cycles.cadence[1].source == load_cycles().cadence[0].source, "what is built in has no other issuer"
    assert facts.contacts()[0].name == "ACME's desk for SUNMI"


@pytest.mark.parametrize(("age_days", "result"), [(2, CheckResult.PASS), (900, None)], ids=["fresh", "too old"])
def test_an_approval_counts_as_long_as_its_own_copy_is_fresh(
    tmp_path: Path, age_days: int, result: CheckResult | None
) -> None:
    dated = TODAY - timedelta(days=age_days)
    write(tmp_path, GOOD.replace("dated = 2026-11-20", f"dated = {dated.isoformat()}"))
    catalogue = load_catalogue()
    known = load_facts(tmp_path, believed).approvals(catalogue.approvals)
    who = replace(identity(), vendor="sunmi", model="P2")
    finding = known.judge(who, TODAY, catalogue.limits.approvals_max_age_days, installing=True)
    assert (finding.result if finding is not None else None) is result
    if finding is not None and finding.said is not None:
        assert "our copy of the PCI SSC's list (ACME, estate office" in finding.said.text("en")
    assert catalogue.approvals.judge(who, TODAY, 365, installing=True) is None, "the built-in list does not know it"


def test_the_newest_file_comes_first(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, GOOD.replace("2026-11-20", "2026-11-21").replace("days = 30", "days = 14"), "b.toml")
    assert load_facts(tmp_path, believed).cycles().cadence[0].days == 14


PICTURE = '[[picture]]\nvendor="a"\nmodel="b"\nsource="s"\nevidence="recorded"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD.replace('source = "ACME contract 7"', 'source = " "'), "cadence[0].source"),
        (GOOD.replace("days = 30", "days = 0"), "cadence[0].days"),
        (GOOD.replace("days = 30", "days = 99999999999999"), "cadence[0].days"),
        (GOOD.replace('number = "4-40000"', 'number = ""'), "approval[0].number"),
        (GOOD.replace('number = "4-40000"', 'number = "1"\nhardware = "("'), "approval[0].hardware"),
        (GOOD.replace('number = "4-40000"', 'number = "1"\nhardware = "a{99999999999999}"'), "approval[0].hardware"),
        (GOOD.replace('model = "P2"', 'model = "P2\\n"'), "life[0].model"),
        (GOOD.replace("schema = 1", "schema = 2"), "$.schema"),
        (GOOD.replace("ACME intranet", "4111 1111 1111 1111"), "card number"),
        (GOOD.replace("ACME intranet", "a\\u202Eb"), "one line"),
        (GOOD.replace("vendor =", "maker ="), "`vendor`"),
        ("rubbish", "Expected"),
        (GOOD + PICTURE + f'file="../x.jpg"\nsha256="{"0" * 64}"', "picture[0].file"),
        (GOOD + PICTURE + 'file="x.jpg"\nsha256="0"', "picture[0].sha256"),
    ],
    ids=[
        "source",
        "days",
        "too many days",
        "number",
        "pattern",
        "pattern of no end",
        "model",
        "schema",
        "card",
        "turned",
        "field",
        "rubbish",
        "outside",
        "digest",
    ],
)
def test_what_cannot_be_used_is_named_and_left_out(tmp_path: Path, text: str, place: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadFile) as bad:
        read_facts(path, believed)
    assert place in str(bad.value.params["problem"])
    facts = load_facts(tmp_path, believed)
    assert (facts.files, len(facts.unusable)) == ((), 1)
    assert facts.cycles().cadence, "the built-in facts stand"


def test_what_is_no_file_or_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    write(tmp_path, f'issued_by = "{"x" * (1 << 20)}"')
    found = load_facts(tmp_path, believed)
    assert [str(error.params["problem"]) for _path, error in found.unusable] == ["it is too large", "it is not a file"]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert load_facts(tmp_path / "none", believed).files == ()
