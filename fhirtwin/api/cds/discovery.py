"""What discovery says of each service, one entry for each hook that it is for.

Source: https://cds-hooks.hl7.org/2.0/#discovery; `version` and `hookVersion` are of the 3.0 ballot,
https://build.fhir.org/ig/HL7/cds-hooks/en/#discovery
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fhirtwin.api.cds.hooks import hook
from fhirtwin.api.cds.service import Service

VERSIONS: Final = {"2.0": "2.0.1", "3.0": "3.0.0-ballot"}
"""Versions of CDS Hooks by the setting `cds_hooks_version`."""


def discovery(services: Iterable[Service], version: str) -> dict[str, Any]:
    """The answer of discovery.

    Args:
        services: every service.
        version: the setting `cds_hooks_version`; members of the 3.0 ballot are told from that version on only.
    """
    return {"services": [_entry(service, name, version) for service in services for name in service.hooks]}


def _entry(service: Service, name: str, version: str) -> dict[str, Any]:
    newer = version != "2.0"
    found = hook(name)
    templates = service.templates(name)
    entry: dict[str, Any] = {
        "hook": name,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": {key: one.query if newer else one.for_2_0() for key, one in templates.items()},
        "usageRequirements": service.usage_requirements,
        "version": VERSIONS[version] if newer else "",
        "hookVersion": found.version if newer and found else "",
        "extension": dict(service.extension),
    }
    return {member: value for member, value in entry.items() if value}
