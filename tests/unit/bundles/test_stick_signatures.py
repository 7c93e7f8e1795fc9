"""Who must have signed, and what was altered afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tuf.api.metadata import Targets

from techtool.errors import Exit
from tests.unit.bundles.office import ACME, ACME_SIGNS, Forger, Office, public, refused


class TestSignatures:
    @pytest.mark.parametrize(
        "owners",
        [
            pytest.param(("vendor-acme-1",), id="vendor only"),
            pytest.param(("lab-1",), id="lab only"),
            pytest.param(("lab-1", "lab-2"), id="lab and lab, which is TUF's threshold"),
            pytest.param(("vendor-acme-1", "vendor-beta-1"), id="another vendor instead of the lab"),
            pytest.param((), id="nobody"),
        ],
    )
    def test_vendor_and_lab_must_both_sign(self, office: Office, stick: Path, owners: tuple[str, ...]) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, owners)
        assert refused(office, stick).exit_code is Exit.UNTRUSTED

    def test_the_rule_lets_the_right_two_through(self, office: Office, stick: Path) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, ACME_SIGNS)
        assert len(office.open(stick).releases) == 3

    def test_one_signature_twice(self, office: Office, stick: Path) -> None:
        forger = Forger(stick)
        forger.change_list(ACME, lambda _targets: None, ("lab-1",))
        path = forger.newest(ACME)
        tree = json.loads(path.read_bytes())
        tree["signatures"] *= 2
        path.write_text(json.dumps(tree))
        forger.restamp()
        refused(office, stick)

    def test_one_key_under_two_names(self, office: Office, stick: Path) -> None:
        """The board delegates to one key twice: once as a vendor's, once as a lab's."""
        forger = Forger(stick)

        def twice(top: Targets) -> None:
            assert top.delegations is not None
            assert top.delegations.roles is not None
            original = public("vendor-acme-1")
            twin = type(original)(
                "ab" * 32, original.keytype, original.scheme, original.keyval, {"x-techtool-org": "lab"}
            )
            top.delegations.keys[twin.keyid] = twin
            top.delegations.roles[ACME].keyids.append(twin.keyid)

        forger.change_list("targets", twice, ("targets-1", "targets-2"))
        path = forger.newest(ACME)
        tree = json.loads(path.read_bytes())
        own = public("vendor-acme-1").keyid
        signature = next(s for s in tree["signatures"] if s["keyid"] == own)
        tree["signatures"] = [signature, {**signature, "keyid": "ab" * 32}]
        path.write_text(json.dumps(tree))
        forger.restamp()
        assert "two names" in str(refused(office, stick))

    def test_signature_of_a_key_nobody_delegated_to(self, office: Office, stick: Path) -> None:
        Forger(stick).change_list(ACME, lambda _targets: None, ("vendor-acme-1", "stranger"))
        refused(office, stick)

    def test_metadata_altered_after_signing(self, office: Office, stick: Path) -> None:
        path = Forger(stick).newest(ACME)
        path.write_bytes(path.read_bytes().replace(b"com.acme.pay", b"com.acme.pax"))
        refused(office, stick)

    @pytest.mark.parametrize("role", ["targets", "snapshot", "vendor-acme"])
    def test_truncated_metadata(self, office: Office, stick: Path, role: str) -> None:
        path = Forger(stick).newest(role)
        path.write_bytes(path.read_bytes()[:-20])
        refused(office, stick)

    def test_every_flipped_byte_of_the_timestamp_is_refused(self, office: Office, stick: Path) -> None:
        path = Forger(stick).metadata / "timestamp.json"
        good = path.read_bytes()
        for place in range(0, len(good), 37):
            bad = bytearray(good)
            bad[place] ^= 0x01
            path.write_bytes(bytes(bad))
            refused(office, stick)
