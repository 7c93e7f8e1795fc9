"""Only the trust chain makes a :class:`VerifiedRelease`: nothing else in techtool can hand one to an installation."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.locale_tools import PACKAGE, parsed

NAME = "VerifiedRelease"
MAKERS = PACKAGE / "bundles"


def _makes_one(node: ast.AST) -> bool:
    """A call of the type, or the type handed to something that builds values (``convert``, ``replace`` …)."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called == NAME:
        return True
    given = [*node.args, *(k.value for k in node.keywords)]
    return called != "isinstance" and any(isinstance(n, ast.Name) and n.id == NAME for a in given for n in ast.walk(a))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_bundles_make_one(path: Path) -> None:
    if MAKERS in path.parents:
        return
    made = [n.lineno for n in ast.walk(parsed(path)) if _makes_one(n)]  # type: ignore[attr-defined]
    assert made == [], f"{path.name}: {made}"


def test_bundles_do() -> None:
    sources = [parsed(p) for p in MAKERS.rglob("*.py")]
    assert any(_makes_one(n) for tree in sources for n in ast.walk(tree))
