"""What a reader must know of the record is said beside the result."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from fhirtwin.features.caveats import notes
from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR as PREVENT
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.state import Source, Unused
from tests.twin.builders import measured, person


def left(kind: str, id_: str, reason: str = "code not known") -> Unused:
    return Unused(Source("", kind, id_, "1"), reason)


STATE = replace(
    person(),
    unused=(
        left("Condition", "a"),
        left("Condition", "b"),
        left("Condition", "b"),
        left("Condition", "c", "it has no code"),
        left("MedicationRequest", "d"),
        left("Observation", "e"),
        left("Patient", "f", "gender is not given, so there is no sex to use"),
    ),
)


def test_each_entry_is_counted_once_by_type_and_reason() -> None:
    assert notes(STATE, PREVENT) == (
        "On the lists but not counted, so look at them yourself: "
        "2 Condition (code not known); 1 Condition (it has no code); 1 MedicationRequest (code not known).",
    )


def test_lists_that_a_predictor_does_not_rely_on_are_left_out() -> None:
    (said,) = notes(STATE, KFRE)
    assert "Condition" in said and "Medication" not in said


def test_nothing_left_is_nothing_said() -> None:
    assert notes(person(), PREVENT) == ()


def test_estimate_from_an_egfr_of_an_acute_injury_says_so() -> None:
    risen = person(measured("creatinine", "0.8", "2024-05-20"), measured("creatinine", "2.6", "2024-05-25"))
    (said,) = notes(as_of(risen, date(2024, 6, 1)), PREVENT)
    assert said.startswith("Creatinine was changing rapidly")


def test_estimate_from_a_steady_egfr_says_nothing() -> None:
    steady = person(measured("creatinine", "0.8", "2024-05-20"), measured("creatinine", "0.9", "2024-05-25"))
    assert notes(as_of(steady, date(2024, 6, 1)), PREVENT) == ()
