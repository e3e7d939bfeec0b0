"""MolecularSequence: changes of a sequence against a chromosome of GRCh38.

It tells what one sequence has; the other copy of the chromosome stays open. Bases that are as the reference say
nothing then, and are not kept. Only RefSeq chromosomes of GRCh38 on the sense strand are read.

*Source*: http://hl7.org/fhir/R4/molecularsequence.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhirtwin.pgx import places
from fhirtwin.twin.genomics import place
from fhirtwin.twin.genomics.elements import NotRead, fact, mapped, words
from fhirtwin.twin.genomics.place import Change
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.reading import forbidden, items, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source


def read(resource: Resource, source: Source) -> Mapped:
    """Read the variants of one MolecularSequence."""
    reason = forbidden(resource)
    if reason:
        return unused(source, reason)
    try:
        chromosome, first = _frame(resource)
    except NotRead as finding:
        return unused(source, str(finding))
    facts: list[Fact] = []
    left: list[str] = []
    for variant in items(resource, "variant"):
        try:
            facts += _facts(variant, chromosome, first, source)
        except NotRead as finding:
            left.append(str(finding))
    return mapped(facts, source, left or ([] if facts else ["it has no change at a position that defines alleles"]))


def _frame(resource: Resource) -> tuple[str, int]:
    """The chromosome, and what is to be added to a start to count from one."""
    reference = resource.get("referenceSeq")
    if text(resource, "type") not in ("", "dna"):
        raise NotRead("it is no sequence of DNA")
    if text(reference, "strand") == "crick" or text(reference, "orientation") == "antisense":
        raise NotRead("it is on the other strand")
    build = text(reference, "genomeBuild")
    if build and "38" not in build:
        raise NotRead(place.OTHER_BUILD)
    named = reference.get("referenceSeqId") if isinstance(reference, dict) else None
    found = {chromosome for word in words(named) if (chromosome := place.of_accession(word))}
    system = resource.get("coordinateSystem")
    if len(found) != 1 or system not in (0, 1):
        raise NotRead("its reference is no chromosome of GRCh38 by RefSeq's name")
    return found.pop(), 1 - int(system)


def _facts(variant: dict[str, Any], chromosome: str, first: int, source: Source) -> Iterator[Fact]:
    start, bases = variant.get("start"), (text(variant, "referenceAllele"), text(variant, "observedAllele"))
    if not isinstance(start, int | Decimal) or isinstance(start, bool) or start < 0:
        raise NotRead("it does not say where its change is")
    if not all(one and set(one.upper()) <= set("ACGT") for one in bases):
        raise NotRead("its bases are not readable")
    change = Change(chromosome, int(start) + first, bases[0].upper(), bases[1].upper())
    for locus, base in place.made(change):
        yield fact("variant", locus.gene, places.text(locus.gene, locus.position, (base, places.OPEN)), source, "")


MAPPER = Mapper("MolecularSequence", frozenset({"variant"}), read)
