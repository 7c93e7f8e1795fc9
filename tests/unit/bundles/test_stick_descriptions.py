"""Release descriptions that are signed and still not to be believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tuf.api.metadata import Targets

from techtool.bundles.description import decode_release, encode_release
from techtool.domain.release import Release, Requirement
from techtool.errors import Damaged, Exit
from tests.unit.bundles.office import ACME, ACME_SIGNS, Forger, Office, refused


class TestDescriptions:
    def described(self, stick: Path, change: Callable[[bytes], bytes], name: str = "com.acme.pay-1.0") -> None:
        """Another description, properly signed by vendor and lab."""
        forger = Forger(stick)

        def swap(targets: Targets) -> None:
            path = f"releases/acme/{name}.json"
            digest = targets.targets[path].hashes["sha256"]
            data = (forger.root / f"targets/releases/acme/{digest}.{name}.json").read_bytes()
            forger.put_target(path, change(data), targets)

        forger.change_list(ACME, swap, ACME_SIGNS)

    def test_unknown_field(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b'"id":', b'"install_twice": true,\n "id":', 1))
        assert "install_twice" in str(refused(office, stick))

    def test_unknown_rule_stays_and_cannot_be_met(self, office: Office, stick: Path) -> None:
        rule = b'"requires": [{"what": "moon-phase", "phase": "full"}], "id":'
        self.described(stick, lambda data: data.replace(b'"id":', rule, 1))
        found = next(r for r in office.open(stick).releases if r.release.id == "com.acme.pay")
        assert found.release.requires == (Requirement("moon-phase"),)

    @pytest.mark.parametrize(
        "data", [b"[" * 50_000 + b"]" * 50_000, b'{"schema": 1, "schema": 1}', b"\xff", b"{}", b"[]"]
    )
    def test_hostile_json(self, office: Office, stick: Path, data: bytes) -> None:
        self.described(stick, lambda _old: data)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_too_long(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data + b" " * 600_000)
        assert "too long" in str(refused(office, stick))

    def test_newer_schema_is_noted_and_the_rest_works(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b'"schema": 1', b'"schema": 2'))
        opened = office.open(stick)
        assert "com.acme.pay" not in [r.release.id for r in opened.releases]
        assert "newer techtool" in opened.notes[0].text("en")

    def test_names_a_file_that_nobody_signed(self, office: Office, stick: Path) -> None:
        self.described(stick, lambda data: data.replace(b"com.acme.pay-1.0.bin", b"com.acme.pay-1.1.bin"))
        assert "not signed" in str(refused(office, stick))

    def test_one_release_twice(self, office: Office, stick: Path) -> None:
        def renamed(data: bytes) -> bytes:
            release = decode_release(data)
            fields = {f: getattr(release, f) for f in Release.__dataclass_fields__}
            return encode_release(Release(**{**fields, "id": "com.acme.kernel", "version": "7.0"}))

        self.described(stick, renamed)
        assert "twice" in str(refused(office, stick))

    @pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
    def test_damaged(self, office: Office, stick: Path, how: str) -> None:
        path = next((stick / "TECHTOOL/targets/releases/acme").iterdir())
        data = bytearray(path.read_bytes())
        data[10] ^= 1
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(bytes(data) if how == "flipped" else bytes(data[:-5]))
        assert refused(office, stick, Damaged).exit_code is Exit.DAMAGED_BUNDLE
