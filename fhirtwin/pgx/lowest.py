"""The diplotype that is looked up: for DPYD and RYR1 the two variants of lowest function, else what was called.

Where strands are known it is the lowest of each strand; where they are not, the two lowest of all. Among equals of DPYD
those come first that both CPIC and DPWG know.

*Source*: https://pharmcat.clinpgx.org/methods/Gene-Definition-Exceptions/ (DPYD, RYR1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand, in_order
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.variant_lists import HAPB3, LISTED

Function = Callable[[str], float]
"""Gives the activity value of an allele, or any other number that is lower where there is less function."""

KNOWN_TO_BOTH: Final = frozenset({HAPB3, "c.2846A>T", "c.1905+1G>A (*2A)", "c.1679T>G (*13)"})
"""Alleles of DPYD that CPIC and DPWG both know."""


def looked_up(call: GeneCall, function: Function) -> tuple[Diplotype, ...]:
    """Gives what a phenotype is looked up for; nothing when the gene was not called and nothing stands in.

    Where it is open whether a copy has a variant, what each of the calls leads to.
    """
    found = (one for each in (call, *call.or_else) for one in _looked_up(each, function))
    return tuple({one.label: one for one in found}.values())


def _looked_up(call: GeneCall, function: Function) -> tuple[Diplotype, ...]:
    if call.stand_in is not None:
        return (call.stand_in,)
    if call.gene not in LISTED or not call.called:
        return call.diplotypes
    if call.variants:
        reference = genes()[call.gene].reference
        worst = sorted([*call.variants, *([reference] if len(call.variants) == 1 else [])], key=_key(function))[:2]
        return (Diplotype.of(*(Strand((one,)) for one in worst)),)
    lowest = [_lowest(diplotype, function) for diplotype in call.diplotypes]
    sums = [sum(function(strand.parts[0]) for strand in one.strands) for one in lowest]
    return (lowest[sums.index(min(sums))],) if lowest else ()


def _lowest(diplotype: Diplotype, function: Function) -> Diplotype:
    return Diplotype.of(*(Strand((_first(strand.parts, function),)) for strand in diplotype.strands))


def _first(parts: Iterable[str], function: Function) -> str:
    return min(parts, key=_key(function))


def _key(function: Function) -> Callable[[str], tuple[float, bool, tuple[tuple[int, str], ...]]]:
    return lambda name: (function(name), name not in KNOWN_TO_BOTH, in_order(name))
