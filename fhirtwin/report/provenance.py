"""Who and what made a stored RiskAssessment: gateway, engine, and the resources it was computed from.

Source: http://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from fhirtwin import __version__
from fhirtwin.predictors.model import Result
from fhirtwin.report.identity import Identity, basis, refer
from fhirtwin.report.risk_assessment import MODEL_HASH_SYSTEM

_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
GATEWAY: Final = f"fhirtwin gateway {__version__}: read the sources, sealed, opened, applied constant and link"
WITHDRAWING: Final = f"fhirtwin gateway {__version__}: withdrew what an engine had computed that answered wrongly"
ENGINE: Final = f"fhirtwin engine {__version__}: computed the weighted sums on ciphertext, without a key"


def provenance(
    result: Result, identity: Identity, *, version: int, recorded: str, unheld: Collection[str] = ()
) -> dict[str, Any]:
    """The Provenance of one version of a RiskAssessment.

    Args:
        result: what was reported.
        identity: of the RiskAssessment.
        version: of the RiskAssessment, which the target names.
        recorded: FHIR instant of the writing.
        unheld: references to sources that this server does not hold (`fhirtwin.report.identity.refer`).
    """
    resource: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": identity.provenance_id(version),
        "target": [{"reference": f"RiskAssessment/{identity.id}/_history/{version}"}],
        "recorded": recorded,
        "agent": [_agent("assembler", "Assembler", GATEWAY), _agent("performer", "Performer", ENGINE)],
        "entity": [*_sources(result, unheld), *_model(result)],
    }
    return {name: value for name, value in resource.items() if value != []}


def _sources(result: Result, unheld: Collection[str]) -> list[dict[str, Any]]:
    return [{"role": "source", "what": refer(reference, unheld)} for reference in basis(result.vector)]


def _model(result: Result) -> list[dict[str, Any]]:
    """The model package that it was computed with, by its hash; nothing of a predictor that is part of the program."""
    predictor = result.vector.predictor
    if not predictor.model_hash:
        return []
    named = {"system": MODEL_HASH_SYSTEM, "value": predictor.model_hash}
    what = {"identifier": named, "display": f"model {predictor.id}, version {predictor.version}"}
    return [{"role": "source", "what": what}]


def withdrawal(id_: str, *, version: int, recorded: str, reason: str) -> dict[str, Any]:
    """The Provenance of the version by which a RiskAssessment of ours was withdrawn.

    Args:
        id_: logical id of the RiskAssessment.
        version: of it, which the target names; the version before is what was withdrawn.
        recorded: FHIR instant of the writing.
        reason: why, without patient data.
    """
    return {
        "resourceType": "Provenance",
        "id": f"pv-{id_.removeprefix('ra-')}-{version}",
        "target": [{"reference": f"RiskAssessment/{id_}/_history/{version}"}],
        "recorded": recorded,
        "reason": [{"text": reason}],
        "agent": [_agent("assembler", "Assembler", WITHDRAWING)],
        "entity": [{"role": "revision", "what": {"reference": f"RiskAssessment/{id_}/_history/{version - 1}"}}],
    }


def _agent(code: str, display: str, who: str) -> dict[str, Any]:
    kind = {"coding": [{"system": _PARTICIPANT, "code": code, "display": display}]}
    return {"type": kind, "who": {"type": "Device", "display": who}}
