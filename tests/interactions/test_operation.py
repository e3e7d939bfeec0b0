"""Operations as data: what is declared, what the definitions say and what comes in at the door are one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Fault, Forbidden, Incorrect, MethodNotAllowed, NotFound, Unsupported
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.grammar import PAGE
from fhirtwin.interactions import inputs, invoke, registry
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.operation import ANY_TYPE, RESOURCE, Call, Level, Operation, Parameter
from fhirtwin.terms.systems import FHIRTWIN
from tests.conftest import ROOT
from tests.parts import body, patient

JSON = {"Content-Type": "application/fhir+json"}
OURS = [one for one in registry.all_operations() if one.definition.startswith(FHIRTWIN)]
OFFICIAL = [one for one in registry.all_operations() if one not in OURS]


def made(*parameters: Parameter, **more: Any) -> Operation:
    return Operation("made", "http://x.test/made", frozenset({"Patient"}), frozenset(Level), run, parameters, **more)


def run(call: Call) -> Answer:
    return Answer(200, repr(dict(call.given)).encode())


def read(operation: Operation, *pairs: tuple[str, str], sent: Any = None) -> dict[str, Any]:
    return dict(inputs.read(operation, pairs, body(sent) if sent else b"", max_depth=64))


def parameters(*given: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(given)}


def against(operation: Operation, definition: dict[str, Any], *, whole: bool) -> None:
    """Hold a declaration against an OperationDefinition; every parameter that goes in must be declared if `whole`."""
    assert definition["code"] == operation.name
    levels = {level for level in Level if definition[level]}
    assert (operation.levels == levels) if whole else (operation.levels <= levels)
    assert set(definition.get("resource", ())) == ({"Resource"} if ANY_TYPE in operation.types else operation.types)
    wanted = {p["name"]: p for p in definition["parameter"] if p["use"] == "in"}
    declared = {p.name: p for p in operation.parameters if p.name != PAGE}
    assert (declared.keys() == wanted.keys()) if whole else (declared.keys() <= wanted.keys())
    for name, parameter in declared.items():
        assert parameter.kind == wanted[name].get("type", ""), name
        assert parameter.many == (wanted[name]["max"] == "*"), name
        assert parameter.required == (wanted[name]["min"] > 0), name


@pytest.mark.parametrize("operation", OURS, ids=lambda one: one.name)
def test_an_operation_of_ours_is_as_its_definition_says(operation: Operation) -> None:
    file = ROOT / "profiles" / f"OperationDefinition-{operation.definition.rpartition('/')[2]}.json"
    definition = codec.decode(file.read_bytes())
    assert definition["url"] == operation.definition
    assert definition["affectsState"] == operation.affects_state
    against(operation, definition, whole=True)


@pytest.fixture(scope="module")
def official(shared: Path) -> dict[str, dict[str, Any]]:
    file = shared / "data" / "fhir" / "defs" / "r4" / "profiles-resources.json.gz"
    entries = json.loads(gzip.decompress(file.read_bytes()))["entry"]
    return {one["resource"]["url"]: one["resource"] for one in entries}


def test_an_operation_of_r4_takes_nothing_that_its_definition_does_not_know(official: dict[str, Any]) -> None:
    for operation in OFFICIAL:
        against(operation, official[operation.definition], whole=False)


def test_metadata_lists_each_operation_where_it_can_be_invoked(client: FlaskClient) -> None:
    rest = client.get("/fhir/metadata").json["rest"][0]
    listed = {("", one["definition"]) for one in rest.get("operation", ())}
    listed |= {(t["type"], one["definition"]) for t in rest["resource"] for one in t.get("operation", ())}
    types = {t["type"] for t in rest["resource"]}
    wanted = set()
    for one in registry.all_operations():
        wanted |= {("", one.definition)} if Level.SYSTEM in one.levels else set()
        wanted |= {(type_, one.definition) for type_ in (types if ANY_TYPE in one.types else one.types)}
    assert listed == wanted


def test_two_operations_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twin, assess = (registry.import_module(f"{registry.folder.__name__}.{name}") for name in ("twin", "assess"))
    monkeypatch.setattr(assess, "OPERATION", twin.OPERATION)
    with pytest.raises(Fault):
        registry.all_operations.__wrapped__()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    registry._by_key.cache_clear()


def register(monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    registry._by_key.cache_clear()
    monkeypatch.setattr(registry, "all_operations", lambda: (operation,))


@pytest.mark.parametrize("path", ["$made", "Patient/$made", "Patient/p/$made"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_operation_is_reached_on_each_of_its_levels(
    client: FlaskClient, registered: pytest.MonkeyPatch, path: str, method: str
) -> None:
    register(registered, made(Parameter("n", "integer")))
    answer = client.open(f"/fhir/{path}?n=3", method=method)
    assert (answer.status_code, answer.text) == (200, "{'n': (3,)}")


def test_an_operation_of_any_type_is_there_for_every_type(client: FlaskClient, registered: pytest.MonkeyPatch) -> None:
    register(registered, Operation("made", "http://x.test", frozenset({ANY_TYPE}), frozenset({Level.TYPE}), run))
    assert client.get("/fhir/Library/$made").status_code == 200
    assert client.get("/fhir/$made").status_code == 404
    assert "[base]/Library/$made" in client.get("/fhir/Library/x/$made").text
    assert client.get("/fhir/Librarian/$made").status_code == 404


def test_what_changes_something_is_not_done_by_get(registered: pytest.MonkeyPatch) -> None:
    register(registered, made(affects_state=True))
    with pytest.raises(MethodNotAllowed, match="POST"):
        invoke.find("Patient", "p", "made", "GET")
    assert invoke.find("Patient", "p", "made", "POST").affects_state
    with pytest.raises(NotFound):
        invoke.find("Patient", "p\u0000", "made", "POST")


def test_whoever_may_invoke_nothing_is_refused_before_anything_is_read(services: Services) -> None:
    with pytest.raises(Forbidden):
        invoke.invoke(services, Caller("nobody"), made(), "Patient", "p", "POST", sent=b"{not json")
    with pytest.raises(Incorrect):
        invoke.invoke(services, OPEN, made(), "Patient", "p", "POST", sent=b"{not json")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "true", True),
        ("integer", "-5", -5),
        ("decimal", "0.010", Decimal("0.010")),
        ("date", "2024-02-29", "2024-02-29"),
        ("code", "a b", "a b"),
    ],
)
def test_a_text_of_the_url_becomes_a_value_of_the_declared_kind(kind: str, text: str, value: Any) -> None:
    (found,) = read(made(Parameter("x", kind)), ("x", text))["x"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "yes"),
        ("integer", "1.0"),
        ("integer", "9" * 12),
        ("integer", "٣"),
        ("decimal", "one"),
        ("decimal", "NaN"),
        ("date", "2023-02-29"),
        ("code", " a"),
        ("uri", ""),
        ("Coding", "a"),
    ],
)
def test_a_text_that_is_no_value_of_the_kind_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(Incorrect, match="`x`"):
        read(made(Parameter("x", kind)), ("x", text))


@pytest.mark.parametrize("text", ["9" * 5000, "1e2000000", "0." + "1" * 40])
def test_a_number_beyond_all_limits_is_refused(text: str) -> None:
    with pytest.raises(Incorrect):
        read(made(Parameter("x", "decimal")), ("x", text))


def test_a_body_brings_values_of_every_kind() -> None:
    operation = made(
        Parameter("coding", "Coding"),
        Parameter("whom", RESOURCE),
        Parameter("who", "Patient"),
        Parameter("code", "code", many=True),
        Parameter("both", parts=(Parameter("left", "string", required=True), Parameter("right", "Quantity"))),
    )
    sent = parameters(
        {"name": "coding", "valueCoding": {"code": "a"}},
        {"name": "whom", "resource": patient()},
        {"name": "who", "resource": patient()},
        {"name": "code", "valueCode": "a"},
        {"name": "code", "valueString": "b"},
        {
            "name": "both",
            "part": [{"name": "left", "valueString": "l"}, {"name": "right", "valueQuantity": {"value": 1}}],
        },
    )
    found = read(operation, sent=sent)
    assert found["coding"] == ({"code": "a"},)
    assert found["whom"] == found["who"] == (patient(),)
    assert found["code"] == ("a", "b")
    assert found["both"] == ({"left": ("l",), "right": ({"value": 1},)},)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "coding", "valueString": "a"},
        {"name": "coding", "valueCodeableConcept": {"text": "a"}},
        {"name": "coding", "resource": {"resourceType": "Patient"}},
        {"name": "coding", "part": [{"name": "x", "valueString": "y"}]},
        {"name": "who", "resource": {"resourceType": "Group", "type": "person", "actual": True}},
        {"name": "both", "part": [{"name": "right", "valueString": "r"}]},
        {"name": "both", "valueString": "l"},
        {"name": "strange", "valueString": "l"},
        {"name": "date", "valueDate": "2023-02-30"},
        {"name": "date", "valueString": "yesterday"},
        {"name": "date", "valueBoolean": True},
    ],
)
def test_a_body_with_another_kind_of_value_is_refused(given: dict[str, Any]) -> None:
    operation = made(
        Parameter("coding", "Coding"),
        Parameter("who", "Patient"),
        Parameter("both", parts=(Parameter("left", "string", required=True), Parameter("right", "string"))),
        Parameter("date", "date"),
    )
    with pytest.raises(Incorrect):
        read(operation, sent=parameters(given))


@pytest.mark.parametrize(
    "sent",
    [
        {"resourceType": "Parameters", "parameter": [{"name": ["x"], "valueCode": "a"}]},
        {"resourceType": "Parameters", "parameter": [{"name": {}, "resource": 3}]},
        {"resourceType": "Parameters", "parameter": ["x"]},
        {"resourceType": "Parameters", "parameter": {"name": "x"}},
        {"resourceType": ["Parameters"], "parameter": []},
        {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": {"resourceType": ["Patient"]}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "x", "valueCode": "a", "resource": patient()}]},
        {"resourceType": "Parameters", "parameter": [{"name": "x"}]},
    ],
)
def test_a_body_of_another_shape_is_refused(sent: Any) -> None:
    with pytest.raises(Incorrect):
        read(made(Parameter("x", "code", required=True), Parameter("whom", RESOURCE)), sent=sent)


def test_a_parameter_that_is_missing_or_repeated_is_refused() -> None:
    operation = made(Parameter("x", "code", required=True))
    with pytest.raises(Incorrect, match="needs"):
        read(operation)
    with pytest.raises(Incorrect, match="once"):
        read(operation, ("x", "a"), sent=parameters({"name": "x", "valueCode": "b"}))
    with pytest.raises(Unsupported, match="no parameter y; it has x"):
        read(operation, ("x", "a"), ("y", "a"))


def test_search_parameters_come_as_text_where_an_operation_takes_them() -> None:
    operation = made(Parameter("max", "positiveInt"), searches=True)
    assert read(operation, ("max", "3"), ("code:in", "a"), ("category", "")) == {
        "max": (3,),
        "code:in": ("a",),
        "category": ("",),
    }


def test_a_resource_may_be_the_body_itself_where_one_is_asked_for() -> None:
    assert read(made(Parameter("resource", RESOURCE)), sent=patient())["resource"] == (patient(),)
    with pytest.raises(Incorrect, match="Parameters"):
        read(made(Parameter("x", "code")), sent=patient())
    with pytest.raises(Incorrect):
        read(made(Parameter("resource", RESOURCE)), sent=patient(gender="f"))


def test_a_resource_that_the_operation_judges_itself_is_handed_over_as_it_is() -> None:
    operation = made(Parameter("resource", RESOURCE, judged=False), Parameter("mode", "code"))
    wrong = patient(gender="f")
    sent = parameters({"name": "resource", "resource": wrong}, {"name": "mode", "valueCode": "create"})
    assert read(operation, sent=sent)["resource"] == read(operation, sent=wrong)["resource"] == (wrong,)
    with pytest.raises(Incorrect):
        read(
            operation,
            sent=parameters({"name": "mode", "valueCode": " create"}, {"name": "resource", "resource": wrong}),
        )


def test_a_body_of_another_media_type_is_415_and_none_at_all_is_fine(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    assert client.post("/fhir/Patient/p/$twin", data=b"date=2024-01-01").status_code == 415
    assert client.post("/fhir/Patient/p/$twin").status_code == 200
    sent = parameters({"name": "date", "valueDate": "2024-01-01"})
    assert client.post("/fhir/Patient/p/$twin", data=body(sent), headers=JSON).status_code == 200
