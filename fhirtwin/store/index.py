"""What a resource says becomes the rows of the search index, one plan for each resource type.

The paths of all parameters of a type are joined to one tree, made when the first resource of the type is stored; a
resource is then walked once, and only where it has something that a parameter reads.

*Source*: the elements that each kind of parameter compares, http://hl7.org/fhir/R4/search.html#table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from fhirtwin.errors import TooLarge
from fhirtwin.fhir.search import parameters as search_parameters
from fhirtwin.fhir.search.parameters import PARAMETERS, Branch, Kind, SearchParameter, Step
from fhirtwin.store import index_values
from fhirtwin.store.index_values import BEGINNING, END, Rows, kept, token_code

__all__ = ["BEGINNING", "END", "Rows", "kept", "rows", "token_code"]

MAX_ROWS: Final = 100_000
"""Most index rows of one resource: a Group may have very many members, and nobody else's writing waits for minutes."""

_ON_RESOURCE: Final = frozenset(("_id", "_lastUpdated"))
"""Parameters whose values are columns of `resource`."""

_Write = Callable[[Rows, Any, int], None]


@dataclass(slots=True)
class _Node:
    """One step from an element to those within it: what is written of them, and the steps that go on from there."""

    step: Step
    writes: list[_Write] = field(default_factory=list)
    below: dict[str, list[_Node]] = field(default_factory=dict)


_Nodes = Mapping[str, list[_Node]]


def rows(resource: Mapping[str, Any], base_url: str, *, most: int | None = MAX_ROWS) -> Rows:
    """Make the index rows of a structurally valid resource.

    Args:
        resource: parsed; its references resolved.
        base_url: this server's base; absolute references below it are its own.
        most: how many rows it may have; None for a resource that is stored already.

    Raises:
        TooLarge: it has more searchable values than a resource may have.
    """
    made = Rows(base_url)
    nodes, defaults = _plan(resource["resourceType"])
    _walk(made, resource, nodes, 0)
    for parameter, code in defaults:
        if not any(row[0] == parameter for row in made.tokens):
            made.tokens.add((parameter, 0, code, ""))
    if most is not None and len(made) > most:
        raise TooLarge(f"The resource has more than {most:,} searchable values; store it in parts.")
    return made


def _walk(made: Rows, owner: Mapping[str, Any], nodes: _Nodes, item: int) -> None:
    for name, value in owner.items():
        for node in nodes.get(name, ()):
            if type(value) is list:
                for number, one in enumerate(value):
                    if one is not None:
                        _visit(made, node, one, number, item)
            else:
                _visit(made, node, value, 0, item)


def _visit(made: Rows, node: _Node, value: Any, number: int, item: int) -> None:
    step = node.step
    if step.index is not None and step.index != number:
        return
    if step.key and not search_parameters.has(value, step):
        return
    inner = number + 1 if step.item else item
    for write in node.writes:
        write(made, value, inner)
    if node.below:
        _walk(made, value, node.below, inner)


@cache
def _plan(type_: str) -> tuple[_Nodes, tuple[tuple[int, str], ...]]:
    """The tree of a type, and the tokens that it has when nothing is there (`Patient.deceased`)."""
    roots: dict[str, list[_Node]] = {}
    defaults: list[tuple[int, str]] = []
    shared: dict[tuple[Any, ...], list[tuple[SearchParameter, Branch]]] = {}
    for parameter in PARAMETERS[type_].values():
        if parameter.name in _ON_RESOURCE:
            continue
        if any(branch.kind == "falsehood" for branch in parameter.branches):
            defaults.append((parameter.number, "false"))
        for branch in parameter.branches:
            same = (branch.path, parameter.kind, branch.kind, branch.within, branch.hidden, parameter.exact_case)
            shared.setdefault(same, []).append((parameter, branch))
    for readers in shared.values():
        parameter, branch = readers[0]
        numbers = tuple(reader.number for reader, _ in readers)
        _node(roots, branch.path).writes.append(_writer(parameter, branch, numbers))
    return roots, tuple(defaults)


def _node(nodes: dict[str, list[_Node]], path: tuple[Step, ...]) -> _Node:
    """The node at the end of a path, made where it is not there yet."""
    *before, last = path
    for step in before:
        nodes = _at(nodes, step).below
    return _at(nodes, last)


def _at(nodes: dict[str, list[_Node]], step: Step) -> _Node:
    alternatives = nodes.setdefault(step.name, [])
    for node in alternatives:
        if node.step == step:
            return node
    alternatives.append(_Node(step))
    return alternatives[-1]


def _writer(parameter: SearchParameter, branch: Branch, numbers: tuple[int, ...]) -> _Write:
    """What adds the rows of one element for all parameters that read it alike."""
    match parameter.kind:
        case Kind.TOKEN:
            add = index_values.token_writer(branch, parameter.exact_case)
        case Kind.REFERENCE:
            add = index_values.reference_writer(branch)
        case kind:
            add = index_values.WRITERS[kind, branch.kind]

    def write(made: Rows, value: Any, item: int) -> None:
        add(made, value, numbers, -1 - item if branch.hidden else item)

    return write
