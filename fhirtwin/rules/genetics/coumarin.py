"""An order of warfarin: the weekly dose that the equation of the IWPC expects, or what is missing for it.

Said only when CYP2C9 or VKORC1 was looked at. Race is not read by the twin, so the equation's own term for people of
whom it is missing is taken, and that is said.

How good the estimate is comes from the paper's validation cohort: Klein TE et al., N Engl J Med 2009;360:753-764,
table 3, https://pmc.ncbi.nlm.nih.gov/articles/PMC2722908/table/T3; it gives no interval for one person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import warfarin
from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.genetics import dosing, naming
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.beside import Beside, beside
from fhirtwin.rules.genetics.dosing import GENES, MEASURES
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.orderable import HEIGHT, WEIGHT
from fhirtwin.rules.situation import Order, Situation

SOURCE: Final = Citation(
    f"IWPC, N Engl J Med 2009;360:753-764, {warfarin.SNAPSHOT}", "https://doi.org/10.1056/NEJMoa0809329"
)
ACCURACY: Final = (
    "In the paper's validation cohort the estimate was within 20 % of the stable dose in 33 % of those who needed 21 "
    "mg a week or less, in 55 % of those between, and in 37 % of those who needed 49 mg or more. The paper gives no "
    "interval for one person. It is an estimate of the stable dose for an INR of 2 to 3, for adults; INR decides."
)
DISCLAIMER: Final = (
    "An equation informs the judgement of those who treat; it does not replace it, nor control of the INR."
)
_BODY: Final = {"body-height": HEIGHT, "body-weight": WEIGHT}


def findings(situation: Situation, person: Person) -> Iterator[Finding]:
    """Find what the equation says of each order of warfarin."""
    if not any(gene in person.results for gene in GENES):
        return
    for order in situation.orders:
        if "warfarin" in naming.named(order.medicine.ingredients):
            yield _finding(order, situation, person)


def _finding(order: Order, situation: Situation, person: Person) -> Finding:
    read = {name: dosing.measure(situation.state, name, situation.day, situation.oldest_measure) for name in MEASURES}
    used = {name: fact for name, (fact, _) in read.items() if fact}
    genes = {gene: value for gene in GENES if (value := _genotype(gene, person))}
    missing = [f"{name.replace('-', ' ')}{_too_old(why)}" for name, (fact, why) in read.items() if fact is None]
    missing += [f"a genotype of {gene} that the equation knows" for gene in GENES if gene not in genes]
    others = beside(situation, order)
    try:
        estimated = None if missing else dosing.estimate(used, genes, _acting(others))
        refused = ""
    except Unprocessable as error:
        estimated, refused = None, str(error)
    if estimated:
        summary = f"Warfarin: stable dose expected from the genes, about {estimated.weekly:.0f} mg a week (IWPC)"
    else:
        summary = f"Warfarin: no dose can be told from the genes; {'missing: ' if missing else 'outside the equation'}"
        summary += ", ".join(missing)
    facts = [f for gene in GENES for f in person.facts.get(gene, ())]
    facts += used.values()
    facts += [one.fact for one in others if one.fact and _term(one)]
    return Finding(
        rule=f"genes.warfarin.{'estimate' if estimated else 'no-estimate'}",
        severity=Severity.INFO,
        orders=(order.reference,),
        summary=summary,
        detail=tuple(_detail(estimated, missing, refused, others, genes)),
        facts=tuple(dict.fromkeys(facts)),
        sources=(SOURCE,),
        remedies=tuple(
            Remedy(f"Order {code.display.lower()}", Act.REQUEST, code=code)
            for name, code in _BODY.items()
            if name not in used
        ),
        topic=TOPIC,
    )


def _too_old(why: str) -> str:
    return " of late (the newest is too old)" if why.endswith("too old") else ""


def _acting(others: tuple[Beside, ...]) -> list[str]:
    """Medicines that count in the equation; one that was stopped does not."""
    return [one.taken.drug for one in others if _term(one)]


def _term(one: Beside) -> str:
    """Which term of the equation a medicine is; one that was stopped is none."""
    return "" if one.taken.stopped else dosing.term(one.taken.drug)


def _genotype(gene: str, person: Person) -> str:
    """The genotype as the equation names it; empty when it is not known, though the equation has a term for that."""
    name, _ = dosing.genotype(gene, person)
    return "" if name == dosing.UNKNOWN else name


def _detail(
    dose: warfarin.Dose | None, missing: list[str], refused: str, others: tuple[Beside, ...], genes: dict[str, str]
) -> Iterator[str]:
    if dose:
        yield f"Expected: {dose.weekly:.1f} mg a week, by the {dose.equation} equation."
        yield ACCURACY
        yield "Race is not read here; the equation's own term for people of whom it is missing was taken."
        taken = sorted({f"{one.taken.drug} ({_term(one)})" for one in others if _term(one)})
        yield (
            f"Counted: {', '.join(taken)}."
            if taken
            else "Neither amiodarone nor an enzyme inducer is taken or ordered."
        )
    elif missing:
        yield f"The equation needs age, height, weight, CYP2C9 and VKORC1. Missing: {', '.join(missing)}."
        yield "CYP2C9 is in it with *1, *2 and *3 only."
    else:
        yield refused
    yield "; ".join(f"{gene} {genes.get(gene, 'not known')}" for gene in GENES) + "."
    yield DISCLAIMER
