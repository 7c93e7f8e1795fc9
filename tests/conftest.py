"""For every test: this computer's sleep is left alone, any disk counts as encrypted, and tests' keys open at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from techtool.visit import disk_protection, services
from techtool.visit.awake import not_kept
from tests.quick_keys import quick_keys


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
