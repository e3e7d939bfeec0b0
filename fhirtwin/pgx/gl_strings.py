"""Genotypes of HLA genes as GL strings: `HLA-B*57:01+HLA-B*08:01`.

`+` parts the copies, `/` alleles of which one it is, `|` genotypes of which one it is, `~` genes on one chromosome.
Some servers write the two copies with a stroke and no plus. That is taken as a pair unless both begin with the same
field: then it may as well be one copy of which the last fields were not told apart, and it is not read.

*Source*: Milius et al. 2013, https://doi.org/10.1111/tan.12150; https://glstring.org.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from fhirtwin.pgx import naming
from fhirtwin.pgx.results import Pair

MOST: Final = 64
"""Genotypes that one string may leave open."""

_PREFIX: Final = re.compile(r"hla#[\w.]{1,20}#")


def is_gl_string(written: str) -> bool:
    """Tell whether this names the version of the list of alleles, as GL strings in FHIR do."""
    return bool(_PREFIX.match(written))


def genotypes(gene: str, written: str) -> tuple[Pair, ...]:
    """Read the genotypes of one gene; nothing when the string is not readable.

    A pair of which the second is empty is one allele that is there.
    """
    found: dict[Pair, None] = {}
    for part in _PREFIX.sub("", written, count=1).split("|"):
        these = _genotype(gene, part)
        found |= dict.fromkeys(these)
        if not these or len(found) > MOST:
            return ()
    return tuple(found)


def _genotype(gene: str, written: str) -> tuple[Pair, ...]:
    copies = [[one for one in part.split("~") if one.startswith(f"{gene}*")] for part in written.split("+")]
    if any(len(one) != 1 for one in copies):
        return ()
    options = [[naming.allele(gene, name) for name in one[0].split("/")] for one in copies]
    if any(not name for names in options for name in names) or len(options) > 2:
        return ()
    if len(options) == 2:
        return tuple(Pair(*sorted(both)) for both in product(*options)) if _few(options) else ()
    return _with_stroke(options[0])


def _few(options: list[list[str]]) -> bool:
    return len(options[0]) * len(options[1]) <= MOST


def _with_stroke(names: list[str]) -> tuple[Pair, ...]:
    if len(names) == 1:
        return (Pair(names[0]),)
    one, two = names[0], names[-1]
    if len(names) > 2 or (one != two and one.partition(":")[0] == two.partition(":")[0]):
        return ()
    return (Pair(one, two),)
