"""Patient, Condition, Procedure, MedicationRequest and MedicationStatement."""

from typing import Any

import pytest

from fhirtwin.terms.systems import ATC, CONDITION_VERIFICATION
from fhirtwin.twin.medicines import STATUS_UNKNOWN, UNKNOWN_MEDICINE
from tests.twin.builders import concept, condition, flag, only, patient, procedure, read, reason, request, statement


def test_patient_gives_sex_and_birth_date() -> None:
    assert {f.name: f.value for f in read(patient()).facts} == {"sex": "female", "birth-date": "1970-05-20"}


@pytest.mark.parametrize(
    ("gender", "word"), [("other", "other or unknown"), ("unknown", "other or unknown"), (None, "not given")]
)
def test_patient_without_a_usable_gender_has_no_sex(gender: str | None, word: str) -> None:
    made = read(patient(gender=gender))
    assert [f.name for f in made.facts] == ["birth-date"]
    assert [u.reason for u in made.unused] == [f"gender is {word}, so there is no sex to use"]


@pytest.mark.parametrize(
    ("members", "time"), [({"deceasedBoolean": True}, ""), ({"deceasedDateTime": "2023-04-05"}, "2023-04-05")]
)
def test_death_is_a_fact(members: dict[str, Any], time: str) -> None:
    (died,) = [f for f in read(patient(**members)).facts if f.name == "deceased"]
    assert (died.value, died.time) == (True, time)


def test_living_patient_is_not_deceased() -> None:
    assert "deceased" not in [f.name for f in read(patient(deceasedBoolean=False)).facts]


def test_patient_without_birth_date_says_so() -> None:
    assert [u.reason for u in read(patient(birthDate=None)).unused] == ["birth date is not given, so there is no age"]


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        ("snomed", "44054006", "diabetes"),
        ("icd", "E11.9", "diabetes"),
        ("snomed", "22298006", "cardiovascular-disease"),
        ("snomed", "230690007", "cardiovascular-disease"),
        ("icd", "I25.2", "cardiovascular-disease"),
        ("snomed", "84114007", "heart-failure"),
        ("snomed", "42343007", "heart-failure"),
        ("icd", "I50.22", "heart-failure"),
        ("snomed", "72892002", "pregnancy"),
        ("snomed", "105502003", "dialysis"),
        ("icd", "Z99.2", "dialysis"),
        ("icd", "N18.6", "dialysis"),
        ("snomed", "46177005", "dialysis"),
        ("icd", "Z94.0", "kidney-transplant"),
        ("snomed", "14669001", "acute-kidney-injury"),
        ("icd", "N17.9", "acute-kidney-injury"),
    ],
)
def test_condition_becomes_a_flag(system: str, code: str, name: str) -> None:
    fact = only(condition(system, code))
    assert (fact.name, fact.value, fact.active, fact.time) == (name, True, True, "2020-01-15")


@pytest.mark.parametrize("clinical", ["active", "recurrence", "relapse", None])
def test_condition_that_goes_on_is_active(clinical: str | None) -> None:
    assert only(condition("snomed", "44054006", clinical)).active


@pytest.mark.parametrize("clinical", ["inactive", "remission", "resolved"])
def test_condition_that_is_over_is_kept_as_past(clinical: str) -> None:
    assert not only(condition("snomed", "22298006", clinical)).active


@pytest.mark.parametrize(
    ("abatement", "end"),
    [
        ({"abatementDateTime": "2022-02-02"}, "2022-02-02"),
        ({"abatementPeriod": {"start": "2022-01-01", "end": "2022-02-02"}}, "2022-02-02"),
        ({"abatementPeriod": {"start": "2022-01-01"}}, "2022-01-01"),
        ({"abatementString": "last spring"}, ""),
        ({"abatementAge": {"value": 50}}, ""),
    ],
)
def test_abatement_ends_a_condition_whatever_its_status_says(abatement: dict[str, Any], end: str) -> None:
    fact = only(condition("snomed", "44054006", "active", **abatement))
    assert (fact.active, fact.end) == (False, end)


@pytest.mark.parametrize("status", ["refuted", "entered-in-error", "unconfirmed", "provisional", "differential"])
def test_condition_that_is_not_confirmed_is_not_used(status: str) -> None:
    doubted = condition("snomed", "22298006", verificationStatus=concept(CONDITION_VERIFICATION, status))
    assert reason(doubted) == "its verification status is not confirmed"


def test_verification_in_another_code_system_is_not_taken_for_confirmed() -> None:
    doubted = condition("snomed", "22298006", verificationStatus=concept("http://example.org/v", "confirmed"))
    assert reason(doubted) == "its verification status is not confirmed"


def test_condition_without_verification_counts() -> None:
    assert only(condition("snomed", "22298006", verificationStatus=None)).value is True


def test_clinical_status_of_another_code_system_is_not_guessed() -> None:
    odd = condition("snomed", "22298006", clinicalStatus=concept("http://example.org/c", "active"))
    assert reason(odd) == "its clinical status is not one that is known here"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (concept("snomed", "11687002"), "gestational diabetes is not counted as diabetes"),
        (concept("snomed", "195967001"), "code not known"),
        ({"text": "Heart attack"}, "it has no code"),
        (None, "it has no code"),
    ],
)
def test_condition_that_means_nothing_here_says_why(code: dict[str, Any] | None, why: str) -> None:
    assert reason(condition("snomed", "1", code=code)) == why


def test_onset_falls_back_to_the_day_of_recording() -> None:
    late = condition("snomed", "44054006", onsetDateTime=None, onsetAge={"value": 40}, recordedDate="2021-03-03")
    assert only(late).time == "2021-03-03"


def test_condition_of_two_codings_is_the_flags_of_both() -> None:
    both = {"coding": [*concept("snomed", "84114007")["coding"], *concept("icd", "I21.9")["coding"]]}
    assert {f.name for f in read(condition("snomed", "1", code=both)).facts} == {
        "heart-failure",
        "cardiovascular-disease",
    }


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("265764009", "dialysis"),
        ("70536003", "kidney-transplant"),
        ("232717009", "cardiovascular-disease"),
        ("415070008", "cardiovascular-disease"),
    ],
)
def test_procedure_becomes_a_flag(code: str, name: str) -> None:
    fact = only(procedure(code))
    assert (fact.name, fact.time, fact.end) == (name, "2021-06-01", "")


@pytest.mark.parametrize(
    "status", ["preparation", "not-done", "on-hold", "stopped", "entered-in-error", "unknown", None]
)
def test_procedure_that_was_not_done_is_not_used(status: str | None) -> None:
    assert reason(procedure("265764009", status=status)) == "its status is not completed or in-progress"


@pytest.mark.parametrize("period", [{"start": "2021-06-01", "end": "2021-06-02"}, {"end": "2021-06-01"}])
def test_procedure_counts_from_its_start(period: dict[str, str]) -> None:
    done = procedure("265764009", performedDateTime=None, performedPeriod=period)
    assert only(done).time == "2021-06-01"


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        ("rxnorm", "83367", "statin"),
        ("rxnorm", "316672", "statin"),
        ("rxnorm", "617310", "statin"),
        (ATC, "C10AA07", "statin"),
        ("rxnorm", "29046", "antihypertensive"),
        ("rxnorm", "314076", "antihypertensive"),
        ("rxnorm", "316049", "antihypertensive"),
        (ATC, "C08CA01", "antihypertensive"),
    ],
)
def test_medicine_becomes_a_flag(system: str, code: str, name: str) -> None:
    assert flag(request(code, system)).name == name
    assert flag(statement(code, system)).name == name


@pytest.mark.parametrize("status", ["completed", "stopped", "on-hold"])
def test_medicine_no_longer_taken_is_kept_as_past(status: str) -> None:
    assert not flag(request(status=status)).active
    assert not flag(statement(status=status)).active


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "draft"])
def test_request_that_never_took_effect_is_not_used(status: str) -> None:
    assert reason(request(status=status)) == "its status is not active, completed, stopped or on-hold"


def test_medicine_of_unknown_status_is_a_gap() -> None:
    assert reason(request(status="unknown")) == reason(statement(status="unknown")) == STATUS_UNKNOWN


@pytest.mark.parametrize("status", ["intended", "not-taken", "entered-in-error"])
def test_statement_that_nothing_is_taken_is_not_used(status: str) -> None:
    assert reason(statement(status=status)) == "its status is not active, completed, stopped or on-hold"


@pytest.mark.parametrize("intent", ["proposal", "plan", "option", None])
def test_request_that_is_not_an_order_is_not_used(intent: str | None) -> None:
    assert reason(request(intent=intent)) == "its intent is not an order"


def test_request_not_to_give_is_not_used() -> None:
    assert "doNotPerform" in reason(request(doNotPerform=True))
    assert flag(request(doNotPerform=False)).name == "statin"


def test_request_ends_with_its_dosage_else_with_its_dispensing() -> None:
    dispense = {"validityPeriod": {"end": "2024-02-01"}}
    dosage = [{"timing": {"repeat": {"boundsPeriod": {"end": day}}}} for day in ("2023-05-01", "2023-08-01")]
    assert flag(request(dispenseRequest=dispense)).end == "2024-02-01"
    assert flag(request(dispenseRequest=dispense, dosageInstruction=dosage)).end == "2023-08-01"
    assert (
        flag(request(dispenseRequest=dispense, dosageInstruction=[*dosage, {"text": "then as needed"}])).end
        == "2024-02-01"
    )


def medication(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": "m", **members}


def referring(*contained: dict[str, Any], reference: str = "#m") -> dict[str, Any]:
    return request(
        medicationCodeableConcept=None, medicationReference={"reference": reference}, contained=list(contained)
    )


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("active", "2027-02-01"),
        ("completed", "2027-02-01"),
        ("stopped", ""),
        ("on-hold", ""),
        ("entered-in-error", None),
    ],
)
def test_planned_end_is_not_the_end_of_a_request_that_was_stopped(status: str, end: str | None) -> None:
    dosage = [{"timing": {"repeat": {"boundsPeriod": {"end": "2027-02-01"}}}}]
    assert [f.end for f in read(request(status=status, dosageInstruction=dosage)).facts if f.name == "statin"] == (
        [] if end is None else [end]
    )


def test_end_of_dispensing_says_nothing_of_a_request_that_was_completed() -> None:
    dispense = {"validityPeriod": {"end": "2027-02-01"}}
    fact = flag(request(status="completed", dispenseRequest=dispense))
    assert (fact.end, fact.active) == ("", False)


def test_planned_end_is_not_the_end_of_a_statement_on_hold() -> None:
    period = {"start": "2023-02-01", "end": "2027-02-01"}
    assert flag(statement(status="on-hold", effectivePeriod=period)).end == ""
    assert flag(statement(status="stopped", effectivePeriod=period)).end == "2027-02-01"


def test_verification_whose_codings_disagree_confirms_nothing() -> None:
    both = [concept(CONDITION_VERIFICATION, code)["coding"][0] for code in ("confirmed", "refuted")]
    doubted = condition("snomed", "22298006", verificationStatus={"coding": both})
    assert reason(doubted) == "its verification status is not confirmed"


def test_contained_medication_is_read_by_its_code_and_its_ingredients() -> None:
    statin, lisinopril = concept("rxnorm", "83367"), concept("rxnorm", "29046")
    assert flag(referring(medication(code=statin))).name == "statin"
    made = read(
        referring(medication(ingredient=[{"itemCodeableConcept": statin}, {"itemCodeableConcept": lisinopril}]))
    )
    assert [f.name for f in made.facts] == ["antihypertensive", "statin", "medicine", "medicine"]


def test_inactive_ingredient_is_no_medicine() -> None:
    inert = medication(ingredient=[{"itemCodeableConcept": concept("rxnorm", "83367"), "isActive": False}])
    assert reason(referring(inert)) == "its medicine has no code"


def test_medication_elsewhere_or_in_error_is_not_used() -> None:
    elsewhere = referring(reference="Medication/1")
    assert reason(elsewhere) == UNKNOWN_MEDICINE
    assert reason({**elsewhere, "status": "stopped"}) == "the Medication it refers to is not in the record"
    wrong = medication(code=concept("rxnorm", "83367"), status="entered-in-error")
    assert reason(referring(wrong)) == "its Medication was entered in error"


def test_name_of_a_medicine_is_not_guessed() -> None:
    assert reason(request(medicationCodeableConcept={"text": "atorvastatin 20 mg"})) == "its medicine has no code"


def test_type_that_no_mapper_reads_gives_nothing() -> None:
    made = read({"resourceType": "Claim"})
    assert (made.facts, made.unused) == ((), ())
