"""What a profile says of a single value: fixed, like a pattern, in a range, not too long.

*Source*: http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ and what follows there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from fhirtwin.errors import Incorrect, Unsupported
from fhirtwin.fhir import dates

MAX_VALUES: Final = 200
"""Parts of a pattern: each may have to be looked for among all items of an array."""

_PRIMITIVE: Final = (str, bool, int, Decimal)


class Test(NamedTuple):
    """One test of a value.

    Attributes:
        holds: tells whether a JSON value passes.
        expected: what to tell where it does not.
        identifies: whether it may tell slices apart (a fixed value or a pattern).
    """

    holds: Callable[[Any], bool]
    expected: str
    identifies: bool = False


def tests_of(row: Mapping[str, Any]) -> tuple[Test, ...]:
    """Make the tests of an ElementDefinition.

    Raises:
        Unsupported: a fixed value or a pattern has more than `MAX_VALUES` parts.
    """
    tests = []
    for name, wanted in row.items():
        if name.startswith(("fixed", "pattern")) and _size(wanted) > MAX_VALUES:
            raise Unsupported(f"A fixed value or pattern of a profile may have at most {MAX_VALUES} parts.")
        if name.startswith("fixed"):
            tests.append(Test(_equals(wanted), f"Expected {_named(wanted)}.", identifies=True))
        elif name.startswith("pattern"):
            tests.append(Test(_like(wanted), f"Expected what fits {_named(wanted)}.", identifies=True))
        elif name.startswith("minValue") and _comparable(wanted):
            tests.append(Test(_at_least(wanted), f"Expected at least {_limit(wanted)}."))
        elif name.startswith("maxValue") and _comparable(wanted):
            tests.append(Test(_at_most(wanted), f"Expected at most {_limit(wanted)}."))
        elif name == "maxLength":
            tests.append(Test(_short(wanted), f"Expected at most {wanted} characters."))
    return tuple(tests)


def fits(value: Any, pattern: Any) -> bool:
    """Whether a value has everything that a pattern has: each item of an array somewhere in the value's array."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and fits(value[name], pattern[name]) for name in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(fits(item, wanted) for item in value) for wanted in pattern)
    return _same(value, pattern)


def _equals(wanted: Any) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        if isinstance(wanted, dict):
            return isinstance(value, dict) and fits(value, wanted) and fits(wanted, value)
        return _same(value, wanted)

    return holds


def _same(value: Any, wanted: Any) -> bool:
    # To Python, True is 1.
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)


def _like(wanted: Any) -> Callable[[Any], bool]:
    return lambda value: fits(value, wanted)


def _at_least(limit: Any) -> Callable[[Any], bool]:
    return lambda value: order(value, limit) in (None, 0, 1)


def _at_most(limit: Any) -> Callable[[Any], bool]:
    return lambda value: order(value, limit) in (None, 0, -1)


def _short(longest: int) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, str) or len(value) <= longest


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _comparable(limit: Any) -> bool:
    return not isinstance(limit, dict) or "value" in limit


def order(value: Any, limit: Any) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared: other units, or dates that overlap."""
    if isinstance(limit, dict):
        if not isinstance(value, dict) or any(value.get(name) != limit.get(name) for name in ("system", "code")):
            return None
        value, limit = value.get("value"), limit["value"]
    if isinstance(value, str) and isinstance(limit, str):
        return _order_of_dates(value, limit)
    if isinstance(value, int | Decimal) and isinstance(limit, int | Decimal):
        return (value > limit) - (value < limit)
    return None


def _order_of_dates(value: str, limit: str) -> int | None:
    if value[2:3] == ":" or limit[2:3] == ":":  # times of day
        return (value > limit) - (value < limit)
    try:
        one, other = dates.parse(value), dates.parse(limit)
    except Incorrect:
        return None
    return 1 if one.start >= other.end else -1 if one.end <= other.start else 0


def _named(wanted: Any) -> str:
    return f"the value {wanted}" if isinstance(wanted, _PRIMITIVE) else "the value that the profile gives"


def _limit(limit: Any) -> str:
    return (
        f"{limit['value']} {limit.get('unit', limit.get('code', ''))}".strip()
        if isinstance(limit, dict)
        else str(limit)
    )
