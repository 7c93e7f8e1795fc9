"""The catalogue's own data, and what is said of data that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from techtool.catalogue.allow import Privacy
from techtool.catalogue.reader import DATA, load_catalogue
from techtool.domain.functional import OCCASION_OF, Mode, Occasion
from techtool.domain.release import ReleaseKind
from techtool.domain.required_tests import Situation, choose_tests
from techtool.domain.terminal import BatchState, Evidence, TamperState
from techtool.errors import BadFile, NotFoundError
from techtool.i18n import Phrase

CATALOGUE = load_catalogue()
SUNMI = {
    "ro.product.manufacturer": "SUNMI",
    "ro.product.model": "P2",
    "ro.sunmi.hardware": "P2",
    "ro.sunmi.serial": "P2L4711A00815",
    "ro.serialno": "P2L4711A00815",
    "ro.boot.hardware.revision": "B",
    "ro.build.version.release": "11",
    "ro.build.version.sdk": "30",
    "ro.build.display.id": "P2_3.0.26",
    "ro.product.cpu.abilist": "arm64-v8a, armeabi-v7a",
}


def model_of(**properties: str) -> tuple[str, str] | None:
    match = CATALOGUE.match({name.replace("__", "."): value for name, value in properties.items()})
    return (match.rule.vendor, match.rule.model) if match else None


def test_a_terminal_is_read_by_its_rule() -> None:
    match = CATALOGUE.match(SUNMI)
    assert match is not None
    identity = match.identity("adb://x:1")
    assert (identity.vendor, identity.vendor_name, identity.model, identity.model_name) == (
        "sunmi",
        "SUNMI",
        "P2",
        "SUNMI P2",
    )
    assert (identity.hw_revision, identity.serial, identity.os_version) == ("B", "P2L4711A00815", "11")
    assert (identity.firmware, identity.sdk, identity.abis) == ("P2_3.0.26", 30, ("arm64-v8a", "armeabi-v7a"))
    assert identity.evidence is Evidence.DOCUMENTED
    assert identity.source


@pytest.mark.parametrize(
    ("manufacturer", "model", "found"),
    [
        ("SUNMI", "P2", ("sunmi", "P2")),
        ("sunmi", "p2-EU", ("sunmi", "P2")),
        ("SUNMI", "P2_PRO", ("sunmi", "P2_PRO")),
        ("SUNMI", "P2lite", ("sunmi", "P2lite")),
        ("SUNMI", "P1(4G)", ("sunmi", "P1_4G")),
        ("SUNMI", "P2X", None),
        ("SUNMI", "T2", None),
        ("SUNMI", "", None),
        ("PAX", "A920", ("pax", "A920")),
        ("PAX", "A920Pro", ("pax", "A920Pro")),
        ("PAX", "A920ProX", None),
        ("PAX", "A910s", ("pax", "A910S")),
        ("PAX Technology", "A920", None),
        ("Castles", "Saturn1000F2", ("castles", "Saturn1000F2")),
        ("Qualcomm", "Saturn1000F2", ("castles", "Saturn1000F2")),
        ("Castles", "Saturn1000F22", None),
        ("Castles", "S1E2L", ("castles", "S1E2L")),
        ("whoever", "AMS1", ("adyen", "AMS1")),
        ("Verifone", "T650p", ("verifone", "T650p")),
        ("Verifone", "T650c", None),
        ("Nobody", "P2", None),
        ("Google", "Pixel 7", None),
    ],
)
def test_only_exact_known_models_are_identified(manufacturer: str, model: str, found: tuple[str, str] | None) -> None:
    assert model_of(ro__product__manufacturer=manufacturer, ro__product__model=model) == found


def test_the_makers_own_model_name_decides_alone() -> None:
    assert model_of(ro__product__manufacturer="SUNMI", ro__sunmi__hardware="P2_PRO", ro__product__model="P2") == (
        "sunmi",
        "P2_PRO",
    )
    assert model_of(ro__product__manufacturer="SUNMI", ro__sunmi__hardware="V9", ro__product__model="P2") is None


def test_no_properties_match_nothing() -> None:
    assert CATALOGUE.match({}) is None


@pytest.mark.parametrize("shared", ["0123456789ABCDEF", "0123456789abcdef", "unknown", " UNKNOWN ", "0"])
def test_a_number_many_units_share_is_not_trusted(shared: str) -> None:
    match = CATALOGUE.match({**SUNMI, "ro.sunmi.serial": shared, "ro.serialno": shared})
    assert match is not None
    assert (match.serial, match.serial_trusted) == (shared.strip(), False)
    match = CATALOGUE.match({**SUNMI, "ro.sunmi.serial": shared})
    assert match is not None
    assert (match.serial, match.serial_source, match.serial_trusted) == ("P2L4711A00815", "ro.serialno", True)


def test_what_a_device_does_not_say_stays_empty() -> None:
    match = CATALOGUE.match({"ro.product.manufacturer": "PAX", "ro.product.model": "A920", "ro.build.version.sdk": "S"})
    assert match is not None
    assert (match.serial, match.serial_source, match.serial_trusted) == ("", "", False)
    assert (match.hw_revision, match.sdk, match.abis, match.os_version) == (None, None, (), "")


def test_facts_of_an_unknown_device_are_few_and_raw() -> None:
    facts = CATALOGUE.facts({"ro.product.model": "X", "dalvik.vm.heapsize": "1", "ro.serialno": " "})
    assert facts == {"ro.product.model": "X"}


def test_every_rule_says_where_it_is_known_from() -> None:
    assert len({rule.vendor for rule in CATALOGUE.models}) >= 4
    for rule in CATALOGUE.models:
        assert rule.source
        assert rule.evidence in (Evidence.DOCUMENTED, Evidence.RECORDED, Evidence.SIMULATED)
    assert all(provider.source for provider in CATALOGUE.states)


def test_state_of_simulated_terminals_only() -> None:
    said = {
        "techtool.sim": "1",
        "techtool.sim.batch": "settled",
        "techtool.sim.tamper": "normal",
        "techtool.sim.tid": "20011001",
        "techtool.sim.bootloader": "2.1.4",
        "ro.bootloader": "9",
    }
    state = CATALOGUE.state("android", said)
    assert (state.batch, state.tamper, state.tid, state.mid) == (
        BatchState.SETTLED,
        TamperState.NORMAL,
        "20011001",
        None,
    )
    assert (state.bootloader, state.evidence["bootloader"]) == ("2.1.4", Evidence.SIMULATED)
    state = CATALOGUE.state("android", {**said, "techtool.sim": "0"})
    assert (state.batch, state.tamper, state.tid) == (None, None, None)
    assert (state.bootloader, dict(state.evidence)) == ("9", {"bootloader": Evidence.DOCUMENTED})


@pytest.mark.parametrize("word", ["", "half", "SETTLED!", "unknown"])
def test_a_state_nobody_knows_the_word_for_is_not_said(word: str) -> None:
    state = CATALOGUE.state("android", {"techtool.sim": "1", "techtool.sim.batch": word, "ro.bootloader": "unknown"})
    assert (state.batch, state.bootloader, dict(state.evidence)) == (None, None, {})


# --- functional tests ------------------------------------------------------------------------------------------------


def test_the_catalogue_of_functional_tests() -> None:
    assert len(CATALOGUE.tests) == 50
    for test in CATALOGUE.tests:
        assert re.fullmatch(r"[A-Z]{2,3}-\d\d", test.id)
        assert test.modes
        for texts in (test.title, test.criteria, test.condition):
            if texts:
                assert set(texts) == {"en", "zh"}
                assert not re.search(r"[\u4e00-\u9fff]", texts["en"])
                assert re.search(r"[\u4e00-\u9fff]", texts["zh"])


def test_titles_are_shown_and_recorded_in_both_languages() -> None:
    test = CATALOGUE.test("SE-02")
    title = test.title_phrase
    assert title.text("en") == "Casing and skimmer inspection"
    assert title.text("zh") == "外观与侧录检查"
    again = Phrase.from_json(title.to_json())
    assert (again.text("en"), again.text("zh")) == (title.text("en"), title.text("zh"))
    assert test.criteria_phrase.text("zh")


def called_for(*kinds: ReleaseKind) -> set[str]:
    """The tests that releases of these kinds call for."""
    situation = Situation(frozenset(OCCASION_OF[kind] for kind in kinds))
    return {test.id for test in choose_tests(CATALOGUE.tests, situation) if test.required}


def test_kinds_of_release_call_for_their_tests() -> None:
    application = called_for(ReleaseKind.APPLICATION)
    assert {"SE-01", "APP-01", "TX-01", "TX-02", "PR-02"} <= application
    assert "HW-03" not in application
    assert {"HW-03", "SE-06"} <= called_for(ReleaseKind.FIRMWARE)
    assert {"APP-05"} <= called_for(ReleaseKind.PARAMETERS)
    assert called_for() == set()
    for kind in ReleaseKind:
        assert called_for(kind) >= {"SE-01", "APP-01", "TX-01"}


def test_who_does_a_test() -> None:
    assert not CATALOGUE.test("HW-08").attended
    assert CATALOGUE.test("SE-03").attended
    assert CATALOGUE.test("TX-02").attended
    assert CATALOGUE.test("TX-02").consent
    assert CATALOGUE.test("TX-11").before_install
    assert CATALOGUE.test("TX-06").follows == ("TX-02", "TX-03", "TX-04", "TX-05")
    assert CATALOGUE.test("TR-01").required_for == (Occasion.INSTALLATION, Occasion.INSPECTION)
    assert CATALOGUE.test("HW-01").modes == (Mode.AUTOMATIC, Mode.SEMI)
    assert CATALOGUE.test("HW-01").condition_phrase is None
    assert CATALOGUE.test("TX-05").condition_phrase is not None


def test_a_test_that_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        CATALOGUE.test("XX-99")


# --- allow-list ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "privacy"),
    [
        ("ro.product.model", Privacy.FREE),
        ("RO.Product.Model", Privacy.FREE),
        ("ro.sunmi.version_os", Privacy.FREE),
        ("techtool.sim.tid", Privacy.CONFIDENTIAL),
        ("techtool.sim.mid", Privacy.CONFIDENTIAL),
        ("techtool.sim.other", None),
        ("persist.sys.wifi.password", None),
        ("ro.product.secret_token", None),
        ("ro.build.signing_key", None),
        ("ro.product.pin", None),
        ("persist.acme.tmk", None),
        ("dalvik.vm.heapsize", None),
        ("ro.boottime.init", None),
        ("", None),
    ],
)
def test_what_a_snapshot_may_read(name: str, privacy: Privacy | None) -> None:
    allow = CATALOGUE.allow_list("android")
    assert allow.privacy_of(name) is privacy
    assert allow.allows(name) == (privacy is not None)


def test_files_are_allowed_by_vendor() -> None:
    allow = CATALOGUE.allow_list("android")
    assert [file.path for file in allow.files_for("pax")] == ["/data/resource/public/appinfo.bin"]
    assert allow.files_for("sunmi") == ()


def test_a_family_without_a_list_allows_nothing() -> None:
    allow = CATALOGUE.allow_list("prolin")
    assert not allow.allows("ro.product.model")
    assert allow.files_for("pax") == ()


# --- data that is wrong ----------------------------------------------------------------------------------------------

STATE = '[[state]]\nfamily = "android"\nsource = "x"\nevidence = "simulated"\n'

OWN = """
schema = 1
[serials]
not_trusted = ["TESTUNIT"]
[[vendor]]
id = "acme"
name = "ACME"
family = "android"
match = { "ro.product.manufacturer" = "ACME" }
serial_from = ["ro.acme.sn"]
source = "read from our own terminal"
evidence = "recorded"
[[vendor.model]]
id = "T1"
name = "ACME T1"
match = "T1"
"""


def test_an_owners_file_adds_vendors(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(OWN)
    catalogue = load_catalogue(path)
    match = catalogue.match({"ro.product.manufacturer": "ACME", "ro.product.model": "T1", "ro.acme.sn": "TestUnit"})
    assert match is not None
    assert match.rule.evidence is Evidence.RECORDED
    assert match.rule.source == "read from our own terminal"
    assert (match.serial, match.serial_trusted) == ("TestUnit", False)
    assert catalogue.match(SUNMI) is not None
    assert catalogue.tests == CATALOGUE.tests


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('family = "android"', 'family = "symbian"', "vendor[0].family"),
        ('match = "T1"', 'match = "T(1"', "vendor[0].model[0].match"),
        ('= "ACME" }', '= "A[" }', "vendor[0].match.ro.product.manufacturer"),
        ('evidence = "recorded"', 'evidence = "hearsay"', "vendor[0].evidence"),
        ('id = "T1"\n', "", "vendor[0].model[0]"),
        ('name = "ACME T1"', 'name = "ACME T1"\nmodle = "x"', "modle"),
        ("schema = 1", "schema = [", "line 3"),
        ("schema = 1", 'schema = "one"', "schema"),
        (
            "[[vendor]]",
            STATE + 'facts = { mood = "x" }\n[[vendor]]',
            "state[0].facts",
        ),
        (
            "[[vendor]]",
            STATE + 'facts = {}\nwhen = { a = "(" }\n[[vendor]]',
            "state[0].when.a",
        ),
        ("[[vendor.model]]", '[[vendor.model]]\nid = "T1"\nname = "x"\nmatch = "T2"\n[[vendor.model]]', "acme T1"),
    ],
)
def test_an_error_names_the_file_and_the_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = tmp_path / "models.toml"
    assert old in OWN
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(BadFile) as error:
        load_catalogue(path)
    assert str(path) in str(error.value)
    assert place in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        load_catalogue(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile):
        load_catalogue(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("tests.toml", 'zh = "开机自检"', 'de = "x"', "test[0].title.zh"),
        ("tests.toml", 'id = "HW-02"', 'id = "HW-01"', "stands twice"),
        ("tests.toml", 'follows = ["TX-11"]', 'follows = ["TX-99"]', "TX-99"),
        ("tests.toml", 'modes = ["A"]', 'modes = ["Z"]', "modes"),
        ("allow_list.toml", 'privacy = "B"', 'privacy = "E"', "privacy"),
    ],
)
def test_broken_data_of_our_own_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, place: str
) -> None:
    for file in DATA.glob("*.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / name).read_text("utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), "utf-8")
    monkeypatch.setattr("techtool.catalogue.reader.DATA", tmp_path)
    with pytest.raises(BadFile) as error:
        load_catalogue.__wrapped__()
    assert name in str(error.value)
    assert place in str(error.value)
