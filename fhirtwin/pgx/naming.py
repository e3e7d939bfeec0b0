"""How alleles and diplotypes are written by those who report them, brought to the names that the tables have.

A name that looks like one of its gene's but that no table knows is kept as it is: `fhirtwin.pgx.phenotype` then says
that nobody knows it. What does not look like an allele at all is refused. VKORC1 is met by both strands: -1639G>A of
the gene is C>T at rs9923231 on the chromosome, and the two alphabets share no letter.

*Source*: https://pharmcat.clinpgx.org/using/Outside-Call-Format/; names in parentheses (`c.1905+1G>A (*2A)`) are the
definitions' own second names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx import functions
from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.known import level
from fhirtwin.pgx.lowest import looked_up
from fhirtwin.pgx.results import Pair
from fhirtwin.pgx.variant_lists import LISTED

LONGEST: Final = 300
"""Signs of one allele; the longest name of the tables has fewer."""
LONGEST_LIST: Final = 20_000
"""Signs of all diplotypes that fit equally well."""
MOST_STROKES: Final = 16
"""Strokes of one diplotype: some names of G6PD hold one or two themselves."""
EQUAL_CALLS: Final = " | "
"""What parts diplotypes that fit equally well."""
ONE_COPY: Final = frozenset({"MT-RNR1", "G6PD"})
"""Genes of which a person may have one copy."""

_STAR: Final = re.compile(r"(\*\d{1,3}[A-Z]?)(?:\.\d{1,3})?(x\d{1,2}|xN|x?(?:≥|>=)\d{1,2})?")
_HLA: Final = re.compile(r"\*?(\d{2,3}(?::\d{2,4}){1,3}[A-Z]?)")
_HGVS: Final = re.compile(r"[cm]\.[-+\w>*=]{1,60}")
_PLACES: Final = {
    "VKORC1": re.compile(r"(?:rs9923231|(?:c\.)?-1639 ?(?:G>A)?)[ :]*"),
    "IFNL3": re.compile(r"rs12979860[ :]*"),
    "ABCG2": re.compile(r"rs2231142[ :]*"),
}
"""How the one position of a gene is named before its bases."""
_LISTS: Final = re.compile(r" \+ |\+ | \+|, ?|; ?")
"""What parts variants on one strand of DPYD and RYR1."""
_BY_ONE_BASE: Final = {"VKORC1": {"G": "C", "A": "T"}, "IFNL3": {}, "ABCG2": {}}
"""Genes of one position, and the bases of the other strand by which laboratories write them."""


_FIRST: Final = {"DPYD": {"*1": "Reference"}}
"""The star name of a reference, as lists of laboratories have it.

*Source*: https://sinochipsdiagnostics.com/benefits-pgx-testing/dpyd/ (`DPYD *1, *2A, *7, ...`).
"""


def text(pairs: tuple[Pair, ...]) -> str:
    """Write diplotypes as the facts of a twin have them."""
    return EQUAL_CALLS.join(map(str, pairs))


def diplotypes(gene: str, written: str) -> tuple[Pair, ...]:
    """Read `*1/*17`, `*1/*17 | *2/*4`, or one allele where there is one copy; nothing when a part is not readable."""
    if len(written) > LONGEST_LIST:
        return ()
    found = [_diplotype(gene, part) for part in written.split(EQUAL_CALLS)]
    return tuple(dict.fromkeys(one for one in found if one)) if all(found) else ()


def allele(gene: str, written: str) -> str:
    """Give an allele by the name that the tables have; empty text when it is not written as one of its gene's."""
    name = _without_gene(gene, written.strip())
    if not name or len(name) > LONGEST:
        return ""
    return aliases(gene).get(name) or _shaped(gene, name)


def strand(gene: str, written: str) -> str:
    """Give the allele of one strand; of several variants of DPYD or RYR1 on it, the one of lowest function."""
    whole = allele(gene, written)
    if gene not in LISTED or (whole and is_known(gene, whole)):
        return whole
    inside = re.sub(r"^\[(.*)\]$", r"\1", written.strip())
    parts = [allele(gene, part) for part in _LISTS.split(inside)]
    if not all(parts):
        return ""
    call = GeneCall(gene, (Diplotype.of(Strand(tuple(parts)), Strand((genes()[gene].reference,))),))
    pair = looked_up(call, lambda name: level(gene, name))[0]
    return next(part for one in pair.strands for part in one.parts if part in parts)


def is_known(gene: str, name: str) -> bool:
    """Tell whether a table knows what an allele does, or a definition what it is."""
    return bool(functions.candidates(gene, name)) or name in aliases(gene)


def same(one: str, other: str) -> bool:
    """Tell whether two spellings are one allele."""
    return functions.spelled(one) == functions.spelled(other)


def same_pair(one: Pair, other: Pair) -> bool:
    """Tell whether two diplotypes have the same alleles, in any order and spelling."""
    return sorted(map(functions.spelled, one.alleles)) == sorted(map(functions.spelled, other.alleles))


@cache
def aliases(gene: str) -> Mapping[str, str]:
    """Give each name that an allele of a gene goes by, to the one that the tables have."""
    defined = tuple(genes()[gene].by_name) if gene in genes() else ()
    names = (*defined, *(one.allele for one in functions.alleles().get(gene, {}).values()))
    found: dict[str, str] = {}
    for name in names:
        for other in _second_names(name):
            found.setdefault(other, name)
    found |= {_base_of(name): name for name in names if gene in _BY_ONE_BASE}
    found |= {other: found[base] for other, base in _BY_ONE_BASE.get(gene, {}).items()}
    return found | _FIRST.get(gene, {}) | {name: name for name in names}


def _second_names(name: str) -> tuple[str, ...]:
    """`*2A` and `c.1905+1G>A` of `c.1905+1G>A (*2A)`; `HapB3` alone of the haplotype that lists two variants."""
    match = re.fullmatch(r"(c\.\S+|c\.\S+, c\.\S+) \((\*\w+|HapB3)\)", name)
    if match is None:
        return ()
    return (match[2],) if "," in match[1] else (match[1], match[2])


def _base_of(name: str) -> str:
    return name.rpartition("(")[2].rstrip(")")


def _without_gene(gene: str, name: str) -> str:
    rest = name.removeprefix(gene)
    return rest.strip() if rest != name and rest[:1] in (" ", "*", ":", "") else name


def _shaped(gene: str, name: str) -> str:
    if gene == "CYP2D6":
        parts = [_STAR.fullmatch(part.strip()) for part in name.split("+")]
        return " + ".join(_copies(part) for part in parts if part) if all(parts) else ""
    if gene.startswith("HLA-"):
        match = _HLA.fullmatch(name)
        return f"*{match[1]}" if match else ""
    if gene in _BY_ONE_BASE:
        return ""
    found = functions.candidates(gene, name)
    if found:
        return found[0].allele
    star = _STAR.fullmatch(name)
    if star and not star[2]:
        return star[1]
    return name if _HGVS.fullmatch(name) else ""


def _copies(part: re.Match[str]) -> str:
    """`*4.024` is an allele of the kind `*4`; three copies and more are written with one sign."""
    return part[1] + (part[2] or "").replace(">=", "≥").replace("x≥", "≥").replace("≥", "x≥")


def _diplotype(gene: str, written: str) -> Pair | None:
    written = written.strip()
    if len(written) > 2 * LONGEST or written.count("/") > MOST_STROKES:
        return None
    if gene in _PLACES and (bases := re.fullmatch(r"([ACGT])[/ ]?([ACGT])", _PLACES[gene].sub("", written, count=1))):
        written = f"{bases[1]}/{bases[2]}"
    whole = allele(gene, written)
    if whole and (is_known(gene, whole) or "/" not in written):
        return Pair(whole)
    options = []
    for slash in (found.start() for found in re.finditer("/", written)):
        first, second = strand(gene, written[:slash]), strand(gene, written[slash + 1 :])
        if first and second:
            options.append(Pair(first, second))
    known = [one for one in options if is_known(gene, one.first) and is_known(gene, one.second)]
    found = known or options
    return found[0] if len(found) == 1 else None
