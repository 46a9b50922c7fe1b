"""The checks of ``connect-bridges doctor`` and ``smoke``, by the names that documents and evidence cite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from connect_bridges.operations.doctor.findings import CHECKS

from tests.support import ROOT

_SMOKE = ROOT / "constructs/connect_bridges/operations/smoke"
_PUBLISHED = ("flow", "module")  # of a construct's flows, each has a check


@cache
def checks_of(command: str) -> frozenset[str]:
    """Return the names of a command's checks: doctor or smoke."""
    return frozenset(CHECKS) if command == "doctor" else frozenset(_of_smoke())


def _of_smoke() -> Iterator[str]:
    """Yield what smoke's modules hand to Checks.attempt and Checks.skip, or keep in a mapping or tuple for them."""
    for file in sorted(_SMOKE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named: list[ast.expr | None] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                named = [*node.args[:1]] if node.func.attr in {"attempt", "skip"} else []
            elif isinstance(node, ast.Dict):
                named = list(node.keys)
            for one in named:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value
                if isinstance(one, ast.JoinedStr) and ast.unparse(one).endswith("-published'"):
                    yield from (f"{flow}-published" for flow in _PUBLISHED)
