"""An order of warfarin: the weekly dose that the equation of the IWPC expects, or what is missing for it.

Said only when CYP2C9 or VKORC1 was looked at. A gene that nobody knows has its own term in the equation; one of which
something is known that the equation does not have leaves no dose, and what is known is told. Race is not read by the
twin, so the equation's own term for people of whom it is missing is taken, and that is said.

How good the estimate is comes from the paper's validation cohort: Klein TE et al., N Engl J Med 2009;360:753-764,
table 3, https://pmc.ncbi.nlm.nih.gov/articles/PMC2722908/table/T3; it gives no interval for one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import warfarin
from fhirtwin.rules.findings import SUMMARY_LENGTH, Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.genetics import dosing, naming, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.beside import Beside, beside
from fhirtwin.rules.genetics.dosing import GENES, MEASURES
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.orderable import HEIGHT, WEIGHT
from fhirtwin.rules.saying import capital
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
    told = {gene: dosing.genotype(gene, person) for gene in GENES}
    genes = {gene: name for gene, (name, _) in told.items() if name}
    outside = {gene: why for gene, (_, why) in told.items() if why}
    missing = [f"{name.replace('-', ' ')}{_too_old(why)}" for name, (fact, why) in read.items() if fact is None]
    missing += ["a genotype of CYP2C9 or VKORC1"] if set(genes.values()) == {dosing.UNKNOWN} and not outside else []
    others = beside(situation, order)
    try:
        estimated = None if missing or outside else dosing.estimate(used, genes, _acting(others))
        refused = ""
    except Unprocessable as error:
        estimated, refused = None, str(error)
    facts = [f for gene in GENES for f in person.facts.get(gene, ())]
    facts += used.values()
    facts += [one.fact for one in others if one.fact and _term(one)]
    return Finding(
        rule=f"genes.warfarin.{'estimate' if estimated else 'no-estimate'}",
        severity=Severity.INFO,
        orders=(order.reference,),
        summary=_dose(estimated) if estimated else _no_dose(missing, list(outside), person),
        detail=(
            *_detail(estimated, missing, refused, others),
            *_of_genes(genes, outside, person),
            DISCLAIMER,
        ),
        facts=tuple(dict.fromkeys(facts)),
        sources=(SOURCE,),
        remedies=tuple(
            Remedy(f"Order {code.display.lower()}", Act.REQUEST, code=code)
            for name, code in _BODY.items()
            if name not in used
        ),
        topic=TOPIC,
    )


def _dose(estimated: warfarin.Dose) -> str:
    return f"Warfarin: stable dose expected from the genes, about {estimated.weekly:.0f} mg a week (IWPC)"


def _no_dose(missing: list[str], outside: list[str], person: Person) -> str:
    """Why there is no dose: what is missing, and what is known of the genes that the equation has no term for."""
    head = "Warfarin: no dose can be told from the genes"
    known = [f"{gene}{_known(gene, person)}" for gene in outside]
    of_genes = [[f"not in the equation: {', '.join(names)}"] if names else [] for names in (known, outside)]
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    texts = ["; ".join([head, *parts, *each]) for each in of_genes if parts or each]
    return next((text for text in texts if len(text) <= SUMMARY_LENGTH), f"{head}; outside the equation")


def _known(gene: str, person: Person) -> str:
    means = wording.phenotypes(person.phenotypes[gene]) if gene in person.phenotypes else ""
    pairs = " or ".join(str(pair) for pair in person.results[gene].known.diplotypes)
    return "".join([f" {pairs}" if pairs else "", f", {means}" if means else ""])


def _too_old(why: str) -> str:
    return " of late (the newest is too old)" if why.endswith("too old") else ""


def _acting(others: tuple[Beside, ...]) -> list[str]:
    """Medicines that count in the equation; one that was stopped does not."""
    return [one.taken.drug for one in others if _term(one)]


def _term(one: Beside) -> str:
    """Which term of the equation a medicine is; one that was stopped is none."""
    return "" if one.taken.stopped else dosing.term(one.taken.drug)


def _of_genes(genes: Mapping[str, str], outside: Mapping[str, str], person: Person) -> Iterator[str]:
    """What is known of each gene, whether the equation has it, and what it does to the dose there."""
    for gene in GENES:
        if gene in person.results:
            yield from wording.what_genes_say(gene, person, None)
        if gene in outside:
            yield f"{capital(outside[gene])}: no dose is told, and it does not make {gene} usual."
        elif genes[gene] == dosing.UNKNOWN:
            yield f"{gene} is not known: the equation's own term for that is taken."
        elif warfarin.PHARMACOGENETIC.get(f"{gene} {genes[gene]}", 0) < 0:
            yield f"In the equation {gene} {genes[gene]} lowers the dose."


def _detail(dose: warfarin.Dose | None, missing: list[str], refused: str, others: tuple[Beside, ...]) -> Iterator[str]:
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
        yield f"The equation needs age, height, weight, and CYP2C9 or VKORC1. Missing: {', '.join(missing)}."
    elif refused:
        yield refused
    yield "CYP2C9 is in the equation with *1, *2 and *3 only."
