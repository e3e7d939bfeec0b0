"""What the warfarin equation of the IWPC is given: genotypes as it names them, body measures, medicines with a term.

Cards and reports both take it from here. Race is not read, so the equation's own term for people of whom it is missing
is taken (`fhirtwin.pgx.warfarin.Person`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from fhirtwin.pgx import warfarin
from fhirtwin.rules.genetics.person import Person
from fhirtwin.twin.derived import newest
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import last_day

GENES: Final = ("CYP2C9", "VKORC1")
MEASURES: Final = ("age", "body-height", "body-weight")
UNKNOWN: Final = "unknown"
"""The equation's name for a genotype that nobody knows."""


def genotype(gene: str, person: Person) -> tuple[str, str]:
    """Give a genotype as the equation names it, `unknown` where nothing is known of the gene; or why it has none.

    A gene of which something is known that is not in the equation (an allele beside *1, *2 and *3, a laboratory's word)
    is not unknown: the equation's term for that would pass over what is known.

    Returns:
        The name and empty text; or empty text and the reason.
    """
    result = person.results.get(gene)
    if result is None or not person.knows(gene):
        named = bool(result and result.known.diplotypes)
        return ("", f"the equation does not know the genotype of {gene}") if named else (UNKNOWN, "")
    if gene == "CYP2C9" and (open_ := _open(person)):
        return "", f"{' and '.join(open_)} of CYP2C9 {'are' if len(open_) > 1 else 'is'} not excluded"
    found = _vkorc1(person) if gene == "VKORC1" else _cyp2c9(person)
    if len(found) > 1:
        return "", f"several genotypes of {gene} fit equally well"
    known = warfarin.VKORC1 if gene == "VKORC1" else warfarin.CYP2C9
    return (found[0], "") if found and found[0] in known else ("", f"the equation does not know the genotype of {gene}")


def _vkorc1(person: Person) -> list[str]:
    """The phenotype is named by the genotype at -1639, whichever strand it was reported by."""
    return list(dict.fromkeys(one.word for one in person.phenotypes["VKORC1"].alternatives))


def _open(person: Person) -> list[str]:
    """Alleles of the equation that were not tested, where one of them may stand for a *1 that was called."""
    call = person.results["CYP2C9"].known
    if call.coverage is None or not any("*1" in pair.alleles for pair in call.diplotypes):
        return []
    counted = {name for pair in warfarin.CYP2C9 for name in pair.split("/")}
    return [name for name in call.coverage.alleles if name in counted]


def _cyp2c9(person: Person) -> list[str]:
    pairs = person.results["CYP2C9"].known.diplotypes
    return list(dict.fromkeys("/".join(sorted(one.alleles)) for one in pairs))


def measure(state: TwinState, name: str, day: date, max_age: timedelta) -> tuple[Fact | None, str]:
    """Give age, height or weight, or why it cannot be used.

    Args:
        state: the twin as of the day.
        name: one of `MEASURES`.
        day: on which the dose is estimated.
        max_age: of height and weight.
    """
    fact = newest(state, name)
    if fact is None:
        return None, f"{name.replace('-', ' ')} is not known, or its newest value cannot be told"
    measured = last_day(fact.time)
    if name != "age" and (measured is None or day - measured > max_age):
        return None, f"{name.replace('-', ' ')} is too old"
    return fact, ""


def term(drug: str) -> str:
    """Name the term of the equation that a medicine is; empty for one that is none."""
    if drug == "amiodarone":
        return drug
    return "enzyme inducer" if drug in warfarin.INDUCERS else ""


def estimate(measured: Mapping[str, Fact], genotypes: Mapping[str, str], taken: Iterable[str]) -> warfarin.Dose:
    """Estimate the weekly dose.

    Args:
        measured: each of `MEASURES`.
        genotypes: of each of `GENES`, as the equation names it.
        taken: medicines, by name.

    Raises:
        Unprocessable: a value is beyond what an adult can have, or there is no dose for such values.
    """
    age, height, weight = (Decimal(str(measured[name].value)) for name in MEASURES)
    terms = set(map(term, taken))
    return warfarin.estimate(
        warfarin.Person(
            age=int(age),
            height=float(height),
            weight=float(weight),
            vkorc1=genotypes["VKORC1"],
            cyp2c9=genotypes["CYP2C9"],
            inducer="enzyme inducer" in terms,
            amiodarone="amiodarone" in terms,
        )
    )
