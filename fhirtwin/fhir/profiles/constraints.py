"""Constraints of a profile, told by FHIRPath.

What R4's own types demand is judged by `fhirtwin.fhir.invariants` and not again here. The expressions of profiles come
from whoever may store a StructureDefinition, so length and time are bounded; what cannot be evaluated within them, or
needs what is not here (a terminology server, other resources), is told as not checked.

*Source*: http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint,
http://hl7.org/fhir/R4/fhirpath.html#variables.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any, Final

_log = logging.getLogger("fhirtwin.fhir")

MAX_LENGTH: Final = 2000
"""Characters of an expression that is evaluated."""
MAX_SECONDS: Final = 1.0
"""Processor time for reading and evaluating one expression."""

_NOT_HERE: Final = re.compile(
    r"\b(resolve|memberOf|conformsTo|subsumes|subsumedBy|htmlChecks|matches|replaceMatches|getValue"
    r"|slice|checkModifiers|trace)\s*\("
)
"""Functions that need what is not here, or whose time has no bound (regular expressions)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint of an element.

    Attributes:
        key: identifies it within the profile.
        severity: `error` or `warning`.
        text: what must be, in words.
        expression: FHIRPath; empty where the definition has none.
    """

    key: str
    severity: str
    text: str
    expression: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Constraint:
        """Read an `ElementDefinition.constraint`."""
        return cls(row["key"], row["severity"], row["human"], row.get("expression", ""))


def holds(
    constraint: Constraint, value: Any, kind: str, resource: Any, root: Any, seconds: float = MAX_SECONDS
) -> bool | None:
    """Tell whether a constraint holds of a value.

    Args:
        constraint: what to evaluate.
        value: the JSON of the element.
        kind: its type, or the path of a nested element, which tells what its choices are called.
        resource: the resource that the element is in.
        root: the resource around that, where it is contained; else the same.
        seconds: processor time it may take, if less than `MAX_SECONDS`.

    Returns:
        None where it cannot be told; see the top of this module.
    """
    expression = constraint.expression
    if not expression or len(expression) > MAX_LENGTH or _NOT_HERE.search(expression):
        return None
    try:
        with _deadline(min(seconds, MAX_SECONDS)):
            found = _compiled(expression)(value, kind, resource, root)
    except Exception as error:  # noqa: BLE001 - the library raises whatever it meets; none of it may pass for a verdict
        # Whoever asked is told that it was not checked; only the kind of error is logged, for its text may quote data.
        _log.info("constraint %r was not evaluated: %s", constraint.key, type(error).__name__)
        return None
    # By http://hl7.org/fhir/R4/fhirpath.html an invariant that gives nothing did not fail in any known way.
    return None if found not in ([True], [False]) else found == [True]


@lru_cache(maxsize=1000)
def _compiled(expression: str) -> Callable[[Any, str, Any, Any], list[Any]]:
    # Reading the library's tables of R4 takes 30 ms, which only those pay who have such a constraint.
    import fhirpathpy
    from fhirpathpy.engine.nodes import ResourceNode
    from fhirpathpy.models import models

    read = fhirpathpy.compile(expression, models["r4"])
    node: Callable[[Any, str], Any] = ResourceNode.create_node

    def evaluate(value: Any, kind: str, resource: Any, root: Any) -> list[Any]:
        # Without their types the library could not name the members of a choice, nor say what `type()` is.
        variables = {
            "resource": node(resource, resource["resourceType"]),
            "rootResource": node(root, root["resourceType"]),
        }
        return list(read(node(value, kind), variables))

    return evaluate


_LIBRARY: Final = "fhirpathpy"


class _Late(Exception):
    """The time for an expression is over."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Stop the FHIRPath library in this thread when its time is over, at its next call of a function.

    Only in its own frames: the garbage collector may close another's generator at any time, and what is raised in there
    is lost, together with this watch.
    """
    end = time.thread_time() + seconds
    before = sys.getprofile()
    calls, late = 0, False

    def look(frame: FrameType, _: str, __: Any) -> None:
        nonlocal calls, late
        calls += 1
        if calls & 127 == 0 and not late:  # to read the clock costs more than the rest of this
            late = time.thread_time() > end
        if late and _LIBRARY in frame.f_code.co_filename:
            raise _Late

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)
