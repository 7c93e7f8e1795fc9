"""For every test: this computer's sleep is left alone, and its disk counts as encrypted, whatever it is."""

from __future__ import annotations

import pytest

from techtool.visit import disk_protection, services
from techtool.visit.awake import not_kept


@pytest.fixture(autouse=True)
def _sleep_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_awake", not_kept)


@pytest.fixture(autouse=True)
def _any_disk_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_protection, "disk_encrypted", lambda _folder: True)
