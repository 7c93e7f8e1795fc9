"""``getprop``: every property, or one."""

from __future__ import annotations

import sys

from tests.peers.android.state import here


def main(arguments: list[str]) -> int:
    """``getprop`` or ``getprop NAME [DEFAULT]``; a property that is not set is an empty line."""
    properties = here().properties()
    if arguments:
        print(properties.get(arguments[0]) or (arguments[1] if arguments[1:] else ""))
        return 0
    for name, value in sorted(properties.items()):
        print(f"[{name}]: [{value}]")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
