"""Items and an identity for the backup tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from techtool.domain.backup import BackupItem, ItemKind, SnapshotPart
from techtool.domain.terminal import Evidence, Identity

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)

IDENTITY = Identity(
    address="adb://127.0.0.1:5555",
    vendor="sunmi",
    vendor_name="SUNMI",
    model="P2",
    model_name="SUNMI P2",
    family="android",
    hw_revision="B",
    serial="P2SIM23A1001",
    serial_source="ro.sunmi.serial",
    serial_trusted=True,
    os_version="11",
    firmware="P2_SIM_3.0.20",
    abis=("arm64-v8a",),
    sdk=30,
    evidence=Evidence.DOCUMENTED,
    source="test",
)


async def chunked(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def text_item(name: str, text: str, *, told: int | None = None) -> BackupItem:
    return BackupItem(name, ItemKind.PROPERTIES, chunked(text.encode()), told)


def apk_item(name: str, data: bytes, *, told: int | None = None) -> BackupItem:
    return BackupItem(name, ItemKind.APK, chunked(data, 65536), len(data) if told is None else told)


async def stream(items: Iterable[SnapshotPart]) -> AsyncIterator[SnapshotPart]:
    for item in items:
        yield item
