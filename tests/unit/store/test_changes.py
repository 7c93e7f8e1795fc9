"""Pending edits over a table: what they show, and that their ops do the same to the table itself."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from techtool.domain.codec import CodecError
from techtool.store.changes import Fields, Op, Overlay, Tables, apply, change, decode_ops, encode_ops, ops_for

KEYS = st.sampled_from("1234")
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 9)),
        st.tuples(st.just("del"), KEYS, st.just(0)),
        st.tuples(st.just("clear"), st.just(""), st.just(0)),
        st.tuples(st.just("drop"), st.just(""), st.just(0)),
    ),
    max_size=12,
)
TABLE = st.none() | st.dictionaries(KEYS, st.integers(0, 9).map(lambda n: {"n": n}), max_size=4)


def as_op(edit: tuple[str, str, int]) -> Op:
    what, key, n = edit
    return what, "t", key, {"n": n} if what == "put" else None


@settings(deadline=None, derandomize=True, max_examples=300)
@given(table=TABLE, edits=EDITS)
def test_an_overlay_is_the_table_to_be(table: dict[str, Fields] | None, edits: list[tuple[str, str, int]]) -> None:
    before = None if table is None else dict(table)
    overlay = Overlay(table)
    expected: Tables = {} if table is None else {"t": dict(table)}
    for op in map(as_op, edits):
        apply([op], expected)
        if op[0] == "drop":
            overlay.drop()
        else:
            overlay.exists = True
            change(overlay, op)
        assert overlay.exists is ("t" in expected)
        assert list(overlay.items()) == list(expected.get("t", {}).items())
        assert len(overlay) == len(expected.get("t", {}))
        assert all((key in overlay) is (key in expected.get("t", {})) for key in "1234")
    assert table == before

    result: Tables = {} if table is None else {"t": dict(table)}
    apply(decode_ops([encode_ops(overlay.ops("t"))]), result)
    assert {name: list(documents.items()) for name, documents in result.items()} == {
        name: list(documents.items()) for name, documents in expected.items()
    }


def test_ops_for_whole_tables_make_them() -> None:
    content: dict[str, dict[str, Fields]] = {"a": {"1": {"n": 1}, "7": {}}, "empty": {}}
    made: Tables = {"a": {"9": {}}}
    apply(ops_for(content), made)
    assert made == content


def test_lines_are_decoded_in_order_and_none_gives_none() -> None:
    one, two = encode_ops([("clear", "a", "", None)]), encode_ops([("put", "a", "1", {}), ("drop", "b", "", None)])
    assert [op[0] for op in decode_ops([one, two])] == ["clear", "put", "drop"]
    assert list(decode_ops([])) == []
    with pytest.raises(CodecError, match="put"):
        list(decode_ops([b'[["put","a","1",null]]']))
