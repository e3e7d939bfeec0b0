"""The compartment of a patient becomes SQL: all resources that one of its search parameters ties to the patient.

*Source*: http://hl7.org/fhir/R4/compartmentdefinition-patient.html.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, exists, literal_column, select, union

from fhirtwin.fhir.search.parameters import PARAMETERS, Kind
from fhirtwin.fhir.search.subsets import PATIENT_COMPARTMENT
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search_tables import search_reference
from fhirtwin.twin.state import LOCAL

# Written into the statements, not bound: a hundred values bound anew at each call cost more than the query.
_PARAMETERS: Final[tuple[ColumnElement[int], ...]] = tuple(
    literal_column(str(PARAMETERS[type_][name].number), Integer)
    for type_, names in PATIENT_COMPARTMENT.items()
    for name in names
)
_ANY: Final[tuple[ColumnElement[int], ...]] = tuple(
    literal_column(str(parameter.number), Integer)
    for parameters in PARAMETERS.values()
    for parameter in parameters.values()
    if parameter.kind is Kind.REFERENCE and (not parameter.targets or "Patient" in parameter.targets)
)
"""Every parameter by which a resource may refer to a Patient."""

CURRENT: Final = resource.join(
    resource_version,
    and_(
        resource_version.c.type == resource.c.type,
        resource_version.c.id == resource.c.id,
        resource_version.c.version == resource.c.version,
    ),
)

_TIED: Final = union(
    # The Patient, and what was found to be about the patient when it was stored.
    select(resource.c.number).where(
        resource.c.patient_origin == LOCAL, resource.c.patient_id == bindparam("wanted_patient")
    ),
    select(search_reference.c.resource).where(
        search_reference.c.parameter.in_(_PARAMETERS),
        search_reference.c.target_id == bindparam("wanted_patient"),
        search_reference.c.target_type == "Patient",
        search_reference.c.target_base == "",
    ),
)

# Made once: building a statement costs more than running it.
MEMBERS: Final[Select[*tuple[Any, ...]]] = (
    select(resource.c.number, resource_version)
    .select_from(CURRENT)
    .where(
        resource.c.number.in_(_TIED),
        resource.c.deleted.is_(False),
        resource.c.number > bindparam("wanted_after"),
        resource.c.number <= bindparam("wanted_ceiling"),
    )
    .order_by(resource.c.number)
    .limit(bindparam("wanted_count"))
)
"""Current versions in the compartment of `wanted_patient`, oldest resource first, from a place on."""

NOBODYS: Final[Select[*tuple[Any, ...]]] = (
    select(resource.c.number, resource_version)
    .select_from(CURRENT)
    .where(
        resource.c.type.in_(bindparam("wanted_types", expanding=True)),
        resource.c.id.in_(bindparam("wanted_ids", expanding=True)),
        resource.c.deleted.is_(False),
        resource.c.number <= bindparam("wanted_ceiling"),
        resource.c.patient_origin.is_(None),
        ~exists().where(
            search_reference.c.resource == resource.c.number,
            search_reference.c.parameter.in_(_PARAMETERS),
            search_reference.c.target_type == "Patient",
        ),
    )
    .order_by(resource.c.number)
)
"""Current versions of resources of some types and ids, those left out that lie in any patient's compartment."""

REFERRING: Final[Select[*tuple[Any, ...]]] = (
    select(resource.c.number, resource_version)
    .select_from(CURRENT)
    .where(
        resource.c.number.in_(
            select(resource.c.number)
            .where(resource.c.patient_origin == LOCAL, resource.c.patient_id == bindparam("wanted_patient"))
            .union(
                select(search_reference.c.resource).where(
                    search_reference.c.parameter.in_(_ANY),
                    search_reference.c.target_id == bindparam("wanted_patient"),
                    search_reference.c.target_type == "Patient",
                    search_reference.c.target_base == "",
                )
            )
        ),
        resource.c.deleted.is_(False),
        resource.c.type.not_in(bindparam("unwanted_types", expanding=True)),
    )
    .order_by(resource.c.number)
    .limit(bindparam("wanted_count"))
)
"""Current versions of whatever refers to a patient by any parameter, in the compartment or not."""
