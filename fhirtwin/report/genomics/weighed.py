"""A medicine of a report with what the genes say of it, judged as the drafts of an order are.

An inhibitor tells of an enzyme that nobody looked at, too: a report is asked for, so that nobody is shown it unasked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from fhirtwin.pgx.lookup import Lookup
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.recommendations import Answer
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.rules.genetics import asking, labelling
from fhirtwin.rules.genetics.beside import stopped
from fhirtwin.rules.genetics.judging import Judged, judged
from fhirtwin.rules.genetics.person import Person
from fhirtwin.twin.derived import ended
from fhirtwin.twin.state import TwinState


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of one medicine.

    Attributes:
        medicine: which.
        told: of it.
        by_label: what its label says of these genes beside contraindications, in paragraphs.
    """

    medicine: Medicine
    told: Judged
    by_label: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        """Rows of the guideline, found by the effective phenotypes; without those that rest on no gene."""
        return self.told.answer

    @property
    def phenotypes(self) -> Mapping[str, GenePhenotype]:
        """Those by which rows were found."""
        return self.told.shown

    @property
    def by_genes(self) -> Weighed:
        """The same by the genes alone, as if nothing were beside it."""
        return replace(self, told=replace(self.told, shown=self.told.genetic, effects={}))

    @property
    def is_by_genes(self) -> bool:
        """Whether it is told by the genes alone though something beside it changes them."""
        return bool(self.told.by_genes) and not self.told.effects

    @property
    def conversions(self) -> tuple[Effective, ...]:
        """What other medicines do to the enzymes that matter to this one."""
        return tuple(one for one in self.told.effects.values() if one.causes or one.notices)


def taken(whole: TwinState, now: Iterable[Medicine], day: date) -> tuple[Taken, ...]:
    """What acts on enzymes: medicines of the day, and those that were stopped lately.

    Args:
        whole: the twin with all its facts.
        now: what is taken on the day.
        day: of the report.
    """
    today = tuple(now)
    past = stopped(ended(whole, "medicine", day), {one.code for one in today}, day)
    return (*(Taken(one.name) for one in today), *(one for _, one in past))


def weigh(medicines: Iterable[Medicine], person: Person, beside: Iterable[Taken], genes: Lookup) -> Iterator[Weighed]:
    """Look medicines up, all at once.

    Args:
        medicines: which.
        person: whose genes.
        beside: what is taken; a medicine's own inhibition is left out.
        genes: looks rows up.
    """
    every, others = tuple(medicines), tuple(beside)
    keys = asking.of_drugs([one.name for one in every], person, others, untested=True)
    known = replace(person, find=genes.finder(keys))
    for one in every:
        by_label = tuple(map(labelling.paragraph, labelling.found(one.name, known)))
        yield Weighed(one, judged(one.name, known, others, untested=True), by_label)
