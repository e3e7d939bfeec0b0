"""Genotype (LOINC 84413-4) and Haplotype (84414-2): alleles by name, in code, display or text.

All that is readable must say the same. What is not readable and yet names other alleles refuses the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from fhirtwin.pgx import gl_strings, naming, phenotype
from fhirtwin.pgx.results import Known
from fhirtwin.twin.genomics import copies, implication, remarks
from fhirtwin.twin.genomics.elements import NotRead, fact, genes_studied, mapped, with_gene, words
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import codings, text
from fhirtwin.twin.state import Mapped, Source

Told = tuple[str, str, str]
"""Name of a fact, gene, value."""

UNSAID: Final = "the laboratory gave no result"
LONGEST_REASON: Final = 1000
_STATUS: Final = re.compile(r"(\*?\d{2,3}:\d{2,4}) (positive|negative)", re.IGNORECASE)
_ALLELE: Final = re.compile(r"\*\d+(?::\d+)?")


def read(resource: Resource, source: Source, time: str) -> Mapped:
    """Read one Genotype or Haplotype.

    Raises:
        NotRead: it cannot be read with certainty.
    """
    genes = genes_studied(resource)
    if resource.get("dataAbsentReason"):
        return _absent(resource, genes, source, time)
    value = resource.get("valueCodeableConcept") or text(resource, "valueString")
    told = told_by(words(value), genes)
    copies.check(resource, told)
    beside = remarks.written(resource)
    facts = [fact(n, gene, said, source, time, beside if n == "diplotype" else "") for n, gene, said in told]
    return mapped([*facts, *implication.facts_beside(resource, genes, source, time)], source)


def _absent(resource: Resource, genes: list[str], source: Source, time: str) -> Mapped:
    """A gene that was looked at and not called, with the laboratory's reason; or its phenotype alone.

    A gene that was not looked at is nothing: it is as if nobody had named it.
    """
    if not genes:
        raise NotRead("its value is absent, and it does not name its gene")
    said = implication.facts_beside(resource, genes, source, time)
    if said or any(one.code == "not-performed" for one in codings(resource["dataAbsentReason"])):
        return mapped(said, source)
    told = " ".join(text(resource["dataAbsentReason"], "text").split())[:LONGEST_REASON]
    reason = told.removeprefix("not called, because ") or UNSAID
    sides = remarks.contradicting(resource)
    return mapped([fact("gene-not-called", gene, reason, source, time, sides) for gene in genes], source)


def told_by(said: Iterable[str], genes: list[str]) -> list[Told]:
    """Give what alleles these words tell.

    Args:
        said: code, display and text of one value.
        genes: the genes that the result names; empty when it names none.

    Raises:
        NotRead: they tell nothing, or not the same.
    """
    said = list(said)
    read_by = {one: _told(one, genes) for one in said}
    found = [told for told in read_by.values() if told] or [told for one in said if (told := _phenotype(one, genes))]
    gene = found[0][0][1] if found else (genes[0] if len(genes) == 1 else "")
    if not found:
        why = (
            "what was reported is not written as alleles of it" if gene else "it does not name its gene and its alleles"
        )
        raise NotRead(why, gene)
    alike = {frozenset(_compared(one) for one in told) for told in found}
    named = {name for told in found for _, _, value in told for name in _ALLELE.findall(value)}
    strange = {name for one, told in read_by.items() if not told for name in _ALLELE.findall(one)}
    if len(alike) > 1 or not strange <= named:
        raise NotRead("its code and its text name different alleles", gene)
    return found[0]


def _compared(told: Told) -> tuple[str, str, frozenset[tuple[str, ...]]]:
    name, gene, value = told
    pairs = naming.diplotypes(gene, value)
    return name, gene, frozenset(tuple(sorted(one.alleles)) for one in pairs) or frozenset({(value,)})


def _told(said: str, genes: list[str]) -> list[Told]:
    if gl_strings.is_gl_string(said):
        return _of_gl_string(said, genes)
    gene, rest = with_gene(said)
    if gene and genes and gene not in genes:
        raise NotRead("the gene that it names and the gene of its value differ")
    gene = gene or (genes[0] if len(genes) == 1 else "")
    return _of_gene(gene, rest) if gene else []


def _of_gene(gene: str, rest: str) -> list[Told]:
    statuses = [_STATUS.fullmatch(with_gene(part.strip())[1]) for part in re.split("[;,|]", rest)]
    if gene.startswith("HLA-") and all(statuses):
        return [("allele-status", gene, f"*{s[1].lstrip('*')} {s[2].lower()}") for s in statuses if s]
    pairs = naming.diplotypes(gene, rest)
    if not pairs:
        return []
    whole = all(one.second for one in pairs) or gene in naming.ONE_COPY
    if not whole and len(pairs) > 1:
        return []
    return [("diplotype" if whole else "haplotype", gene, naming.text(pairs))]


def _phenotype(said: str, genes: list[str]) -> list[Told]:
    """A phenotype or score in the place of alleles, where a laboratory tells nothing else."""
    gene, rest = with_gene(said)
    if gene not in (genes or [gene]) or not (gene or len(genes) == 1):
        return []
    gene = gene or genes[0]
    parts = rest.split(naming.EQUAL_CALLS)
    if not all(phenotype.of_call(Known(gene, reported=(word,))).alternatives for word in parts):
        return []
    return [("gene-phenotype", gene, word) for word in parts]


def _of_gl_string(said: str, genes: list[str]) -> list[Told]:
    found: list[Told] = []
    for gene in genes or ("HLA-A", "HLA-B"):
        pairs = gl_strings.genotypes(gene, said)
        if pairs and (all(one.second for one in pairs) or len(pairs) == 1):
            found.append(("diplotype" if pairs[0].second else "haplotype", gene, naming.text(pairs)))
    return found
