"""Every version is pinned, so that what was tested is what is installed."""

from __future__ import annotations

import re

from tests import constraints


def test_everything_installed_for_techtool_has_a_pin_and_that_version() -> None:
    pins = constraints.pinned()
    lacking = {
        f"{name}=={found}"
        for name, found in constraints.needed().items()
        if not any(p.specifier.contains(found, prereleases=True) for p in pins.get(name, ()))
    }
    assert lacking == set(), "python -m tests.constraints"


def test_every_pin_is_exact() -> None:
    for requirements in constraints.pinned().values():
        for pin in requirements:
            assert re.fullmatch(r"==[0-9][^*,]*", str(pin.specifier)), pin


def test_nothing_is_pinned_that_nobody_needs() -> None:
    assert set(constraints.pinned()) == {*constraints.needed(), *constraints.ELSEWHERE}


def test_no_host_is_named() -> None:
    text = constraints.FILE.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-|@", text, re.MULTILINE)
