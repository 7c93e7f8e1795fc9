import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.simulator.syntax import (
    MAX_DEPTH,
    STATUS,
    AndOr,
    Group,
    NotUnderstood,
    Redirection,
    Script,
    Simple,
    parse,
)


def words(text: str) -> list[str]:
    """The words of a single simple command."""
    (item,) = parse(text).items
    assert isinstance(item.first, Simple)
    assert not item.rest
    return ["".join(str(part) for part in word) for word in item.first.words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getprop ro.serialno", ["getprop", "ro.serialno"]),
        ("cmd package 'install' '-S' '12'", ["cmd", "package", "install", "-S", "12"]),
        ("echo 'a b'\"c d\"e\\ f", ["echo", "a bc de f"]),
        ("echo ''", ["echo", ""]),
        ("echo 'it'\"'\"'s'", ["echo", "it's"]),
        ('echo "a\\"b\\\\c\\d"', ["echo", 'a"b\\c\\d']),
        ("echo '$HOME `x` * | &'", ["echo", "$HOME `x` * | &"]),
        ('echo "* | ; ( )"', ["echo", "* | ; ( )"]),
        ("[ -f /x ]", ["[", "-f", "/x", "]"]),
        ("echo a$", ["echo", "a$"]),
        ("ls /data/app/~~ab==/base.apk", ["ls", "/data/app/~~ab==/base.apk"]),
        ("echo 升级", ["echo", "升级"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_marked_subshell() -> None:
    script = parse("( exit 3\n) </dev/null; echo MARK:$?")
    group, mark = script.items
    assert group.first == Group(Script((AndOr(Simple((("exit",), ("3",)))),)), (Redirection(0, None),))
    assert mark.first == Simple((("echo",), ("MARK:", STATUS)))


def test_and_or_binds_tighter_than_semicolon() -> None:
    script = parse("a && b || c; d 2>/dev/null 2>&1")
    assert [op for op, _ in script.items[0].rest] == ["&&", "||"]
    last = script.items[1].first
    assert last.redirections == (Redirection(2, None), Redirection(2, 1))


@pytest.mark.parametrize(
    "text",
    [
        "a | b", "a &", "echo $HOME", "echo ${x}", "echo $(x)", "echo `x`", "ls *", "ls a?", "ls [ab]", "ls ~",
        "echo {a,b}", "a > /sdcard/x", "a 2>> /tmp/x", "a < /sdcard/x", "if true; then a; fi", "X=1 a", "! a",
        "{ a; }", "# note", "echo 'x", 'echo "x', "echo x\\", "( a", "a )", ";", "a ;; b", "a && ", "|| a", "(", "2> ",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(text)


def test_depth_is_bounded() -> None:
    parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    for text in ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "(" * 100_000):
        with pytest.raises(NotUnderstood):
            parse(text)


def test_nothing_is_a_program_too() -> None:
    assert parse("  \n ") == Script(())


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        parse(text)
    except NotUnderstood:
        return


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=4))
def test_what_shlex_quotes_comes_back(arguments: list[str]) -> None:
    import shlex

    assert words("echo " + " ".join(shlex.quote(argument) for argument in arguments)) == ["echo", *arguments]
