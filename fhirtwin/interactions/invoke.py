"""Finds and runs operations: `GET` or `POST` of `[base]/$name`, `[base]/[type]/$name`, `[base]/[type]/[id]/$name`.

*Source*: http://hl7.org/fhir/R4/operations.html#executing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from fhirtwin.access import Caller, permit
from fhirtwin.errors import MethodNotAllowed, NotFound
from fhirtwin.interactions import inputs, registry
from fhirtwin.interactions.context import Answer, Services, is_id, require_type
from fhirtwin.interactions.operation import Call, Level, Operation


def find(type_: str, id_: str, name: str, method: str) -> Operation:
    """The operation that an address names.

    Args:
        type_: resource type; empty on the system level.
        id_: logical id; empty on the levels above.
        name: without the dollar sign.
        method: `GET` or `POST`.

    Raises:
        NotFound: no such type, id or operation; or the operation is there on another level, which the text names.
        MethodNotAllowed: it would change something, and the method is `GET`.
    """
    if type_:
        require_type(type_)
    operation = registry.operation(type_, name)
    if operation is None:
        raise NotFound("There is no such operation; `metadata` lists what there is.")
    if Level.of(type_, id_) not in operation.levels:
        raise NotFound(f"${name} is not here: it is invoked at {' or '.join(_addresses(operation, type_))}.")
    if id_ and not is_id(id_):
        raise NotFound("A logical id has 1 to 64 letters, digits, dots and hyphens.")
    if method not in operation.methods:
        raise MethodNotAllowed(f"${name} takes {' or '.join(operation.methods)}.", allowed=operation.methods)
    return operation


def invoke(
    services: Services,
    caller: Caller,
    operation: Operation,
    type_: str,
    id_: str,
    method: str,
    pairs: Iterable[tuple[str, str]] = (),
    sent: bytes = b"",
    *,
    form: Iterable[tuple[str, str]] = (),
    content: BinaryIO | None = None,
) -> Answer:
    """Run an operation that `find` gave.

    Args:
        services: the parts.
        caller: who asks.
        operation: what to run.
        type_: resource type of the address; empty on the system level.
        id_: logical id of the address; empty on the levels above.
        method: `GET` or `POST`.
        pairs: parameters of the URL.
        sent: the body.
        form: the parameters about the form of the answer (`_format`, `_pretty`), which the links repeat.
        content: the body, where it is a file of a type that the operation takes.

    Raises:
        Forbidden: the caller may not.
        Incorrect: a parameter is unknown, missing, repeated or wrong.
        FhirtwinError: what the operation raises.
    """
    permit(caller, "operation", type_)
    given = inputs.read(operation, pairs, sent, max_depth=services.settings.max_depth)
    return operation.run(Call(services, caller, type_, id_, method, given, tuple(form), content))


def _addresses(operation: Operation, type_: str) -> list[str]:
    types = type_ or ("[type]" if len(operation.types) != 1 else min(operation.types))
    addresses = {
        Level.SYSTEM: f"[base]/${operation.name}",
        Level.TYPE: f"[base]/{types}/${operation.name}",
        Level.INSTANCE: f"[base]/{types}/[id]/${operation.name}",
    }
    return [address for level, address in addresses.items() if level in operation.levels]
