"""Keeps what an import of a VCF file called: a Genotype for each gene and a report, in one unit of work.

A second import of the same sample writes the next versions of the first, and takes away what it does not tell again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.definitions import unit_budget
from fhirtwin.fhir import codec
from fhirtwin.interactions.context import Services
from fhirtwin.pgx import hgnc
from fhirtwin.pgx.calls import GeneCall
from fhirtwin.report.genomics import imported
from fhirtwin.report.genomics.imported import Origin
from fhirtwin.store import Writer

Json = dict[str, Any]


class Keeping:
    """The storing of one import.

    Args:
        services: what there is.
        caller: who imports.
        write: the open unit of work.
        origin: where the calls come from.
    """

    def __init__(self, services: Services, caller: Caller, write: Writer, origin: Origin) -> None:
        self._services = services
        self._caller = caller
        self._write = write
        self._origin = origin
        self._unit = unit_budget()
        self.lost: list[str] = []
        """Genes that an earlier import of the sample had called, and of which this one tells nothing."""

    def keep(self, calls: Mapping[str, GeneCall]) -> dict[str, Json]:
        """Store all, delete Genotypes of an earlier import that this one lacks; gives what was stored, by gene."""
        kept = {}
        for gene, one in calls.items():
            again = self._is_there("Observation", gene)
            kept[gene] = imported.observation(one, self._origin, again=again)
            if "valueCodeableConcept" not in kept[gene]:
                self._note_what_is_lost(gene)
            self._store(kept[gene])
        for gene in sorted(hgnc.IDS.keys() - calls.keys()):
            if self._is_there("Observation", gene):
                self._note_what_is_lost(gene)
                permit(self._caller, "delete", "Observation")
                ingest.forget(self._write, "Observation", self._origin.id_of(gene))
        again = self._is_there("DiagnosticReport", "report")
        self._store(imported.report(kept, self._origin, again=again))
        return kept

    def _note_what_is_lost(self, gene: str) -> None:
        found = self._write.read("Observation", self._origin.id_of(gene))
        if found is not None and not found.deleted and "valueCodeableConcept" in codec.reread(found.data):
            self.lost.append(gene)

    def _is_there(self, type_: str, what: str) -> bool:
        found = self._write.read(type_, self._origin.id_of(what))
        return found is not None and not found.deleted

    def _store(self, resource: Json) -> None:
        received = ingest.of_our_own(resource, self._services.settings)
        ingest.keep(self._write, received, resource["id"], self._services.base_url, unit=self._unit)
