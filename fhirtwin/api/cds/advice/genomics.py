"""What services ask a client for, of genes: the Observations that the twin reads them from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.intake.prefetch import Template
from fhirtwin.twin.genomics.observation import CODES

PREFETCH: Final[Mapping[str, Template]] = {
    "genomics": Template(
        f"Observation?patient={{{{context.patientId}}}}&code={','.join(CODES)}&_count=1000", required=False
    ),
}
