from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment as R4BRiskAssessment

from fhirtwin.fhir import codec, validator
from fhirtwin.report.identity import identity
from fhirtwin.report.provenance import provenance
from fhirtwin.report.risk_assessment import as_stored, content_of, risk_assessment
from fhirtwin.twin.state import PatientKey
from tests.report.builders import HOW, occasion, result, state

EHR = PatientKey("https://ehr.example/fhir", "7")


def made(which: str = "prevent-base", patient: PatientKey | None = None, **given: Any) -> dict[str, Any]:
    whose, when = state(patient), occasion(state(patient))
    found = result(whose, which)
    return risk_assessment(found, identity(found.vector, when), when, **given)


@pytest.mark.parametrize("which", ["prevent-base", "kfre-4-variable"])
@pytest.mark.parametrize("patient", [None, EHR])
def test_it_is_valid_r4(which: str, patient: PatientKey | None) -> None:
    sent = codec.decode(codec.encode(made(which, patient)))
    assert validator.validate(sent, type="RiskAssessment") == []


def test_an_independent_model_of_fhir_takes_it_too() -> None:
    for which in ("prevent-base", "kfre-4-variable"):
        text = codec.encode(made(which))
        assert R4BRiskAssessment.model_validate_json(text).prediction[0].probabilityDecimal > 1


def test_probability_is_a_percentage_and_said_in_words() -> None:
    for prediction in made()["prediction"]:
        percent = prediction["probabilityDecimal"]
        assert isinstance(percent, Decimal)
        assert 1 < percent < 100
        assert prediction["rationale"].startswith(f"{percent} % (a percentage, not a fraction) within 10 years")
        assert prediction["rationale"].endswith(HOW)


def test_when_is_a_range_of_ages() -> None:
    ages = [p["whenRange"] for p in made("kfre-4-variable")["prediction"]]
    assert [(a["low"]["value"], a["high"]["value"]) for a in ages] == [(62, 64), (62, 67)]
    assert {(a[end]["code"], a[end]["system"]) for a in ages for end in a} == {("a", "http://unitsofmeasure.org")}


def test_outcomes_carry_our_code_and_snomed_where_one_fits() -> None:
    codes = {
        p["outcome"]["coding"][0]["code"]: [c["code"] for c in p["outcome"]["coding"][1:]] for p in made()["prediction"]
    }
    assert codes == {"total-cvd": [], "ascvd": [], "heart-failure": ["84114007"]}


def test_a_category_is_named_with_its_guideline_and_only_where_there_is_one() -> None:
    named = {p["outcome"]["coding"][0]["code"]: p.get("qualitativeRisk") for p in made()["prediction"]}
    assert named["total-cvd"] is None
    assert named["ascvd"]["coding"][0]["code"] == "intermediate"
    assert "ACC/AHA" in named["ascvd"]["text"]


def test_method_names_model_and_version() -> None:
    method = made()["method"]
    assert (method["coding"][0]["code"], method["coding"][0]["version"]) == ("prevent-base", "2023.1")
    assert "2023.1" in method["text"]


def test_subject_and_basis_are_relative_here_and_absolute_elsewhere() -> None:
    here, there = made(), made(patient=EHR)
    assert here["subject"] == {"reference": "Patient/p1"}
    assert there["subject"] == {"reference": "https://ehr.example/fhir/Patient/7"}
    assert {"reference": "Observation/systolic-bp/_history/1"} in here["basis"]
    assert all(b["reference"].startswith("https://ehr.example/fhir/") for b in there["basis"])


def test_notes_tell_assumptions_what_was_left_out_and_the_source() -> None:
    texts = [note["text"] for note in made()["note"]]
    assert "None recorded, counted as no: statin. The list it would be on was obtained." in texts
    (left,) = [text for text in texts if text.startswith("Not calculated: 30-year risk of")]
    assert "30 to 59 years" in left
    assert any("doi.org" in text for text in texts)


def test_a_corrected_one_says_so() -> None:
    assert made()["status"] == "final"
    assert made(corrected=True)["status"] == "corrected"


def test_the_content_digest_is_found_again() -> None:
    when = occasion()
    found = result()
    who = identity(found.vector, when)
    assert content_of(risk_assessment(found, who, when)) == who.content
    assert content_of({"resourceType": "RiskAssessment"}) == ""


def test_what_was_stored_stands_when_a_last_digit_differs() -> None:
    when, found = occasion(), result()
    stored = codec.decode(codec.encode(risk_assessment(found, identity(found.vector, when), when)))
    other = replace(found, scores=tuple(replace(s, percent=s.percent + Decimal("0.1")) for s in found.scores))
    assert as_stored(other, stored, when).scores == found.scores


def test_a_stored_one_of_another_shape_changes_nothing() -> None:
    assert as_stored(result(), {"prediction": [{}]}, occasion()) == result()


def test_provenance_names_gateway_engine_target_version_and_sources() -> None:
    found, when = result(), occasion()
    who = identity(found.vector, when)
    made_ = provenance(found, who, version=2, recorded="2026-06-01T10:00:00Z")
    assert validator.validate(codec.decode(codec.encode(made_)), type="Provenance") == []
    assert made_["target"] == [{"reference": f"RiskAssessment/{who.id}/_history/2"}]
    assert [agent["who"]["display"].split()[1] for agent in made_["agent"]] == ["gateway", "engine"]
    assert {"role": "source", "what": {"reference": "Patient/p1/_history/1"}} in made_["entity"]
