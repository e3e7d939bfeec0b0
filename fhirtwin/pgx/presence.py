"""Whether a haplotype or a genotype that somebody names is among what is known of a gene: yes, no, or not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fhirtwin.pgx import hgnc, hla, naming
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.pgx.variant_lists import LISTED

_HLA: Final = re.compile(r"\*\d{2,3}(?::\d{2,4}){0,3}[A-Z]?")
"""An allele of HLA or a group of them; every name of that form is one, since no table here has them all."""
_MOST_PARTS: Final = 8
"""Commas within one name; the longest of the tables has five."""


def split(text: str) -> tuple[str, str]:
    """Part `CYP2C19 *1/*17` or `HLA-B*57:01` into gene and alleles; the gene is empty where none is read here.

    A system before it, and the version of a GL string (`hla#3.33.0#`), are left out.
    """
    plain = text.rpartition("|")[2].rpartition("#")[2].strip()
    for gene in sorted(hgnc.IDS, key=len, reverse=True):
        if plain.upper().startswith(gene):
            return gene, _without(gene, plain[len(gene) :])
    return "", plain


def parted(texts: Iterable[str]) -> Iterator[str]:
    """Part lists at their commas, but for those within a name (`Mediterranean, Dallas, Panama, ...` of G6PD)."""
    for text in texts:
        parts, start = text.split(","), 0
        while start < len(parts):
            end = _end(parts, start)
            if whole := ",".join(parts[start:end]).strip():
                yield whole
            start = end


def _end(parts: Sequence[str], start: int) -> int:
    """Where the longest name that begins at a part ends."""
    for end in range(min(len(parts), start + _MOST_PARTS), start + 1, -1):
        gene, alleles = split(",".join(parts[start:end]))
        if gene and is_named(gene, alleles):
            return end
    return start + 1


def is_named(gene: str, alleles: str) -> bool:
    """Tell whether a haplotype or genotype is one that exists, as far as the tables know; one misspelled is not.

    Args:
        gene: its symbol.
        alleles: as for `present`.
    """
    if not alleles or _is_allele(gene, alleles):
        return True
    pairs = naming.diplotypes(gene, alleles) if "/" in alleles else ()
    return bool(pairs) and all(_is_allele(gene, name) for pair in pairs for name in pair.alleles)


def _is_allele(gene: str, name: str) -> bool:
    if gene.startswith("HLA-"):
        return bool(_HLA.fullmatch(name))
    return naming.is_known(gene, naming.allele(gene, name) or name)


def present(known: Known, alleles: str) -> bool | None:
    """Tell whether it is there; None where what is known does not tell.

    A name that no table has is there where it was reported, and else not known: what is misspelled, or has parts
    (`*3` of TPMT), is not absent.

    Args:
        known: what is known of the gene.
        alleles: `*17`, `*1/*17`, `*57:01`, `*27` (any allele of an HLA group); empty asks for any genotype.
    """
    if not alleles:
        return True if known.diplotypes else None
    if known.gene.startswith("HLA-") and (told := hla.statuses(known).get(alleles)):
        return told == hla.POSITIVE
    answers = {_within(known.gene, pair, alleles) for pair in known.diplotypes}
    if answers == {False} and not is_named(known.gene, alleles):
        return None
    if len(answers) != 1 or _is_open(known, alleles, there := answers.pop()):
        return None
    return there


def _is_open(known: Known, alleles: str, there: bool | None) -> bool:
    """Whether an answer is not known, because positions were not tested.

    An allele that was not looked for is not absent; the reference of a gene of listed variants is not there as long as
    they were not looked for, nor is a genotype that has them.
    """
    untested = known.coverage.alleles if known.coverage else ()
    if not untested:
        return False
    asked = naming.diplotypes(known.gene, alleles) if "/" in alleles else ()
    names = {name for pair in asked for name in pair.alleles} or {naming.allele(known.gene, alleles) or alleles}
    if there:
        return known.gene in LISTED and genes()[known.gene].reference in names
    return any(naming.same(name, other) for name in names for other in untested)


def _within(gene: str, pair: Pair, alleles: str) -> bool | None:
    if "/" in alleles and (asked := naming.diplotypes(gene, alleles)):
        return any(naming.same_pair(pair, one) for one in asked)
    if gene.startswith("HLA-"):
        return _of_group(pair.alleles, alleles)
    return any(naming.same(name, naming.allele(gene, alleles) or alleles) for name in pair.alleles)


def _of_group(names: Iterable[str], asked: str) -> bool | None:
    """Whether an HLA allele is there; one that was typed less finely than asked leaves it open."""
    star = [f"*{name.lstrip('*')}" for name in names]
    if any(f"{name}:".startswith(f"{asked}:") for name in star):
        return True
    return None if any(f"{asked}:".startswith(f"{name}:") for name in star) else False


def _without(gene: str, rest: str) -> str:
    """The alleles alone, also where the gene stands before each of them (`HLA-B*08:01/HLA-B*40:01`)."""
    return rest.replace(f"/{gene}", "/").strip()
