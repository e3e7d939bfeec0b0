"""What of some resources is a patient's, as mappers read it: with its source, and the Medication it names inside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from fhirtwin.intake import belonging
from fhirtwin.intake.belonging import Placed
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.medicines import with_medication
from fhirtwin.twin.state import Source


def sourced(placed: Sequence[Placed], origin: str, bases: Collection[str] = ()) -> Iterator[tuple[Source, Resource]]:
    """Give what names a patient, each with its source.

    Args:
        placed: resources that came together, of one patient and nobody else.
        origin: FHIR base of the server that they come from.
        bases: others, beside none, that absolute references to what came along may start with.
    """
    ours = {"", origin, *bases}
    brought = [resource for _, resource in placed]
    medications = {one.get("id"): one for one in brought if one["resourceType"] == "Medication"}

    def find(base: str, id_: str) -> Resource | None:
        return medications.get(id_) if base in ours else None

    for resource in brought:
        if belonging.names_a_patient(resource):
            version = resource.get("meta", {}).get("versionId", "")
            yield Source(origin, resource["resourceType"], resource["id"], version), with_medication(resource, find)
