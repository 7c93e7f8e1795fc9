"""Debian trixie's own adbd: fetched through the machine's apt, kept apart from the machine's packages.

``python -m tests.peers.debian_adbd --fetch`` gets it once;
``python -m tests.peers.debian_adbd --run -- COMMAND…`` starts it in a private network and runs the command beside it,
with ``ADBD_ADDRESS`` set and nothing between the two.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.peers.tools import PeerMissing, checked, fetch_command, find, peers_dir

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class Daemon:
    """The unpacked daemon and the loader and libraries of its own Debian."""

    loader: Path
    libraries: Path
    program: Path

    @property
    def command(self) -> list[str]:
        """How it is started on a machine with another C library."""
        search = f"{self.libraries / 'android'}:{self.libraries}"
        return [str(self.loader), "--library-path", search, str(self.program)]


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the machine's apt sources."""

    uri: str
    suites: tuple[str, ...]


def _deb822(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = {key.strip().lower(): value.split() for key, _, value in (line.partition(":") for line in lines)}
        if "deb" in fields.get("types", []) and fields.get("uris") and fields.get("enabled") != ["no"]:
            yield Source(fields["uris"][0], tuple(fields.get("suites", ())))


def _one_line(text: str) -> Iterator[Source]:
    for match in re.finditer(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", text, re.MULTILINE):
        yield Source(match[1], (match[2],))


def mirror(etc: Path = Path("/etc")) -> str:
    """The Debian mirror this machine is configured for: the first source of the system's own suite."""
    sources: list[Source] = []
    for path in (etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*"))):
        if path.is_file() and path.suffix in {".list", ".sources"}:
            text = path.read_text("utf-8", "replace")
            sources += _deb822(text) if path.suffix == ".sources" else _one_line(text)
    release = (etc / "os-release").read_text("utf-8")
    codename = re.search(r"^VERSION_CODENAME=\"?(\w+)", release, re.MULTILINE)
    own = [s.uri for s in sources if codename and codename[1] in s.suites]
    if not own:
        raise PeerMissing("no apt source of this system's own suite was found: adbd comes from a Debian mirror")
    return own[0]


def fetch() -> Daemon:
    """The daemon, fetched and unpacked when it is not there yet; raises :class:`PeerMissing`."""
    folder = peers_dir() / "adbd"
    with FileLock(peers_dir() / "adbd.lock"):
        if not folder.is_dir():
            scratch = peers_dir() / "adbd.new"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            _unpack(_download(scratch), scratch)
            scratch.rename(folder)
    return _locate(folder)


def _download(scratch: Path) -> Iterable[Path]:
    """The packages of adbd and everything it needs, by apt with lists, cache and status of its own."""
    apt = find("apt-get")
    if not KEYRING.is_file():
        raise PeerMissing("Debian's archive keys are missing: apt-get install debian-archive-keyring")
    work = scratch / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n", "utf-8")
    settings = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
    checked([apt, *options, "-qq", "update"])
    checked([apt, *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install", "adbd"])
    return sorted((work / "cache/archives").glob("*.deb"))


def _unpack(archives: Iterable[Path], scratch: Path) -> None:
    for archive in archives:
        checked([find("dpkg-deb"), "-x", str(archive), str(scratch)])
    shutil.rmtree(scratch / "apt")
    _locate(scratch)


def _locate(folder: Path) -> Daemon:
    loaders = sorted((folder / "usr/lib").glob("*/ld-linux*.so.*"))
    program = folder / "usr/lib/android-sdk/platform-tools/adbd"
    if not loaders or not program.is_file():
        raise PeerMissing(f"{folder} holds no complete adbd: delete it and fetch again")
    return Daemon(loaders[0], loaders[0].parent, program)


def main(arguments: list[str]) -> int:
    """The two ways to use it from a shell."""
    if arguments[:2] != ["--run", "--"] or not arguments[2:]:
        return fetch_command(lambda: [fetch().program], "--fetch | --run -- COMMAND…")
    from tests.peers.terminal import run_beside_adbd

    try:
        return run_beside_adbd(arguments[2:])
    except PeerMissing as e:
        print(e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
