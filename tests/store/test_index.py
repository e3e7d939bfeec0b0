from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import TooLarge
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.parameters import COMMON, PARAMETERS, Branch, Kind, SearchParameter
from fhirtwin.fhir.tables import RESOURCE_TYPES, VALUE_SETS
from fhirtwin.store.index import BEGINNING, END, MAX_ROWS, Rows, kept, rows
from fhirtwin.store.search_tables import MAX_TEXT, WINDOW

BASE = "http://fhir.test/fhir"
YEAR_2024 = (1_704_067_200_000_000, 1_735_689_600_000_000)
ROWS = {
    Kind.TOKEN: "tokens",
    Kind.STRING: "strings",
    Kind.DATE: "dates",
    Kind.REFERENCE: "references",
    Kind.URI: "uris",
    Kind.NUMBER: "numbers",
    Kind.QUANTITY: "quantities",
}
SAMPLES: dict[str, Any] = {
    "Address": {"city": "Bern"},
    "CodeableConcept": {"coding": [{"system": "http://s", "code": "c", "display": "Kind"}]},
    "Coding": {"system": "http://s", "code": "c"},
    "ContactPoint": {"value": "a@b.test"},
    "HumanName": {"family": "Frey"},
    "Identifier": {"system": "http://s", "value": "1"},
    "Money": {"value": 12, "currency": "CHF"},
    "Period": {"start": "2024"},
    "Quantity": {"value": 5, "system": "http://unitsofmeasure.org", "code": "mg", "unit": "mg"},
    "Range": {"low": {"value": 1}},
    "Reference": {"reference": "Patient/1", "type": "Patient"},
    "Resource": {"resourceType": "Composition", "id": "a"},
    "SampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"},
    "Timing": {"event": ["2024"]},
    "boolean": True,
    "canonical": "http://c|1",
    "code": "c",
    "date": "2024",
    "dateTime": "2024",
    "decimal": 5,
    "falsehood": "2024",
    "id": "a",
    "instant": "2024-01-01T00:00:00Z",
    "integer": 5,
    "markdown": "text",
    "present": 2,
    "string": "text",
    "uri": "http://u",
    "url": "http://u",
}


def resource_with(parameter: SearchParameter, branch: Branch) -> dict[str, Any]:
    """A resource that has nothing but one value of the branch."""
    value: Any = SAMPLES[branch.kind]
    if branch.kind == "Reference" and branch.within:
        value = {"reference": f"{branch.within}/1"}
    for number, step in enumerate(reversed(branch.path)):
        if step.key == "extension":
            value = {**value, "extension": [{"url": step.value}]}
        elif step.key:
            value = {**value, step.key: step.value}
        value = {step.name: [value] if step.item or step.index is not None or number % 2 else value}
    return {"resourceType": parameter.type, **value}


def found(made: Rows, kind: Kind, type_: str, name: str) -> list[tuple[Any, ...]]:
    """The rows of a parameter without its number."""
    number = PARAMETERS[type_][name].number
    return sorted((row[1:] for row in getattr(made, ROWS[kind]) if row[0] == number), key=repr)


def second(made: Rows, kind: Kind, type_: str, name: str) -> list[tuple[Any, ...]]:
    """The rows of a parameter's second reading without its number."""
    number = PARAMETERS[type_][name].number
    return sorted((row[1:] for row in getattr(made, ROWS[kind]) if row[0] == -number), key=repr)


def observation(**members: Any) -> Rows:
    return rows({"resourceType": "Observation", **members}, BASE)


def tokens(type_: str, name: str, **members: Any) -> list[tuple[Any, ...]]:
    return found(rows({"resourceType": type_, **members}, BASE), Kind.TOKEN, type_, name)


def quantity(**members: Any) -> tuple[Any, ...]:
    (row,) = found(observation(valueQuantity=members), Kind.QUANTITY, "Observation", "value-quantity")
    return row


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_branch_of_every_parameter_makes_rows_of_its_kind(type_: str) -> None:
    for parameter in PARAMETERS[type_].values():
        if parameter.name in ("_id", "_lastUpdated"):
            continue
        for branch in parameter.branches:
            made = rows(resource_with(parameter, branch), BASE)
            mine = found(made, parameter.kind, type_, parameter.name)
            assert mine, (parameter.name, branch)
            shared = [step.item for step in branch.path]
            assert {row[0] for row in mine} == {(-2 if any(shared) else -1) if branch.hidden else int(any(shared))}


def examples(shared: Path) -> list[Path]:
    return sorted((shared / "data/fhir/dev/examples").rglob("*.json"))


def test_every_official_example_is_indexed(shared: Path) -> None:
    """Every parameter that reads something of an example has a row of its kind, but for References of other types."""
    read = set()
    for file in examples(shared):
        resource = codec.decode(file.read_bytes())
        made = rows(resource, BASE)
        for parameter in PARAMETERS[resource["resourceType"]].values():
            if parameter.name in ("_id", "_lastUpdated") or parameter.kind is Kind.COMPOSITE:
                continue
            seen = [
                one for one in parameter.read(resource) if not (one.branch.kind == "Reference" and one.branch.within)
            ]
            if seen:
                read.add((parameter.type, parameter.name))
                assert found(made, parameter.kind, parameter.type, parameter.name), (file.name, parameter.name)
    assert len(read) > 400


def test_a_concept_is_found_by_codes_and_text() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "ABC-1", "display": "Größe"}], "text": "Height"}
    made = observation(code=code)
    assert found(made, Kind.TOKEN, "Observation", "code") == [(0, "abc-1", "http://loinc.org")]
    assert found(made, Kind.STRING, "Observation", "code") == [(0, "grosse", "Größe"), (0, "height", "Height")]


def test_an_element_without_anything_to_compare_is_there_all_the_same() -> None:
    assert tokens("Observation", "code", code={"text": "x"}) == [(0, "", "")]
    made = observation(subject={"display": "x"}, valueQuantity={"unit": "mg"})
    assert found(made, Kind.REFERENCE, "Observation", "subject") == [(0, "", "", "")]
    assert found(made, Kind.REFERENCE, "Observation", "patient") == []
    assert quantity(unit="mg") == (0, None, None, "", "", "mg", None, None, None)


def test_the_binding_of_a_code_implies_its_system() -> None:
    assert tokens("Observation", "status", status="final") == [(0, "final", "http://hl7.org/fhir/observation-status")]
    assert tokens("Observation", "status", status="no-such-code") == [(0, "no-such-code", "")]
    assert all(branch.within in VALUE_SETS for row in PARAMETERS.values() for one in row.values()
               for branch in one.branches if branch.kind == "code" and branch.within)  # fmt: skip


def test_case_of_an_identifier_counts() -> None:
    assert tokens("Patient", "identifier", identifier=[{"system": "s", "value": "aB"}]) == [(0, "aB", "s")]


def test_an_identifier_is_found_by_its_type() -> None:
    coding = {"system": "http://t", "code": "MR"}
    identifier = {"value": "aB", "system": "s", "type": {"coding": [coding], "text": "Record"}}
    made = rows({"resourceType": "Patient", "identifier": [identifier]}, BASE)
    assert second(made, Kind.TOKEN, "Patient", "identifier") == [(0, "aB", "http://t|MR")]
    assert found(made, Kind.STRING, "Patient", "identifier") == [(0, "record", "Record")]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2024"}, "true"),
    ],
)
def test_whoever_is_not_said_to_be_dead_lives(members: dict[str, Any], code: str) -> None:
    assert tokens("Patient", "deceased", **members) == [(0, code, "")]


@pytest.mark.parametrize(
    ("reference", "row"),
    [
        ("Patient/1", ("1", "Patient", "")),
        (f"{BASE}/Patient/1", ("1", "Patient", "")),
        ("Patient/1/_history/3", ("1", "Patient", "")),
        ("http://other.test/fhir/Patient/1", ("1", "Patient", "http://other.test/fhir")),
        ("Group/1", ("1", "Group", "")),
        ("#inside", ("", "", "")),
    ],
)
def test_a_reference_is_kept_by_id_type_and_base(reference: str, row: tuple[str, ...]) -> None:
    made = observation(subject={"reference": reference})
    assert found(made, Kind.REFERENCE, "Observation", "subject") == [(0, *row)]
    only_patients = found(made, Kind.REFERENCE, "Observation", "patient")
    assert only_patients == ([(0, *row)] if row[1] == "Patient" else [])


def test_a_reference_to_what_is_no_resource_is_kept_as_uri() -> None:
    made = observation(subject={"reference": "urn:uuid:00000000-0000-4000-8000-000000000001", "type": "Patient"})
    for name in ("subject", "patient"):
        assert found(made, Kind.URI, "Observation", name) == [(0, "urn:uuid:00000000-0000-4000-8000-000000000001", "")]


def test_the_identifier_of_a_reference_is_kept_as_token() -> None:
    made = observation(subject={"identifier": {"system": "s", "value": "aB"}})
    assert found(made, Kind.TOKEN, "Observation", "subject") == [(0, "aB", "s")]


def test_a_canonical_is_kept_by_url_and_version() -> None:
    made = rows({"resourceType": "QuestionnaireResponse", "questionnaire": "http://q|2"}, BASE)
    assert found(made, Kind.URI, "QuestionnaireResponse", "questionnaire") == [(0, "http://q", "2")]
    assert found(made, Kind.REFERENCE, "QuestionnaireResponse", "questionnaire") == [(0, "", "", "")]
    made = rows({"resourceType": "Basic", "meta": {"profile": ["http://p|1"], "source": "http://s|1"}}, BASE)
    assert found(made, Kind.URI, "Basic", "_profile") == [(0, "http://p", "1")]
    assert found(made, Kind.URI, "Basic", "_source") == [(0, "http://s|1", "")]


def test_labels_are_tokens() -> None:
    meta = {"tag": [{"system": "t", "code": "A"}], "security": [{"code": "R"}]}
    assert tokens("Basic", "_tag", meta=meta) == [(0, "a", "t")]
    assert tokens("Basic", "_security", meta=meta) == [(0, "r", "")]


@pytest.mark.parametrize(
    ("members", "row"),
    [
        ({"effectiveDateTime": "2024"}, YEAR_2024),
        ({"effectivePeriod": {"start": "2024"}}, (YEAR_2024[0], END)),
        ({"effectivePeriod": {"end": "2024"}}, (BEGINNING, YEAR_2024[1])),
        ({"effectivePeriod": {}}, (BEGINNING, END)),
        ({"effectiveTiming": {"event": ["2024"]}}, YEAR_2024),
        ({"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2024", "end": "2024"}}}}, YEAR_2024),
        ({"effectiveTiming": {"code": {"text": "daily"}}}, (BEGINNING, END)),
    ],
)
def test_a_time_is_an_interval(members: dict[str, Any], row: tuple[int, int]) -> None:
    assert found(observation(**members), Kind.DATE, "Observation", "date") == [(0, *row)]


def test_quantities_of_the_same_amount_are_the_same_in_base_units() -> None:
    ucum = "http://unitsofmeasure.org"
    gram, milligram = (quantity(value=value, system=ucum, code=code) for value, code in ((1, "g"), (1000, "mg")))
    assert gram[-3:] == milligram[-3:] == ("g", 1.0, 1.0)
    assert (gram[1], milligram[1]) == (1.0, 1000.0)
    assert quantity(value=1, system="http://other", code="g")[-3:] == (None, None, None)
    assert quantity(value=1, system=ucum, code="no unit")[-3:] == (None, None, None)


def test_a_comparator_opens_one_side() -> None:
    inf = float("inf")
    assert quantity(value=5, comparator="<")[1:3] == (-inf, 5.0)
    assert quantity(value=5, comparator=">=")[1:3] == (5.0, inf)
    ucum = {"system": "http://unitsofmeasure.org", "code": "g"}
    assert quantity(value=5, comparator=">", **ucum)[-3:] == ("g", 5.0, inf)


@pytest.mark.parametrize(("digits", "double"), [(10**308, 1e308), (10**400, float("inf")), (-(10**400), -float("inf"))])
def test_a_number_beyond_double_precision_is_infinite(digits: int, double: float) -> None:
    assert quantity(value=digits)[1] == double


def test_a_range_has_its_bounds() -> None:
    condition = {"resourceType": "Condition", "onsetRange": {"low": {"value": 40, "unit": "years"}}}
    (row,) = found(rows(condition, BASE), Kind.QUANTITY, "Condition", "onset-age")
    assert row[:6] == (0, 40.0, float("inf"), "", "", "years")
    assessment = {"resourceType": "RiskAssessment", "prediction": [{"probabilityRange": {"high": {"value": 7}}}]}
    assert found(rows(assessment, BASE), Kind.NUMBER, "RiskAssessment", "probability") == [(0, -float("inf"), 7.0)]


@pytest.mark.parametrize(
    ("members", "bounds"),
    [
        ({"data": "2 E -1 5"}, (9.0, 15.0)),
        ({"data": "2 L U", "lowerLimit": -3, "upperLimit": 8, "factor": 2}, (4.0, 26.0)),
        ({"data": "2 5", "factor": -1}, (5.0, 8.0)),
        ({"data": "E NaN 1e9 " + "9" * 60}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_samples_are_found_by_their_bounds(members: dict[str, Any], bounds: tuple[float | None, ...]) -> None:
    made = observation(valueSampledData={"origin": {"value": 10, "unit": "mV"}, **members})
    (row,) = found(made, Kind.QUANTITY, "Observation", "value-quantity")
    assert row[:6] == (-1, *bounds, "", "", "mV")


def test_money_has_its_currency_as_unit() -> None:
    invoice = {"resourceType": "Invoice", "totalNet": {"value": 12, "currency": "CHF"}}
    (row,) = found(rows(invoice, BASE), Kind.QUANTITY, "Invoice", "totalnet")
    assert row[:5] == (0, 12.0, 12.0, "urn:iso:std:iso:4217", "CHF")


def test_all_texts_of_a_name_and_an_address_are_strings() -> None:
    name = {"family": "Müller", "given": ["Ada", None], "text": "Ada Müller", "use": "official"}
    made = rows({"resourceType": "Patient", "name": [name], "address": [{"line": ["Gasse 1"], "city": "Bern"}]}, BASE)
    assert {row[2] for row in found(made, Kind.STRING, "Patient", "name")} == {"Ada", "Ada Müller", "Müller"}
    assert [row[1] for row in found(made, Kind.STRING, "Patient", "address")] == ["bern", "gasse 1"]


def test_texts_that_are_compared_as_a_whole_are_kept_short_and_apart() -> None:
    long = "x" * 2000
    assert kept("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert kept(long).startswith("x" * MAX_TEXT) and len(kept(long)) == MAX_TEXT + 64
    assert kept(long) != kept(long + "y")
    made = rows({"resourceType": "Patient", "identifier": [{"system": long, "value": long}]}, BASE)
    assert found(made, Kind.TOKEN, "Patient", "identifier") == [(0, kept(long), kept(long))]


@given(st.integers(0, 1200), st.integers(1, WINDOW))
def test_any_part_of_a_long_text_is_within_a_window(start: int, length: int) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(1200))
    part = text[start : start + length]
    made = rows({"resourceType": "Library", "description": text}, BASE)
    windows = found(made, Kind.STRING, "Library", "description") + second(made, Kind.STRING, "Library", "description")
    assert any(part in folded for _, folded, _ in windows)
    assert all(len(folded) <= MAX_TEXT for _, folded, _ in windows)


def test_what_is_indexed_fits_into_an_entry_of_a_postgresql_index() -> None:
    widest = "\U00010000" * 3000
    made = rows(
        {
            "resourceType": "Observation",
            "meta": {"profile": [f"{widest}|{widest}"]},
            "identifier": [{"system": widest, "value": widest}],
            "valueString": widest,
            "subject": {"reference": f"http://{'x' * 3000}/Patient/1"},
        },
        BASE,
    )
    for table in ROWS.values():
        for row in getattr(made, table):
            assert all(len(part.encode()) <= 4 * MAX_TEXT + 64 for part in row if isinstance(part, str))
    assert 2 * (4 * MAX_TEXT + 64) < 2_600


def test_a_resource_of_too_many_searchable_values_is_refused() -> None:
    members = [{"entity": {"reference": f"Patient/{number}"}} for number in range(MAX_ROWS + 1)]
    with pytest.raises(TooLarge, match="100,000 searchable values"):
        rows({"resourceType": "Group", "member": members}, BASE)


def test_a_date_of_very_many_digits_is_indexed() -> None:
    made = observation(effectiveDateTime=f"2024-01-01T00:00:00.{'0' * 5000}Z")
    assert found(made, Kind.DATE, "Observation", "date") == [(0, YEAR_2024[0], YEAR_2024[0] + 1)]


def test_an_example_of_each_composite_has_rows_of_all_its_components_in_one_item() -> None:
    for row in PARAMETERS.values():
        for composite in row.values():
            if composite.kind is not Kind.COMPOSITE:
                continue
            items = [
                {int(any(step.item for step in branch.path)) for branch in part.parameter.branches if not branch.hidden}
                for part in composite.components
                if not part.apart
            ]
            assert set.intersection(*items), composite.name


def test_common_parameters_are_read_of_every_type() -> None:
    meta = {"tag": [{"code": "a"}]}
    for type_ in RESOURCE_TYPES:
        assert tokens(type_, "_tag", meta=meta) == [(0, "a", "")]
    assert len(COMMON) == 6


def test_the_order_of_members_does_not_matter() -> None:
    resource = json.loads(json.dumps({"resourceType": "Observation", "code": {"text": "x"}, "status": "final"}))
    assert rows(resource, BASE) == rows(dict(reversed(resource.items())), BASE)
