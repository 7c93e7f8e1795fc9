"""``python -m tests.make_recordings``: the recordings in ``tests/fixtures/recordings`` and what they tell, made again.

One of a simulated terminal, one of Debian's adbd behind the PayDroid proxy. Recordings of real terminals are put beside
them as they come in, with what ``techtool identify replay:FILE --json`` says of them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from techtool.catalogue.reader import load_catalogue
from techtool.cli.background import simulated
from techtool.cli.identify import state_json
from techtool.clock import SystemClock
from techtool.domain.terminal import Address
from techtool.links.open import link_for
from techtool.links.record.for_house import recorder_for
from techtool.paths import Paths
from techtool.settings import LinkSettings, Settings
from techtool.simulator.model import find_model
from techtool.simulator.run import TerminalSpec
from techtool.terminals.identify import identify
from tests.peers.pax_proxy import Hdsk, PayDroid, proxied
from tests.peers.pax_terminal import as_pax
from tests.peers.terminal import AdbdTerminal

FOLDER = Path(__file__).parent / "fixtures/recordings"
TOKEN = "not-PAX's-own-token"


async def record(name: str, address: str, home: Path) -> None:
    """One terminal, identified and read."""
    catalogue, settings = load_catalogue(), Settings(links=LinkSettings(pax={"handshake_token": TOKEN}))
    recorder = recorder_for(catalogue, settings, SystemClock())
    link = recorder.wrap(link_for(Address.parse(address), settings.links, Paths(home)))
    await link.open()
    state = await (await identify(link, catalogue)).read_state()
    await link.close()
    recorder.know(state.identity.serial, state.tid, state.mid)
    path = FOLDER / f"{name}.jsonl"
    path.unlink(missing_ok=True)
    recorder.write(path)
    expected = await facts(path)
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", "utf-8")


async def facts(path: Path) -> dict[str, object]:
    """What a recording tells, without the place where it lies."""
    link = link_for(Address("replay", str(path)), LinkSettings(), Paths(path.parent))
    await link.open()
    state = await (await identify(link, load_catalogue())).read_state()
    await link.close()
    return {**state_json(state), "address": ""}


async def record_adbd(home: Path, port: int) -> None:
    """Debian's adbd as a PayDroid terminal."""
    async with proxied(port, lambda: PayDroid(TOKEN.encode(), Hdsk.BEHIND_CNXN)) as proxy:
        await record("adbd-paydroid", f"adb://127.0.0.1:{proxy}", home)


def main() -> None:
    """Both."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        spec = TerminalSpec(find_model("practice"), 1)
        with simulated([spec], home / "sim", boot_s=0.1, faults=None) as terminals:
            asyncio.run(record("simulator-practice", terminals.addresses[0], home))
        (home / "adbd").mkdir()
        terminal = AdbdTerminal(home / "adbd")
        terminal.start()
        asyncio.run(record_adbd(home, as_pax(terminal).port))
        terminal.stop()


if __name__ == "__main__":
    main()
