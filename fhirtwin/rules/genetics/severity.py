"""How urgent a row of a guideline is: by what it says to do, how strongly, and what the harm is.

CPIC calls a recommendation *strong* when the evidence is of high quality and the desirable effects clearly outweigh,
*optional* when they are closely balanced or the evidence is weak, so that there is room for another opinion
(https://cpicpgx.org/strength-of-recommendations/). So an optional row is a remark. Nothing to do is no card, however
strong: the usual dose, no recommendation, and "decide by clinical findings and family history", which holds for
everybody without the variant. A highest dose and a schedule of steps are remarks, because the dose of a draft is not
read, so that it may be right already.

A second gene that makes it worse, or of which less is known, must not quieten the first: two poor results make an
optional row, because few such people were studied, where one of them alone makes a strong one. So a row of several
genes that asks for something is at least as urgent as the row for one of them with the others unknown. A row that says
"the usual dose" for all of them together stands as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.guideline import Recommendation, table
from fhirtwin.pgx.recommendations import NO_RESULT
from fhirtwin.rules.findings import Citation, Severity

_WARNS: Final = {"Strong": Severity.WARNING, "Moderate": Severity.WARNING, "Optional": Severity.INFO}
_REMARKS: Final = dict.fromkeys(("Strong", "Moderate", "Optional"), Severity.INFO)
BY_ACTION: Final[Mapping[str, Mapping[str, Severity]]] = {
    "avoid": _WARNS,
    "alternative": _WARNS,
    "reduce": _WARNS,
    "increase": _WARNS,
    "limit": _REMARKS,
    "titrate": _REMARKS,
    "caution": _REMARKS,
    "test": _REMARKS,
    "use": {},
    "judge": {},
    "none": {},
}
"""Action and strength of a row to the severity of its finding; what is not here has none."""


@dataclass(frozen=True, slots=True)
class Grave:
    """A harm that may kill, so that a strong "avoid" is critical.

    Attributes:
        words: of the row's implication.
        source: who says that it may be fatal.
        drugs: of which that was read; empty where it holds for all of which the words are said.
    """

    words: str
    source: Citation
    drugs: frozenset[str] = frozenset()


GRAVE: Final = (
    Grave(
        "severe skin reactions more likely",
        Citation(
            "FDA alert on carbamazepine of 2007-12-12: Stevens-Johnson syndrome and toxic epidermal necrolysis may be "
            "fatal",
            "https://webarchive.library.unt.edu/eot2008/20080916152957/http://www.fda.gov/cder/drug/InfoSheets/HCP/carbamazepineHCP.htm",
        ),
    ),
    Grave(
        "toxicity may be fatal",
        Citation("CPIC's own words on the row", "https://cpicpgx.org/guidelines/"),
    ),
    Grave(
        "malignant hyperthermia more likely",
        Citation(
            "CPIC guideline on volatile anaesthetics and succinylcholine, 2019: life-threatening",
            "https://pmc.ncbi.nlm.nih.gov/articles/PMC6513720",
        ),
    ),
    Grave(
        "toxicity more likely",
        Citation(
            "Label of a codeine product, warnings: life-threatening or fatal respiratory depression in ultra-rapid "
            "metabolizers at labelled doses",
            "http://www.druglib.com/druginfo/triacin-c/warnings_precautions/",
        ),
        frozenset({"codeine"}),
    ),
)
"""Abacavir and others that a label forbids are critical by `fhirtwin.pgx.labels`."""


def of_row(row: Recommendation) -> Severity | None:
    """Tell how urgent a row is; None when there is nothing to do, or when it is the row for people nobody tested.

    A row of several genes is as urgent as `raised_by` makes it.
    """
    above = raised_by(row)
    return _by_itself(above or row)


def raised_by(row: Recommendation) -> Recommendation | None:
    """Give the row for one gene of several, the others unknown, that is more urgent than what all of them come to."""
    own = _by_itself(row)
    if own is None:
        return None
    above = max(_of_one_gene(row), key=lambda one: (rank(_by_itself(one)), firmness(one)), default=row)
    return above if rank(_by_itself(above)) > rank(own) else None


def _of_one_gene(row: Recommendation) -> tuple[Recommendation, ...]:
    """The rows of the same people for each gene of a row alone; none for a row of one gene."""
    known = [gene for gene, value in row.key if value != NO_RESULT]
    if len(known) < 2:
        return ()
    keys = (tuple((gene, value if gene == one else NO_RESULT) for gene, value in row.key) for one in known)
    rows = table().get(row.drug.name, {})
    return tuple(rows[row.population, key] for key in keys if (row.population, key) in rows)


def _by_itself(row: Recommendation) -> Severity | None:
    if all(value == NO_RESULT for _, value in row.key):
        return None
    urgent = BY_ACTION[row.action].get(row.strength)
    return Severity.CRITICAL if urgent is Severity.WARNING and grave(row) else urgent


def grave(row: Recommendation) -> Grave | None:
    """Give the harm that makes a row critical."""
    if row.action != "avoid" or row.strength != "Strong":
        return None
    for one in GRAVE:
        if one.drugs and row.drug.name not in one.drugs:
            continue
        if any(one.words in words.split("; ") for _, words in row.implications):
            return one
    return None


_STRENGTHS: Final = ("Optional", "Moderate", "Strong")
_ORDER: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def rank(urgent: Severity | None) -> int:
    """Give a number that grows with urgency; 0 for none."""
    return _ORDER.index(urgent) + 1 if urgent else 0


def firmness(row: Recommendation) -> int:
    """Give a number that grows with the strength of a row."""
    return _STRENGTHS.index(row.strength) if row.strength in _STRENGTHS else -1


def worst(rows: tuple[Recommendation, ...]) -> Severity | None:
    """Tell how urgent the most urgent of some rows is."""
    return max((of_row(row) for row in rows), key=rank, default=None)


def less(urgent: Severity | None) -> Severity | None:
    """Give the severity a step below, a remark at least; None of none."""
    return _ORDER[max(rank(urgent) - 2, 0)] if urgent else None
