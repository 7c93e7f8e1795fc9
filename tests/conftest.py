"""For every test: this computer's sleep is left alone, any disk counts as encrypted, and tests' keys open at once."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from techtool.visit import disk_protection, services
from techtool.visit.awake import not_kept
from tests.quick_keys import quick_keys

_MEMORY = Path("/dev/shm")
_MEMORY_FREE_BYTES = 4 << 30
"""A whole run leaves half a gigabyte behind; it shall not crowd out the programs of a small laptop."""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders lie in memory where there is plenty: thousands of small homes and sticks are made and removed.

    No test tells it from a disk: power cuts and full disks are those of techtool's own disk layer.
    """
    chosen = {"TMPDIR", "TEMP", "TMP", "PYTEST_DEBUG_TEMPROOT"} & set(os.environ)
    if not chosen and config.option.basetemp is None and _memory_serves():
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(_MEMORY)


def _memory_serves() -> bool:
    """Whether it is there, programs may run from it (tests write some), and there is room."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)):
        return False
    runs = not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
    return runs and shutil.disk_usage(_MEMORY).free >= _MEMORY_FREE_BYTES


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end: the collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _sleep_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_awake", not_kept)


@pytest.fixture(autouse=True)
def _any_disk_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_protection, "disk_encrypted", lambda _folder: True)


@pytest.fixture(autouse=True, scope="session")
def _keys_open_at_once() -> Iterator[None]:
    with quick_keys():
        yield
