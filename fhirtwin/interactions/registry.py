"""Which operations there are: every module of this folder that exports `OPERATION`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from fhirtwin import interactions as folder
from fhirtwin.errors import Fault
from fhirtwin.interactions.operation import Operation


@cache
def all_operations() -> tuple[Operation, ...]:
    """Give every operation, by type and name.

    Raises:
        Fault: two have the same name on the same type, or one is no Operation.
    """
    found: dict[tuple[str, str], Operation] = {}
    for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
        operation = getattr(import_module(module.name), "OPERATION", None)
        if operation is None:
            continue
        if not isinstance(operation, Operation) or (operation.type, operation.name) in found:
            raise Fault(f"{module.name} exports an OPERATION that is none, or that another module exports too")
        found[operation.type, operation.name] = operation
    return tuple(found[key] for key in sorted(found))
