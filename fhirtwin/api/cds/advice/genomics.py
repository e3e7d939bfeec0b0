"""What services ask a client for, of genes: the Observations that the twin reads them from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.intake.prefetch import Template

CODES: Final = (
    *("84413-4", "84414-2", "69548-6"),  # genotype, haplotype, variant
    *("53040-2", "51971-0", "therapeutic-implication"),  # what a genotype means, by older and newer guides
    *("79713-4", "79716-7", "79722-5", "50956-2", "57979-7"),  # single laboratory results
)
"""LOINC codes, and one of HL7 Genomics Reporting; `fhirtwin.twin.genomics` reads them."""

PREFETCH: Final[Mapping[str, Template]] = {
    "genomics": Template(
        f"Observation?patient={{{{context.patientId}}}}&code={','.join(CODES)}&_count=1000", required=False
    ),
}
