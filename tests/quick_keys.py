"""Report keys that open at once: the real ones cost a quarter of a second of work each time, on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import techtool.reports.keys as keys

REAL_ROUNDS = keys._ROUNDS
"""What a key made by the product has; ``tests/unit/reports/test_keys.py`` looks at one."""


@contextmanager
def quick_keys() -> Iterator[None]:
    """Keys made meanwhile, in this process, are encrypted in one round; opening any key is the product's own way."""
    with patch.object(keys, "_ROUNDS", 1):
        yield
