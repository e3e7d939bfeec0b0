"""Two small tables of R4, made by `fhirtwin.fhir.search.compile_subsets`: summaries, and the patient compartment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec


class _Table(msgspec.Struct, frozen=True):
    compartment: dict[str, str]
    summary: dict[str, str]


_TABLE: Final = msgspec.json.decode(Path(__file__).with_name("subsets.json").read_bytes(), type=_Table)

PATIENT_COMPARTMENT: Final = {type_: tuple(names.split(" ")) for type_, names in _TABLE.compartment.items()}
"""For each resource type that can lie in a patient's compartment, the search parameters by which it does.

A resource may lie in several, as an Appointment of two patients. A Patient lies in their own as well.

*Source*: http://hl7.org/fhir/R4/compartmentdefinition-patient.html.
"""

SUMMARY: Final = {owner: frozenset(names.split(" ")) for owner, names in _TABLE.summary.items()}
"""For each resource type and nested element (`Patient.link`), its elements that a summary holds.

*Source*: http://hl7.org/fhir/R4/search.html#summary.
"""
