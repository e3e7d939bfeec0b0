"""What an operation is: a row of data and one function. Its file in `operations/` exports it as `OPERATION`.

*Source*: http://hl7.org/fhir/R4/operations.html, http://hl7.org/fhir/R4/operationdefinition.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Final

from fhirtwin.access import Caller
from fhirtwin.fhir import codec
from fhirtwin.interactions.context import Answer, Services

ANY_TYPE: Final = "*"
"""In place of a resource type: the operation is there for every one."""

RESOURCE: Final = "Resource"
"""The kind of a parameter that is a resource of any type."""


class Level(StrEnum):
    """What an operation is invoked on; the value is the element of an OperationDefinition that says so."""

    SYSTEM = "system"
    TYPE = "type"
    INSTANCE = "instance"

    @classmethod
    def of(cls, type_: str, id_: str) -> Level:
        """The level of an address, of which the parts that it lacks are empty."""
        return cls.INSTANCE if id_ else cls.TYPE if type_ else cls.SYSTEM


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that goes in.

    Attributes:
        kind: its FHIR type: a primitive (`date`), a datatype (`Coding`), a resource type, or `RESOURCE`. Empty where
            it has parts.
        required: whether it must be there.
        many: whether it may be there several times.
        judged: whether a resource must be valid to be handed over; False leaves the judgement to the operation.
        parts: what it is made of, instead of a value.
    """

    name: str
    kind: str = ""
    required: bool = False
    many: bool = False
    judged: bool = True
    parts: tuple[Parameter, ...] = ()


Given = Mapping[str, tuple[Any, ...]]
"""Values by parameter: primitives as JSON has them, datatypes and resources as dictionaries, parts as another Given."""


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation, its parameters read and checked against the operation's.

    Attributes:
        type: resource type of the address; empty on the system level.
        id: logical id of the address; empty on the other levels.
        method: `GET` or `POST`.
        form: the parameters about the form of the answer, which the links of a Bundle repeat.
        content: the body, where it is a file of a type that the operation takes; None otherwise.
    """

    services: Services
    caller: Caller
    type: str
    id: str
    method: str
    given: Given = field(default_factory=dict)
    form: tuple[tuple[str, str], ...] = ()
    content: BinaryIO | None = None

    def one(self, name: str) -> Any:
        """The value of a parameter that may be given once; None when it was not."""
        values = self.given.get(name, ())
        return values[0] if values else None

    def every(self, name: str) -> tuple[Any, ...]:
        """All values of a parameter."""
        return self.given.get(name, ())


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: `[base]/$name`, `[base]/[type]/$name` or `[base]/[type]/[id]/$name`, as its levels say.

    Attributes:
        definition: canonical URL of its OperationDefinition.
        types: resource types that it is for; `ANY_TYPE` for all. Empty when it has the system level alone.
        levels: where it can be invoked.
        run: does it. Whether the caller may invoke the operation was asked before; what it may see or change in
            doing so is the function's to ask.
        parameters: what it takes.
        affects_state: whether it changes anything that is stored.
        get: whether it may be invoked by GET too, which must change nothing; None means: unless it affects state.
        searches: whether it takes search parameters beside its own; they come as text.
        content: media types of files that may be its body instead of a resource; its parameters are in the URL then.
    """

    name: str
    definition: str
    types: frozenset[str]
    levels: frozenset[Level]
    run: Callable[[Call], Answer]
    parameters: tuple[Parameter, ...] = ()
    affects_state: bool = False
    get: bool | None = None
    searches: bool = False
    content: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods it takes: http://hl7.org/fhir/R4/operations.html#executing."""
        readable = not self.affects_state if self.get is None else self.get
        return ("GET", "POST") if readable else ("POST",)


def with_parameters(values: Iterable[tuple[str, str, Any]]) -> Answer:
    """Answer 200 with a Parameters resource.

    Args:
        values: name, member (`valueBoolean`, `resource`, `part`) and value of each parameter, in order.
    """
    listed = [{"name": name, member: value} for name, member, value in values]
    return Answer(200, codec.encode({"resourceType": "Parameters", **({"parameter": listed} if listed else {})}))
