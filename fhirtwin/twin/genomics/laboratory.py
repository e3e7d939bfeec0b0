"""Discrete laboratory results about one gene, as they stand in an EHR: one LOINC code a question.

Only codes whose name was read beside them are here, and `NAMED` (CYP2C19, CYP2D6, DPYD), of which the result itself
must give the name. Others exist (NUDT15, HLA-B*58:01); a result under such a code is not used ("code not known"). To
add one, add a row with its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.hla import ASKED, NEGATIVE, POSITIVE
from fhirtwin.twin.genomics import implication
from fhirtwin.twin.genomics.elements import NotRead, fact, mapped, with_gene, words
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.state import Mapped, Source


@dataclass(frozen=True, slots=True)
class Row:
    """What a code asks.

    Attributes:
        gene: HGNC symbol.
        source: where code and name were read together.
        allele: the allele whose presence it asks; empty where it asks the phenotype.
    """

    gene: str
    source: str
    allele: str = ""


ROWS: Final = {
    "79713-4": Row("TPMT", "LOINC, TPMT gene product metabolic activity interpretation"),
    "79716-7": Row(
        "CYP2C9", "LOINC, CYP2C9 gene product metabolic activity interpretation; examples of HL7 FHIR genomics"
    ),
    "79722-5": Row("SLCO1B1", "LOINC, SLCO1B1 gene product functional interpretation"),
    "50956-2": Row("HLA-B", "LOINC, HLA-B*57:01 [Presence]", "*57:01"),
    "57979-7": Row("HLA-B", "LOINC, HLA-B*15:02 [Presence]; examples of HL7 Genomics Reporting", "*15:02"),
}

NAMED: Final = ("79714-2", "79715-9", "79719-1")
"""Codes of phenotypes whose gene was not read at LOINC: the name that the result itself gives its code tells it."""
_INTERPRETATION: Final = "gene product metabolic activity interpretation"

_HLA: Final = re.compile(
    r"HLA[- ]?([AB]) ?\*? ?(\d\d):?(\d\d)"
    r"(?: (?:allele|genotype|genotyping|typing|test|screening|status|presence|result))*",
    re.IGNORECASE,
)
_THERE: Final = {
    "la9633-4": POSITIVE,
    "la9634-2": NEGATIVE,
    "present": POSITIVE,
    "positive": POSITIVE,
    "detected": POSITIVE,
    "absent": NEGATIVE,
    "negative": NEGATIVE,
    "not detected": NEGATIVE,
}
"""Answers in small letters: LOINC's Present and Absent, and plain words in display or text."""


def by_name(resource: Resource) -> Row | None:
    """Give what a result asks whose code is the house's own and is named after an HLA allele, and nothing else."""
    found = {row for word in words(resource.get("code")) if (row := _hla(word))}
    return found.pop() if len(found) == 1 else None


def _hla(name: str) -> Row | None:
    match = _HLA.fullmatch(name)
    gene, allele = (f"HLA-{match[1].upper()}", f"*{match[2]}:{match[3]}") if match else ("", "")
    return Row(gene, "the name of its code", allele) if allele in ASKED.get(gene, ()) else None


def read_named(resource: Resource, source: Source, time: str) -> Mapped:
    """Read a phenotype whose gene the name of its code tells.

    Raises:
        NotRead: no name stands beside the code, or two genes do; or its answer is none that is known.
    """
    named = (with_gene(word) for word in words(resource.get("code")))
    found = {gene for gene, rest in named if gene and rest.casefold().startswith(_INTERPRETATION)}
    if len(found) != 1:
        raise NotRead("its code has no name beside it that tells the gene")
    return read(Row(found.pop(), "the name beside the code"), resource, source, time)


def read(row: Row, resource: Resource, source: Source, time: str) -> Mapped:
    """Read one result.

    Raises:
        NotRead: its answer is none that is known.
    """
    if resource.get("dataAbsentReason"):
        raise NotRead("the result says that its value is absent", row.gene)
    value = resource.get("valueCodeableConcept") or resource.get("valueString")
    if not row.allele:
        gene, word = implication.told(value, [row.gene])
        return mapped([fact("gene-phenotype", gene, word, source, time)], source)
    answers = {_THERE[word.casefold()] for word in words(value) if word.casefold() in _THERE}
    if len(answers) != 1:
        raise NotRead("its answer is not one that is known here", row.gene)
    return mapped([fact("allele-status", row.gene, f"{row.allele} {answers.pop()}", source, time)], source)
