"""$expand, $validate-code, $lookup and $translate."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.tables import VALUE_SETS
from fhirtwin.fhir.terminology import expansion
from fhirtwin.fhir.validator import validate
from fhirtwin.terms.systems import FACT, FHIRTWIN
from tests.parts import body

JSON = {"Content-Type": "application/fhir+json"}
ANIMALS = "http://x.test/CodeSystem/animals"
SNOMED = "http://snomed.info/sct"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"


def concept(code: str, *below: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"code": code, "display": code.title(), **more, **({"concept": list(below)} if below else {})}


def valued(code: str, value: Any, kind: str = "valueString") -> dict[str, Any]:
    return {"code": code, kind: value}


CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "id": "animals",
    "url": ANIMALS,
    "version": "1",
    "name": "Animals",
    "status": "active",
    "content": "complete",
    "caseSensitive": True,
    "property": [{"code": "legs", "type": "integer"}, {"code": "inactive", "type": "boolean"}],
    "concept": [
        concept(
            "mammal",
            concept(
                "dog",
                property=[valued("legs", 4, "valueInteger")],
                definition="Barks.",
                designation=[{"language": "de", "value": "Hund"}],
            ),
            concept("whale", concept("orca"), property=[valued("legs", 0, "valueInteger")]),
            property=[valued("notSelectable", True, "valueBoolean")],
        ),
        concept("bird", property=[valued("legs", 2, "valueInteger")]),
        concept("dodo", property=[valued("parent", "bird", "valueCode"), valued("inactive", True, "valueBoolean")]),
    ],
}


def value_set(*include: dict[str, Any], **more: Any) -> dict[str, Any]:
    compose = {"include": list(include), **more}
    return {"resourceType": "ValueSet", "url": "http://x.test/ValueSet/v", "status": "active", "compose": compose}


def animals(*filters: tuple[str, str, str]) -> dict[str, Any]:
    listed = [dict(zip(("property", "op", "value"), one, strict=True)) for one in filters]
    return {"system": ANIMALS, **({"filter": listed} if listed else {})}


def put(client: FlaskClient, resource: dict[str, Any]) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    answer = client.put(url, data=body(resource), headers=JSON)
    assert answer.status_code == 201, answer.text


@pytest.fixture
def server(client: FlaskClient) -> FlaskClient:
    put(client, CODE_SYSTEM)
    return client


def parameters(*given: tuple[str, str, Any]) -> bytes:
    return body(
        {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, kind, value in given]}
    )


def expanded(server: FlaskClient, sent: dict[str, Any], query: str = "") -> list[str]:
    answer = server.post(f"/fhir/ValueSet/$expand{query}", data=body(sent), headers=JSON)
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="ValueSet") == []
    return [one["code"] for one in made["expansion"].get("contains", ())]


def refused(server: FlaskClient, sent: dict[str, Any], status: int) -> str:
    answer = server.post("/fhir/ValueSet/$expand", data=body(sent), headers=JSON)
    assert answer.status_code == status, answer.text
    return str(answer.json["issue"][0]["diagnostics"])


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="Parameters") == []
    return {
        one["name"]: next((value for name, value in one.items() if name.startswith("value")), one.get("part"))
        for one in made["parameter"]
    }


def test_the_projects_own_value_sets_expand(client: FlaskClient) -> None:
    answer = client.get(f"/fhir/ValueSet/$expand?url={FHIRTWIN}/ValueSet/fact&filter=choles total&count=5")
    made = codec.decode(answer.data)
    assert validate(made, type="ValueSet") == []
    assert made["expansion"]["contains"] == [
        {"system": FACT, "version": "0.1.0", "code": "total-cholesterol", "display": "total cholesterol"}
    ]
    assert {one["name"] for one in made["expansion"]["parameter"]} == {"filter", "count"}
    assert made["url"] == f"{FHIRTWIN}/ValueSet/fact" and "compose" not in made


def test_the_value_sets_of_r4s_required_bindings_expand(client: FlaskClient) -> None:
    answer = client.get(f"/fhir/ValueSet/$expand?url={GENDER}|4.0.1")
    assert [one["code"] for one in answer.json["expansion"]["contains"]] == ["female", "male", "other", "unknown"]
    for name in VALUE_SETS:
        base = "http://terminology.hl7.org" if name.startswith("v3-") else "http://hl7.org/fhir"
        assert client.get(f"/fhir/ValueSet/$expand?url={base}/ValueSet/{name}&count=0").json["expansion"]["total"] > 0


@pytest.mark.parametrize(
    ("include", "codes"),
    [
        (animals(), ["mammal", "dog", "whale", "orca", "bird", "dodo"]),
        (animals(("concept", "is-a", "whale")), ["whale", "orca"]),
        (animals(("concept", "descendent-of", "mammal")), ["dog", "whale", "orca"]),
        (animals(("concept", "is-a", "bird")), ["bird", "dodo"]),
        (animals(("concept", "is-not-a", "mammal")), ["bird", "dodo"]),
        (animals(("concept", "generalizes", "orca")), ["mammal", "whale", "orca"]),
        (animals(("legs", "=", "4")), ["dog"]),
        (animals(("legs", "in", "2,4")), ["dog", "bird"]),
        (animals(("legs", "not-in", "2,4"), ("legs", "exists", "true")), ["whale"]),
        (animals(("legs", "exists", "false")), ["mammal", "orca", "dodo"]),
        (animals(("code", "regex", "do.*")), ["dog", "dodo"]),
        (animals(("display", "regex", "(a*)*Bird")), ["bird"]),
        ({"system": ANIMALS, "concept": [{"code": "dog", "display": "Hound"}, {"code": "cat"}]}, ["dog", "cat"]),
        ({"system": SNOMED, "concept": [{"code": "44054006"}]}, ["44054006"]),
        ({"valueSet": [GENDER]}, ["female", "male", "other", "unknown"]),
    ],
)
def test_an_include_gives_its_codes(server: FlaskClient, include: dict[str, Any], codes: list[str]) -> None:
    assert expanded(server, value_set(include)) == codes


def test_includes_add_value_sets_intersect_and_excludes_take_away(server: FlaskClient) -> None:
    put(server, {**value_set(animals(("concept", "is-a", "mammal"))), "id": "m", "url": "http://x.test/ValueSet/m"})
    whole = value_set(
        {**animals(("legs", "exists", "true")), "valueSet": ["http://x.test/ValueSet/m"]},
        {"system": ANIMALS, "concept": [{"code": "bird"}]},
        exclude=[animals(("legs", "=", "0"))],
    )
    assert expanded(server, whole) == ["dog", "bird"]
    assert server.get("/fhir/ValueSet/m/$expand?count=1&offset=1").json["expansion"]["contains"][0]["code"] == "dog"


def test_inactive_codes_are_left_out_where_that_is_asked_for(server: FlaskClient) -> None:
    assert "dodo" in expanded(server, value_set(animals()))
    assert "dodo" not in expanded(server, value_set(animals()), "?activeOnly=true")
    assert "dodo" not in expanded(server, value_set(animals(), inactive=False))


def test_a_stored_expansion_is_taken_where_there_is_no_definition(server: FlaskClient) -> None:
    stated = {
        "timestamp": "2024-01-01",
        "contains": [{"abstract": True, "display": "All", "contains": [{"system": "http://a.test", "code": "a"}]}],
    }
    sent = {"resourceType": "ValueSet", "status": "active", "expansion": stated}
    assert expanded(server, sent) == ["a"]
    assert "part" in refused(server, {**sent, "expansion": {**stated, "total": 7}}, 422)


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (value_set({"system": SNOMED}), 422, SNOMED),
        (value_set({"system": SNOMED, "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}), 422, SNOMED),
        (value_set({"system": ANIMALS, "version": "9"}), 422, "version 9"),
        (value_set({"valueSet": ["http://x.test/ValueSet/none"]}), 422, "imported"),
        (value_set(animals(("concept", "is-a", "fish"))), 422, "hierarchy"),
        (value_set(animals(("wings", "=", "2"))), 422, "property"),
        (value_set(animals(("code", "regex", "("))), 400, "regular"),
        (value_set(animals(("code", "regex", "a" * 201))), 400, "200"),
        (value_set(animals(("legs", "exists", "maybe"))), 400, "operator"),
        ({"resourceType": "ValueSet", "status": "active"}, 422, "neither"),
        (value_set(animals(), lockedDate="2020-01-01"), 400, "lockedDate"),
    ],
)
def test_what_cannot_be_expanded_whole_is_refused(
    server: FlaskClient, sent: dict[str, Any], status: int, says: str
) -> None:
    assert says in refused(server, sent, status)


def test_a_code_system_that_is_here_in_part_is_not_taken_for_the_whole(client: FlaskClient) -> None:
    put(client, {**CODE_SYSTEM, "content": "fragment"})
    assert "fragment" in refused(client, value_set(animals()), 422)
    assert expanded(client, value_set({"system": ANIMALS, "concept": [{"code": "dog"}]})) == ["dog"]


def test_value_sets_that_import_each_other_are_refused(server: FlaskClient) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        include = {"valueSet": [f"http://x.test/ValueSet/{other}"]}
        put(server, {**value_set(include), "id": one, "url": f"http://x.test/ValueSet/{one}"})
    assert "circle" in refused(server, value_set({"valueSet": ["http://x.test/ValueSet/a"]}), 422)


def test_too_large_and_too_much_work_are_refused_as_too_costly(
    server: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expansion, "MOST_CODES", 5)
    answer = server.post("/fhir/ValueSet/$expand", data=body(value_set(animals())), headers=JSON)
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (413, "too-costly")
    monkeypatch.setattr(expansion, "MOST_CODES", 50)
    monkeypatch.setattr(expansion, "MOST_LOOKS", 50)
    refused(server, value_set(*[animals(("legs", "=", "4"))] * 5), 413)


def test_two_versions_of_a_value_set_need_one_named(server: FlaskClient) -> None:
    for version, code in (("1", "dog"), ("2", "bird")):
        made = {**value_set({"system": ANIMALS, "concept": [{"code": code}]}), "version": version}
        put(server, {**made, "id": f"v{version}"})
    url = "/fhir/ValueSet/$expand?url=http://x.test/ValueSet/v"
    assert server.get(url).status_code == 400
    for named in (f"{url}|2", f"{url}&valueSetVersion=2"):
        assert server.get(named).json["expansion"]["contains"][0]["code"] == "bird"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?url=http://x.test/none", 404),
        (f"?url={GENDER}&displayLanguage=de", 400),
        (f"?url={GENDER}&offset=-1", 400),
        (f"?url={GENDER}&count=many", 400),
    ],
)
def test_a_wrong_call_of_expand(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/fhir/ValueSet/$expand{query}").status_code == status


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("code=dog", True),
        ("code=dog&display=dog", True),
        ("code=dog&display=Hund", True),
        ("code=dog&display=Cat", False),
        ("code=cat", False),
        ("code=mammal", True),
        ("code=mammal&abstract=false", False),
        ("code=dog&systemVersion=2", False),
    ],
)
def test_a_code_is_judged_against_a_value_set(server: FlaskClient, query: str, result: bool) -> None:
    put(server, {**value_set(animals(("concept", "is-a", "mammal"))), "id": "m"})
    found = told(server.get(f"/fhir/ValueSet/m/$validate-code?system={ANIMALS}&{query}"))
    assert found["result"] is result
    assert ("message" in found) is not result


def test_one_coding_of_a_concept_suffices(server: FlaskClient) -> None:
    codings = [{"system": SNOMED, "code": "1"}, {"system": ANIMALS, "code": "dog"}]
    sent = parameters(
        ("codeableConcept", "valueCodeableConcept", {"coding": codings}), ("valueSet", "resource", value_set(animals()))
    )
    found = told(server.post("/fhir/ValueSet/$validate-code", data=sent, headers=JSON))
    assert (found["result"], found["display"]) == (True, "Dog")


def test_a_code_of_a_value_set_that_cannot_be_expanded_is_not_judged(server: FlaskClient) -> None:
    sent = parameters(
        ("coding", "valueCoding", {"system": SNOMED, "code": "1"}),
        ("valueSet", "resource", value_set({"system": SNOMED})),
    )
    assert server.post("/fhir/ValueSet/$validate-code", data=sent, headers=JSON).status_code == 422


@pytest.mark.parametrize("query", ["code=male", "", f"code=male&url={GENDER}", "system=x"])
def test_a_wrong_call_of_validate_code(client: FlaskClient, query: str) -> None:
    assert client.get(f"/fhir/ValueSet/$validate-code?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "result"),
    [
        (f"url={ANIMALS}&code=orca", True),
        (f"url={ANIMALS}&code=fish", False),
        (f"url={ANIMALS}&code=orca&display=Fish", False),
    ],
)
def test_a_code_is_judged_against_a_code_system(server: FlaskClient, query: str, result: bool) -> None:
    assert told(server.get(f"/fhir/CodeSystem/$validate-code?{query}"))["result"] is result


def test_a_coding_of_another_system_is_not_in_a_code_system(server: FlaskClient) -> None:
    sent = parameters(("coding", "valueCoding", {"system": SNOMED, "code": "dog"}))
    assert told(server.post("/fhir/CodeSystem/animals/$validate-code", data=sent, headers=JSON))["result"] is False


def test_lookup_tells_what_is_known_of_a_code(server: FlaskClient) -> None:
    found = told(server.get(f"/fhir/CodeSystem/$lookup?system={ANIMALS}&code=dog"))
    assert (found["name"], found["version"], found["display"]) == ("Animals", "1", "Dog")
    answer = codec.decode(server.get(f"/fhir/CodeSystem/$lookup?system={ANIMALS}&code=whale").data)
    properties = [
        [part.get("valueCode", part.get("valueInteger")) for part in one["part"]]
        for one in answer["parameter"]
        if one["name"] == "property"
    ]
    assert properties == [["parent", "mammal"], ["child", "orca"], ["legs", 0]]
    only = told(server.get(f"/fhir/CodeSystem/$lookup?system={ANIMALS}&code=dog&property=definition"))
    assert only.keys() == {"name", "version", "display", "property"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"system={ANIMALS}&code=fish", 404),
        ("system=http://loinc.org&code=2093-3", 404),
        ("code=dog", 400),
        (f"system={ANIMALS}", 400),
    ],
)
def test_lookup_of_what_is_not_here(server: FlaskClient, query: str, status: int) -> None:
    assert server.get(f"/fhir/CodeSystem/$lookup?{query}").status_code == status


def test_case_counts_as_the_code_system_says(client: FlaskClient) -> None:
    put(client, {**CODE_SYSTEM, "caseSensitive": False})
    assert told(client.get(f"/fhir/CodeSystem/$lookup?system={ANIMALS}&code=DOG"))["display"] == "Dog"


MAP = {
    "resourceType": "ConceptMap",
    "id": "m",
    "url": "http://x.test/ConceptMap/m",
    "status": "active",
    "sourceUri": "http://x.test/ValueSet/s",
    "targetUri": "http://x.test/ValueSet/t",
    "group": [
        {
            "source": ANIMALS,
            "target": "http://t.test",
            "element": [
                {"code": "dog", "target": [{"code": "D", "display": "Doggy", "equivalence": "wider"}]},
                {"code": "orca", "target": [{"equivalence": "unmatched", "comment": "none"}]},
                {
                    "code": "bird",
                    "target": [
                        {
                            "code": "B",
                            "equivalence": "equal",
                            "dependsOn": [{"property": "http://p.test", "value": "1"}],
                        }
                    ],
                },
                {
                    "code": "whale",
                    "target": [
                        {"code": "W", "equivalence": "equal", "product": [{"property": "http://p.test", "value": "1"}]}
                    ],
                },
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("code", "result", "parts"),
    [
        (
            "dog",
            True,
            {"equivalence": "wider", "concept": {"system": "http://t.test", "code": "D", "display": "Doggy"}},
        ),
        ("orca", False, {"equivalence": "unmatched"}),
        ("bird", False, None),
        ("fish", False, None),
    ],
)
@pytest.mark.parametrize(
    "which", ["url=http://x.test/ConceptMap/m", "target=http://x.test/ValueSet/t", "targetsystem=http://t.test"]
)
def test_a_code_is_translated(
    server: FlaskClient, which: str, code: str, result: bool, parts: dict[str, Any] | None
) -> None:
    put(server, MAP)
    found = told(server.get(f"/fhir/ConceptMap/$translate?{which}&system={ANIMALS}&code={code}"))
    assert found["result"] is result
    assert ("message" in found) is not result
    if parts:
        said = {one["name"]: one.get("valueCode") or one.get("valueCoding") for one in found["match"]}
        said.pop("source")
        assert said == parts


def test_a_map_is_read_backwards(server: FlaskClient) -> None:
    put(server, MAP)
    found = told(server.get("/fhir/ConceptMap/m/$translate?system=http://t.test&code=D&reverse=true"))
    said = {one["name"]: one for one in found["match"]}
    assert said["equivalence"]["valueCode"] == "narrower"
    assert said["concept"]["valueCoding"] == {"system": ANIMALS, "code": "dog"}


@pytest.mark.parametrize(
    ("unmapped", "code"),
    [
        ({"mode": "provided"}, "cow"),
        ({"mode": "fixed", "code": "X"}, "X"),
        ({"mode": "other-map", "url": "http://o.test"}, None),
    ],
)
def test_a_code_without_a_line_is_as_the_map_says(
    server: FlaskClient, unmapped: dict[str, Any], code: str | None
) -> None:
    sent = {**MAP, "group": [{**MAP["group"][0], "unmapped": unmapped}]}  # type: ignore[index]
    given = parameters(("conceptMap", "resource", sent), ("coding", "valueCoding", {"system": ANIMALS, "code": "cow"}))
    found = told(server.post("/fhir/ConceptMap/$translate", data=given, headers=JSON))
    concepts = [one["valueCoding"]["code"] for one in found.get("match", ()) if one["name"] == "concept"]
    assert concepts == ([code] if code else [])


@pytest.mark.parametrize(
    ("query", "status"),
    [("code=dog", 400), (f"system={ANIMALS}&code=dog", 400), (f"url=http://n.test&system={ANIMALS}&code=a", 404)],
)
def test_a_wrong_call_of_translate(server: FlaskClient, query: str, status: int) -> None:
    assert server.get(f"/fhir/ConceptMap/$translate?{query}").status_code == status
