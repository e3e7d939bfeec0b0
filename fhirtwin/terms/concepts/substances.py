"""Substances that people are allergic to: groups of medicines by SNOMED CT, and statements that there is none.

Single ingredients are read by `fhirtwin.terms.drugs`. Codes of conditions ("Allergy to penicillin") are not here: the
public lists of them contradict one another, so none was believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.model import Code, ConceptSet
from fhirtwin.terms.systems import SNOMED

_US_CORE = "US Core 3.1.1 (HL7), value set us-core-allergy-substance"

GROUPS: Final[Mapping[str, str]] = {
    "373270004": "penicillins",
    "373262009": "cephalosporins",
    "387406002": "sulfonamide-antibiotics",
    "372665008": "nsaids",
    "372733002": "ace-inhibitors",
    "372913009": "arbs",
    "372912004": "statins",
    "373253007": "tricyclics",
    "372664007": "benzodiazepines",
    "404642006": "opioids",
}
"""SNOMED CT code of a group to the group of `fhirtwin.terms.drugs.groups` that it is taken for."""

SETS: Final = (
    ConceptSet(
        "allergy",
        SNOMED,
        _US_CORE,
        {
            "373270004": "Substance with penicillin structure and antibacterial mechanism of action (substance)",
            "373262009": "Substance with cephalosporin structure and antibacterial mechanism of action (substance)",
            "387406002": "Sulfonamide (substance)",
            "372665008": "Non-steroidal anti-inflammatory agent (substance)",
            "372733002": "Substance with angiotensin-converting enzyme inhibitor mechanism of action (substance)",
            "372913009": "Substance with angiotensin II receptor antagonist mechanism of action (substance)",
            "372912004": "Substance with 3-hydroxy-3-methylglutaryl-coenzyme A reductase inhibitor mechanism of action "
            "(substance)",
            "373253007": "Tricyclic antidepressant (substance)",
            "372664007": "Benzodiazepine (substance)",
            "404642006": "Substance with opioid receptor agonist mechanism of action (substance)",
        },
    ),
)

NONE_KNOWN: Final = frozenset(
    Code(SNOMED, code)
    for code in (
        "716186003",  # No known allergy (situation)
        "409137002",  # No known drug allergy (situation)
        "428607008",  # No known environmental allergy (situation)
        "429625007",  # No known food allergy (situation)
        "716184000",  # No known latex allergy (situation)
    )
)
"""Statements that nothing is known: no allergy, and no gap in the record either. All are of the same value set."""
