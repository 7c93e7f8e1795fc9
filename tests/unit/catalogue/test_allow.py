"""What the allow-list says of searching: programs are noted, everything else is refused; serial numbers are typed."""

from __future__ import annotations

import pytest

from techtool.catalogue.allow import AllowList
from techtool.catalogue.reader import load_catalogue
from techtool.domain.backup import STRICT, ItemKind, OnFinding, Scan
from techtool.domain.sensitive import Profile

ALLOW = load_catalogue().allow_list("android")


def test_only_programs_have_a_rule_of_their_own() -> None:
    assert ALLOW.scan_of(ItemKind.APK) == Scan(Profile.BINARY, OnFinding.NOTE)
    for kind in (ItemKind.FILE, ItemKind.PROPERTIES, ItemKind.PACKAGES):
        assert ALLOW.scan_of(kind) == STRICT == Scan(Profile.TEXT, OnFinding.REFUSE)
    assert all(rule.why for rule in ALLOW.scan)
    assert AllowList("other").scan_of(ItemKind.APK) == STRICT


@pytest.mark.parametrize("name", ["ro.serialno", "ro.boot.serialno", "RO.SUNMI.SERIAL"])
def test_properties_that_hold_the_serial_number(name: str) -> None:
    assert ALLOW.holds_serial(name)
    assert ALLOW.allows(name)


@pytest.mark.parametrize("name", ["ro.product.name", "techtool.sim.mid", "serial", "persist.sys.timezone"])
def test_other_properties_do_not(name: str) -> None:
    assert not ALLOW.holds_serial(name)
