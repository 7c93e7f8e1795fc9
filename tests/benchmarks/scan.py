"""How fast content is searched for card data, beside ``grep`` and SHA-256; how often harmless content is taken for it.

``python -m tests.benchmarks.scan [FILE…]``: without files, the APKs that public npm packages ship (as they are, and
unpacked), this computer's logs and package lists, a made terminal log, random bytes. A gzip of text is read unpacked.
CPU time, the best of three. It fails when programs, which are nearly all that is stored, are searched more slowly than
a terminal's link gives them; what is searched as text are properties and settings, a few kilobytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import random
import resource
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from techtool.domain.sensitive import OwnNumber, Profile, Scanner

LINK_MB_S = 20
CHUNK = 1 << 16
PROGRAMS = "APKs as they are"
MOST = 40_000_000
GREP = r"[0-9]([ -]?[0-9]){12,18}|;[0-9]{12,19}=|%[A-Z][0-9 ]{12,}\^"


def cpu(work: Callable[[], object]) -> float:
    """Best CPU seconds of three, those of children included."""

    def used() -> float:
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    taken = []
    for _ in range(3):
        start = used()
        work()
        taken.append(used() - start)
    return max(min(taken), 1e-4)


def scan(data: bytes, profile: Profile) -> Counter[str]:
    """Findings by kind."""
    scanner = Scanner(profile, OwnNumber())
    found: Counter[str] = Counter()
    for at in range(0, len(data), CHUNK):
        found.update(finding.kind.value for finding in scanner.feed(data[at : at + CHUNK]))
    found.update(finding.kind.value for finding in scanner.finish())
    return found


def terminal_log(size: int) -> bytes:
    """Like what Android terminals write: times, process numbers, versions, addresses, digests, tables."""
    draw = random.Random(1)
    lines: list[str] = []
    while len(lines) < size // 50:
        at = f"11-22 {draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}.{draw.randrange(1000):03}"
        head = f"{at} {draw.randrange(1, 32768):5} {draw.randrange(1, 32768):5} I "
        lines.append(
            head
            + draw.choice(
                [
                    f"ActivityManager: Start proc {draw.randrange(9999)}:com.acme.pay/u0a{draw.randrange(200)}",
                    f"PackageManager: versionCode={draw.randrange(1, 1 << 31)} sha256={draw.randbytes(32).hex()}",
                    f"procstats: {'  '.join(str(draw.randrange(10_000)) for _ in range(8))}",
                    f"GnssLocation: {draw.uniform(-90, 90):.15f},{draw.uniform(-180, 180):.15f}",
                    f"Kernel: trace 00 A4 04 00 07 {draw.randbytes(7).hex(' ').upper()} sw 9000",
                    f"Pay: TID {draw.randrange(10**8):08} MID 898{draw.randrange(10**12):012}",
                    f"Wifi: bssid {draw.randbytes(6).hex(':')} last {1_700_000_000_000 + draw.randrange(10**11)} ms",
                    "打印：商户存根，交易成功。",
                ]
            )
            + "\n"
        )
    return "".join(lines).encode()[:size]


def corpora() -> Iterator[tuple[str, Profile, bytes]]:
    """Name, how it is searched, content."""
    from tests.peers.npm_apks import fetch

    apks = list(fetch().values())
    yield PROGRAMS, Profile.BINARY, b"".join(path.read_bytes() for path in apks)
    members = bytearray()
    for path in apks:
        with zipfile.ZipFile(path) as archive:
            members += b"".join(archive.read(name) for name in archive.namelist())
    yield "APKs unpacked", Profile.BINARY, bytes(members[:MOST])
    yield "APKs unpacked, as files", Profile.TEXT, bytes(members[:MOST])
    yield "terminal's log (made)", Profile.TEXT, terminal_log(4_000_000)
    for name, folder in (("/var/log", "/var/log"), ("package lists", "/var/lib/dpkg"), ("documents", "/usr/share/doc")):
        content = b"".join(_texts(Path(folder)))[:MOST]
        if content:
            yield name, Profile.TEXT, content
    yield "random bytes", Profile.TEXT, random.Random(2).randbytes(8_000_000)


def _texts(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_symlink() or not path.is_file() or path.suffix in (".xz", ".db", ".png"):
                continue
            data = path.read_bytes()
            yield gzip.decompress(data) if path.suffix == ".gz" else data
        except (OSError, EOFError):
            continue


def rates(data: bytes, profile: Profile) -> tuple[float, float, float]:
    """MB/s of the scanner, of ``grep`` and of SHA-256."""
    size = len(data) / 1e6
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = ["grep", "-a", "-c", "-E", GREP, file.name]
        environment = {**os.environ, "LC_ALL": "C"}

        def grep() -> None:
            subprocess.run(command, capture_output=True, env=environment, check=False)

        theirs = size / cpu(grep)
    return size / cpu(lambda: scan(data, profile)), theirs, size / cpu(lambda: hashlib.sha256(data).digest())


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args().files
    chosen = ((str(path), Profile.TEXT, path.read_bytes()) for path in given) if given else corpora()
    slow = False
    print(f"{'':26} {'MB':>6} {'MB/s':>7} {'grep':>7} {'sha256':>7} {'hits/MB':>8}")
    for name, profile, data in chosen:
        size = len(data) / 1e6
        found = scan(data, profile)
        ours, grep, sha = rates(data, profile)
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
        total = sum(found.values()) / size
        print(f"{name:26} {size:6.1f} {ours:7.1f} {ours / grep:6.2f}x {ours / sha:6.2f}x {total:8.3f}  {kinds}")
        slow = slow or (ours < LINK_MB_S and name == PROGRAMS)
    print(f"ratios: our speed beside theirs; a link gives at most {LINK_MB_S} MB/s")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
