from pathlib import Path

import pytest

from techtool.errors import UsageError
from techtool.simulator.apk import read_apk
from techtool.simulator.model import APKS, choose_models, find_model, load_models
from techtool.simulator.run import MAX_COUNT, specs_for


def test_three_models_of_three_makers_and_one_that_nobody_knows() -> None:
    listed = [model for model in load_models() if model.listed]
    assert [model.id for model in listed] == ["sunmi-p2", "castles-saturn1000f2", "verifone-t650p"]
    assert len({model.properties["ro.product.manufacturer"] for model in listed}) == 3
    assert [model.id for model in load_models() if not model.listed] == ["practice", "gateway", "unlisted"]


ANDROID = [model for model in load_models() if model.redfish is None]


@pytest.mark.parametrize("model", ANDROID, ids=lambda model: model.id)
def test_every_model_is_marked_as_simulated_and_has_its_basics(model) -> None:  # type: ignore[no-untyped-def]
    told = model.properties_of("SERIAL0042")
    assert told["techtool.sim"] == "1"
    assert told["ro.serialno"] == "SERIAL0042"
    assert model.sdk > 0
    assert model.abis
    assert model.source
    assert "abb" not in model.daemon.features
    assert not any("{" in value for value in told.values())


@pytest.mark.parametrize("model", [m for m in load_models() if m.redfish], ids=lambda model: model.id)
def test_gateways_belong_to_no_maker(model) -> None:  # type: ignore[no-untyped-def]
    assert model.properties["Manufacturer"] == "techtool"
    assert model.redfish.firmware in {package.id for package in model.packages}
    assert model.source
    assert not model.listed


@pytest.mark.parametrize("model", [m for m in load_models() if m.listed], ids=lambda model: model.id)
def test_listed_models_tell_their_whole_state(model) -> None:  # type: ignore[no-untyped-def]
    told = model.properties_of("SERIAL0042")
    for key in ("batch", "tamper", "tid", "mid", "bootloader", "region"):
        assert told[f"techtool.sim.{key}"]
    assert told["techtool.sim.tid"].endswith("0042")
    assert told["ro.boot.hardware.revision"]


def test_every_preinstalled_apk_is_there_and_may_run_on_its_model() -> None:
    for model in load_models():
        for name in model.preinstalled:
            facts = read_apk(APKS / name).facts
            assert facts.min_sdk <= model.sdk
            assert name.startswith(f"{facts.id}-{facts.version}")


def test_last_four_differ_among_all_terminals_of_a_simulation() -> None:
    models = load_models()
    serials = [model.serial.serial(position) for model in models for position in range(1, MAX_COUNT + 1)]
    assert len({serial[-4:] for serial in serials}) == len(serials)


def test_models_are_taken_in_turn_or_all_alike() -> None:
    assert [model.id for model in choose_models(None, 4)] == [
        "sunmi-p2",
        "castles-saturn1000f2",
        "verifone-t650p",
        "sunmi-p2",
    ]
    assert {model.id for model in choose_models("unlisted", 3)} == {"unlisted"}
    with pytest.raises(UsageError, match="sunmi-p2"):
        find_model("sunmi-p3")


def test_specs_take_ports_in_a_row() -> None:
    assert [spec.port for spec in specs_for(count=3, port=5001)] == [5001, 5002, 5003]
    assert [spec.port for spec in specs_for(count=2)] == [0, 0]
    assert [spec.folder_name for spec in specs_for(count=2)] == ["01-sunmi-p2", "02-castles-saturn1000f2"]


@pytest.mark.parametrize(("count", "port"), [(0, 0), (MAX_COUNT + 1, 0), (1, 80), (2, 65535), (1, -1)])
def test_impossible_numbers_are_refused(count: int, port: int) -> None:
    with pytest.raises(UsageError):
        specs_for(count=count, port=port)


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    from techtool.errors import BadFile

    (tmp_path / "x.toml").write_text("schema = 1")
    with pytest.raises(BadFile, match=r"x\.toml"):
        load_models(tmp_path)
