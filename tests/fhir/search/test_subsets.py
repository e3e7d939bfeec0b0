from __future__ import annotations

from pathlib import Path

from fhirtwin.fhir.search import compile_subsets
from fhirtwin.fhir.search.parameters import PARAMETERS, Kind
from fhirtwin.fhir.search.subsets import PATIENT_COMPARTMENT, SUMMARY
from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, members


def test_the_official_definitions_give_the_committed_table(shared: Path) -> None:
    compiled = compile_subsets.compile_table(shared / "data/fhir/defs/r4")
    assert compiled == compile_subsets.TABLE.read_text(encoding="ascii")


def test_every_parameter_of_the_compartment_can_be_asked_for() -> None:
    """A name that no parameter has would leave resources of that type out of every compartment."""
    unknown = {
        (type_, name)
        for type_, names in PATIENT_COMPARTMENT.items()
        for name in names
        if name not in PARAMETERS[type_] or PARAMETERS[type_][name].kind is not Kind.REFERENCE
    }
    assert unknown == set()
    assert RESOURCE_TYPES.issuperset(PATIENT_COMPARTMENT)
    assert PATIENT_COMPARTMENT["Observation"] == ("performer", "subject")


def test_summaries_name_elements_of_every_type() -> None:
    assert set(SUMMARY) <= TYPES
    assert set(SUMMARY) >= RESOURCE_TYPES
    for owner, names in SUMMARY.items():
        assert names <= {member.element for member in members(owner).values()}, owner
    assert {"name", "birthDate", "gender"} <= SUMMARY["Patient"]
    assert "contact" not in SUMMARY["Patient"]
