from pathlib import Path

import pytest

from techtool.domain.codec import encode_json
from techtool.domain.terminal import BatchState, TamperState
from techtool.errors import BadFile
from techtool.simulator.faults import (
    HEALTHY,
    AfterReboot,
    ArmedFaults,
    Drop,
    FallingBattery,
    Faults,
    FaultScript,
    FullStorage,
    Hang,
    InstallRefusal,
    RebootLoop,
    ToldAt,
    WrongVersion,
    load_faults,
)

EXAMPLE = Path(__file__).parent / "faults-example.toml"


def test_the_example_says_what_it_says() -> None:
    script = load_faults(EXAMPLE)
    assert script.for_position(1) == Faults(
        positions=(1,),
        batch=BatchState.OPEN,
        trailing_blank=True,
        drop=Drop(400_000),
        battery=FallingBattery(60, 15, external_power=False),
    )
    assert script.for_position(2) == Faults(
        positions=(2,),
        tamper=TamperState.TAMPERED,
        slow_bytes_per_s=4_000_000,
        refuse_connections=2,
        storage=FullStorage(1_000_000, ToldAt.WRITE),
        hang=Hang("dumpsys battery", 40),
        after_reboot=AfterReboot(serial="OTHER-0001"),
    )
    assert script.for_position(3) == Faults(
        positions=(3,),
        says_ok_and_lies=True,
        install=InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "Install canceled by user", nth=2, times=1),
        wrong_version=WrongVersion("0.9", 9),
        reboot_loop=RebootLoop(3),
    )
    assert script.for_position(4) == HEALTHY


def test_json_says_the_same(tmp_path: Path) -> None:
    script = load_faults(EXAMPLE)
    (tmp_path / "faults.json").write_bytes(encode_json(script))
    assert load_faults(tmp_path / "faults.json") == script


def test_an_entry_without_positions_is_for_all_others() -> None:
    script = FaultScript(terminal=(Faults(positions=(2,), refuse_connections=1), Faults(trailing_blank=True)))
    assert script.for_position(2).refuse_connections == 1
    assert script.for_position(1).trailing_blank
    assert script.for_position(9).trailing_blank


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("schema = 1\n[[terminal]]\nslow = 3", "slow"),
        ("schema = 1\n[[terminal]]\n[terminal.drop]\nat_byte = 1\ntime = 2", "time"),
        ("schema = 1\n[[terminal]]\n[terminal.drop]\ndirection = 'in'", "at_byte"),
        ("schema = 1\n[[terminal]]\nbatch = 'ajar'", "batch"),
        ("schema = 2", "schema"),
        ("schema = 1\nx y", "line 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(BadFile) as refused:
        load_faults(path)
    assert place in refused.value.what_phrase.text("en")
    assert str(path) in refused.value.what_phrase.text("en")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"nothing\.toml"):
        load_faults(tmp_path / "nothing.toml")


def test_counters() -> None:
    armed = ArmedFaults(Faults(refuse_connections=2, drop=Drop(1), reboot_loop=RebootLoop(0)))
    assert [armed.refuse_connection() for _ in range(4)] == [True, True, False, False]
    assert [armed.drop_now(Drop(1, times=1)) for _ in range(2)] == [True, False]
    assert all(armed.reboot_again() for _ in range(5))
    assert not ArmedFaults().refuse_connection()
    assert ArmedFaults().reboot_again() is None
