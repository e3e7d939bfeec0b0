"""What stands for variants that a file does not show: twice the frequency of the allele, for as many as may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Unprocessable
from fhirtwin.polygenic.copies import Copies
from fhirtwin.polygenic.variants import Variants

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filled:
    """Dosages of all variants.

    Attributes:
        dosages: from 0 to 2.
        missing: how many are not of this person but the mean of a population, by reason.
    """

    dosages: Float
    missing: Mapping[str, int]


def filled(copies: Copies, variants: Variants, most_missing: float) -> Filled:
    """Put means in the places of what is missing.

    Args:
        copies: of one person.
        variants: of the score.
        most_missing: share of the variants that may be missing, from 0 to 1.

    Raises:
        Unprocessable: more are missing, or one whose frequency is not known; the text says how many and why.
    """
    missing = np.isnan(copies.counted)
    count, total = int(missing.sum()), len(variants)
    if count > most_missing * total:
        raise Unprocessable(
            f"{count:,} of the {total:,} variants of this score are missing, and {int(most_missing * total):,} may be: "
            f"{why(copies.missing)}. Nothing was calculated; genotype or impute them."
        )
    means = 2.0 * variants.frequencies
    unknown = missing & np.isnan(means)
    if unknown.any():
        raise Unprocessable(
            f"{int(unknown.sum()):,} variants are missing, and the model does not say how frequent their alleles are: "
            f"{why(copies.missing)}. Nothing was calculated; genotype or impute them."
        )
    return Filled(np.where(missing, means, copies.counted), copies.missing)


def why(missing: Mapping[str, int]) -> str:
    """Reasons with their numbers, the most frequent first."""
    ranked = sorted(missing.items(), key=lambda one: (-one[1], one[0]))
    return "; ".join(f"{count:,} {reason}" for reason, count in ranked)
