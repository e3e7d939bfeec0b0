"""What people are allergic to, by SNOMED CT: groups of medicines, substances, findings, and that there is none.

Single ingredients by RxNorm are read by `fhirtwin.terms.drugs`, findings ("Penicillin allergy") by `allergy_findings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.allergy_findings import FINDINGS, NAMES
from fhirtwin.terms.concepts.model import Code, ConceptSet
from fhirtwin.terms.systems import SNOMED

_US_CORE = "US Core 3.1.1 (HL7), value set us-core-allergy-substance"
_EXAMPLES = "examples of HL7's International Patient Summary 1.1.0 and of CH AllergyIntolerance 3.0.0 (HL7 Switzerland)"
_EXPANSION = "HL7 FHIR, value set allergyintolerance-code, the expansion published with it"

_GROUPS: Final[Mapping[str, str]] = {
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

_SUBSTANCES: Final[Mapping[str, tuple[str, str]]] = {
    "764146007": ("Penicillin (substance)", "penicillins"),
    "372687004": ("Amoxicillin (substance)", "723"),
    "387458008": ("Aspirin (substance)", "1191"),
}
"""SNOMED CT code of a substance to its name, and to the group or the RxNorm ingredient."""

ALLERGENS: Final[Mapping[str, tuple[str, ...]]] = {
    **{code: (group,) for code, group in _GROUPS.items()},
    **{code: (value,) for code, (_, value) in _SUBSTANCES.items()},
    **FINDINGS,
}
"""SNOMED CT code to what the allergy is to: groups of `fhirtwin.terms.drugs.groups`, or RxNorm ingredients."""

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
    ConceptSet("allergy", SNOMED, _EXAMPLES, {code: name for code, (name, _) in _SUBSTANCES.items()}),
    ConceptSet("allergy", SNOMED, _EXPANSION, dict(NAMES)),
)

NO_MEDICINE: Final = frozenset(
    Code(SNOMED, code)
    for code in (
        "91930004",  # Allergy to eggs
        "91932007",  # Allergy to fruit
        "91934008",  # Nut allergy
        "91935009",  # Allergy to peanuts
        "91937001",  # Seafood allergy
        "91938006",  # Allergy to strawberries
        "91940001",  # Allergy to walnut
    )
)
"""Findings of the same expansion that are about food: no order of a medicine has to be checked against them."""

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
