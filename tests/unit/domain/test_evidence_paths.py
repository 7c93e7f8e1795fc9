"""Paths as people give them: typed, quoted, dragged into the window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.evidence_paths import paths_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  ", ()),
        ("/a/b.jpg", ("/a/b.jpg",)),
        ("'/a/b c.jpg'", ("/a/b c.jpg",)),
        ('"C:\\Fotos\\a b.jpg"', ("C:\\Fotos\\a b.jpg",)),
        ("C:\\Fotos\\a.jpg", ("C:\\Fotos\\a.jpg",)),
        ("/a/b\\ c\\(1\\).jpg", ("/a/b c(1).jpg",)),
        ("~/b\\ c.jpg", ("~/b c.jpg",)),
        ("file:///a/b%20c.jpg", ("/a/b c.jpg",)),
        ("file:///C:/Fotos/a%20b.jpg", ("C:/Fotos/a b.jpg",)),
        ("file://localhost/a.jpg", ("/a.jpg",)),
        ("/a.jpg; '/b;c.jpg' ;/d.jpg", ("/a.jpg", "/b;c.jpg", "/d.jpg")),
        ("/a.jpg\n/b.jpg\n/a.jpg", ("/a.jpg", "/b.jpg")),
        ("/照片/机身.jpg", ("/照片/机身.jpg",)),
    ],
    ids=str,
)
def test_forms(text: str, expected: tuple[str, ...]) -> None:
    assert paths_in(text) == expected


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    assert all(paths_in(text))
