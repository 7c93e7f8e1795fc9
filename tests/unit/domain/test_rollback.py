"""How far a plan can be undone: one class for every case, and what may go back onto which terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from techtool.domain.backup import BackupManifest, ItemDigest, ItemKind, NotRead
from techtool.domain.release import Release, ReleaseKind, Rollback
from techtool.domain.restore import Swap, Way, digest_of, files_of, refusal_for, way_back
from techtool.domain.rollback import CLASS_LABEL, RollbackClass, hardest, rollback_of
from techtool.domain.terminal import InstalledPackage, TerminalState
from tests.factories import PAY, apk, at, package, release, terminal_state

ALLOWED = Rollback(allowed=True)
NOW = package(PAY, "3.1.0", 310)


def pay(**changes: object) -> Release:
    return replace(release(facts=apk(PAY, "3.2.0", 320)), **{"rollback": ALLOWED, **changes})  # type: ignore[arg-type]


def state(installed: InstalledPackage | None = NOW, **changes: object) -> TerminalState:
    packages = () if installed is None else (installed,)
    return replace(terminal_state(), packages=packages, **changes)  # type: ignore[arg-type]


IMAGE = replace(pay().files[0], role="image", apk=None)


@pytest.mark.parametrize(
    ("wanted", "of", "before"),
    [
        (RollbackClass.LOSES_DATA, pay(), state()),
        (RollbackClass.LOSES_DATA, pay(), state(takes_older=False)),
        (RollbackClass.KEEPS_DATA, pay(), state(takes_older=True)),
        (RollbackClass.KEEPS_DATA, pay(), state(replace(NOW, version_code=320))),
        (RollbackClass.LOSES_DATA, pay(erases_data=True), state(takes_older=True)),
        (RollbackClass.LOSES_DATA, pay(rollback=Rollback(True, "wipe")), state(takes_older=True)),
        (RollbackClass.REMOVES, pay(), state(None)),
        (RollbackClass.NOT_POSSIBLE, pay(rollback=Rollback(allowed=False)), state(takes_older=True)),
        (RollbackClass.NOT_POSSIBLE, pay(rollback=Rollback(True, lowest="3.1.5")), state(takes_older=True)),
        (RollbackClass.KEEPS_DATA, pay(rollback=Rollback(True, lowest="3.0.0")), state(takes_older=True)),
        (RollbackClass.NOT_POSSIBLE, pay(), state(replace(NOW, in_system_image=True), takes_older=True)),
        (RollbackClass.NOT_POSSIBLE, pay(kind=ReleaseKind.FIRMWARE, files=(IMAGE,)), state(takes_older=True)),
        (RollbackClass.NOT_POSSIBLE, pay(kind=ReleaseKind.BOOTLOADER, files=(IMAGE,)), state(goes_back_itself=True)),
        (RollbackClass.TERMINAL, pay(kind=ReleaseKind.FIRMWARE, files=(IMAGE,)), state(goes_back_itself=True)),
        (RollbackClass.NOT_POSSIBLE, pay(kind=ReleaseKind.PARAMETERS, files=(IMAGE,)), state(takes_older=True)),
    ],
)
def test_the_class_of_a_release(wanted: RollbackClass, of: Release, before: TerminalState) -> None:
    plan = rollback_of([of], before)
    assert (plan.kind, [one.kind for one in plan.releases]) == (wanted, [wanted])
    assert plan.releases[0].reason.text("en")


def test_nothing_to_undo() -> None:
    assert rollback_of([], state()).kind is RollbackClass.NOTHING


def test_the_hardest_decides() -> None:
    other = replace(pay(), id="other", rollback=Rollback(allowed=False))
    plan = rollback_of([pay(), other], state(takes_older=True))
    assert plan.kind is RollbackClass.NOT_POSSIBLE
    assert [one.kind for one in plan.releases] == [RollbackClass.KEEPS_DATA, RollbackClass.NOT_POSSIBLE]
    assert hardest([RollbackClass.LOSES_DATA, RollbackClass.REMOVES]) is RollbackClass.LOSES_DATA


@pytest.mark.parametrize("kind", list(RollbackClass))
def test_only_what_techtool_can_do_is_offered(kind: RollbackClass) -> None:
    from techtool.domain.rollback import RollbackPlan

    by_techtool = {RollbackClass.KEEPS_DATA, RollbackClass.REMOVES, RollbackClass.LOSES_DATA}
    assert RollbackPlan(kind).by_techtool is (kind in by_techtool)
    assert CLASS_LABEL[kind]


# --- restoring -------------------------------------------------------------------------------------------------------

BASE = ItemDigest(f"packages/{PAY}/base.apk", ItemKind.APK, 3, "a" * 64)
SPLIT = ItemDigest(f"packages/{PAY}/split_zh.apk", ItemKind.APK, 2, "b" * 64)
WHO = terminal_state().identity
MANIFEST = BackupManifest(
    id="V1-1", serial=WHO.serial, vendor=WHO.vendor, model=WHO.model, os_version=WHO.os_version, made_at=at(0),
    items=(ItemDigest("packages.json", ItemKind.PACKAGES, 2, "c" * 64), BASE, SPLIT), not_read=(),
)  # fmt: skip
SWAP = Swap("OLD", WHO.serial, WHO.model, "WO-1")


@pytest.mark.parametrize(
    ("allowed", "manifest", "swap"),
    [
        (True, MANIFEST, None),
        (False, replace(MANIFEST, serial="OLD"), None),
        (True, replace(MANIFEST, serial="OLD"), SWAP),
        (False, MANIFEST, SWAP),
        (False, replace(MANIFEST, serial="OLD"), replace(SWAP, to_serial="THIRD")),
        (False, replace(MANIFEST, serial="OLD"), replace(SWAP, model="P3")),
        (False, replace(MANIFEST, serial="OLD", model="P3"), SWAP),
        (False, replace(MANIFEST, vendor="pax"), None),
        (True, replace(MANIFEST, os_version="7.0"), None),
        (False, replace(MANIFEST, os_version="8.1"), None),
        (False, replace(MANIFEST, os_version="6.0"), None),
    ],
)
def test_where_a_backup_may_go(allowed: bool, manifest: BackupManifest, swap: Swap | None) -> None:
    assert (refusal_for(manifest, terminal_state(), swap) is None) is allowed


@pytest.mark.parametrize(
    ("way", "former", "now", "takes_older"),
    [
        (Way.INSTALL, 310, None, None),
        (Way.OVER, 320, NOW, None),
        (Way.OVER, 310, NOW, None),
        (Way.REINSTALL, 300, NOW, None),
        (Way.REINSTALL, 300, NOW, False),
        (Way.OVER, 300, NOW, True),
        (Way.REINSTALL, None, NOW, None),
    ],
)
def test_the_way_back(way: Way, former: int | None, now: InstalledPackage | None, takes_older: bool | None) -> None:
    assert way_back(former, now, state(takes_older=takes_older)) is way


def test_a_package_of_which_a_part_is_missing_is_not_put_back() -> None:
    assert files_of(MANIFEST) == {PAY: (BASE, SPLIT)}
    gone = NotRead(f"packages/{PAY}/split_en.apk", "permission denied")
    assert files_of(replace(MANIFEST, not_read=(gone,))) == {}


def test_the_digest_of_a_restore_is_of_terminal_backup_and_bytes() -> None:
    one = digest_of("A", MANIFEST, [PAY])
    assert one == digest_of("A", MANIFEST, [PAY])
    others = [
        digest_of("B", MANIFEST, [PAY]),
        digest_of("A", replace(MANIFEST, id="V2-1"), [PAY]),
        digest_of("A", replace(MANIFEST, items=(replace(BASE, sha256="d" * 64), SPLIT)), [PAY]),
    ]
    assert len({one, *others}) == 4
