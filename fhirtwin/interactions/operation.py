"""What an operation is: a file of this folder exports one as `OPERATION`; route and CapabilityStatement follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fhirtwin.access import Caller
from fhirtwin.interactions.context import Answer, Services


class Run(Protocol):
    """The function of an operation on one resource."""

    def __call__(
        self, services: Services, caller: Caller, id_: str, params: Mapping[str, tuple[str, ...]], method: str
    ) -> Answer:
        """Run it.

        Args:
            services: the parts.
            caller: who asks.
            id_: logical id of the resource.
            params: values by name, of the URL and of a Parameters body; each name once or several times.
            method: `GET` or `POST`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on instances of one resource type: `[base]/[type]/[id]/$name`.

    Attributes:
        methods: `GET` only where nothing is changed (http://hl7.org/fhir/R4/operations.html#executing).
        definition: canonical URL of its OperationDefinition.
    """

    name: str
    type: str
    methods: frozenset[str]
    definition: str
    run: Run
