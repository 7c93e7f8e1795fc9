"""What a release's kind decides, as data: the file is whole, and a broken one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.catalogue import reader
from techtool.catalogue.kinds import KindsFile
from techtool.catalogue.reader import DATA, load_catalogue
from techtool.domain.codec import decode_toml
from techtool.domain.functional import OCCASION_OF
from techtool.domain.release import ReleaseKind
from techtool.errors import BadFile
from techtool.i18n import LANGUAGES

TEXT = (DATA / "kinds.toml").read_text(encoding="utf-8")
FILE = decode_toml(TEXT.encode(), KindsFile, strict=True)
FILE_ROLES = ("apk", "image", "data")
"""Of a release's files."""


def test_everything_says_where_it_is_known_from_and_why() -> None:
    assert FILE.schema == 1
    sources = [*(e.source for e in FILE.kind), *(e.source for e in FILE.link), *(e.source for e in FILE.way)]
    assert all(source.strip() for source in sources)
    for text in (*(entry.why for entry in FILE.kind), *(entry.text for entry in FILE.way)):
        assert set(text) == set(LANGUAGES)


def test_every_family_has_its_roles_and_every_other_role_a_way() -> None:
    catalogue = load_catalogue()
    assert set(catalogue.kinds.roles) == {*catalogue.families, "medium"}
    for family in catalogue.kinds.roles:
        environment = catalogue.environment("1", family)
        assert environment.roles == catalogue.kinds.roles[family] <= set(FILE_ROLES)
        for role in set(FILE_ROLES) - environment.roles:
            for kind in ReleaseKind:
                assert environment.policy.way(role, kind, "some vendor", family) is not None
    assert catalogue.environment("1", "no such family").roles == frozenset()


def test_takings_are_asked_after_before_any_menu_of_a_terminals_own() -> None:
    catalogue = load_catalogue()
    android, medium = (catalogue.environment("1", family).policy for family in ("android", "medium"))
    assert not android.of(ReleaseKind.APPLICATION).settled_batch
    for kind in ReleaseKind:
        assert medium.of(kind).settled_batch
        assert all(medium.of(kind).why[language] for language in ("en", "zh"))
    assert medium.of(ReleaseKind.FIRMWARE) == android.of(ReleaseKind.FIRMWARE)


def test_a_vendor_that_has_a_way_of_its_own_is_in_the_catalogue() -> None:
    vendors = {rule.vendor for rule in load_catalogue().models}
    assert {way.vendor for way in FILE.way if way.vendor} <= vendors


def test_every_kind_has_its_occasion() -> None:
    assert set(OCCASION_OF) == set(ReleaseKind)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('id = "bootloader"', 'id = "firmware"', "$.kind: an id stands twice"),
        ('id = "bootloader"', 'id = "spaceship"', "$.kind[1].id"),
        ("battery_percent = 30", "battery_percent = 300", "$.kind[0].battery_percent: not a percentage"),
        ("clock_within_s = 120", "clock_within_s = -1", "$.kind[2].clock_within_s: below zero"),
        ("settled_batch = true", "settled_batsh = true", "settled_batsh"),
        ('family = "android"\nroles', "roles", "$.link[0]"),
        ('zh = "请由 PAXSTORE', 'xx = "请由 PAXSTORE', "$.way[0].text.zh: missing"),
    ],
)
def test_a_broken_file_is_named_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, place: str
) -> None:
    assert old in TEXT
    for name in ("models.toml", "tests.toml", "allow_list.toml", "approvals.toml"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    (tmp_path / "kinds.toml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(reader, "DATA", tmp_path)
    with pytest.raises(BadFile) as caught:
        load_catalogue.__wrapped__()
    said = caught.value.what_phrase.text("en")
    assert "kinds.toml" in said
    assert place in said
