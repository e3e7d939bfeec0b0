from __future__ import annotations

import pytest

from fhirtwin.fhir.search import listed_codes

LOINC = "http://loinc.org"


def composed(**include: object) -> dict[str, object]:
    return {"compose": {"include": [include]}}


def test_codes_that_are_named_one_by_one_are_listed() -> None:
    given = composed(system=LOINC, concept=[{"code": "1"}, {"code": "2"}])
    assert listed_codes.listed(given) == {LOINC: frozenset({"1", "2"})}


def test_an_expansion_is_listed_with_what_it_contains() -> None:
    inner = [{"system": LOINC, "code": "1"}, {"system": "s", "code": "group", "abstract": True}]
    given = {**composed(system=LOINC), "expansion": {"contains": [{"code": "top", "contains": inner}]}}
    assert listed_codes.listed(given) == {"": frozenset({"top"}), LOINC: frozenset({"1"})}


@pytest.mark.parametrize(
    "given",
    [
        {},
        composed(system=LOINC),
        composed(system=LOINC, filter=[{"property": "p", "op": "=", "value": "v"}]),
        composed(valueSet=["http://other"]),
        composed(system=LOINC, concept=[{"code": "1"}], valueSet=["http://other"]),
        {"compose": {"include": [{"system": LOINC, "concept": [{"code": "1"}]}], "exclude": [{"system": LOINC}]}},
    ],
)
def test_what_only_a_terminology_server_can_expand_is_not_listed(given: dict[str, object]) -> None:
    assert listed_codes.listed(given) is None


def test_required_bindings_of_r4_are_known() -> None:
    genders = listed_codes.defined("http://hl7.org/fhir/ValueSet/administrative-gender")
    assert genders == {"http://hl7.org/fhir/administrative-gender": frozenset({"male", "female", "other", "unknown"})}
    assert listed_codes.defined("http://hl7.org/fhir/ValueSet/nonsense") is None
    assert listed_codes.defined("administrative-gender") is None
