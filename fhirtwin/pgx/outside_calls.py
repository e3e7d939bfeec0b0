"""Calls that another laboratory or program made: CYP2D6 with its copies and hybrids, HLA, and any other gene.

A line has a gene, a diplotype or single allele, a phenotype and an activity score, parted by tabs; one of the last
three is needed. Lines that start with `#` are passed over. `.` or `./.` says that the gene was not called.

*Source*: https://pharmcat.clinpgx.org/using/Outside-Call-Format/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.pgx import functions, hla
from fhirtwin.pgx.calls import MAY_BE, Diplotype, GeneCall, Strand
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.naming import ONE_COPY
from fhirtwin.pgx.variant_lists import LISTED

GENES: Final = frozenset({*genes(), "HLA-A", "HLA-B", "MT-RNR1"})
MOST_LINES: Final = 1000
LONGEST: Final = 500

BINNED: Final = frozenset({"*1", "*2", "*4"})
"""Alleles of CYP2D6 whose copies from three on have one function in the tables of CPIC."""

_HLA: Final = re.compile(r"\*\d{2,3}(:\d{2,4}){1,3}[A-Z]?")
_STAR: Final = re.compile(r"(?P<star>\*\d{1,3})(\.\d{3})?(x[1-9]\d?|x[Nn]|x?≥[1-9]\d?)?")
_HLA_ALONE: Final = re.compile(r"(\*\d{2,3}:\d{2,4})(?::\d{2,4}){0,2}[A-Z]?(?: (positive|negative))?", re.IGNORECASE)
_MITOCHONDRIAL: Final = re.compile(r"Reference|(m\.)?\d{1,5}[ACGT]{1,5}>[ACGT]{1,5}|(m\.)?\d{1,5}[ACGT]>del(\+Cn)?")
_NOT_CALLED: Final = frozenset({".", "./.", ".|."})
_ACTIVITY: Final = re.compile(r"≥?\d{1,2}(\.\d{1,2})?|n/a")


_HLA_HINT: Final = "write `*57:01/*08:01`, `*57:01`, or `*57:01 positive`"
_HINTS: Final = {
    "CYP2D6": "write `*1/*4`, copies as `*1x2`, `*1x≥3` or `*1xN`, a tandem as `*36+*10`, a deletion as `*5`",
    "HLA-A": _HLA_HINT,
    "HLA-B": _HLA_HINT,
}
"""How the alleles of a gene are written, of those that are written in ways of their own."""


@dataclass(frozen=True, slots=True)
class OutsideCall:
    """One line.

    Attributes:
        gene: its symbol.
        diplotype: what was called; None when the line gives only a phenotype or score, or says that nothing was called.
        phenotype: as the line writes it.
        activity: as the line writes it.
        because: why it is no call.
    """

    gene: str
    diplotype: Diplotype | None = None
    phenotype: str = ""
    activity: str = ""
    because: str = ""


def read_outside_calls(text: str) -> tuple[OutsideCall, ...]:
    """Reads the lines.

    Raises:
        Incorrect: a line is not of this form, or of a gene that is not known; the text names the line.
        TooLarge: more lines than anybody has genes.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MOST_LINES:
        raise TooLarge(f"outside calls: more than {MOST_LINES} lines; send those of one patient")
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#"))
    return tuple(_line(number, line) for number, line in numbered)


def _line(number: int, line: str) -> OutsideCall:
    fields = [field.strip() for field in line.split("\t")]
    where = f"outside calls, line {number}"
    if len(line) > LONGEST or not 2 <= len(fields) <= 4:
        raise Incorrect(f"{where}: not gene, diplotype, phenotype and activity score, parted by tabs")
    gene, written, phenotype, activity = (*fields, "", "")[:4]
    if gene not in GENES:
        raise Incorrect(f"{where}: no gene of that symbol is read; write it as HGNC does")
    if not (written or phenotype or activity):
        raise Incorrect(f"{where}: no diplotype, no phenotype and no activity score; write one of them")
    if activity and not _ACTIVITY.fullmatch(activity):
        raise Incorrect(f"{where}: the activity score is no number")
    if written in _NOT_CALLED:
        return OutsideCall(gene, because="the outside call says that it was not called")
    if gene.startswith("HLA-") and (alone := _HLA_ALONE.fullmatch(written)):
        return OutsideCall(gene, None, _status(alone, phenotype, where), activity)
    return OutsideCall(gene, _diplotype(gene, written, where) if written else None, phenotype, activity)


def _status(alone: re.Match[str], phenotype: str, where: str) -> str:
    """What is said of one HLA allele in the place of a diplotype: it is there, unless the line says that it is not."""
    said = {word.casefold() for word in (alone[2], phenotype) if word}
    if len(said) > 1 or not said <= {hla.POSITIVE, hla.NEGATIVE}:
        raise Incorrect(f"{where}: one HLA allele with another word than positive or negative; {_HLA_HINT}")
    return f"{alone[1]} {next(iter(said), hla.POSITIVE)}"


def _diplotype(gene: str, written: str, where: str) -> Diplotype:
    strands = [_strand(gene, part, where) for part in _parted(gene, written)]
    if len(strands) != 2 and not (gene in ONE_COPY and len(strands) == 1):
        hint = _HINTS.get(gene, "write both, for example `*1/*2`")
        raise Incorrect(f"{where}: not two alleles of {gene}, parted by a slash; {hint}")
    if gene == "MT-RNR1" and len(strands) != 1:
        raise Incorrect(f"{where}: MT-RNR1 has one copy; write one allele")
    return Diplotype.of(*strands)


def _parted(gene: str, written: str) -> list[str]:
    """Parts at the slash that leaves alleles on both sides: some names have one themselves."""
    if gene in genes() and _is_known(gene, written):
        return [written]
    for slash in (found.start() for found in re.finditer("/", written)):
        first, second = written[:slash].strip(), written[slash + 1 :].strip()
        if all(_is_known(gene, part) for name in (first, second) for part in _parts(gene, name)):
            return [first, second]
    return [part.strip() for part in written.split("/")]


def _strand(gene: str, written: str, where: str) -> Strand:
    parts = _parts(gene, written)
    if not all(_is_known(gene, part) for part in parts):
        hint = _HINTS.get(gene, "write it as its definition does")
        raise Incorrect(f"{where}: {gene} has no allele of that name; {hint}")
    if gene == "CYP2D6":
        return Strand((" + ".join(_copies(part) for part in parts),))
    return Strand(tuple(parts))


def _parts(gene: str, written: str) -> list[str]:
    """Gives the alleles of one strand: `[*2 + *3]`, or the tandem `*36+*10` of CYP2D6."""
    bare = written[1:-1] if written.startswith("[") and written.endswith("]") else written
    if gene == "CYP2D6":
        return [part.strip() for part in bare.split("+")]
    return bare.split(" + ") if bare != written else [written]


def _copies(part: str) -> str:
    """Writes copy numbers as guidelines do; three copies and more of some alleles are one bin, `*1x≥3`."""
    found = re.fullmatch(r"(\*\d+)(?:\.\d+)?(?:(x?≥)(\d+)|x(\d+|[Nn]))?", part)
    if found is None:
        return part
    if found[4] in ("N", "n"):
        return f"{found[1]}xN"
    copies = int(found[3] or found[4] or 1)
    if copies >= 3 and found[1] in BINNED:
        return f"{found[1]}x≥3"
    return found[1] if copies == 1 else f"{found[1]}x{'≥' if found[2] else ''}{copies}"


def _is_known(gene: str, name: str) -> bool:
    if gene == "CYP2D6":
        match = _STAR.fullmatch(name)
        star = match["star"] if match else ""
        return bool(functions.candidates(gene, star)) or star in genes()[gene].by_name
    if gene.startswith("HLA-"):
        return bool(_HLA.fullmatch(name))
    if gene == "MT-RNR1":
        return bool(_MITOCHONDRIAL.fullmatch(name))
    names = genes()[gene].by_name
    return name in names or any(known.startswith(f"{name}.") for known in names) or name.partition(".")[0] in names


def hla_statuses(gene: str, diplotype: Diplotype) -> tuple[str, ...]:
    """Gives, of each allele that guidelines look up, whether it is there: `*57:01 positive`."""
    there = {":".join(part.split(":")[:2]) for strand in diplotype.strands for part in strand.parts}
    return tuple(f"{one} {hla.POSITIVE if one in there else hla.NEGATIVE}" for one in hla.ASKED.get(gene, ()))


def with_outside(
    calls: Mapping[str, GeneCall], outside: Sequence[OutsideCall], *, overriding: bool = False
) -> dict[str, GeneCall]:
    """Puts outside calls beside those of the VCF.

    Args:
        calls: of the VCF.
        outside: of others.
        overriding: the caller states that outside calls prevail; otherwise a gene of which the two say different things
            is not called.
    """
    found = dict(calls)
    for gene in dict.fromkeys(one.gene for one in outside):
        mine = [one for one in outside if one.gene == gene]
        found[gene] = _settled(gene, calls.get(gene), mine, overriding=overriding)
    return found


def _settled(gene: str, of_vcf: GeneCall | None, mine: Sequence[OutsideCall], *, overriding: bool) -> GeneCall:
    of_outside = _outside(gene, mine, overriding=overriding)
    if of_vcf is None or not of_vcf.called:
        return of_outside
    if overriding:
        return of_outside.noting(f"the outside call stands in place of {' or '.join(of_vcf.labels)} of the VCF")
    if not of_outside.called or not of_outside.diplotypes:
        shared = replace(of_vcf, phenotype=of_outside.phenotype, activity=of_outside.activity)
        return shared.noting(of_outside.because)
    if all(_agrees(of_vcf, diplotype) for diplotype in of_outside.diplotypes):
        return of_outside
    said = " or ".join(of_outside.labels)
    because = f"the outside call ({said}) and the VCF ({' or '.join(of_vcf.labels)}) contradict each other"
    sides = (*_sides(of_vcf), *of_outside.labels)
    return GeneCall(gene, because=because, source="outside", notes=tuple(f"{MAY_BE}{one}" for one in sides))


def _sides(of_vcf: GeneCall) -> tuple[str, ...]:
    """The diplotypes of a call; of listed variants two, or one and the reference."""
    if of_vcf.diplotypes or not of_vcf.variants:
        return of_vcf.labels
    both = (*of_vcf.variants, genes()[of_vcf.gene].reference)[:2]
    return ("/".join(both),)


def _outside(gene: str, mine: Sequence[OutsideCall], *, overriding: bool) -> GeneCall:
    diplotypes = tuple({one.diplotype.label: one.diplotype for one in mine if one.diplotype}.values())
    phenotypes = {one.phenotype for one in mine if one.phenotype}
    activities = {one.activity for one in mine if one.activity}
    silent = [one.because for one in mine if one.because]
    if silent:
        return GeneCall(gene, because=silent[0], source="outside")
    several = len(diplotypes) > 1 or (not gene.startswith("HLA-") and len(phenotypes) > 1) or len(activities) > 1
    if several and not overriding:
        said = (*(one.label for one in diplotypes), *sorted(phenotypes), *sorted(activities))
        notes = tuple(f"{MAY_BE}{one}" for one in said)
        return GeneCall(gene, because="outside calls of it contradict one another", source="outside", notes=notes)
    statuses = "; ".join(sorted(phenotypes)) or "; ".join(s for one in diplotypes for s in hla_statuses(gene, one))
    ordered = tuple(sorted(diplotypes, key=lambda one: one.label))
    return GeneCall(gene, ordered, source="outside", phenotype=statuses, activity="; ".join(sorted(activities)))


def _agrees(of_vcf: GeneCall, diplotype: Diplotype) -> bool:
    if diplotype.label in of_vcf.labels or any(_agrees(one, diplotype) for one in of_vcf.or_else):
        return True
    if of_vcf.gene not in LISTED or not of_vcf.variants:
        return False
    reference = genes()[of_vcf.gene].reference
    said = sorted(part for strand in diplotype.strands for part in strand.parts if part != reference)
    return said == sorted(of_vcf.variants)
