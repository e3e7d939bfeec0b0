"""A CDS service whose cards a test decides on, and feedback in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import FhirtwinError
from tests.gateway_in_process import Gateway

ID = "made-up"
LATER = {"system": "http://reasons.example", "code": "later", "display": "Not now"}
OTHER = {"system": "http://reasons.example", "code": "other", "display": "Something else"}
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
WHEN = "2026-06-01T12:00:30Z"


def card(number: int, indicator: str = "warning", **members: Any) -> dict[str, Any]:
    made = {
        "uuid": f"4e0a3a1e-3283-4575-ab82-{number:012d}",
        "summary": f"Finding {number}",
        "indicator": indicator,
        "source": {"label": "Somebody"},
        "selectionBehavior": "any",
        "suggestions": [{"label": "Do it", "uuid": SUGGESTION}],
        "overrideReasons": [LATER, OTHER],
        **members,
    }
    return {name: value for name, value in made.items() if value is not ...}


class Advisor:
    """What the service says next."""

    def __init__(self) -> None:
        self.cards: list[dict[str, Any]] = []
        self.lasting: frozenset[str] = frozenset()
        self.extension: dict[str, Any] = {}
        self.fails: Exception | FhirtwinError | None = None
        self.instead: Callable[[Call], Response] | None = None
        self.service = Service(ID, ("patient-view",), "Made up", "For tests.", {}, self._answer)

    def _answer(self, call: Call) -> Response:
        return self.instead(call) if self.instead else self.answer(call)

    def answer(self, _call: Call) -> Response:
        if self.fails:
            raise self.fails
        return Response(self.cards, lasting=self.lasting, extension=self.extension)


def call(twin: Gateway, user: str = "Practitioner/17", patient: str = "p", **more: Any) -> Any:
    sent = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example/fhir",
        "context": {"userId": user, "patientId": patient},
        **more,
    }
    return twin.http.post(f"/cds-services/{ID}", json=sent)


def shown(twin: Gateway, **whose: str) -> list[dict[str, Any]]:
    answer = call(twin, **whose)
    assert answer.status_code == 200, answer.text
    return list(answer.json["cards"])


def overridden(id_: str, **members: Any) -> dict[str, Any]:
    return {"card": id_, "outcome": "overridden", "outcomeTimestamp": WHEN, **members}


def accepted(id_: str, *suggestions: str, **members: Any) -> dict[str, Any]:
    ids = [{"id": one} for one in suggestions or (SUGGESTION,)]
    return {"card": id_, "outcome": "accepted", "acceptedSuggestions": ids, "outcomeTimestamp": WHEN, **members}


def send(twin: Gateway, *items: Any, service: str = ID) -> Any:
    return twin.http.post(f"/cds-services/{service}/feedback", json={"feedback": list(items)})
