"""Which operations there are: every module of `operations/` that exports `OPERATION`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from fhirtwin.errors import Fault
from fhirtwin.interactions import operations as folder
from fhirtwin.interactions.operation import ANY_TYPE, Level, Operation


@cache
def all_operations() -> tuple[Operation, ...]:
    """Give every operation, by name and definition.

    Raises:
        Fault: two have the same name on the same type, or one is no Operation.
    """
    found: list[Operation] = []
    taken: set[tuple[str, str]] = set()
    for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
        operation = getattr(import_module(module.name), "OPERATION", None)
        if operation is None:
            continue
        if not isinstance(operation, Operation) or taken & _keys(operation):
            raise Fault(f"{module.name} exports an OPERATION that is none, or that another module exports too")
        taken |= _keys(operation)
        found.append(operation)
    return tuple(sorted(found, key=lambda one: (one.name, one.definition)))


def operation(type_: str, name: str) -> Operation | None:
    """The operation of a name on a type, on the system when the type is empty; None when there is none."""
    return _by_key().get((type_, name)) or (_by_key().get((ANY_TYPE, name)) if type_ else None)


def operations_of(type_: str) -> tuple[Operation, ...]:
    """What can be invoked on a type or its instances; on the system when the type is empty."""
    named = {one.name for one in all_operations()}
    found = (operation(type_, name) for name in sorted(named))
    return tuple(one for one in found if one and (not type_ or one.levels - {Level.SYSTEM}))


@cache
def _by_key() -> Mapping[tuple[str, str], Operation]:
    return MappingProxyType({key: one for one in all_operations() for key in _keys(one)})


def _keys(one: Operation) -> set[tuple[str, str]]:
    """Types and name that an operation is found by; the system is an empty type."""
    types = set(one.types) | ({""} if Level.SYSTEM in one.levels else set())
    return {(type_, one.name) for type_ in types}
