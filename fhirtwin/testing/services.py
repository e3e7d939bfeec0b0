"""The contract of a CDS service, executable: called through its door, as an EHR would call it."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fhirtwin.api.cds import alone, examples
from fhirtwin.api.cds.hooks import hook as known_hook
from fhirtwin.api.cds.service import Service
from fhirtwin.api.cds.services import registry
from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings
from fhirtwin.store import Store

EHR: Final = "https://ehr.example/fhir"
"""The FHIR server that calls come from."""


class CheckFailed(AssertionError):
    """A service does not do what it must; the text says what."""


def answer(
    service: Service,
    prefetch: Mapping[str, Any],
    *,
    patient: str,
    hook: str = "",
    context: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Call a service with everything checked that is checked in a gateway: its templates, the call, and its answer.

    Args:
        service: what its module exports as `SERVICE`.
        prefetch: what the EHR sends, by key.
        patient: id of the patient.
        hook: one of the service's; empty means its first.
        context: members of the hook's context; those that it needs and are not given are made up.

    Returns:
        The answer as the EHR gets it, with `cards`.

    Raises:
        Incorrect: the service does not pass the registry's gate; the text says why.
        CheckFailed: the call is refused, or the answer breaks the rules of CDS Hooks; the text has the outcome.
    """
    services = registry.admit([service])
    fired = known_hook(hook or service.hooks[0])
    if fired is None or fired.name not in service.hooks:
        raise CheckFailed(f"{service.id} is not for the hook {hook}")
    body = {
        "hook": fired.name,
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": EHR,
        "context": examples.context(fired, patient) | dict(context or {}),
        "prefetch": dict(prefetch),
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), base_url="https://twin.example/fhir", open=True)
        store = Store.open(settings)
        try:
            status, given = alone.post(Services(settings, store), services, service.id, json.dumps(body).encode())
        finally:
            store.close()
    if status != 200:
        raise CheckFailed(f"{service.id} was answered with {status}: {given.decode()}")
    return dict(json.loads(given))
