"""capabilities: `GET [base]/metadata`: made of what is registered, so it says what is true.

*Source*: http://hl7.org/fhir/R4/http.html#capabilities, http://hl7.org/fhir/R4/capabilitystatement.html.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin import __version__
from fhirtwin.access import Caller, permit
from fhirtwin.fhir import codec
from fhirtwin.fhir.search_parameters import PARAMETERS, Kind, SearchParameter
from fhirtwin.fhir.tables import FHIR_VERSION, RESOURCE_TYPES
from fhirtwin.interactions import registry
from fhirtwin.interactions.context import Answer, Services

_STARTED: Final = datetime.now(UTC).isoformat(timespec="seconds")
_INTERACTIONS: Final = (
    "create",
    "read",
    "vread",
    "update",
    "delete",
    "history-instance",
    "history-type",
    "search-type",
)
_SYSTEM_INTERACTIONS: Final = ("batch", "transaction", "history-system", "search-system")


def capabilities(services: Services, caller: Caller) -> Answer:
    """Give the CapabilityStatement of this server."""
    permit(caller, "capabilities")
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _STARTED,
        "kind": "instance",
        "software": {"name": "fhirtwin", "version": __version__},
        "implementation": {"description": "A digital twin of each patient beside the EHR", "url": services.base_url},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": False, "description": _security(services)},
                "resource": [_resource(type_) for type_ in sorted(RESOURCE_TYPES)],
                "interaction": [{"code": code} for code in _SYSTEM_INTERACTIONS],
            }
        ],
    }
    return Answer(200, codec.encode(statement))


def _security(services: Services) -> str:
    if services.settings.open:
        return "No sign-in: everybody on this machine may read and write."
    return "Every request carries `Authorization: Bearer TOKEN`, the token of the server's data folder."


def _references(type_: str) -> list[SearchParameter]:
    return [one for _, one in sorted(PARAMETERS[type_].items()) if one.kind is Kind.REFERENCE]


def _resource(type_: str) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "type": type_,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchInclude": ["*", *(f"{type_}:{parameter.name}" for parameter in _references(type_))],
        "searchRevInclude": ["*"],
        "searchParam": [{"name": name, "type": str(one.kind)} for name, one in sorted(PARAMETERS[type_].items())],
    }
    operations = [
        {"name": operation.name, "definition": operation.definition}
        for operation in registry.all_operations()
        if operation.type == type_
    ]
    return {**resource, "operation": operations} if operations else resource
