"""A restore through Debian's adbd by the real command line: the former package is back, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from techtool.errors import Exit
from tests.peers.terminal import AdbdTerminal
from tests.peers.test_main_job_adbd import ANSWERS, PACKAGE, SETTINGS, Laptop, laptop, lines, serial_of

__all__ = ["laptop"]
pytestmark = pytest.mark.peers
MORE = {"test.TX-01": "pass", "restore.nothing-waiting": True}


def restore(laptop: Laptop, name: str, address: str, serial: str, *, check: int | None = 0) -> list[dict[str, object]]:
    (laptop.folder / "answers.json").write_text(json.dumps({**ANSWERS, **MORE}))
    given: list[str | Path] = ["--answers", laptop.folder / "answers.json"]
    given += ["--passphrase-file", laptop.folder / "passphrase", "--confirm", serial[-4:], "--json"]
    return lines(laptop.run("backup", "restore", name, "--address", address, *given, check=check).stdout)


def test_the_former_package_is_back(laptop: Laptop, fresh_adbd: AdbdTerminal, npm_apks: Mapping[str, Path]) -> None:
    serial = serial_of(laptop, fresh_adbd.address)
    laptop.run(*laptop.visit(fresh_adbd.address, confirm=[serial[-4:]]))
    files: list[str | Path] = ["--answers", laptop.folder / "answers.json"]
    files += ["--passphrase-file", laptop.folder / "passphrase", "--json"]
    made = lines(laptop.run("backup", "create", fresh_adbd.address, *files).stdout)[-1]["visit"]
    with fresh_adbd.android.changing():
        assert fresh_adbd.android.remove_package(PACKAGE)
    assert fresh_adbd.installed(PACKAGE) is None
    last = restore(laptop, made, fresh_adbd.address, serial)[-1]
    assert (last["outcome"], last["exit"], last["sealed"]) == ("success", 0, True)
    installed = fresh_adbd.installed(PACKAGE)
    assert installed is not None
    assert installed.read_bytes() == npm_apks[SETTINGS].read_bytes()
    assert not fresh_adbd.android.sessions()
    again = restore(laptop, made, fresh_adbd.address, serial, check=int(Exit.NOTHING_TO_DO))[-1]
    assert again["outcome"] == "nothing-to-do"
