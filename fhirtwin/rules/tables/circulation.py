"""Nitrates and inhibitors of phosphodiesterase 5: a fall of blood pressure that may kill."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.tables.model import Interaction, of

_NITROSTAT = Citation(
    "FDA MedWatch, safety labeling changes of Nitrostat (nitroglycerin), contraindications, July 2011",
    "https://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm266664.htm?icid=EMN0911",
)
_VIAGRA = Citation(
    "Viagra (sildenafil), contraindications, as Pfizer gives them",
    "https://www.pfizermedicalinformation.ca/en-ca/viagra/contraindications",
)

ROWS: Final = (
    Interaction(
        "nitrates-pde5",
        of("nitroglycerin"),
        of("sildenafil, tadalafil, vardenafil"),
        Severity.CRITICAL,
        "hypotension that may be life-threatening",
        "The label of nitroglycerin contraindicates it in patients who use an inhibitor of phosphodiesterase 5 such as "
        "these. It may be taken on demand: ask when it last was.",
        (_NITROSTAT, _VIAGRA),
    ),
    Interaction(
        "isosorbide-dinitrate-sildenafil",
        of("isosorbide dinitrate"),
        of("sildenafil"),
        Severity.CRITICAL,
        "hypotension that may be life-threatening",
        "The label of sildenafil contraindicates it in patients who use an organic nitrate in any form, regularly or "
        "now and then; when a nitrate is safe again after sildenafil is not known.",
        (_VIAGRA,),
    ),
)
