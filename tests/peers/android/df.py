"""``df`` as toybox prints it, of the one file system that matters."""

from __future__ import annotations

import sys

from tests.peers.android.state import here


def main(arguments: list[str]) -> int:
    """Every path given lies on ``/data``; sizes in KiB, whatever the flags say."""
    android = here()
    total, used = android.capacity_bytes() // 1024, android.used_bytes() // 1024
    free = android.free_bytes() // 1024
    print(f"{'Filesystem':<14} {'1K-blocks':>9} {'Used':>9} {'Available':>9} Use% Mounted on")
    for _ in [path for path in arguments if not path.startswith("-")] or ["/data"]:
        share = -(-used * 100 // max(1, used + free))
        print(f"{'/dev/block/dm-8':<14} {total:>9} {used:>9} {free:>9} {share:>3}% /data")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
