"""What is expected of each candidate medicine for one person, with everything that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.lookup import PLAIN, Lookup
from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.pgx.response.compare import Candidate, Comparison, compare
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.report.genomics.weighed import Weighed, weigh
from fhirtwin.report.treatment_response import person
from fhirtwin.report.treatment_response.person import Shown
from fhirtwin.rules.genetics import severity, wording
from fhirtwin.rules.genetics.person import Person
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import Fact, Source

NOBODY: Final = Person({}, {}, {}, {})
"""Somebody of whom no gene was looked at."""


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
        person: whose genes, for what guidelines and labels say of them.
        genes: looks rows of guidelines up.
        sex: as the record says it; empty where it is not known.
    """

    genetic: Mapping[str, GenePhenotype]
    results: Mapping[str, GeneResult]
    medicines: tuple[Medicine, ...]
    taken: tuple[Taken, ...]
    conditions: Mapping[str, tuple[Fact, ...]]
    gaps: tuple[str, ...] = ()
    person: Person = NOBODY
    genes: Lookup = PLAIN
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """A comparison, and whose it is.

    Attributes:
        shown: by drug, what the genes show beside the other medicines.
        medicines: by drug, with its code.
        weighed: by drug, what guidelines and labels say of the genes, as on cards.
    """

    told: Comparison
    patient: Patient
    shown: Mapping[str, Shown]
    medicines: Mapping[str, Medicine]
    weighed: Mapping[str, Weighed]

    def by_genes(self, drug: str) -> tuple[str, ...]:
        """What guidelines and labels say of a drug and these genes that is more than its usual use, a line each."""
        told = self.weighed[drug].told
        forbidden = (f"forbidden by its label: {one.when}" for one in told.forbidden)
        rows = (
            f"{wording.what_is_known(row, told.shown)} (CPIC, {row.strength.lower()}): {wording.headline(row)}"
            for row in told.spoken
            if severity.of_row(row)
        )
        return tuple(dict.fromkeys((*forbidden, *rows)))

    def sources(self, one: Candidate) -> tuple[Source, ...]:
        """What of the record a candidate's assessment rests on: genes, medicines that act on them, conditions."""
        shown = self.shown[one.drug]
        genes = {
            s for gene in shown.phenotypes if gene in self.patient.results for s in self.patient.results[gene].sources
        }
        if self.by_genes(one.drug):
            rest = [self.patient.results[g] for g in self.weighed[one.drug].told.genes if g in self.patient.results]
            genes |= {source for result in rest for source in result.sources}
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
        sex=patient.sex,
    )
    weighed = weigh(named.values(), patient.person, patient.taken, patient.genes)
    return Findings(told, patient, shown, named, {one.medicine.name: one for one in weighed})
