"""Gives an answer what clients need and a service may leave out: a uuid for each card and suggestion, and a topic.

Without a uuid a client can give no feedback. One that is made here is the same for the same service, patient and
content, so a call that is repeated gets the same answer, and a finding that has not changed keeps its card.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes and https://cds-hooks.hl7.org/2.0/#source
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from fhirtwin.api.cds.service import Response, Service
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin.state import PatientKey

TOPIC_SYSTEM: Final = f"{FHIRTWIN}/CodeSystem/cds-service"
"""Code system of topics that name nothing but the service."""

_NAMESPACE: Final = uuid.UUID("6f1c1d3a-3a39-5b0e-8d51-2f6a3c1b9d70")
_encoder: Final = msgspec.json.Encoder(order="sorted", decimal_format="string")


def completed(service: Service, patient: PatientKey, answer: Response) -> Response:
    """An answer in which every card has uuid and topic, and every suggestion a uuid; what is malformed stays so."""
    seed = f"{service.id}\x00{patient.origin}\x00{patient.id}"
    alike: Counter[str] = Counter()
    cards = [_card(card, service, seed, alike) if isinstance(card, Mapping) else card for card in answer.cards]
    return replace(answer, cards=cards)


def _card(card: Mapping[str, Any], service: Service, seed: str, alike: Counter[str]) -> dict[str, Any]:
    made = dict(card)
    if "uuid" not in made:
        one = _uuid(seed, card)
        made["uuid"] = str(uuid.uuid5(uuid.UUID(one), str(alike[one]))) if alike[one] else one
        alike[one] += 1
    source = made.get("source")
    if isinstance(source, Mapping) and "topic" not in source:
        made["source"] = {
            **source,
            "topic": {"system": TOPIC_SYSTEM, "code": service.id, "display": service.title},
        }
    if isinstance(made.get("suggestions"), list | tuple):
        made["suggestions"] = [
            {**each, "uuid": _uuid(f"{made['uuid']}\x00{number}", each)}
            if isinstance(each, Mapping) and "uuid" not in each
            else each
            for number, each in enumerate(made["suggestions"])
        ]
    return made


def _uuid(seed: str, content: Mapping[str, Any]) -> str:
    try:
        text = _encoder.encode(content)
    except (TypeError, ValueError):  # what cannot be written is refused by the check of answers
        text = b""
    return str(uuid.uuid5(_NAMESPACE, f"{seed}\x00{text.decode()}"))
