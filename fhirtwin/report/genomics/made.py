"""A resource that was made here and is stored nowhere: how it is named, in a Bundle and in Parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A resource without an id, and the UUID it goes by, which is the same each time the same is said.

    Attributes:
        uuid: as text.
        resource: refers to others that were made here by `urn:uuid:...`.
    """

    uuid: str
    resource: Json

    @property
    def reference(self) -> Json:
        """A Reference to it, from beside it."""
        return {"reference": f"urn:uuid:{self.uuid}", "type": self.resource["resourceType"]}

    @property
    def entry(self) -> Json:
        """It as an entry of a Bundle."""
        return {"fullUrl": f"urn:uuid:{self.uuid}", "resource": self.resource}

    @property
    def alone(self) -> Json:
        """It with an id, for where there is no `fullUrl`; Observations it follows from are referred to by theirs."""
        derived = [_relative(one) for one in self.resource.get("derivedFrom", ())]
        type_, rest = self.resource["resourceType"], {**self.resource, **({"derivedFrom": derived} if derived else {})}
        return {"resourceType": type_, "id": self.uuid, **rest}


def _relative(reference: Json) -> Json:
    text = reference["reference"]
    return {"reference": f"Observation/{text.removeprefix('urn:uuid:')}"} if text.startswith("urn:uuid:") else reference


def made(resource: Json, *key: str) -> Made:
    """Name a resource by what makes it this one and no other: its subject first."""
    return Made(str(uuid5(NAMESPACE_URL, "\x1f".join((resource["resourceType"], *key)))), resource)
