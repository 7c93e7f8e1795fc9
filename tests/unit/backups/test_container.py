"""Writing, verifying and refusing a backup."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import io
import lzma
import random
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from techtool.backups.archive import MOST_NOTED
from techtool.backups.container import RESERVE_BYTES, verify_backup, write_backup
from techtool.backups.keys import new_identity
from techtool.backups.packed import LARGEST_CONTENT_BYTES
from techtool.clock import FixedClock
from techtool.domain.backup import (
    Announced,
    BackupItem,
    ItemKind,
    Noted,
    NotRead,
    OnFinding,
    Scan,
    SnapshotPart,
    StoredBackup,
)
from techtool.domain.sensitive import Kind, Profile
from techtool.errors import BackupNotVerified, DiskError, DiskFull, ForbiddenContent, LinkLost, NotEnoughRoom
from techtool.paths import Disk
from tests.unit.backups.helpers import IDENTITY, NOW, apk_item, chunked, stream, text_item
from tests.unit.store.disks import FullAfterBytes

VISIT = new_identity()
OFFICE = new_identity()
APK = random.Random(7).randbytes(300_000)
CARD = "4111 1111 1111 1111"


async def write(
    folder: Path, items: Iterable[BackupItem | NotRead] | AsyncIterator[SnapshotPart], disk: Disk | None = None
) -> StoredBackup:
    return await write_backup(
        items if isinstance(items, AsyncIterator) else stream(items),
        backup_id="V1-1",
        identity=IDENTITY,
        recipients=(OFFICE.public,),
        identity_key=VISIT.secret,
        folder=folder,
        clock=FixedClock(NOW),
        disk=disk or Disk(),
    )


async def test_what_was_read_is_in_the_manifest_and_reads_back(tmp_path: Path) -> None:
    stored = await write(
        tmp_path,
        [
            text_item("properties.json", '{"ro.product.model": "P2"}'),
            NotRead("packages/com.acme.pay/base.apk", "Permission denied"),
            apk_item("packages/com.acme.demo/base.apk", APK),
        ],
    )
    assert [i.name for i in stored.manifest.items] == ["properties.json", "packages/com.acme.demo/base.apk"]
    assert stored.manifest.items[1].sha256 == hashlib.sha256(APK).hexdigest()
    assert stored.manifest.items[1].size_bytes == len(APK)
    assert stored.manifest.not_read == (NotRead("packages/com.acme.pay/base.apk", "Permission denied"),)
    assert stored.manifest.serial == IDENTITY.serial
    assert stored.manifest.made_at == NOW
    assert stored.verified
    assert stored.recipients == (OFFICE.public, VISIT.public)
    data = (tmp_path / stored.file).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (stored.size_bytes, stored.sha256)
    for key in (VISIT.secret, OFFICE.secret):
        assert (await verify_backup(tmp_path / stored.file, key, stored.manifest)).sha256 == stored.sha256
    assert [p.name for p in tmp_path.iterdir()] == ["V1-1.age"]


async def test_nothing_of_the_plaintext_is_on_disk(tmp_path: Path) -> None:
    stored = await write(tmp_path, [text_item("properties.json", "needle-in-the-snapshot " * 500)])
    assert b"needle" not in (tmp_path / stored.file).read_bytes()


@pytest.mark.parametrize("before", [0, 990, 200_000])
async def test_a_card_number_fails_the_backup_and_leaves_nothing(tmp_path: Path, before: int) -> None:
    writes: list[bytes] = []

    class Watched(Disk):
        def write(self, fd: int, data: bytes, path: Path) -> None:
            writes.append(bytes(data))
            super().write(fd, data, path)

    text = "x" * before + f' "note": "{CARD}" ' + "y" * 5000
    with pytest.raises(ForbiddenContent) as refused:
        await write(tmp_path, [text_item("a.json", "{}"), text_item("notes.json", text)], Watched())
    assert list(tmp_path.iterdir()) == []
    assert refused.value.code == "TT-601"
    assert "notes.json" in str(refused.value)
    assert "4111" not in str(refused.value)
    assert sum(len(w) for w in writes) < before + 4096


async def test_a_card_number_inside_an_apk_is_found_too(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenContent):
        await write(tmp_path, [apk_item("packages/a/base.apk", APK + b"\n" + CARD.encode() + b"\n" + APK)])
    assert list(tmp_path.iterdir()) == []


PROGRAM = b"PK\x03\x04" + APK


async def test_card_data_in_a_program_is_noted_and_kept(tmp_path: Path) -> None:
    """By the allow-list's rule for programs, which everybody has; what only calls itself one is refused."""
    content = PROGRAM + f"\n{CARD}\n;4111111111111111=2512101\n".encode() + APK
    note = Scan(Profile.BINARY, OnFinding.NOTE)
    stored = await write(tmp_path, [replace(apk_item("packages/a/base.apk", content), scan=note)])
    assert stored.manifest.noted == (
        Noted("packages/a/base.apk", Kind.CARD_NUMBER, len(PROGRAM) + 1),
        Noted("packages/a/base.apk", Kind.TRACK_2, len(PROGRAM) + 21),
        Noted("packages/a/base.apk", Kind.TRACK_2, len(PROGRAM) + 22),
    )
    assert (await verify_backup(tmp_path / stored.file, OFFICE.secret, stored.manifest)).sha256 == stored.sha256
    with pytest.raises(ForbiddenContent):
        await write(tmp_path, [replace(apk_item("packages/a/base.apk", content[4:]), scan=note)])


async def test_of_a_program_full_of_numbers_the_first_are_noted(tmp_path: Path) -> None:
    item = apk_item("packages/a/base.apk", PROGRAM + b"\n4111111111111111" * 5000)
    stored = await write(tmp_path, [replace(item, scan=Scan(Profile.BINARY, OnFinding.NOTE))])
    assert len(stored.manifest.noted) == MOST_NOTED


def file_item(name: str, data: bytes) -> BackupItem:
    return BackupItem(name, ItemKind.FILE, chunked(data, 7), len(data))


def zipped(name: str, content: bytes, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


HIDDEN = b"x" * 3000 + b" last card " + CARD.encode() + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(HIDDEN),
        gzip.compress(b"harmless") + gzip.compress(HIDDEN),
        zlib.compress(HIDDEN),
        bz2.compress(HIDDEN),
        lzma.compress(HIDDEN),
        zipped("a/config.txt", HIDDEN),
        zipped("a.txt", HIDDEN.decode().encode("utf-16-le")),
        zipped("4111111111111111.txt", b""),
        zipped("a.txt", b"", CARD.encode()),
        zipped("inner.gz", gzip.compress(HIDDEN)),
    ],
    ids=["gzip", "gzip twice", "zlib", "bzip2", "xz", "zip", "zip utf-16", "zip name", "zip comment", "zip in it gzip"],
)
async def test_what_is_packed_is_unpacked_and_searched(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ForbiddenContent) as refused:
        await write(tmp_path, [file_item("files/config", data)])
    assert "files/config" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"harmless"), zipped("a.txt", b"harmless"), zlib.compress(b"a" * 99)],
    ids=["gzip", "zip", "zlib"],
)
async def test_a_packed_file_without_card_data_is_stored_as_it_is(tmp_path: Path, data: bytes) -> None:
    stored = await write(tmp_path, [file_item("files/config", data)])
    assert stored.manifest.items[0].sha256 == hashlib.sha256(data).hexdigest()


def bomb() -> bytes:
    return gzip.compress(bytes(LARGEST_CONTENT_BYTES + 1))


@pytest.mark.parametrize(
    "make",
    [
        bomb,
        lambda: gzip.compress(HIDDEN)[:-20],
        lambda: gzip.compress(b"a") + b"something else",
        lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100),
        lambda: b"\x28\xb5\x2f\xfd" + bytes(100),
        lambda: b"age-encryption.org/v1\n",
        lambda: b"PK\x03\x04" + bytes(100),
        lambda: gzip.compress(gzip.compress(gzip.compress(HIDDEN))),
    ],
)
async def test_what_nobody_can_look_into_is_left_out_and_said(tmp_path: Path, make: Callable[[], bytes]) -> None:
    stored = await write(tmp_path, [file_item("files/config", make()), text_item("a.json", "{}")])
    assert [item.name for item in stored.manifest.items] == ["a.json"]
    ((name, reason),) = [(n.name, n.reason) for n in stored.manifest.not_read]
    assert name == "files/config"
    assert "packed" in reason


async def test_a_packed_file_too_large_to_wait_in_memory_is_not_even_read(tmp_path: Path) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b"\x1f\x8b\x08" + bytes(60)
        while True:
            read += 1
            yield bytes(1 << 20)

    item = BackupItem("files/big.gz", ItemKind.FILE, endless(), 1 << 40)
    stored = await write_backup(
        stream([item]),
        backup_id="V1-1",
        identity=IDENTITY,
        recipients=(),
        identity_key=VISIT.secret,
        folder=tmp_path,
        clock=FixedClock(NOW),
        disk=Roomy(),
    )
    assert read == 0
    assert "too large" in stored.manifest.not_read[0].reason


class Roomy(Disk):
    def free_bytes(self, folder: Path) -> int:
        return 1 << 50


async def test_the_terminals_own_serial_number_passes_in_its_fields(tmp_path: Path) -> None:
    text = f'{{"ro.serialno": "{CARD.replace(" ", "")}"}}'
    own = replace(IDENTITY, serial=CARD.replace(" ", ""))

    async def with_fields(fields: frozenset[str]) -> StoredBackup:
        return await write_backup(
            stream([replace(text_item("properties.json", text), serial_fields=fields)]),
            backup_id="V1-1",
            identity=own,
            recipients=(),
            identity_key=VISIT.secret,
            folder=tmp_path,
            clock=FixedClock(NOW),
        )

    assert (await with_fields(frozenset({"ro.serialno"}))).verified
    with pytest.raises(ForbiddenContent):
        await with_fields(frozenset({"ro.boot.serialno"}))


async def test_too_little_room_for_what_was_announced_is_told_with_the_numbers(tmp_path: Path) -> None:
    class Small(Disk):
        def free_bytes(self, folder: Path) -> int:
            return 100_000_000

    reached = False

    async def items() -> AsyncIterator[SnapshotPart]:
        nonlocal reached
        yield Announced(400_000_000)
        reached = True

    with pytest.raises(NotEnoughRoom) as refused:
        await write(tmp_path, items(), Small())
    assert not reached
    assert "434.0 MB needed, 100.0 MB free" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


async def test_a_card_number_as_a_name_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenContent) as refused:
        await write(tmp_path, [text_item("packages/4111111111111111/a.json", "{}")])
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/passwd", "a/../b", "a\\b", "c:x", "a\nb", "", "manifest.json", "a//b", "./a", "a/"]
)
async def test_names_from_the_terminal_stay_inside_the_archive(tmp_path: Path, name: str) -> None:
    with pytest.raises(BackupNotVerified):
        await write(tmp_path, [text_item(name, "{}")])
    assert list(tmp_path.iterdir()) == []


async def test_two_items_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupNotVerified):
        await write(tmp_path, [text_item("a.json", "{}"), text_item("a.json", "[]")])


@pytest.mark.parametrize("told", [len(APK) - 1, len(APK) + 1, 0])
async def test_an_item_that_is_not_as_long_as_it_said_is_refused(tmp_path: Path, told: int) -> None:
    with pytest.raises(BackupNotVerified):
        await write(tmp_path, [apk_item("packages/a/base.apk", APK, told=told)])
    assert list(tmp_path.iterdir()) == []


async def test_a_lost_link_leaves_nothing(tmp_path: Path) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield APK[:100_000]
        raise LinkLost(address="adb://x")

    with pytest.raises(LinkLost):
        await write(tmp_path, [BackupItem("packages/a/base.apk", ItemKind.APK, cut(), len(APK))])
    assert list(tmp_path.iterdir()) == []


async def test_cancelling_leaves_nothing_and_ends_the_worker(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        reached.set()
        yield b"x" * 100_000
        await asyncio.Event().wait()

    item = BackupItem("a.bin", ItemKind.APK, endless(), 1 << 20)
    task = asyncio.create_task(write(tmp_path, [item]))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_is_told_as_one_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        await write(tmp_path, [apk_item(f"packages/{n}/base.apk", APK) for n in range(30)], FullAfterBytes(150_000))
    assert list(tmp_path.iterdir()) == []


async def test_too_little_room_is_told_before_anything_is_read(tmp_path: Path) -> None:
    class Small(Disk):
        def free_bytes(self, folder: Path) -> int:
            return RESERVE_BYTES + len(APK) - 1

    reached = False

    async def never() -> AsyncIterator[bytes]:
        nonlocal reached
        reached = True
        yield APK

    with pytest.raises(DiskFull):
        await write(tmp_path, [BackupItem("a.apk", ItemKind.APK, never(), len(APK))], Small())
    assert not reached
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_may_not_be_written_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError):
        await write(tmp_path / "file", [text_item("a.json", "{}")])


async def test_what_an_earlier_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "V1-1.age.part").write_bytes(b"half of something")
    stored = await write(tmp_path, [text_item("a.json", "{}")])
    assert [p.name for p in tmp_path.iterdir()] == [stored.file]


async def test_a_disk_that_changes_what_was_written_is_noticed(tmp_path: Path) -> None:
    class Rotten(Disk):
        def fsync(self, fd: int, path: Path) -> None:
            super().fsync(fd, path)
            data = bytearray(path.read_bytes())
            data[-500] ^= 1
            path.write_bytes(data)

    with pytest.raises(BackupNotVerified):
        await write(tmp_path, [apk_item("a.apk", APK)], Rotten())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
async def stored(tmp_path: Path) -> tuple[Path, StoredBackup]:
    made = await write(tmp_path, [text_item("a.json", "{}"), apk_item("b.apk", APK)])
    return tmp_path / made.file, made


@pytest.mark.parametrize("cut", [1, 16, 70_000, 299_000])
async def test_a_backup_that_was_cut_off_does_not_verify(stored: tuple[Path, StoredBackup], cut: int) -> None:
    path, made = stored
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BackupNotVerified):
        await verify_backup(path, VISIT.secret, made.manifest)


async def test_a_backup_does_not_verify_with_another_key_or_manifest(stored: tuple[Path, StoredBackup]) -> None:
    path, made = stored
    with pytest.raises(BackupNotVerified):
        await verify_backup(path, new_identity().secret, made.manifest)
    with pytest.raises(BackupNotVerified):
        await verify_backup(path, "not a key", made.manifest)
    for other in (
        _changed(made, items=made.manifest.items[:1]),
        _changed(made, serial="ANOTHER"),
        _changed(made, items=(*made.manifest.items, made.manifest.items[0])),
    ):
        with pytest.raises(BackupNotVerified):
            await verify_backup(path, VISIT.secret, other.manifest)


def _changed(made: StoredBackup, **changes: object) -> StoredBackup:
    from dataclasses import replace

    return replace(made, manifest=replace(made.manifest, **changes))  # type: ignore[arg-type]


async def test_a_missing_backup_is_a_disk_error(tmp_path: Path, stored: tuple[Path, StoredBackup]) -> None:
    with pytest.raises(DiskError):
        await verify_backup(tmp_path / "gone.age", VISIT.secret, stored[1].manifest)


async def test_confirmed_counts_what_came_from_the_terminal(tmp_path: Path) -> None:
    counts: list[int] = []
    await write_backup(
        stream([text_item("a.json", "{}"), apk_item("b.apk", APK)]),
        backup_id="V1-1",
        identity=IDENTITY,
        recipients=(),
        identity_key=VISIT.secret,
        folder=tmp_path,
        clock=FixedClock(NOW),
        confirmed=counts.append,
    )
    assert counts == [2, 2 + len(APK)]


async def test_words_of_the_terminal_are_redacted_in_the_manifest(tmp_path: Path) -> None:
    made = await write(tmp_path, [NotRead("a.json", f"no room for {CARD}")])
    assert made.manifest.not_read[0].reason == "no room for 4111 11** **** 1111"


async def test_an_unsized_item_waits_in_memory_and_so_may_not_be_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("techtool.backups.archive.UNSIZED_LIMIT_BYTES", 10_000)
    item = BackupItem("a.json", ItemKind.PROPERTIES, chunked(b"x" * 10_001))
    with pytest.raises(BackupNotVerified):
        await write(tmp_path, [item])
