"""For every test: this computer's sleep is left alone."""

from __future__ import annotations

import pytest

from techtool.visit import services
from techtool.visit.awake import not_kept


@pytest.fixture(autouse=True)
def _sleep_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_awake", not_kept)
