"""``cmd``: asks a system service; here only the package service answers."""

from __future__ import annotations

import sys

from tests.peers.android import pm

NO_SUCH_SERVICE = 20


def main(arguments: list[str]) -> int:
    """``cmd package …``."""
    if arguments[:1] == ["-l"]:
        print("Currently running services:\n  package")
        return 0
    if not arguments:
        print("cmd: No service specified; use -l to list all running services. Exiting.", file=sys.stderr)
        return NO_SUCH_SERVICE
    if arguments[0] != "package":
        print(f"cmd: Can't find service: {arguments[0]}", file=sys.stderr)
        return NO_SUCH_SERVICE
    return pm.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
