"""Calls of a VCF file as resources to be stored: a Genotype for each gene, and the report that lists them.

Their ids come from patient, sample and gene, so that another import of the same sample is their next version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from fhirtwin import __version__
from fhirtwin.pgx import hla, known, phenotype
from fhirtwin.pgx.calls import GeneCall
from fhirtwin.pgx.known import METHODS
from fhirtwin.pgx.results import Known
from fhirtwin.report.genomics import codes
from fhirtwin.report.genomics.genotype import genotype
from fhirtwin.terms.systems import FHIRTWIN, LOINC

Json = dict[str, Any]

IMPORT: Final = f"{FHIRTWIN}/identifier/vcf-import"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is imported.

    Attributes:
        patient: id of the Patient.
        sample: its name in the file.
        when: day that the results stand for.
        document: reference to the DocumentReference that holds the file; empty where it came as a body.
        stated: what whoever imported it said of the file, and the calls rest on; for people.
    """

    patient: str
    sample: str
    when: str
    document: str = ""
    stated: tuple[str, ...] = ()

    def id_of(self, what: str) -> str:
        """The id of the Genotype of a gene, or of the `report`."""
        return str(uuid5(NAMESPACE_URL, "\x1f".join((IMPORT, self.patient, self.sample, what))))


def told(call: GeneCall) -> Known:
    """Give what is known by a call; a word or an allele that no table has leaves the gene not called.

    Unlike a diplotype, which says by itself what was not known, a word alone would say nothing.
    """
    found = known.of(call)
    if found.diplotypes or found.not_called:
        return found
    understood = hla.statuses(found) if call.gene.startswith("HLA-") else phenotype.of_call(found).alternatives
    if understood:
        return found
    why = f"not called, because what was reported of {call.gene} is none of the words that guidelines use"
    return replace(found, reported=(), not_called=why)


def observation(call: GeneCall, origin: Origin, *, again: bool) -> Json:
    """Write the Genotype of one gene.

    Args:
        call: of the gene.
        origin: of the file.
        again: whether it replaces an earlier one.
    """
    found = told(call)
    resource = genotype(found, f"Patient/{origin.patient}", origin.when)
    stated = origin.stated if call.source == "vcf" and found.diplotypes else ()
    notes = [{"text": text} for text in (*_whole(call, found), *found.notes, *_coverage(found), *stated)]
    if "dataAbsentReason" in resource and not call.looked_at:
        resource["dataAbsentReason"] = codes.concept(codes.ABSENT, "not-performed", text=found.not_called)
    return {
        **resource,
        "id": origin.id_of(call.gene),
        "identifier": [{"system": IMPORT, "value": origin.id_of(call.gene)}],
        "status": "corrected" if again else "final",
        "method": {"text": METHODS[call.source]},
        "device": {"display": f"fhirtwin {__version__}"},
        "specimen": {"display": f"Sample {origin.sample} of the file"},
        **({"note": notes} if notes else {}),
        **({"derivedFrom": [{"reference": origin.document}]} if origin.document else {}),
    }


def _whole(call: GeneCall, found: Known) -> Iterable[str]:
    """All that the file shows, where only a part of it is looked up."""
    if call.called and found.diplotypes and call.labels != tuple(map(str, found.diplotypes)):
        yield f"The file shows {' or '.join(call.labels) if call.diplotypes else ', '.join(call.labels)}."


def _coverage(found: Known) -> Iterable[str]:
    """What was not tested, whole: it is read again from here."""
    if found.coverage:
        yield str(found.coverage)


def report(observations: Mapping[str, Json], origin: Origin, *, again: bool) -> Json:
    """Write the report that lists the Genotypes; `observations` are by gene."""
    called = [one["valueCodeableConcept"]["text"] for one in observations.values() if "valueCodeableConcept" in one]
    uncalled = [gene for gene, one in observations.items() if "valueCodeableConcept" not in one]
    return {
        "resourceType": "DiagnosticReport",
        "id": origin.id_of("report"),
        "meta": {"profile": [codes.REPORT]},
        "identifier": [{"system": IMPORT, "value": origin.id_of("report")}],
        "status": "corrected" if again else "final",
        "category": [codes.CATEGORIES[1]],
        "code": codes.concept(LOINC, "51969-4", "Genetic analysis report", "Genotypes of pharmacogenes"),
        "subject": {"reference": f"Patient/{origin.patient}"},
        "effectiveDateTime": origin.when,
        "result": [{"reference": f"Observation/{one['id']}"} for one in observations.values()],
        "conclusion": "\n".join((*_conclusion(called, uncalled), *origin.stated)),
    }


def _conclusion(called: Sequence[str], uncalled: Sequence[str]) -> Iterable[str]:
    yield f"Called: {'; '.join(called)}." if called else "No gene was called."
    if uncalled:
        yield f"Not called (each result says why): {', '.join(uncalled)}."
