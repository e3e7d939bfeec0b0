"""What is expected of each candidate medicine for one person, with everything that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.pgx.response.compare import Candidate, Comparison, compare
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.report.treatment_response import person
from fhirtwin.report.treatment_response.person import Shown
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import Fact, Source


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of one person on one day.

    Attributes:
        genetic: by gene, what the genes say.
        results: of genes, with their sources.
        medicines: taken on the day.
        taken: the same and what was stopped, as enzymes see them.
        conditions: those of the cautions that are there.
        gaps: what of the record could not be looked at.
    """

    genetic: Mapping[str, GenePhenotype]
    results: Mapping[str, GeneResult]
    medicines: tuple[Medicine, ...]
    taken: tuple[Taken, ...]
    conditions: Mapping[str, tuple[Fact, ...]]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """A comparison, and whose it is.

    Attributes:
        shown: by drug, what the genes show beside the other medicines.
        medicines: by drug, with its code.
    """

    told: Comparison
    patient: Patient
    shown: Mapping[str, Shown]
    medicines: Mapping[str, Medicine]

    def sources(self, one: Candidate) -> tuple[Source, ...]:
        """What of the record a candidate's assessment rests on: genes, medicines that act on them, conditions."""
        shown = self.shown[one.drug]
        genes = {
            s for gene in shown.phenotypes if gene in self.patient.results for s in self.patient.results[gene].sources
        }
        acting = {taken.drug for each in shown.conversions for taken, _ in each.causes}
        medicines = {s for each in self.patient.medicines if each.name in acting for s in each.sources}
        met = {caution.condition for caution in one.met}
        facts = {s for name in met for fact in self.patient.conditions.get(name, ()) for s in fact.sources}
        return tuple(sorted(genes | medicines | facts))


def find(medicines: Iterable[Medicine], setting: str, step: int, patient: Patient) -> Findings:
    """Compare candidate medicines for a person.

    Args:
        medicines: candidates.
        setting: one of `fhirtwin.pgx.response.evidence.SETTINGS`.
        step: which treatment of this episode it would be.
        patient: who.

    Raises:
        Unprocessable: too many candidates, or a setting or step of which nothing is known.
    """
    named = {one.name: one for one in medicines}
    shown = {name: person.shown(name, patient.genetic, patient.taken) for name in named}
    told = compare(
        named,
        setting,
        step,
        conditions=dict.fromkeys(patient.conditions, True),
        by_drug={name: one.phenotypes for name, one in shown.items()},
    )
    return Findings(told, patient, shown, named)
