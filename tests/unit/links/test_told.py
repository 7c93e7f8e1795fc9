"""What a Prolin terminal may say of itself, from a stranger's XML to a stranger's rubbish."""

from __future__ import annotations

import pytest

from techtool.links.adb.told import facts_of


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (b"", {}),
        (b"\0\r\n", {}),
        (b"D200 v1\n\x1b[2J\0", {"devinfo": "D200 v1 ·[2J"}),
        (b"<a><b>1</b><b>2</b><c x='3'/></a>", {"devinfo.a.b": "1", "devinfo.a.c@x": "3"}),
        ("<a>\u4e2d\u6587</a>".encode(), {"devinfo.a": "\u4e2d\u6587"}),
        (b"<a>unclosed", {"devinfo": "<a>unclosed"}),
    ],
)
def test_facts(data: bytes, facts: dict[str, str]) -> None:
    assert facts_of(data) == facts


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
        b"\xfe\xff" + '<!DOCTYPE x [<!ENTITY b "aaaa">]><x>&b;&b;</x>'.encode("utf-16-be"),
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a>" + b"<b>1</b>" * 7000 + b"</a>",
        b"<a>" + b"x" * 60_000 + b"</a>",
    ],
)
def test_hostile_answers_are_bounded(data: bytes) -> None:
    found = facts_of(data)
    assert len(found) <= 200
    assert all(len(value) <= 200 for value in found.values())
    assert "root:" not in str(found)
    assert "aaaaaaaa" not in str(found)
