"""capabilities: `GET [base]/metadata`: made of what is registered, so it says what is true.

*Source*: http://hl7.org/fhir/R4/http.html#capabilities, http://hl7.org/fhir/R4/capabilitystatement.html.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin import __version__
from fhirtwin.access import Caller, permit
from fhirtwin.fhir import codec, media_types
from fhirtwin.fhir.search.parameters import PARAMETERS, Kind, SearchParameter
from fhirtwin.fhir.tables import FHIR_VERSION, RESOURCE_TYPES
from fhirtwin.interactions import offered, registry
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.patch import Form

_STARTED: Final = datetime.now(UTC).isoformat(timespec="seconds")
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
        "format": [*media_types.Format, *media_types.SHORT],
        "patchFormat": [str(form) for form in Form],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": False, "description": _security(services)},
                "resource": [_resource(type_) for type_ in sorted(RESOURCE_TYPES)],
                "interaction": [{"code": code} for code in _SYSTEM_INTERACTIONS],
                **({"operation": operations} if (operations := _operations("")) else {}),
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
    interactions = offered.of(type_)
    resource: dict[str, Any] = {
        "type": type_,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": "update" in interactions,
        "conditionalCreate": "create" in interactions,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update" in interactions,
        "conditionalDelete": "single" if "delete" in interactions else "not-supported",
        "searchInclude": ["*", *(f"{type_}:{parameter.name}" for parameter in _references(type_))],
        "searchRevInclude": ["*"],
        "searchParam": [{"name": name, "type": str(one.kind)} for name, one in sorted(PARAMETERS[type_].items())],
    }
    return {**resource, "operation": _operations(type_)}


def _operations(type_: str) -> list[dict[str, str]]:
    """What can be invoked on a type; on the system when it is empty."""
    return [{"name": one.name, "definition": one.definition} for one in registry.operations_of(type_)]
