"""Variant (LOINC 69548-6): a change that is there or not, at a place that defines alleles.

Needed: the place on GRCh38 (RefSeq chromosome with coordinates, genomic HGVS, or dbSNP) and the alternate base. Whether
one or both copies have it comes from the allelic state; where that is not told, the other copy stays open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from fhirtwin.pgx import places
from fhirtwin.pgx.loci import Locus
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.genomics import place, transcript
from fhirtwin.twin.genomics.copies import COUNTED
from fhirtwin.twin.genomics.elements import NotRead, component_values, fact, genes_studied, mapped, words
from fhirtwin.twin.genomics.place import Change
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import codings
from fhirtwin.twin.state import Mapped, Source

PRESENT: Final = "LA9633-4"
ABSENT: Final = "LA9634-2"
GRCH38: Final = "LA26806-2"
ONE_BASED: Final = "LA30102-0"
NO_ALTERNATE: Final = "it does not tell the alternate base"
_COPIES: Final = {"LA6706-1": "heterozygous", "LA6705-3": "homozygous", "LA6707-9": "hemizygous"}


def read(resource: Resource, source: Source, time: str) -> Mapped:
    """Read one Variant.

    Raises:
        NotRead: it cannot be read with certainty.
    """
    genes = genes_studied(resource)
    try:
        return _read(resource, genes, source, time)
    except NotRead as finding:
        if finding.gene or len(genes) != 1 or str(finding) == place.NO_PLACE:
            raise
        raise NotRead(str(finding), genes[0], finding.may_be) from None


def _read(resource: Resource, genes: list[str], source: Source, time: str) -> Mapped:
    answer = _codes(resource.get("valueCodeableConcept"))
    if (PRESENT in answer) == (ABSENT in answer):
        raise NotRead("it does not say that the variant is there or that it is not")
    change = _change(resource)
    if any(True for _ in component_values(resource, COUNTED)):
        raise NotRead("it counts copies of the gene, which tell no allele by themselves")
    if not change.alternate:
        raise _without_alternate(change, _copies(resource), there=PRESENT in answer)
    loci = list(place.made(change))
    if genes and any(locus.gene not in genes for locus, _ in loci):
        raise NotRead("the gene that it names and its place differ")
    copies = _copies(resource)
    there = PRESENT in answer
    return mapped(
        [fact("variant", locus.gene, _text(locus, base, copies, there=there), source, time) for locus, base in loci],
        source,
        [] if loci else ["it changes no position that defines alleles"],
    )


def _without_alternate(change: Change, copies: str, *, there: bool) -> NotRead:
    """Say that the base is not told: a name in dbSNP may stand for several, not only for the one that is defined."""
    locus = places.by_rsid().get(change.rsid)
    if locus is None:
        return NotRead(NO_ALTERNATE)
    bases = locus.position.alternates if there else ()
    return NotRead(NO_ALTERNATE, locus.gene, [_text(locus, base, copies, there=True) for base in bases])


def _text(locus: Locus, base: str, copies: str, *, there: bool) -> str:
    reference = locus.position.reference
    if not there:
        if not place.is_single(locus):
            raise NotRead("its absence leaves other bases possible", locus.gene)
        return places.text(locus.gene, locus.position, (reference, reference))
    by_copies = {
        "heterozygous": (reference, base),
        "homozygous": (base, base),
        "hemizygous": (base,),
        "": (base, places.OPEN),
    }
    return places.text(locus.gene, locus.position, by_copies[copies])


def _copies(resource: Resource) -> str:
    found = {_COPIES[code] for value in component_values(resource, "53034-5") for code in _codes(value) & set(_COPIES)}
    if len(found) > 1:
        raise NotRead("it tells two allelic states")
    return found.pop() if found else ""


def _change(resource: Resource) -> Change:
    """Put together what the components tell of the place; all must fit."""
    for value in component_values(resource, "62374-4"):
        if GRCH38 not in _codes(value) and "GRCh38" not in words(value):
            raise NotRead(place.OTHER_BUILD)
    names = {word for value in component_values(resource, "81252-9", "81255-2") for word in words(value)}
    rsids = {name for name in names if name in places.by_rsid()}
    written = [word for value in component_values(resource, "81290-9", "48004-6") for word in words(value)]
    hgvs = [one for word in written if (one := place.of_hgvs(word) or transcript.of_hgvs(word))]
    told = Change(_chromosome(resource), _start(resource), _bases(resource, "69547-8"), _bases(resource, "69551-0"))
    if len(rsids) > 1 or len(set(hgvs)) > 1:
        raise NotRead("it names several variants")
    if hgvs:
        told = _agreed(told, hgvs[0])
    if not told.start:
        told = replace(told, chromosome="")
    return replace(told, rsid=rsids.pop() if rsids else "")


def _agreed(told: Change, hgvs: Change) -> Change:
    given = [(told.reference, hgvs.reference), (told.alternate, hgvs.alternate), (told.chromosome, hgvs.chromosome)]
    if any(one and one != two for one, two in given) or (told.start and told.start != hgvs.start):
        raise NotRead("its HGVS name and its components differ")
    return hgvs


def _chromosome(resource: Resource) -> str:
    found = {c for value in component_values(resource, "48013-7") for w in words(value) if (c := place.of_accession(w))}
    return found.pop() if len(found) == 1 else ""


def _start(resource: Resource) -> int:
    """The first base, counted from one; 0 where it is not told, or not how it is counted."""
    if not any(ONE_BASED in _codes(value) for value in component_values(resource, "92822-6")):
        return 0
    return next(_whole(component_values(resource, "81254-5", tbd=("exact-start-end",))), 0)


def _whole(values: Iterator[Any]) -> Iterator[int]:
    for value in values:
        low = value.get("low") if isinstance(value, dict) else None
        number = low.get("value") if isinstance(low, dict) else None
        if isinstance(number, int | Decimal) and 0 < number < 10**9 and number == int(number):
            yield int(number)


def _bases(resource: Resource, code: str) -> str:
    found = {value.upper() for value in component_values(resource, code) if isinstance(value, str)}
    if len(found) > 1 or any(not set(one) <= set("ACGT") or not one for one in found):
        raise NotRead("its bases are not readable")
    return found.pop() if found else ""


def _codes(concept: Any) -> set[str]:
    return {c.code for c in codings(concept) if c.system == LOINC}
