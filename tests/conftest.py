"""For every test: this computer's sleep is left alone, and the keys that tests make open at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from techtool.visit import services
from techtool.visit.awake import not_kept
from tests.quick_keys import quick_keys


@pytest.fixture(autouse=True)
def _sleep_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "keep_awake", not_kept)


@pytest.fixture(autouse=True, scope="session")
def _keys_open_at_once() -> Iterator[None]:
    with quick_keys():
        yield
