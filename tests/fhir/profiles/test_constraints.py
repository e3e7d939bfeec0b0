from __future__ import annotations

import pytest

from fhirtwin.fhir.profiles import constraints
from fhirtwin.fhir.profiles.constraints import Constraint, holds
from tests.cost import cpu_seconds
from tests.parts import observation, patient

OBSERVATION = observation("Patient/p")


def verdict(expression: str, **more: object) -> bool | None:
    asked = Constraint("x-1", "error", "x", expression)
    given = {"value": OBSERVATION, "kind": "Observation", "resource": OBSERVATION, "root": OBSERVATION, **more}
    return holds(asked, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("value.exists() and value.value > 199", True),
        ("status = 'amended'", False),
        ("%resource.subject.exists() and %rootResource.type().name = 'Observation'", True),
        ("note", None),
        ("status", None),
        ("status ==== 1", None),
        ("subject.resolve().exists()", None),
        ("status.matches('(a+)+$')", None),
        ("'" + "x" * 2000 + "'.exists()", None),
        ("", None),
    ],
)
def test_expressions(expression: str, answer: bool | None) -> None:
    assert verdict(expression) is answer


def test_choices_of_nested_elements_are_known_by_their_path() -> None:
    part = {"code": {"text": "x"}, "valueString": "y"}
    assert verdict("value.exists()", value=part, kind="Observation.component") is True


def test_an_expression_that_takes_too_long_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "MAX_SECONDS", 0.05)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()} for _ in range(2000)]}
    slow = "descendants().where(%resource.descendants().count() > 0).exists()"

    def judged() -> None:
        assert verdict(slow, value=bundle, kind="Bundle", resource=bundle, root=bundle) is None

    assert cpu_seconds(judged) < 10
