"""What a stick may cost: bytes, entries and memory do not depend on who made it.

No test here looks at a clock; a hang is found by the time limit of each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from techtool.bundles.find import locate
from techtool.bundles.medium import StickFolder
from techtool.errors import NoStick, Untrusted
from tests.unit.attacks.conftest import Told, Verify
from tests.unit.attacks.roots import rotate
from tests.unit.attacks.scene import NEW, SEEN, Scene
from tests.unit.attacks.sizes import many_parts, write_sparse_json
from tests.unit.bundles.office import ACME

pytestmark = pytest.mark.timeout(120)

MB = 1_000_000
LIMITS = {
    "timestamp": 16_385,
    "root": 512_001,
    "snapshot": 8_000_001,
    "targets": 8_000_001,
    ACME: 8_000_001,
}
"""Bytes of each file that are read at most, in one reading: one more than it may have."""


class Counted:
    """How many bytes are read of which file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes_read: dict[str, list[int]] = {}
        real = StickFolder.open

        def opened(folder: StickFolder, path: str) -> BinaryIO:
            readings = self.bytes_read.setdefault(path, [])
            readings.append(0)
            return cast("BinaryIO", CountedFile(real(folder, path), readings))

        monkeypatch.setattr(StickFolder, "open", opened)

    @property
    def total(self) -> int:
        return sum(map(sum, self.bytes_read.values()))


class CountedFile:
    def __init__(self, file: BinaryIO, readings: list[int]) -> None:
        self.file, self.readings, self.mine = file, readings, len(readings) - 1

    def __enter__(self) -> CountedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.readings[self.mine] += len(data)
        return data

    def seek(self, place: int) -> int:
        return self.file.seek(place)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


class TestBytes:
    def test_a_good_stick_is_read_about_twice(self, scene: Scene, verify: Verify, counted: Counted) -> None:
        """Once as a stranger's laptop would, once beside what this one knows; payloads once."""
        assert verify(NEW).exit == 0
        payloads = [count for path, count in counted.bytes_read.items() if path.endswith(".bin")]
        assert all(len(readings) == 1 for readings in payloads)
        assert max(map(len, counted.bytes_read.values())) <= 8

    @pytest.mark.parametrize("laptop", [NEW, SEEN])
    @pytest.mark.parametrize("role", sorted(LIMITS))
    def test_metadata_is_read_to_its_limit_and_no_further(
        self, scene: Scene, verify: Verify, counted: Counted, role: str, laptop: str
    ) -> None:
        totals = []
        for size in (100 * MB, 100_000 * MB):
            write_sparse_json(scene.role_file(role), size)
            counted.bytes_read.clear()
            assert verify(laptop).exit == 10
            (path,) = [path for path in counted.bytes_read if scene.role_file(role).name in path]
            assert max(counted.bytes_read[path]) <= LIMITS[role]
            totals.append(counted.total)
        assert totals[0] == totals[1], "a thousand times the size costs nothing more"
        assert totals[0] < 3 * LIMITS[role] + 100_000

    def test_a_description_is_read_to_its_signed_length(self, scene: Scene, verify: Verify, counted: Counted) -> None:
        signed = scene.description().stat().st_size
        with scene.description().open("ab") as file:
            file.truncate(1 << 36)
        assert verify(NEW).exit == 13
        (readings,) = [r for path, r in counted.bytes_read.items() if path.endswith("com.acme.pay-2.0.json")]
        assert readings == [signed + 1]

    def test_a_payload_is_read_to_its_signed_length(self, scene: Scene, verify: Verify, counted: Counted) -> None:
        signed = scene.payload().stat().st_size
        with scene.payload().open("ab") as file:
            file.truncate(1 << 36)
        assert verify(NEW).exit == 13
        (readings,) = [r for path, r in counted.bytes_read.items() if path.endswith("com.acme.pay-2.0.bin")]
        assert readings == [signed + 1]

    def test_a_description_that_is_said_to_be_huge_is_not_opened(
        self, scene: Scene, verify: Verify, counted: Counted
    ) -> None:
        path = "releases/acme/com.acme.pay-2.0.json"
        scene.resign(ACME, lambda signed: signed["targets"][path].update(length=10**15))
        assert verify(NEW).exit == 10
        assert not [name for name in counted.bytes_read if name.endswith("com.acme.pay-2.0.json")]

    def test_what_no_list_names_is_not_opened(self, scene: Scene, verify: Verify, counted: Counted) -> None:
        for name in ("targets/acme/other.bin", "metadata/99.vendor-acme.json", "notes.txt", "outbox/visit.age"):
            (scene.root / name).write_bytes(b"x")
        assert verify(NEW).exit == 0
        assert not {"targets/acme/other.bin", "metadata/99.vendor-acme.json", "notes.txt"} & set(counted.bytes_read)
        assert not [name for name in counted.bytes_read if name.startswith("outbox")]


class Endless:
    """A folder that has always one entry more."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self.entry, self.given = entry, 0

    def __enter__(self) -> Iterator[os.DirEntry[str]]:
        return iter(self)

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[os.DirEntry[str]]:
        while True:
            self.given += 1
            yield self.entry


def one_entry(folder: Path, name: str) -> os.DirEntry[str]:
    (found,) = [entry for entry in os.scandir(folder) if entry.name == name]
    return found


class TestEntries:
    def test_an_endless_folder_ends(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hidden names are counted like others, though they are not read."""
        (scene.metadata / ".hidden").touch()
        endless = Endless(one_entry(scene.metadata, ".hidden"))
        with monkeypatch.context() as patched:
            patched.setattr("os.scandir", lambda _path: endless)
            with pytest.raises(Untrusted, match="more files than a bundle has"):
                StickFolder(scene.root).survey()
        assert endless.given == 50_001

    def test_an_endless_drive_ends(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """The bundle's folder is looked for among so many entries."""
        (scene.stick / "photo.jpg").touch()
        endless = Endless(one_entry(scene.stick, "photo.jpg"))
        with monkeypatch.context() as patched:
            patched.setattr("os.scandir", lambda _path: endless)
            with pytest.raises(NoStick):
                locate(scene.stick)
        assert endless.given == 100_000

    def test_a_chain_longer_than_anybody_rotates_ends(self, scene: Scene) -> None:
        """Genuine by its signatures: root holders gone mad, or a way to keep laptops busy for ever."""
        for _ in range(257):
            rotate(scene)
        with pytest.raises(Untrusted, match="it carries root 258, but only root 257 can be reached"):
            scene.open(NEW)


def put(role: str, data: bytes) -> Callable[[Scene], object]:
    return lambda scene: scene.role_file(role).write_bytes(data)


def endless(role: str) -> Callable[[Scene], object]:
    return lambda scene: write_sparse_json(scene.role_file(role), 1 << 36)


HUNGRY: dict[str, Callable[[Scene], object]] = {
    **{f"endless {role}": endless(role) for role in LIMITS},
    **{f"many objects in {role}": put(role, many_parts(2_600_000)) for role in LIMITS},
    "a list just below the limit of parts": lambda scene: scene.put_list(ACME, many_parts(240_000)),
    "deep": put("timestamp", b"[" * 8_000_000),
    "one huge text": lambda scene: scene.put_list(ACME, b'"' + b"x" * 7_900_000 + b'"'),
    "a key twice, a huge one": lambda scene: scene.put_list(
        ACME, b'{"' + b"k" * 3_900_000 + b'":1,"' + b"k" * 3_900_000 + b'":1}'
    ),
    "a number of eight million digits": lambda scene: scene.put_list(ACME, b"9" * 7_900_000),
}


class TestMemory:
    @pytest.mark.parametrize("attack", HUNGRY.values(), ids=HUNGRY)
    def test_is_bounded(self, scene: Scene, verify: Verify, attack: Callable[[Scene], object]) -> None:
        attack(scene)
        tracemalloc.start()
        try:
            assert verify(NEW).exit == 10
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 60 * MB

    @pytest.mark.slow
    @pytest.mark.parametrize("attack", ["endless vendor-acme", "many objects in vendor-acme", "deep"])
    def test_of_the_whole_process(self, scene: Scene, attack: str) -> None:
        """Seen from outside, against the same command on a good stick."""
        resource = pytest.importorskip("resource")
        good = process_memory(scene)
        HUNGRY[attack](scene)
        assert process_memory(scene) < good + 64 * 1024, resource

    def test_a_large_payload_is_not_held(self, scene: Scene, verify: Verify) -> None:
        office = scene.office()
        office.add("com.acme.big", "1.0", content=bytes(48 * MB))
        big = office.stick("big")
        told, peak = traced(lambda: verify(NEW, big))
        assert told.exit == 0
        assert peak < 16 * MB


def traced(call: Callable[[], Told]) -> tuple[Told, int]:
    tracemalloc.start()
    try:
        return call(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def process_memory(scene: Scene) -> int:
    """Kilobytes that ``techtool bundle verify`` took at most, on another Python."""
    script = (
        "import resource, sys; from techtool.cli.main import run; run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    environment: dict[str, Any] = {**os.environ, "TECHTOOL_HOME": str(scene.laptop(NEW).home)}
    done = subprocess.run(
        [sys.executable, "-c", script, "bundle", "verify", str(scene.stick), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return int(done.stderr.splitlines()[-1])
