"""The operators of conditions (flow language, "Compare").

Text comparison is case-sensitive: the administrator guide says that "Check contact attributes" has no
case-insensitive matching. A number operator matches only if both sides are numbers. A missing value matches nothing:
to check for null, the guide recommends a Lambda function.
"""

from decimal import Decimal, InvalidOperation

OPERATORS = frozenset(
    {
        "Equals",
        "TextStartsWith",
        "TextEndsWith",
        "TextContains",
        "NumberGreaterThan",
        "NumberGreaterOrEqualTo",
        "NumberLessThan",
        "NumberLessOrEqualTo",
    }
)


def matches(operator: str, value: str | None, operand: str) -> bool:
    """Return whether `value` matches `operand`. ValueError for an unknown operator."""
    if operator not in OPERATORS:
        raise ValueError(f"unknown operator {operator!r}; there are {', '.join(sorted(OPERATORS))}")
    if value is None:
        return False
    if operator.startswith("Number"):
        return _numbers_match(operator, value, operand)
    return {
        "Equals": value == operand,
        "TextStartsWith": value.startswith(operand),
        "TextEndsWith": value.endswith(operand),
        "TextContains": operand in value,
    }[operator]


def _numbers_match(operator: str, value: str, operand: str) -> bool:
    left, right = _number(value), _number(operand)
    if left is None or right is None:
        return False
    return {
        "NumberGreaterThan": left > right,
        "NumberGreaterOrEqualTo": left >= right,
        "NumberLessThan": left < right,
        "NumberLessOrEqualTo": left <= right,
    }[operator]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
