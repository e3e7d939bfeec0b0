"""Diseases of genes that labels forbid a medicine for: what the record says of them, also where it is not read.

A diagnosis by a code that is known is a flag of the twin. An entry that may be one of these diseases and gave no flag
(another code, a text alone, a suspicion) is named where such a medicine is ordered, by the names below: they decide
nothing, and no card forbids anything by them.

*Source* of the names of urea cycle disorders: Häberle J et al., Orphanet J Rare Dis 2012;7:32,
https://pmc.ncbi.nlm.nih.gov/articles/PMC3488504; of Alpers disease: https://secure.ssa.gov/poms.nsf/LNX/0423022675.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from fhirtwin.pgx import labels
from fhirtwin.rules.genetics import naming
from fhirtwin.rules.situation import Order
from fhirtwin.terms import concepts
from fhirtwin.terms.systems import CONDITION_VERIFICATION, ICD10, ICD10CM, SNOMED
from fhirtwin.twin.reading import code_in, codings, items, text
from fhirtwin.twin.state import Fact

Resource = Mapping[str, Any]

_SYSTEMS: Final = {ICD10: "ICD-10", ICD10CM: "ICD-10-CM", SNOMED: "SNOMED CT"}
_WIDER: Final = {
    "E72.2": "codes under E72.2 are used for a raised ammonia alone, too",
    "E72.4": "E72.4 stands for ornithinemia of types I and II, too",
}
"""Codes that stand for more than the diseases of the label.

*Source*: synonyms of E72.29, https://icdlist.com/icd-10/e7229; inclusion terms of E72.4, https://icdlist.com/icd-10/E72.4.
"""
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "polg-disease": ("alpers", "polg", "sclerosing poliodystrophy"),
    "urea-cycle-disorder": (
        *("urea cycle", "ornithine transcarbam", "ornithine carbam", "carbamoyl phosphate synth", "citrullin"),
        *("argininosuccin", "arginosuccin", "arginase", "argininemia", "argininaemia", "acetylglutamate synth"),
        "homocitrullin",
    ),
}
_GREY_MATTER: Final = "G31.8"
"""What ICD-10 has for Alpers disease; beside it stand others, and countries part it differently.

*Source*: https://mips.helmholtz-muenchen.de/phenodis/disease/show/6234.
"""
_DENIED: Final = frozenset({"refuted", "entered-in-error"})


def said(fact: Fact) -> str:
    """Say what diagnosis it is, with its code, and what else the code may stand for."""
    since = f", {fact.time[:10]}" if fact.time else ""
    wider = f" Look at the diagnosis itself: {_WIDER[fact.code]}." if fact.code in _WIDER else ""
    name = fact.display or fact.name.replace("-", " ")
    code = f" ({_SYSTEMS.get(fact.system, fact.system)} {fact.code})" if fact.code else ""
    return f"Diagnosis in the record: {name}{code}{since}.{wider}"


def asked(orders: Collection[Order]) -> frozenset[str]:
    """Give the flags of the diseases that labels of the ordered medicines speak of."""
    return frozenset(one.disease for one in _statements(orders) if one.disease)


def genes(orders: Collection[Order]) -> frozenset[str]:
    """Give the genes that such labels speak of and that no table here reads a result of."""
    return frozenset(gene for one in _statements(orders) if one.disease for gene in one.genes)


def _statements(orders: Collection[Order]) -> Iterator[labels.Statement]:
    return (one for order in orders for drug in naming.named(order.medicine.ingredients) for one in labels.of(drug))


def may_be(condition: Resource, diseases: Collection[str]) -> bool:
    """Tell whether a Condition that gave no flag may be one of some diseases; one that is denied is none."""
    if code_in(condition.get("verificationStatus"), CONDITION_VERIFICATION) in _DENIED:
        return False
    known = list(codings(condition.get("code")))
    if any(meaning.fact in diseases for code in known for meaning in concepts.condition(code)):
        return True
    if "polg-disease" in diseases and any(
        code.system.startswith(ICD10) and code.system != ICD10CM and code.code.startswith(_GREY_MATTER)
        for code in known
    ):
        return True
    words = " ".join(_words(condition.get("code"))).casefold()
    return any(name in words for disease in diseases for name in _NAMES.get(disease, ()))


def _words(concept: Any) -> Iterator[str]:
    yield text(concept, "text")
    yield from (text(coding, "display") for coding in items(concept, "coding"))


def names(observation: Resource, symbols: Collection[str]) -> bool:
    """Tell whether a result of a gene names one of some genes, anywhere in its code, its value or its components."""
    said_ = " ".join(_everything(observation)).upper()
    parts = "".join(letter if letter.isalnum() else " " for letter in said_).split()
    return not set(symbols).isdisjoint(parts)


def _everything(resource: Resource) -> Iterator[str]:
    for part in (resource, *items(resource, "component")):
        for name, value in part.items():
            if name == "code" or name.startswith("value"):
                yield from [value] if isinstance(value, str) else _words(value)
                yield from (code.code for code in codings(value))
