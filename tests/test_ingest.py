from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin import ingest, timing
from fhirtwin.errors import Incorrect, Issue
from fhirtwin.twin.state import LOCAL, PatientKey
from tests import parts


@pytest.mark.parametrize(
    ("subject", "whose"),
    [
        ("Patient/p", PatientKey(LOCAL, "p")),
        ("Patient/p/_history/3", PatientKey(LOCAL, "p")),
        (f"{parts.BASE}/Patient/p", PatientKey(LOCAL, "p")),
        ("https://ehr.test/r4/Patient/p", PatientKey("https://ehr.test/r4", "p")),
        (f"{parts.BASE}2/Patient/p", PatientKey(f"{parts.BASE}2", "p")),
        ("Group/p", None),
        ("#p", None),
        ("urn:uuid:00000000-0000-4000-8000-000000000001", None),
        ("Patient?identifier=x", None),
    ],
)
def test_whom_a_resource_is_about(subject: str, whose: PatientKey | None) -> None:
    assert ingest.patient_of(parts.observation(subject), parts.BASE) == whose


def test_warnings_pass_and_an_error_is_told_with_all_that_was_found() -> None:
    warning, error = Issue("value", "odd", ("Patient.x",), "warning"), Issue("value", "wrong", ("Patient.y",))
    ingest.refuse_invalid([warning])
    with pytest.raises(Incorrect) as caught:
        ingest.refuse_invalid([warning, error])
    assert caught.value.issues == (warning, error)


def test_one_resource_goes_the_whole_road(tmp_path: Path) -> None:
    services = parts.services(tmp_path)
    timing.begin()
    received = ingest.receive(parts.body(parts.observation("Patient/p", id="o")), "Observation", services.settings)
    with services.store.write() as write:
        first = ingest.keep(write, received, "o", parts.BASE)
        again = ingest.keep(write, received, "o", parts.BASE)
    state = services.store.twin(PatientKey(LOCAL, "p"))
    services.store.close()
    assert (first.changed, again.changed, again.stored) == (True, False, first.stored)
    assert state is not None
    assert [(fact.name, fact.sources[0].reference) for fact in state.facts] == [
        ("total-cholesterol", "Observation/o/_history/1")
    ]
    assert {part.partition(";")[0] for part in timing.header().split(", ")} == {"parse", "validate", "map", "store"}
