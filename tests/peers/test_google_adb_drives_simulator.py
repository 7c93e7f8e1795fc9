"""Google's adb, which nobody here wrote, must be able to drive the simulated terminals: versions 36 and 29.

Each adb has a server of its own on a private port with a private home; it is ended by its own kill-server.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from techtool.simulator.apk import read_apk
from techtool.simulator.faults import Faults, FaultScript, FullStorage, InstallRefusal
from techtool.simulator.model import OLD_DAEMON, find_model
from techtool.simulator.run import Simulation, TerminalSpec, specs_for
from tests.peers.tools import debian_adb, missing, need, wheel_adb
from tests.unit.simulator.apk_maker import make_apk, signer

pytestmark = [pytest.mark.peers, pytest.mark.timeout(120)]

FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
PACKAGE = "org.example.probe"
OTHER = "org.example.other"


@dataclass(frozen=True)
class Adb:
    """One adb program with its private server."""

    program: str
    port: int
    folder: Path

    def __call__(self, *arguments: str, timeout_s: float = 30) -> subprocess.CompletedProcess[bytes]:
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("ADB", "ANDROID"))}
        environment = keep | {"HOME": str(self.folder), "TMPDIR": str(self.folder), "ADB_MDNS": "0", "ADB_LIBUSB": "0"}
        argv = [self.program, "-P", str(self.port), *arguments]
        return subprocess.run(argv, capture_output=True, timeout=timeout_s, check=False, env=environment)

    def on(self, serial: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return self("-s", serial, *arguments)

    @property
    def version(self) -> int:
        match = re.search(rb"^Version (\d+)\.", self("version").stdout, re.MULTILINE)
        assert match
        return int(match[1])


@contextmanager
def private_adb(program: str, folder: Path) -> Iterator[Adb]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    adb = Adb(program, port, folder)
    try:
        yield adb
    finally:
        adb("kill-server")


@pytest.fixture(scope="module")
def adb36(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    """The adb inside the adbutils wheel, not the one on PATH (which ``adbutils.adb_path`` prefers)."""
    with private_adb(wheel_adb(), tmp_path_factory.mktemp("adb36")) as adb:
        assert adb.version >= 36
        yield adb


@pytest.fixture(scope="module")
def adb29(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    """The system's adb (Debian bookworm: 29)."""
    with private_adb(debian_adb(), tmp_path_factory.mktemp("adb29")) as adb:
        yield adb


class Running:
    """A simulation in a thread of its own, so that the test may wait for programs."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._started.wait(20)
        assert self._trouble is None
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self.simulation:
                self._started.set()
                await self._stop.wait()
        except BaseException as error:
            self._trouble = error
            self._started.set()
            raise

    def serial(self, position: int = 1) -> str:
        """As adb names it: HOST:PORT."""
        return self.simulation.addresses[position - 1].removeprefix("adb://")


def connect(adb: Adb, serial: str) -> None:
    """Connect, as soon as the terminal answers; adb calls it a failure when a key has to be accepted first."""
    deadline = time.monotonic() + 20
    while not (said := adb("connect", serial)).stdout.startswith((b"connected to", b"failed to authenticate")):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


@contextmanager
def connected(adb: Adb, simulation: Simulation) -> Iterator[Running]:
    """Every terminal of the simulation, connected; disconnected at the end."""
    with Running(simulation) as running:
        serials = [address.removeprefix("adb://") for address in simulation.addresses]
        for serial in serials:
            connect(adb, serial)
            assert adb.on(serial, "wait-for-device").returncode == 0
        try:
            yield running
        finally:
            for serial in serials:
                adb("disconnect", serial)


def one(faults: Faults | None = None, model: str = "sunmi-p2") -> Simulation:
    return Simulation(specs_for(model), faults=FaultScript(terminal=(faults,)) if faults else None, boot_s=0.3)


@dataclass(frozen=True)
class Apks:
    """Packages made and signed by Android's own tools."""

    first: Path
    second: Path
    foreign: Path
    other: Path
    """Of another package."""


@pytest.fixture(scope="session")
def apks(tmp_path_factory: pytest.TempPathFactory) -> Apks:
    folder = tmp_path_factory.mktemp("apks")
    return Apks(
        first=build_apk(folder, 1, "1.0", "acme"),
        second=build_apk(folder, 2, "2.0", "acme"),
        foreign=build_apk(folder, 3, "3.0", "mallory"),
        other=build_apk(folder, 7, "7.0", "acme", OTHER),
    )


def build_apk(folder: Path, code: int, name: str, key: str, package: str = PACKAGE) -> Path:
    if not FRAMEWORK.is_file():
        missing("Android's framework resources are missing: apt-get install android-framework-res")
    manifest = folder / "AndroidManifest.xml"
    manifest.write_text(
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android"'
        f' package="{package}" android:versionCode="{code}" android:versionName="{name}">'
        '<uses-sdk android:minSdkVersion="24" android:targetSdkVersion="29"/>'
        '<application android:hasCode="false"/></manifest>'
    )
    plain, aligned, signed = (folder / f"{key}-{code}.{kind}" for kind in ("plain", "aligned", "apk"))
    keystore = folder / f"{key}.p12"
    if not keystore.exists():
        make_key = ["-genkeypair", "-keystore", str(keystore), "-storetype", "PKCS12", "-storepass", "secret"]
        tool(need("keytool"), *make_key, "-alias", "a", "-keyalg", "RSA", "-keysize", "2048", "-dname", f"CN={key}")
    tool(need("aapt"), "package", "-f", "-M", str(manifest), "-I", str(FRAMEWORK), "-F", str(plain))
    tool(need("zipalign"), "-f", "4", str(plain), str(aligned))
    tool(need("apksigner"), "sign", "--ks", str(keystore), "--ks-pass", "pass:secret", "--ks-key-alias", "a",
         "--out", str(signed), str(aligned))  # fmt: skip
    return signed


def tool(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return done.stdout


def installed(adb: Adb, serial: str, package: str = PACKAGE) -> str:
    return adb.on(serial, "shell", f"pm list packages --show-versioncode {package}").stdout.decode().strip()


# --- adb 36 ----------------------------------------------------------------------------------------------------------


def test_connect_and_properties_of_three_models(adb36: Adb) -> None:
    with connected(adb36, Simulation(specs_for(count=3))) as running:
        models = [adb36.on(running.serial(i), "shell", "getprop", "ro.product.model").stdout for i in (1, 2, 3)]
        assert models == [b"P2\n", b"Saturn1000F2\n", b"T650p\n"]
        lines = adb36("devices", "-l").stdout.decode().splitlines()
        assert any(re.search(r"device product:t650p model:T650p device:T650p", line) for line in lines)
        assert adb36.on(running.serial(), "features").stdout.split() == [
            b"shell_v2", b"cmd", b"stat_v2", b"ls_v2", b"fixed_push_mkdir",
        ]  # fmt: skip


def test_exit_codes_and_separate_stderr(adb36: Adb) -> None:
    with connected(adb36, one()) as running:
        said = adb36.on(running.serial(), "shell", "echo good; cat /nope; exit 3")
        assert (said.returncode, said.stdout) == (3, b"good\n")
        assert said.stderr == b"cat: /nope: No such file or directory\n"
        assert adb36.on(running.serial(), "shell", "nonsense").returncode == 127
        said = adb36.on(running.serial(), "exec-out", "cat /proc/uptime")
        assert re.fullmatch(rb"\d+\.\d\d \d+\.\d\d\n", said.stdout)


def test_push_and_pull_are_byte_identical(adb36: Adb, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(5_000_000)
    (tmp_path / "out.bin").write_bytes(data)
    os.utime(tmp_path / "out.bin", (1_700_000_000, 1_700_000_000))
    with connected(adb36, one()) as running:
        place = "/data/local/tmp/new folder/out.bin"
        assert adb36.on(running.serial(), "push", str(tmp_path / "out.bin"), place).returncode == 0
        digest = hashlib.sha256(data).hexdigest()
        assert adb36.on(running.serial(), "shell", f"sha256sum '{place}'").stdout.split()[0].decode() == digest
        assert adb36.on(running.serial(), "shell", f"stat -c %Y '{place}'").stdout == b"1700000000\n"
        assert adb36.on(running.serial(), "pull", "-a", place, str(tmp_path / "in.bin")).returncode == 0
        assert (tmp_path / "in.bin").read_bytes() == data
        assert b"out.bin" in adb36.on(running.serial(), "ls", "/data/local/tmp/new folder").stdout


def test_a_whole_folder_goes_there_and_back(adb36: Adb, tmp_path: Path) -> None:
    names = ["a.txt", "deep/er/b.txt", "文件 1.txt"]
    for name in names:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    with connected(adb36, one()) as running:
        assert adb36.on(running.serial(), "push", str(tmp_path / "tree"), "/sdcard/").returncode == 0
        assert adb36.on(running.serial(), "pull", "/sdcard/tree", str(tmp_path / "back")).returncode == 0
    assert {str(p.relative_to(tmp_path / "back")) for p in (tmp_path / "back").rglob("*") if p.is_file()} == set(names)
    assert all((tmp_path / "back" / name).read_text() == name for name in names)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/system/x", b"Read-only file system"),
        ("/data/x", b"Permission denied"),
        ("/sdcard/../../../etc/x", b"Permission"),
    ],
)
def test_push_to_a_forbidden_place_is_refused_with_words(adb36: Adb, tmp_path: Path, place: str, reason: bytes) -> None:
    (tmp_path / "x").write_bytes(b"x" * 300_000)
    with connected(adb36, one()) as running:
        said = adb36.on(running.serial(), "push", str(tmp_path / "x"), place)
        assert said.returncode == 1
        assert b"couldn't create file: " + reason in said.stderr
        assert adb36.on(running.serial(), "pull", "/sdcard/nope", str(tmp_path / "y")).returncode == 1


def test_push_onto_a_full_storage(adb36: Adb, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 300_000)
    with connected(adb36, one(Faults(storage=FullStorage(100_000)))) as running:
        said = adb36.on(running.serial(), "push", str(tmp_path / "x"), "/sdcard/x")
        assert said.returncode == 1
        assert b"No space left on device" in said.stderr


@pytest.mark.parametrize("how", ["--streaming", "--no-streaming"])
def test_install_update_and_what_android_refuses(adb36: Adb, apks: Apks, tmp_path: Path, how: str) -> None:
    garbage = tmp_path / "garbage.apk"
    garbage.write_bytes(b"garbage" * 10_000)
    with connected(adb36, one()) as running:
        serial = running.serial()
        said = adb36.on(serial, "install", how, str(apks.first))
        assert (said.returncode, said.stdout.splitlines()[-1]) == (0, b"Success"), said
        assert installed(adb36, serial) == f"package:{PACKAGE} versionCode:1"
        assert adb36.on(serial, "install", how, "-r", str(apks.second)).returncode == 0
        assert installed(adb36, serial) == f"package:{PACKAGE} versionCode:2"
        for apk, word in (
            (garbage, b"Failure [INSTALL_PARSE_FAILED_NOT_APK: "),
            (
                apks.first,
                b"Failure [INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected: Update version code 1 is older",
            ),
            (apks.foreign, b"Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: "),
        ):
            said = adb36.on(serial, "install", how, str(apk))
            assert said.returncode == 1
            assert word in said.stderr + said.stdout
        assert installed(adb36, serial) == f"package:{PACKAGE} versionCode:2"
        place = adb36.on(serial, "shell", f"pm path {PACKAGE}").stdout.decode().strip().removeprefix("package:")
        assert adb36.on(serial, "pull", place, str(tmp_path / "back.apk")).returncode == 0
        assert (tmp_path / "back.apk").read_bytes() == apks.second.read_bytes()
        assert b"versionName=2.0\n" in adb36.on(serial, "shell", f"dumpsys package {PACKAGE}").stdout
        assert adb36.on(serial, "uninstall", PACKAGE).returncode == 0
        assert adb36.on(serial, "uninstall", PACKAGE).returncode == 1


def test_scripted_refusal_and_full_storage_reach_adb_as_words(adb36: Adb, apks: Apks) -> None:
    refusal = Faults(
        positions=(1,), install=InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "Install canceled by user")
    )
    script = FaultScript(terminal=(refusal, Faults(storage=FullStorage())))
    with connected(adb36, Simulation(specs_for(count=2), faults=script)) as running:
        said = adb36.on(running.serial(1), "install", str(apks.first))
        assert said.returncode == 1
        assert b"Failure [INSTALL_FAILED_USER_RESTRICTED: Install canceled by user]" in said.stderr
        said = adb36.on(running.serial(2), "install", str(apks.first))
        assert said.returncode == 1
        assert b"Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE: " in said.stderr


def test_install_session_by_hand(adb36: Adb, apks: Apks) -> None:
    data = apks.first.read_bytes()
    with connected(adb36, one()) as running:
        said = adb36.on(running.serial(), "shell", f"cmd package install-create -r -S {len(data)}").stdout.decode()
        session = said.removeprefix("Success: created install session [").rstrip("]\n")
        assert adb36.on(running.serial(), "push", str(apks.first), "/data/local/tmp/a.apk").returncode == 0
        write = f"cmd package install-write {session} base.apk /data/local/tmp/a.apk"
        assert adb36.on(running.serial(), "shell", write).stdout == f"Success: streamed {len(data)} bytes\n".encode()
        assert adb36.on(running.serial(), "shell", f"cmd package install-commit {session}").stdout == b"Success\n"
        assert installed(adb36, running.serial()) == f"package:{PACKAGE} versionCode:1"


@pytest.mark.parametrize("model", ["castles-saturn1000f2", "sunmi-p2", "verifone-t650p"])
def test_two_packages_at_once(adb36: Adb, apks: Apks, model: str) -> None:
    with connected(adb36, one(model=model)) as running:
        serial = running.serial()
        said = adb36.on(serial, "install-multi-package", "-r", str(apks.first), str(apks.other))
        assert (said.returncode, said.stdout.splitlines()[-1]) == (0, b"Success"), said
        assert said.stdout.count(b"Created child session ID") == 2
        assert installed(adb36, serial) == f"package:{PACKAGE} versionCode:1"
        assert installed(adb36, serial, OTHER) == f"package:{OTHER} versionCode:7"
        assert running.simulation.terminals[0].device.store.state.sessions == {}


@pytest.mark.parametrize("place", ["first", "last"])
def test_one_corrupt_package_and_neither_is_installed(adb36: Adb, apks: Apks, tmp_path: Path, place: str) -> None:
    corrupt = tmp_path / "corrupt.apk"
    corrupt.write_bytes(apks.other.read_bytes()[:-100])
    order = (corrupt, apks.second) if place == "first" else (apks.second, corrupt)
    with connected(adb36, one()) as running:
        serial = running.serial()
        assert adb36.on(serial, "install", str(apks.first)).returncode == 0
        said = adb36.on(serial, "install-multi-package", "-r", *map(str, order))
        assert said.returncode == 1
        assert b"Failure [INSTALL_PARSE_FAILED_NOT_APK: " in said.stderr
        assert installed(adb36, serial) == f"package:{PACKAGE} versionCode:1"
        assert installed(adb36, serial, OTHER) == ""
        assert running.simulation.terminals[0].device.store.state.sessions == {}


def test_the_script_refuses_the_second_of_two(adb36: Adb, apks: Apks) -> None:
    refusal = Faults(install=InstallRefusal("INSTALL_FAILED_USER_RESTRICTED", "no", nth=2))
    with connected(adb36, one(refusal)) as running:
        said = adb36.on(running.serial(), "install-multi-package", str(apks.first), str(apks.other))
        assert said.returncode == 1
        assert b"Failure [INSTALL_FAILED_USER_RESTRICTED: no]" in said.stderr
        assert installed(adb36, running.serial()) == installed(adb36, running.serial(), OTHER) == ""


def test_android_9_installs_no_two_at_once(adb36: Adb, apks: Apks) -> None:
    with connected(adb36, one(model="unlisted")) as running:
        said = adb36.on(running.serial(), "install-multi-package", str(apks.first), str(apks.other))
        assert said.returncode == 1
        assert b"failed to create multi-package session" in said.stderr
        assert installed(adb36, running.serial()) == ""


def test_reboot_and_back(adb36: Adb) -> None:
    with connected(adb36, one()) as running:
        serial = running.serial()
        count = ("shell", "getprop", "ro.boot.bootcount")
        assert adb36.on(serial, *count).stdout == b"1\n"
        assert adb36.on(serial, "reboot").returncode == 0
        assert adb36.on(serial, "wait-for-disconnect").returncode == 0
        adb36("disconnect", serial)
        connect(adb36, serial)
        assert adb36.on(serial, "wait-for-device").returncode == 0
        assert adb36.on(serial, *count).stdout == b"2\n"


def test_an_old_daemon_is_driven_too(adb36: Adb, tmp_path: Path) -> None:
    data = random.Random(2).randbytes(300_000)
    (tmp_path / "x").write_bytes(data)
    spec = TerminalSpec(replace(find_model("sunmi-p2"), daemon=OLD_DAEMON), 1)
    with connected(adb36, Simulation([spec])) as running:
        said = adb36.on(running.serial(), "shell", "getprop ro.product.model; exit 3")
        assert (said.returncode, said.stdout) == (0, b"P2\r\n")
        assert adb36.on(running.serial(), "push", str(tmp_path / "x"), "/sdcard/x").returncode == 0
        assert adb36.on(running.serial(), "pull", "/sdcard/x", str(tmp_path / "y")).returncode == 0
        assert (tmp_path / "y").read_bytes() == data


def test_a_terminal_that_asks_for_a_key_gets_adbs(adb36: Adb) -> None:
    from techtool.simulator.auth import AuthPolicy

    with connected(adb36, Simulation(specs_for(), auth=AuthPolicy.ACCEPT)) as running:
        assert adb36.on(running.serial(), "shell", "echo in").stdout == b"in\n"
        assert len(running.simulation.terminals[0].device.store.state.adb_keys) == 1
        # Known now: the signature alone opens it.
        assert adb36("disconnect", running.serial()).returncode == 0
        assert adb36("connect", running.serial()).stdout.startswith(b"connected to")
        assert adb36.on(running.serial(), "wait-for-device").returncode == 0
        assert adb36.on(running.serial(), "shell", "echo again").stdout == b"again\n"
        assert len(running.simulation.terminals[0].device.store.state.adb_keys) == 1


# --- adb 29 ----------------------------------------------------------------------------------------------------------


def test_debians_adb(adb29: Adb, apks: Apks, tmp_path: Path) -> None:
    data = random.Random(3).randbytes(1_000_000)
    (tmp_path / "x").write_bytes(data)
    with connected(adb29, one()) as running:
        said = adb29.on(running.serial(), "shell", "getprop ro.product.model; exit 4")
        assert (said.returncode, said.stdout) == (4, b"P2\n")
        assert adb29.on(running.serial(), "push", str(tmp_path / "x"), "/sdcard/x").returncode == 0
        assert adb29.on(running.serial(), "pull", "/sdcard/x", str(tmp_path / "y")).returncode == 0
        assert (tmp_path / "y").read_bytes() == data
        assert adb29.on(running.serial(), "install", str(apks.first)).returncode == 0
        assert installed(adb29, running.serial()) == f"package:{PACKAGE} versionCode:1"
        said = adb29.on(running.serial(), "install-multi-package", str(apks.second), str(apks.other))
        assert said.returncode == 0, said
        assert installed(adb29, running.serial(), OTHER) == f"package:{OTHER} versionCode:7"


# --- the judge inside the terminal, and the tests' own APK maker -----------------------------------------------------


def test_what_the_simulator_reads_of_an_apk_is_what_androids_tools_read(apks: Apks) -> None:
    told = tool(need("apksigner"), "verify", "--print-certs", "--verbose", str(apks.second))
    badging = tool(need("aapt"), "dump", "badging", str(apks.second))
    apk = read_apk(apks.second)
    assert f"certificate SHA-256 digest: {apk.facts.signer}" in told
    assert "(APK Signature Scheme v3): true" in told
    assert apk.signing_version == 3
    assert f"name='{apk.facts.id}' versionCode='{apk.facts.version_code}' versionName='{apk.facts.version}'" in badging
    assert f"sdkVersion:'{apk.facts.min_sdk}'" in badging


@pytest.mark.parametrize(("schemes", "version"), [("100", 1), ("010", 2), ("001", 3), ("110", 2)])
def test_each_signature_scheme_gives_the_same_signer(apks: Apks, tmp_path: Path, schemes: str, version: int) -> None:
    signed = tmp_path / "signed.apk"
    flags = [f"--v{n}-signing-enabled={'true' if on == '1' else 'false'}" for n, on in zip("123", schemes, strict=True)]
    lowest = "18" if schemes[0] == "1" else "28"
    tool(need("apksigner"), "sign", "--ks", str(apks.first.parent / "acme.p12"), "--ks-pass", "pass:secret",
         "--ks-key-alias", "a", "--min-sdk-version", lowest, *flags, "--out", str(signed), str(apks.first))  # fmt: skip
    apk = read_apk(signed)
    assert apk.signing_version == version
    assert apk.facts.signer == read_apk(apks.first).facts.signer


def test_our_apk_maker_makes_apks(tmp_path: Path) -> None:
    path = tmp_path / "a.apk"
    path.write_bytes(make_apk("org.example.pay", 12, "1.2", min_sdk=24, abis=("arm64-v8a",)))
    badging = tool(need("aapt"), "dump", "badging", str(path))
    assert "name='org.example.pay' versionCode='12' versionName='1.2'" in badging
    assert "sdkVersion:'24'" in badging
    assert "native-code: 'arm64-v8a'" in badging
    told = tool(need("apksigner"), "verify", "--print-certs", str(path))
    assert f"certificate SHA-256 digest: {signer('acme').sha256}" in told
