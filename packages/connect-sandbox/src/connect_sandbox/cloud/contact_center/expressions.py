"""Metric math and the rules of composite alarms, as far as alarms need them.

Metric math: numbers, ids, + - * / and FILL(id, number). Rules: ALARM, OK and INSUFFICIENT_DATA of alarms, TRUE, FALSE,
AND, OR, NOT. Sources: CloudWatch user guide, "Using math expressions"; API reference, PutCompositeAlarm.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from connect_sandbox.cloud.errors import NotEmulatedError

Values = Sequence[float | None]
_OPERATORS: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_TOKEN = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\)|(TRUE|FALSE)|(AND|OR|NOT)\b|([()]))',
    re.IGNORECASE,
)


def computed(expression: str, known: Mapping[str, Values], length: int) -> list[float | None]:
    """Return an expression's value in each period; NotEmulatedError for what is not known here."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        raise _unknown(expression) from error
    return _computed(tree, known, length)


def _computed(node: ast.expr, known: Mapping[str, Values], length: int) -> list[float | None]:
    match node:
        case ast.Constant(value=int() | float() as number):
            return [float(number)] * length
        case ast.Name(id=name) if name in known:
            return list(known[name])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return [None if value is None else -value for value in _computed(operand, known, length)]
        case ast.BinOp(left=left, op=how, right=right) if type(how) in _OPERATORS:
            pairs = zip(_computed(left, known, length), _computed(right, known, length), strict=True)
            return [_applied(_OPERATORS[type(how)], one, other) for one, other in pairs]
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as number)]):
            values = _computed(filled, known, length)
            return [float(number) if value is None else value for value in values]
    raise _unknown(ast.unparse(node))


def _applied(how: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    """Return the result; nothing where a value is missing, or for a division by zero."""
    if one is None or other is None or (how is operator.truediv and other == 0):
        return None
    return how(one, other)


def _unknown(what: str) -> NotEmulatedError:
    return NotEmulatedError(
        f"the metric math {what!r}", "known are numbers, ids, + - * / and FILL(id, number)"
    )


def alarms_in(rule: str) -> list[str]:
    """Return the names (or ARNs) of the alarms that a composite alarm's rule refers to."""
    return [name for kind, name, *_ in _tokens(rule) if kind]


def meets(rule: str, states: Mapping[str, str]) -> bool:
    """Return whether a composite alarm's rule holds for the states of alarms, by name and by ARN."""
    return _Rule(rule, states).holds()


class _Rule:
    """Reads a rule by recursive descent: OR binds less than AND, and AND less than NOT."""

    def __init__(self, rule: str, states: Mapping[str, str]) -> None:
        self._rule, self._states = rule, states
        self._tokens = _tokens(rule)

    def holds(self) -> bool:
        found = self._either()
        if self._tokens:
            raise _malformed(self._rule)
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._next_word("OR"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._next_word("AND"):
            other = self._one()
            found = found and other
        return found

    def _one(self) -> bool:
        if self._next_word("NOT"):
            return not self._one()
        state, name, constant, _, bracket = self._tokens.pop(0) if self._tokens else ("",) * 5
        if state:
            return self._states.get(name) == state.upper()
        if constant:
            return constant.upper() == "TRUE"
        if bracket == "(":
            found = self._either()
            if self._tokens and self._tokens.pop(0)[4] == ")":
                return found
        raise _malformed(self._rule)

    def _next_word(self, word: str) -> bool:
        if self._tokens and self._tokens[0][3].upper() == word:
            self._tokens.pop(0)
            return True
        return False


def _tokens(rule: str) -> list[tuple[str, str, str, str, str]]:
    tokens, at, text = [], 0, rule.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _malformed(rule)
        state, name, constant, word, bracket = (found[number] or "" for number in range(1, 6))
        tokens.append((state, name, constant, word, bracket))
        at = found.end()
    return tokens


def _malformed(rule: str) -> NotEmulatedError:
    return NotEmulatedError(
        f"the alarm rule {rule!r}", "known are ALARM, OK, INSUFFICIENT_DATA, AND, OR, NOT"
    )
