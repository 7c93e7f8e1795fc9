"""``reboot``: the daemon goes at once and comes back a little later; installed packages stay, open sessions go."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.peers.android.state import here


def main() -> int:
    """End the daemon; its supervisor starts it again."""
    android = here()
    with android.changing():
        android.remove_sessions(*android.sessions())
    os.kill(int(Path("/run/adbd.pid").read_text("ascii")), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
