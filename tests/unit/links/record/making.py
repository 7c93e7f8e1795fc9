"""Recordings made of written-down answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from techtool.clock import FixedClock
from techtool.domain.terminal import Address
from techtool.links.record.recorder import Recorder
from techtool.links.record.replay import ReplayLink
from techtool.links.record.transcript import read_recording

KEY = bytes(range(32))
AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


def recorder(secret_words: Collection[str] = (), kept: Collection[str] = ()) -> Recorder:
    return Recorder(
        FixedClock(AT), secret_words=secret_words, kept=kept, secret_names=lambda name: name.endswith(".psk1"), key=KEY
    )


def replay(made: Recorder, folder: Path) -> ReplayLink:
    path = folder / "recording.jsonl"
    path.write_bytes(made.pack())
    return ReplayLink(Address("replay", str(path)), read_recording(path))
