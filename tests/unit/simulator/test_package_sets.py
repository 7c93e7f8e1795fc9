"""Several packages in one session: all of them or none, from Android 10 on."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from techtool.simulator.device import Device
from techtool.simulator.faults import Faults, FullStorage, InstallRefusal, ToldAt
from techtool.simulator.state import DeviceState
from tests.unit.simulator.apk_maker import make_apk
from tests.unit.simulator.bench import Said, install, open_device, run

PAY, KERNEL = "org.example.pay", "org.example.kernel"
CASTLES, SUNMI, VERIFONE = "castles-saturn1000f2", "sunmi-p2", "verifone-t650p"  # Android 10, 11 and 13


async def created(device: Device, options: str) -> int:
    said = await run(device, f"cmd package install-create {options}")
    assert said.out.startswith("Success: created install session ["), said
    return int(said.out.split("[")[1].split("]")[0])


async def child_of(device: Device, apk: bytes) -> int:
    session = await created(device, f"-r -S {len(apk)}")
    said = await run(device, f"cmd package install-write -S {len(apk)} {session} base.apk -", apk)
    assert said.out == f"Success: streamed {len(apk)} bytes\n"
    return session


async def set_of(device: Device, *apks: bytes) -> tuple[int, list[int]]:
    parent = await created(device, "--multi-package -r")
    children = [await child_of(device, apk) for apk in apks]
    said = await run(device, f"cmd package install-add-session {parent} {' '.join(map(str, children))}")
    assert (said.code, said.out) == (0, "Success\n")
    return parent, children


async def commit(device: Device, session: int) -> Said:
    return await run(device, f"cmd package install-commit {session}")


def versions(device: Device, packages: Sequence[str] = (PAY, KERNEL)) -> list[int]:
    return [found.version_code if (found := device.packages.get(p)) else 0 for p in packages]


def leftovers(folder: Path) -> int:
    return len(list((folder / "sessions").iterdir()))


@pytest.mark.parametrize("model", [CASTLES, SUNMI, VERIFONE])
async def test_all_of_a_set_in_one_write_of_the_state(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await open_device(tmp_path, model)
    await install(device, make_apk(PAY, 1))
    parent, _children = await set_of(device, make_apk(PAY, 2), make_apk(KERNEL, 7))
    assert versions(device) == [1, 0]
    seen: list[list[int]] = []
    write = device.store.commit

    def watched(state: DeviceState) -> None:
        write(state)
        seen.append(versions(device))

    monkeypatch.setattr(device.store, "commit", watched)
    assert (await commit(device, parent)).out == "Success\n"
    assert seen == [[2, 7]]
    assert device.store.state.sessions == {}
    assert leftovers(tmp_path) == 0
    assert len(list((tmp_path / "apks").iterdir())) == 2


@pytest.mark.parametrize(
    ("second", "word"),
    [
        (b"garbage" * 100, "INSTALL_PARSE_FAILED_NOT_APK"),
        (make_apk(KERNEL, 6), "INSTALL_FAILED_VERSION_DOWNGRADE"),
        (make_apk(KERNEL, 8, by="mallory"), "INSTALL_FAILED_UPDATE_INCOMPATIBLE"),
        (make_apk(KERNEL, 8, min_sdk=99), "INSTALL_FAILED_OLDER_SDK"),
        (make_apk(PAY, 3), "INSTALL_FAILED_DUPLICATE_PACKAGE"),
    ],
    ids=["no-apk", "older", "another-signer", "needs-newer-android", "twice"],
)
@pytest.mark.parametrize("place", ["first", "last"])
async def test_one_refused_and_nothing_changes(tmp_path: Path, second: bytes, word: str, place: str) -> None:
    device = await open_device(tmp_path)
    await install(device, make_apk(KERNEL, 7))
    apks = [make_apk(PAY, 2), second]
    parent, _children = await set_of(device, *(apks if place == "last" else reversed(apks)))
    said = await commit(device, parent)
    assert said.code == 1
    assert said.out.startswith(f"Failure [{word}")
    assert versions(device) == [0, 7]
    assert device.store.state.sessions == {}
    assert leftovers(tmp_path) == 0


async def test_the_script_refuses_the_second_of_a_set_and_no_single_package(tmp_path: Path) -> None:
    refusal = InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "no", nth=2, times=1)
    device = await open_device(tmp_path, faults=Faults(install=refusal))
    assert await install(device, make_apk("org.example.alone")) == "Success"
    parent, _ = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    assert (await commit(device, parent)).out == "Failure [INSTALL_FAILED_USER_RESTRICTED: no]\n"
    assert versions(device) == [0, 0]
    parent, _ = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    assert (await commit(device, parent)).out == "Success\n"


async def test_a_set_must_fit_as_a_whole(tmp_path: Path) -> None:
    apks = [make_apk(PAY, padding=50_000), make_apk(KERNEL, padding=50_000)]
    assert len(apks[0]) < 60_000
    device = await open_device(tmp_path / "1", faults=Faults(storage=FullStorage(90_000)))
    parent, _ = await set_of(device, *apks)
    assert "INSTALL_FAILED_INSUFFICIENT_STORAGE" in (await commit(device, parent)).out
    # Android looks at the announced size of a session that holds files, not of one that holds sessions.
    tight = await open_device(tmp_path / "2", faults=Faults(storage=FullStorage(90_000, ToldAt.CREATE)))
    await created(tight, "--multi-package -r -S 100000")
    said = await run(tight, "cmd package install-create -r -S 100000")
    assert "not enough space" in said.err


async def test_it_says_ok_to_a_set_and_lies(tmp_path: Path) -> None:
    device = await open_device(tmp_path, faults=Faults(says_ok_and_lies=True))
    parent, _ = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    assert (await commit(device, parent)).out == "Success\n"
    assert versions(device) == [0, 0]
    assert leftovers(tmp_path) == 0


async def test_android_9_knows_no_sets(tmp_path: Path) -> None:
    device = await open_device(tmp_path, "unlisted")
    assert device.model.sdk == 28
    said = await run(device, "cmd package install-create --multi-package -r")
    assert said.code == 255
    assert "java.lang.IllegalArgumentException: Unknown option --multi-package" in said.err
    said = await run(device, "pm install-add-session 1 2")
    assert (said.code, said.err) == (255, "Unknown command: install-add-session\n")
    assert device.store.state.sessions == {}


async def test_abandoning_a_parent_takes_the_children_along_since_android_12(tmp_path: Path) -> None:
    device = await open_device(tmp_path, VERIFONE)
    parent, children = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    said = await run(device, f"pm install-abandon {children[0]}")
    assert said.code == 255
    assert f"is a child of multi-package session {parent} and may not be abandoned directly." in said.err
    assert (await run(device, f"pm install-abandon {parent}")).out == "Success\n"
    assert device.store.state.sessions == {}
    assert leftovers(tmp_path) == 0


@pytest.mark.parametrize("model", [CASTLES, SUNMI])
async def test_before_android_12_children_outlive_their_parent(tmp_path: Path, model: str) -> None:
    device = await open_device(tmp_path, model)
    parent, children = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    loose = await child_of(device, make_apk("org.example.loose"))
    for session in (parent, loose):
        assert (await run(device, f"pm install-abandon {session}")).out == "Success\n"
    assert [session.id for session in device.packages.sessions()] == children
    for child in children:
        assert "may not be abandoned directly" in (await run(device, f"pm install-abandon {child}")).err
        assert "may not be committed directly" in (await commit(device, child)).err


async def test_wrong_words_to_sets(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    parent, children = await set_of(device, make_apk(PAY))
    other = await created(device, "--multi-package")
    alone = await created(device, "-r")
    cases = {
        f"{parent}": (1, "Error: At least two sessions are required."),
        f"{alone} {children[0]}": (1, "Error: parent session ID is not a multi-package session"),
        f"{other} {children[0]}": (255, f"Unable to add child session {children[0]} as it does not exist or is in an"),
        f"{other} 5": (255, "Unable to add child session 5 as it does not exist or is in an invalid state."),
        f"5 {alone}": (255, "Caller has no access to session 5"),
        f"{other} x": (255, 'For input string: "x"'),
    }
    for words, (code, text) in cases.items():
        said = await run(device, f"pm install-add-session {words}")
        assert said.code == code, words
        assert text in said.out + said.err
    assert (await run(device, f"pm install-add-session {parent} {children[0]}")).out == "Success\n"
    assert (await run(device, f"pm install-write -S 3 {other} base.apk -", b"abc")).code == 255
    assert (await commit(device, other)).out.startswith("Failure [")
    assert (await commit(device, parent)).out == "Success\n"
    assert versions(device) == [2, 0]


async def test_a_power_cut_leaves_the_set_as_it_was(tmp_path: Path) -> None:
    device = await open_device(tmp_path)
    parent, children = await set_of(device, make_apk(PAY), make_apk(KERNEL))
    again = await open_device(tmp_path)
    assert again.store.state == device.store.state
    assert leftovers(tmp_path) == 2
    assert [s.parent for s in again.packages.sessions()] == [0, parent, parent]
    assert (await commit(again, parent)).out == "Success\n"
    assert versions(again) == [2, 2]
    assert children


@pytest.mark.parametrize(
    ("model", "heading", "child"), [(SUNMI, "Session", "Session"), (VERIFONE, "Active Session", "Active Child Session")]
)
async def test_open_sessions_are_told(tmp_path: Path, model: str, heading: str, child: str) -> None:
    device = await open_device(tmp_path, model)
    assert "Session " not in (await run(device, "dumpsys package installs")).out
    apk = make_apk(PAY)
    parent, children = await set_of(device, apk)
    told = (await run(device, "dumpsys package installs")).out
    assert f"  {heading} {parent}:\n" in told
    assert f"  {child} {children[0]}:\n" in told
    assert f"sizeBytes={len(apk)} " in told
    assert told.count("mOriginalInstallerUid=2000") == 2
    assert told.index("Active install sessions:") < told.index(str(parent)) < told.index("Finalized install sessions:")
