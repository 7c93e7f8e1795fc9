"""The grammar of the simulated shell: small, exact, and honest about everything it does not know.

    list     = and-or { (";" | newline) and-or }
    and-or   = command { ("&&" | "||") command }
    command  = "(" list ")" { redirection } | word { word | redirection }
    redirection = [ "1" | "2" ] ">" "/dev/null" | "<" "/dev/null" | "2>&1" | "1>&2" | [ "1" ] ">>" word
    word     = unquoted, 'single', "double" and \\-escaped parts; ``$?`` outside single quotes

Pipes, variables, globs, substitutions and control words are refused with :class:`NotUnderstood`: a real shell would do
something else than pass them on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 32


class NotUnderstood(ValueError):
    """A construct this shell does not simulate, or a syntax error."""


class Status:
    """``$?`` inside a word."""


STATUS: Final = Status()
Word = tuple[str | Status, ...]
"""Parts that are joined when the word is used."""


@dataclass(frozen=True, slots=True)
class Redirection:
    """Descriptor ``fd`` goes to ``target``: 1, 2, or None for ``/dev/null``; or to the end of a file."""

    fd: int
    target: int | None
    append_to: Word = ()
    """Not empty: that file."""


@dataclass(frozen=True, slots=True)
class Simple:
    """A command and its arguments."""

    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """``( … )``: a subshell."""

    body: Script
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class AndOr:
    """``first``, then each command if the one before succeeded (``&&``) or failed (``||``)."""

    first: Simple | Group
    rest: tuple[tuple[str, Simple | Group], ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Commands one after the other."""

    items: tuple[AndOr, ...]


@dataclass(frozen=True, slots=True)
class _Operator:
    text: str


_Token = _Operator | Word
_OPERATORS: Final = ("&&", "||", "2>&1", "1>&2", ">&2", "1>>", ">>", "2>", "1>", ">", "<", ";", "(", ")", "\n")
_KEYWORDS: Final = (
    *("if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "select"),
    *("time", "!", "{", "}"),
)


def parse(text: str) -> Script:
    """The program that ``text`` is; raises :class:`NotUnderstood`."""
    parser = _Parser(_tokens(text))
    script = parser.script(0)
    if parser.peek() is not None:
        raise NotUnderstood("syntax error: unexpected ')'")
    return script


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _operator(self, *texts: str) -> str | None:
        """Take the next token when it is one of these operators."""
        token = self.peek()
        if isinstance(token, _Operator) and token.text in texts:
            self._at += 1
            return token.text
        return None

    def script(self, depth: int) -> Script:
        items: list[AndOr] = []
        while True:
            while self._operator("\n"):
                pass
            token = self.peek()
            if token is None or token == _Operator(")"):
                return Script(tuple(items))
            items.append(self._and_or(depth))
            if not self._operator(";", "\n"):
                return Script(tuple(items))

    def _and_or(self, depth: int) -> AndOr:
        first = self._command(depth)
        rest: list[tuple[str, Simple | Group]] = []
        while operator := self._operator("&&", "||"):
            while self._operator("\n"):
                pass
            rest.append((operator, self._command(depth)))
        return AndOr(first, tuple(rest))

    def _command(self, depth: int) -> Simple | Group:
        if self._operator("("):
            if depth >= MAX_DEPTH:
                raise NotUnderstood("too many nested subshells")
            body = self.script(depth + 1)
            if not self._operator(")"):
                raise NotUnderstood("syntax error: unexpected end, expecting ')'")
            return Group(body, tuple(self._redirections()))
        words: list[Word] = []
        redirections: list[Redirection] = []
        while True:
            redirections += self._redirections()
            token = self.peek()
            if token is None or isinstance(token, _Operator):
                break
            words.append(token)
            self._at += 1
        if not words:
            shown = token.text if isinstance(token, _Operator) else "end"
            raise NotUnderstood(f"syntax error: unexpected {shown!r}")
        _check_command_word(words[0])
        return Simple(tuple(words), tuple(redirections))

    def _file(self) -> Word:
        """The file that a redirection names."""
        token = self.peek()
        if token is None or isinstance(token, _Operator):
            raise NotUnderstood("syntax error: a file is missing")
        self._at += 1
        return token

    def _redirections(self) -> list[Redirection]:
        found: list[Redirection] = []
        while operator := self._operator("2>&1", "1>&2", ">&2", "1>>", ">>", "2>", "1>", ">", "<"):
            if operator == "2>&1":
                found.append(Redirection(2, 1))
            elif operator in ("1>&2", ">&2"):
                found.append(Redirection(1, 2))
            elif operator in ("1>>", ">>"):
                file = self._file()
                found.append(Redirection(1, None, () if file == ("/dev/null",) else file))
            else:
                target = self.peek()
                if target != ("/dev/null",):
                    raise NotUnderstood(f"redirection {operator!r} to anything but /dev/null")
                self._at += 1
                found.append(Redirection({"2>": 2, "<": 0}.get(operator, 1), None))
        return found


def _check_command_word(word: Word) -> None:
    text = "".join(part if isinstance(part, str) else "?" for part in word)
    name, equals, _ = text.partition("=")
    if text in _KEYWORDS or (equals and name.isidentifier()):
        raise NotUnderstood(f"{text!r} as a command")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r":
            at += 1
            continue
        operator = next((o for o in _OPERATORS if text.startswith(o, at)), None)
        if operator is not None:
            tokens.append(_Operator(operator))
            at += len(operator)
            continue
        word, at = _word(text, at)
        tokens.append(word)
    return tokens


def _word(text: str, at: int) -> tuple[Word, int]:
    """One word from ``at``, and where it ends."""
    start = at
    parts: list[str | Status] = [""]
    while at < len(text) and text[at] not in " \t\r\n;()<>" and not text.startswith(("&&", "||"), at):
        char = text[at]
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise NotUnderstood("no closing quote")
            _add(parts, text[at + 1 : end])
            at = end + 1
        elif char == '"':
            at = _double_quoted(text, at + 1, parts)
        elif char == "\\":
            if at + 1 >= len(text):
                raise NotUnderstood("a backslash at the end")
            _add(parts, "" if text[at + 1] == "\n" else text[at + 1])
            at += 2
        elif char == "$":
            at = _dollar(text, at, parts)
        elif char in "|&`*?{}" or (char in "[]" and _is_glob(text, at)):
            raise NotUnderstood(f"{char!r} outside quotes")
        elif char in "#~" and at == start:
            raise NotUnderstood(f"a word that begins with {char!r}")
        else:
            _add(parts, char)
            at += 1
    return tuple(part for part in parts if part != "") or ("",), at


def _is_glob(text: str, at: int) -> bool:
    """``[`` and ``]`` by themselves are the test command; inside a word they would be a glob."""
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    return not (before in " \t\n;(&|" and after in " \t\n;)&|")


def _double_quoted(text: str, at: int, parts: list[str | Status]) -> int:
    """Read up to the closing quote; returns where the word goes on."""
    while at < len(text):
        char = text[at]
        if char == '"':
            return at + 1
        if char == "\\" and at + 1 < len(text):
            following = text[at + 1]
            _add(parts, following if following in '"\\$`' else "" if following == "\n" else "\\" + following)
            at += 2
        elif char == "$":
            at = _dollar(text, at, parts)
        elif char == "`":
            raise NotUnderstood("command substitution")
        else:
            _add(parts, char)
            at += 1
    raise NotUnderstood("no closing quote")


def _dollar(text: str, at: int, parts: list[str | Status]) -> int:
    if text.startswith("$?", at):
        parts.append(STATUS)
        return at + 2
    following = text[at + 1 : at + 2]
    if following in ("", " ", "\t", "\n", '"'):
        _add(parts, "$")
        return at + 1
    raise NotUnderstood(f"the expansion ${following}…")


def _add(parts: list[str | Status], text: str) -> None:
    last = parts[-1]
    if isinstance(last, str):
        parts[-1] = last + text
    else:
        parts.append(text)
