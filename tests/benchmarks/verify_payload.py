"""How fast a payload on the stick is proven, beside ``openssl dgst``; and how long a full stick takes to open.

``python -m tests.benchmarks.verify_payload [--folder DIR] [--mib N] [--releases N]`` prints medians and ratios.
Nothing is asserted: a disk's speed is not ours, the ratio to openssl in the same run has a budget (0.9).
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median

from tuf.ngclient import Updater

from techtool.bundles.description import Description, FileEntry, ProvidesEntry, encode_release, to_release
from techtool.bundles.medium import StickFolder, place_of
from techtool.bundles.metadata import StickSource, _Fetcher
from techtool.bundles.payload import Payload, check, fetch
from techtool.bundles.publish.roles import file_entry
from techtool.bundles.publish.workspace import Workspace
from techtool.bundles.roots import pin_root
from techtool.bundles.trust import open_stick
from techtool.clock import SystemClock
from techtool.domain.release import ReleaseKind
from techtool.paths import Disk, Paths

ROUNDS = 5


class NoSync(Disk):
    """For making the stick, which is not measured."""

    def fsync(self, fd: int, path: Path) -> None:
        """Nothing."""

    def fsync_folder(self, folder: Path) -> None:
        """Nothing."""


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def hashing(folder: Path, mib: int) -> None:
    """One payload, by us and by openssl, interleaved so that both see the same machine."""
    content = os.urandom(1 << 20)
    path = folder / "payload"
    digest = sha256()
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(content)
            digest.update(content)
    payload = Payload("acme/x/payload.bin", mib << 20, digest.hexdigest())
    place = folder / "stick" / payload.place
    place.parent.mkdir(parents=True)
    path.rename(place)
    stick = StickFolder(folder / "stick")
    into = folder / "laptop"

    def openssl() -> None:
        subprocess.run(["openssl", "dgst", "-sha256", str(place)], check=True, capture_output=True)

    def copied() -> None:
        fetch(stick, payload, into).unlink()

    for warm in (openssl, lambda: check(stick, payload)):
        warm()
    theirs, ours, copies = [], [], []
    for _ in range(ROUNDS):
        theirs.append(timed(openssl, 1))
        ours.append(timed(lambda: check(stick, payload), 1))
        copies.append(timed(copied, 1))
    print(f"payload of {mib} MiB, medians of {ROUNDS}; ratio: speed beside openssl's")
    for name, taken in (
        ("openssl dgst -sha256", theirs),
        ("techtool in place", ours),
        ("techtool copy, fsync", copies),
    ):
        seconds = median(taken)
        print(f"  {name:22} {seconds:6.3f} s {mib / seconds:6.0f} MiB/s  ratio {median(theirs) / seconds:.2f}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def described(number: int, file: FileEntry) -> bytes:
    """One release description of a usual size."""
    provides = (ProvidesEntry("sunmi", "P2"), ProvidesEntry("pax", "A920", ("B", "C")))
    wire = Description(
        id=f"com.acme.app{number}",
        version="1.0",
        version_format="dotted",
        kind=ReleaseKind.PARAMETERS,
        files=(file,),
        provides=provides,
        text={"en": "New", "zh": "新"},
    )
    return encode_release(to_release(wire))


def opening(folder: Path, count: int) -> None:
    """A stick with many releases, opened for the first time and again."""
    clock, disk = SystemClock(), NoSync()
    workspace = Workspace.create(folder / "bundle", ["acme"], clock, disk=disk)
    entries = {}
    for number in range(count):
        data = number.to_bytes(8, "big")
        target = f"acme/app{number}/app{number}-1.0.bin"
        description = described(number, FileEntry("data", target, len(data), sha256(data).hexdigest()))
        path = f"releases/acme/com.acme.app{number}-1.0.json"
        for name, body in ((target, data), (path, description)):
            digest = sha256(body).hexdigest()
            place = workspace.folder / place_of(name, digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
            entries[name] = file_entry(name, len(body), digest)
    workspace.replace_list("vendor-acme", entries, clock.now())
    workspace.sign(clock)
    workspace.write(folder / "stick", clock)
    paths = Paths(folder / "home")
    pin_root(paths, workspace.root_data())
    start = time.perf_counter()
    opened = open_stick(folder / "stick", paths, clock)
    first = time.perf_counter() - start
    again = timed(lambda: open_stick(folder / "stick", paths, clock), 3)
    bare = timed(lambda: bare_tuf(folder / "stick" / "TECHTOOL", workspace.root_data(), list(entries)), 3)
    print(f"stick with {len(opened.releases)} releases: first opening {first:.2f} s, again {again:.2f} s")
    print(f"  python-tuf alone (refresh, look up every path): {bare:.2f} s; ratio {again / bare:.2f}")
    environment = {**os.environ, "TECHTOOL_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "techtool", "bundle", "inspect", str(folder / "stick"), "--json"]
    whole = timed(lambda: subprocess.run(command, check=True, capture_output=True, env=environment), 3)
    print(f"  techtool bundle inspect --json, the whole process: {whole:.2f} s (budget 2)")


def bare_tuf(root: Path, anchor: bytes, names: list[str]) -> None:
    """The same metadata through python-tuf with nothing around it."""
    with tempfile.TemporaryDirectory() as cache:
        fetcher = _Fetcher(StickSource(StickFolder(root)))
        updater = Updater(cache, "metadata/", fetcher=fetcher, bootstrap=anchor)
        updater.refresh()
        for name in names:
            updater.get_targetinfo(name)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--releases", type=int, default=5000)
    arguments = parser.parse_args()
    for work, size in ((hashing, arguments.mib), (opening, arguments.releases)):
        if size:
            with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                work(Path(folder), size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
