"""Warfarin: the weekly dose that the equations of the International Warfarin Pharmacogenetics Consortium expect.

*Source*: IWPC, N Engl J Med 2009;360:753-764, https://doi.org/10.1056/NEJMoa0809329, supplementary appendix. The square
of a sum; the sum is linear, with one table of terms for when genes are known and one for when they are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.errors import Unprocessable

SOURCE: Final = "IWPC 2009, N Engl J Med 360:753, doi 10.1056/NEJMoa0809329"
SNAPSHOT: Final = "2009-02-19"
PHARMACOGENETIC: Final[Mapping[str, float]] = {
    "intercept": 5.6044,
    "age in decades": -0.2614,
    "height in cm": 0.0087,
    "weight in kg": 0.0128,
    "VKORC1 -1639 AG": -0.8677,
    "VKORC1 -1639 AA": -1.6974,
    "VKORC1 unknown": -0.4854,
    "CYP2C9 *1/*2": -0.5211,
    "CYP2C9 *1/*3": -0.9357,
    "CYP2C9 *2/*2": -1.0616,
    "CYP2C9 *2/*3": -1.9206,
    "CYP2C9 *3/*3": -2.3312,
    "CYP2C9 unknown": -0.2188,
    "Asian": -0.1092,
    "Black or African American": -0.2760,
    "missing or mixed race": -0.1032,
    "enzyme inducer": 1.1816,
    "amiodarone": -0.5503,
}
CLINICAL: Final[Mapping[str, float]] = {
    "intercept": 4.0376,
    "age in decades": -0.2546,
    "height in cm": 0.0118,
    "weight in kg": 0.0134,
    "Asian": -0.6752,
    "Black or African American": 0.4060,
    "missing or mixed race": 0.0443,
    "enzyme inducer": 1.2799,
    "amiodarone": -0.5695,
}
RACES: Final = ("White", "Asian", "Black or African American", "missing or mixed race")
VKORC1: Final = ("-1639 GG", "-1639 AG", "-1639 AA", "unknown")
CYP2C9: Final = ("*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3", "unknown")
INDUCERS: Final = frozenset({"carbamazepine", "phenytoin", "rifampin", "rifampicin"})

# What a body can have; the paper states no limits. Beyond them a unit or a digit is wrong.
AGE: Final = (18, 120)
HEIGHT: Final = (100.0, 250.0)
WEIGHT: Final = (25.0, 300.0)


@dataclass(frozen=True, slots=True)
class Person:
    """What the equation needs.

    Attributes:
        age: in completed years.
        height: in cm.
        weight: in kg.
        vkorc1: genotype at -1639, one of `VKORC1`.
        cyp2c9: genotype, one of `CYP2C9`; others than *1, *2 and *3 are not in the equation.
        race: one of `RACES`, as the person says it.
        inducer: takes carbamazepine, phenytoin or rifampin.
        amiodarone: takes amiodarone.
    """

    age: int
    height: float
    weight: float
    vkorc1: str = "unknown"
    cyp2c9: str = "unknown"
    race: str = "missing or mixed race"
    inducer: bool = False
    amiodarone: bool = False


@dataclass(frozen=True, slots=True)
class Dose:
    """The expected stable dose.

    Attributes:
        weekly: in mg a week.
        equation: `pharmacogenetic` or `clinical`.
        terms: what each input adds to the sum, before it is squared; empty when it was summed under encryption.
        source: the publication.
    """

    weekly: float
    equation: str
    terms: tuple[tuple[str, float], ...]
    source: str = SOURCE


def estimate(person: Person) -> Dose:
    """Estimate the weekly dose; by the clinical equation when neither gene is known."""
    check(person)
    known = genes_known(person)
    weights = PHARMACOGENETIC if known else CLINICAL
    terms = tuple((name, weights[name] * value) for name, value in inputs(person, known).items())
    return dose(sum(value for _, value in terms), known, terms)


def dose(total: float, by_genes: bool, terms: tuple[tuple[str, float], ...] = ()) -> Dose:
    """Square the sum of the terms.

    Raises:
        Unprocessable: the sum is not positive.
    """
    if total <= 0:
        raise Unprocessable("The warfarin equation gives no dose for such values: use clinical judgement.")
    return Dose(total**2, "pharmacogenetic" if by_genes else "clinical", terms)


def genes_known(person: Person) -> bool:
    """Tell which equation it is: the pharmacogenetic one as soon as either gene is known."""
    return (person.vkorc1, person.cyp2c9) != ("unknown", "unknown")


def inputs(person: Person, by_genes: bool) -> dict[str, float]:
    """Give the numbers that the weights are multiplied with, by the name of the weight."""
    found = {
        "intercept": 1.0,
        "age in decades": float(min(person.age // 10, 9)),
        "height in cm": person.height,
        "weight in kg": person.weight,
        "enzyme inducer": float(person.inducer),
        "amiodarone": float(person.amiodarone),
    }
    named = [person.race]
    named += [f"VKORC1 {person.vkorc1}", f"CYP2C9 {person.cyp2c9}"] if by_genes else []
    return found | {name: 1.0 for name in named if name in PHARMACOGENETIC}


def check(person: Person) -> None:
    """Refuse what the equation does not know, and what no adult has.

    Raises:
        Unprocessable: names the input and what it must be.
    """
    for name, value, known in (
        ("vkorc1", person.vkorc1, VKORC1),
        ("cyp2c9", person.cyp2c9, CYP2C9),
        ("race", person.race, RACES),
    ):
        if value not in known:
            raise Unprocessable(f"The warfarin equation knows {name} only as one of: {', '.join(known)}.")
    for name, number, (low, high), unit in (
        ("age", person.age, AGE, "completed years"),
        ("height", person.height, HEIGHT, "cm"),
        ("weight", person.weight, WEIGHT, "kg"),
    ):
        if not low <= number <= high:  # also refuses NaN
            raise Unprocessable(f"The warfarin equation needs {name} in {unit}, from {low} to {high}.")
